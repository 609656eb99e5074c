-- A rule gives this customer nothing more until a_until (NULL: it does not rest). Raises when it rests already, which undoes
-- what was done beside.
CREATE FUNCTION distribution_rest(a_rule bigint, a_customer text, a_until timestamptz, a_now timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF a_until IS NULL THEN
        RETURN true;
    END IF;
    INSERT INTO distribution_rest AS rest (rule_id, customer_key, until) VALUES (a_rule, a_customer, a_until)
    ON CONFLICT (rule_id, customer_key) DO UPDATE SET until = excluded.until WHERE rest.until <= a_now;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CP002', MESSAGE = 'resting';
    END IF;
    RETURN true;
END $$;
