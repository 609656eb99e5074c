-- A closed month stays as it is: nothing is booked into it any more, and what was written down when it was closed can be
-- neither changed nor deleted.

CREATE FUNCTION redemption_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'never_changed';
END $$;

CREATE FUNCTION redemption_is_closed(a_at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM redemption_settledmonth WHERE ends_at > a_at)
$$;

CREATE FUNCTION redemption_not_into_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF redemption_is_closed(CASE TG_ARGV[0] WHEN 'redeemed_at' THEN (to_jsonb(NEW) ->> 'redeemed_at')::timestamptz
                                            ELSE (to_jsonb(NEW) ->> 'at')::timestamptz END) THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'month_closed';
    END IF;
    RETURN NEW;
END $$;

-- What is told at once needs no look: a month is closed half an hour after its end at the earliest.
CREATE TRIGGER redemption_open_insert BEFORE INSERT ON redemption_redemption FOR EACH ROW
    WHEN (NEW.redeemed_at < now() - interval '30 minutes') EXECUTE FUNCTION redemption_not_into_closed('redeemed_at');
CREATE TRIGGER redemption_open_update BEFORE UPDATE OF redeemed_at ON redemption_redemption FOR EACH ROW
    WHEN (NEW.redeemed_at < now() - interval '30 minutes' AND NEW.redeemed_at IS DISTINCT FROM OLD.redeemed_at)
    EXECUTE FUNCTION redemption_not_into_closed('redeemed_at');
CREATE TRIGGER given_back_open BEFORE INSERT ON redemption_givenback FOR EACH ROW
    WHEN (NEW.at < now() - interval '30 minutes') EXECUTE FUNCTION redemption_not_into_closed('at');
CREATE TRIGGER settlement_entry_open BEFORE INSERT ON redemption_settlemententry FOR EACH ROW
    WHEN (NEW.at < now() - interval '30 minutes') EXECUTE FUNCTION redemption_not_into_closed('at');

CREATE TRIGGER given_back_never BEFORE UPDATE OR DELETE ON redemption_givenback
    FOR EACH ROW EXECUTE FUNCTION redemption_never();
CREATE TRIGGER settlement_entry_never BEFORE UPDATE OR DELETE ON redemption_settlemententry
    FOR EACH ROW EXECUTE FUNCTION redemption_never();
CREATE TRIGGER settled_month_never BEFORE UPDATE OR DELETE ON redemption_settledmonth
    FOR EACH ROW EXECUTE FUNCTION redemption_never();
CREATE TRIGGER statement_never BEFORE UPDATE OR DELETE ON redemption_statement
    FOR EACH ROW EXECUTE FUNCTION redemption_never();
CREATE TRIGGER settled_month_never_emptied BEFORE TRUNCATE ON redemption_settledmonth
    FOR EACH STATEMENT EXECUTE FUNCTION redemption_never();
CREATE TRIGGER statement_never_emptied BEFORE TRUNCATE ON redemption_statement
    FOR EACH STATEMENT EXECUTE FUNCTION redemption_never();

-- Statements are written with the closing of their month, and never after it.
CREATE FUNCTION redemption_with_its_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT closed_in FROM redemption_settledmonth WHERE id = NEW.month_id) IS DISTINCT FROM txid_current() THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'never_changed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_with_its_month BEFORE INSERT ON redemption_statement
    FOR EACH ROW EXECUTE FUNCTION redemption_with_its_month();
ALTER TABLE redemption_settledmonth ALTER COLUMN closed_in SET DEFAULT txid_current();
