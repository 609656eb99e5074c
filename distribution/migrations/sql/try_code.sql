-- Counts a wrong code before anybody has looked whether it is one: of the account, of the address it came from, of all
-- together. Rows are locked in that order, so that parallel calls count one after the other and none is answered
-- uncounted. What turned out right is given back.
--
-- Raises CP429 with the moment (DETAIL) from which another may be tried; then nothing was counted.
CREATE FUNCTION distribution_try_code(a_now timestamptz, a_since timestamptz, a_scopes text[], a_limits integer[])
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
    oldest timestamptz;
BEGIN
    -- A server that falls may forget the attempts of its last half second; waiting for the disk is not worth that.
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR i IN 1..cardinality(a_scopes) LOOP
        INSERT INTO distribution_codeattempts AS o (scope, failed_at) VALUES (a_scopes[i], ARRAY[a_now])
        ON CONFLICT (scope) DO UPDATE
           SET failed_at = ARRAY(SELECT t FROM unnest(o.failed_at) t WHERE t > a_since ORDER BY t) || a_now
         WHERE (SELECT count(*) FROM unnest(o.failed_at) t WHERE t > a_since) < a_limits[i];
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            SELECT t INTO oldest FROM distribution_codeattempts o, unnest(o.failed_at) t
             WHERE o.scope = a_scopes[i] ORDER BY t DESC OFFSET a_limits[i] - 1 LIMIT 1;
            RAISE EXCEPTION USING ERRCODE = 'CP429', MESSAGE = 'too_many_attempts',
                                  DETAIL = extract(epoch FROM coalesce(oldest, a_now));
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- The attempt of that moment was none.
CREATE FUNCTION distribution_right_code(a_at timestamptz, a_scopes text[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    one text;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    FOREACH one IN ARRAY a_scopes LOOP
        UPDATE distribution_codeattempts
           SET failed_at = failed_at[:array_position(failed_at, a_at) - 1] || failed_at[array_position(failed_at, a_at) + 1:]
         WHERE scope = one AND array_position(failed_at, a_at) IS NOT NULL;
        DELETE FROM distribution_codeattempts WHERE scope = one AND failed_at = '{}';
    END LOOP;
    RETURN true;
END $$;
