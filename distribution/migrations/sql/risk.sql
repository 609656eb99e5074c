-- What risk control has against a claim: NULL for nothing, else `blocked`, `account_age` or `velocity_` and by what.
-- counts: the claim is counted in the same breath, for the caller's transaction to keep or to undo; without, it is only
-- looked at. a_networks: the caller's address and the networks around it. a_offset: seconds that the business time zone
-- is ahead of UTC, so that a day's window is its day. Rules are taken in one order, so nobody waits in a circle.
CREATE FUNCTION distribution_risk(
    a_customer text, a_device text, a_networks text[], a_now timestamptz, a_offset integer, counts boolean
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    me record;
    r distribution_riskrule;
    said text;
    mark uuid;
    seconds integer;
    starts timestamptz;
    changed integer;
BEGIN
    SELECT phone, registered_at INTO me FROM coupons_customer WHERE key = a_customer;
    IF EXISTS (
        SELECT FROM distribution_block
         WHERE (until IS NULL OR until > a_now)
           AND (kind, value) IN (
               SELECT 'customer', a_customer UNION ALL SELECT 'phone', me.phone UNION ALL SELECT 'device', a_device
                UNION ALL SELECT 'ip', unnest(a_networks))
    ) THEN
        RETURN 'blocked';
    END IF;
    FOR r IN SELECT * FROM distribution_riskrule WHERE is_on ORDER BY id LOOP
        seconds := r.minutes * 60;
        IF r.kind = 'account_age' THEN
            IF me.registered_at IS NULL OR me.registered_at > a_now - seconds * interval '1 second' THEN
                RETURN 'account_age';  -- an age that nobody knows is not old enough
            END IF;
            CONTINUE;
        END IF;
        said := CASE r.kind WHEN 'customer' THEN a_customer
                          WHEN 'device' THEN a_device
                          WHEN 'ip' THEN a_networks[1]
                          ELSE left(nullif(me.phone, ''), 3 + r.digits) END;
        CONTINUE WHEN said IS NULL OR said = '';  -- what is not known cannot be counted
        mark := coupons_identity(r.kind, said);
        starts := to_timestamp(floor((extract(epoch FROM a_now) + a_offset) / seconds) * seconds - a_offset);
        IF EXISTS (SELECT FROM distribution_velocity
                    WHERE rule_id = r.id AND value = mark AND window_at >= starts AND count >= r.most_count) THEN
            RETURN 'velocity_' || r.kind;
        END IF;
        CONTINUE WHEN NOT counts;
        INSERT INTO distribution_velocity AS o (rule_id, value, window_at, count) VALUES (r.id, mark, starts, 1)
        ON CONFLICT (rule_id, value) DO UPDATE
           SET window_at = greatest(o.window_at, excluded.window_at),
               count = CASE WHEN o.window_at < excluded.window_at THEN 1 ELSE o.count + 1 END
         WHERE o.window_at < excluded.window_at OR o.count < r.most_count;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            RETURN 'velocity_' || r.kind;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
