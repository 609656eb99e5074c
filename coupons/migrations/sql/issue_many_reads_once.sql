-- Coupons for those of the customers whom nothing speaks against, in their order, as far as there is room; an outcome
-- for each of them: issued, or a refusal code. Locks go from the least shared row to the most shared: customers (only
-- where coupons exclude each other), their counters, then the template's supply and the purse by one update each. Those
-- two stand under their limits again; whoever lost the room to a neighbour meanwhile gets CP001 'again', and nothing
-- was done. Customers come once each and in ascending order of id; a_ids and a_codes are as many, and each is read once:
-- to seek one text in an array is to pass all before it.
DROP FUNCTION coupons_issue_many;
CREATE FUNCTION coupons_issue_many(
    a_version bigint, a_now timestamptz, a_day date, a_placement text, a_by text, a_reason text,
    a_template bigint, a_budget bigint, a_from timestamptz, a_until timestamptz, a_worth bigint,
    a_newcomer boolean, a_group text, a_customers bigint[], a_ids uuid[], a_codes text[]
) RETURNS TABLE (customer bigint, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    s coupons_supply;
    most bigint;
    bound text;
    given bigint;
    customers bigint[];
    outcomes text[];
    changed integer;
BEGIN
    IF a_version <> (SELECT version FROM coupons_catalogue) THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'stale';
    END IF;
    SELECT * INTO STRICT s FROM coupons_supply WHERE template_id = a_template;
    SELECT r.room, r.bound INTO most, bound FROM coupons_room(a_template, a_day, a_worth) r;
    IF a_newcomer OR a_group IS NOT NULL THEN
        PERFORM FROM coupons_customer WHERE id = ANY (a_customers) ORDER BY id FOR NO KEY UPDATE;
    END IF;

    WITH looked AS MATERIALIZED (
        SELECT l.place, l.customer, l.refusal,
               CASE WHEN l.refusal IS NULL THEN row_number() OVER (PARTITION BY l.refusal IS NULL ORDER BY l.place) END
                   AS turn
          FROM coupons_look_many(a_template, a_now, a_day, a_worth, a_newcomer, a_group, a_until, a_customers) l
    ), counted AS (
        INSERT INTO coupons_customercounter AS o
               (customer_id, template_id, issued_count, issued_fen, day, day_count, day_fen)
        SELECT l.customer, a_template, 1, a_worth, a_day, 1, a_worth FROM looked l
         WHERE l.refusal IS NULL AND (most IS NULL OR l.turn <= most) ORDER BY l.customer
        ON CONFLICT (customer_id, template_id) DO UPDATE
           SET issued_count = o.issued_count + 1,
               issued_fen = o.issued_fen + a_worth,
               day = greatest(o.day, a_day),
               day_count = CASE WHEN o.day = a_day THEN o.day_count + 1 WHEN o.day > a_day THEN o.day_count ELSE 1 END,
               day_fen = CASE WHEN o.day = a_day THEN o.day_fen + a_worth WHEN o.day > a_day THEN o.day_fen
                              ELSE a_worth END
         WHERE (s.customer_count IS NULL OR o.issued_count < s.customer_count)
           AND (s.customer_fen IS NULL OR o.issued_fen + a_worth <= s.customer_fen)
           AND (o.day <= a_day OR (s.customer_daily_count IS NULL AND s.customer_daily_fen IS NULL))
           AND (s.customer_daily_count IS NULL OR s.customer_daily_count >
                CASE WHEN o.day = a_day THEN o.day_count ELSE 0 END)
           AND (s.customer_daily_fen IS NULL OR s.customer_daily_fen >=
                a_worth + CASE WHEN o.day = a_day THEN o.day_fen ELSE 0 END)
        RETURNING customer_id
    ), granted AS (
        SELECT l.place, l.customer, n.id, n.code
          FROM looked l
          JOIN counted k ON k.customer_id = l.customer
          JOIN unnest(a_ids, a_codes) WITH ORDINALITY AS n(id, code, place) ON n.place = l.place
    ), made AS (
        INSERT INTO coupons_coupon (id, code, template_id, customer_id, placement, status, issued_at, valid_from,
                                    valid_until, committed_fen, newcomer, exclusive_group)
        SELECT g.id, g.code, a_template, g.customer, a_placement, 'available', a_now, a_from, a_until, a_worth,
               a_newcomer, a_group FROM granted g
    ), happened AS (
        INSERT INTO coupons_couponevent (at, kind, coupon_id, template_id, customer_id, placement, committed_fen,
                                         spent_fen, merchant_fen, gmv_fen, paid_fen, by, reason)
        SELECT a_now, 'issued', g.id, a_template, g.customer, a_placement, a_worth, 0, 0, 0, 0, a_by, a_reason
          FROM granted g RETURNING id
    ), queued AS (
        INSERT INTO coupons_uncountedevent (event_id) SELECT h.id FROM happened h
    )
    SELECT array_agg(l.customer), count(g.id),
           array_agg(CASE WHEN g.id IS NOT NULL THEN 'issued' WHEN l.refusal IS NOT NULL THEN l.refusal
                          WHEN l.turn > most THEN bound
                          WHEN s.customer_count IS NULL AND s.customer_fen IS NULL THEN 'customer_daily_limit'
                          ELSE 'customer_limit' END)
      INTO customers, given, outcomes
      FROM looked l LEFT JOIN granted g ON g.place = l.place;

    IF given > 0 THEN
        UPDATE coupons_supply AS o
           SET issued_count = o.issued_count + given,
               issued_fen = o.issued_fen + given * a_worth,
               day = greatest(o.day, a_day),
               day_count = CASE WHEN o.day = a_day THEN o.day_count + given WHEN o.day > a_day THEN o.day_count
                                ELSE given END,
               day_fen = CASE WHEN o.day = a_day THEN o.day_fen + given * a_worth WHEN o.day > a_day THEN o.day_fen
                              ELSE given * a_worth END
         WHERE o.template_id = a_template
           AND (o.total_count IS NULL OR o.issued_count + given <= o.total_count)
           AND (o.total_fen IS NULL OR o.issued_fen + given * a_worth <= o.total_fen)
           AND ((o.day > a_day) IS NOT TRUE OR (o.daily_count IS NULL AND o.daily_fen IS NULL))
           AND (o.daily_count IS NULL OR o.daily_count >= given + CASE WHEN o.day = a_day THEN o.day_count ELSE 0 END)
           AND (o.daily_fen IS NULL
                OR o.daily_fen >= given * a_worth + CASE WHEN o.day = a_day THEN o.day_fen ELSE 0 END);
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'again';
        END IF;
        IF a_version <> (SELECT version FROM coupons_catalogue) THEN  -- the terms may be what we waited for
            RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'stale';
        END IF;
        UPDATE coupons_budget SET committed_fen = committed_fen + given * a_worth
         WHERE id = a_budget AND (limit_fen IS NULL OR committed_fen + spent_fen + given * a_worth <= limit_fen);
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'again';
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM unnest(customers, outcomes);
END $$;
