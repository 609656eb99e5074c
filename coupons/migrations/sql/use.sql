-- The moves of a coupon after its issue. Each function moves one coupon (`coupons_expire`: many), writes the event, and
-- tells what that means for the campaign's purse; whoever calls several hands them over sorted by id, and calls
-- `coupons_purse` last of all, because budgets are the most shared rows. A coupon that is no longer in the state that was
-- looked at raises CP001 'changed', which undoes everything: the caller looks again and gives the reason.
--
-- mine: the redemption by which the same order holds the coupon already, or NULL.

CREATE FUNCTION coupons_event(
    a_at timestamptz, a_kind text, a_coupon uuid, a_template bigint, a_customer bigint, a_placement text, a_city text,
    a_client text, a_redemption uuid, a_committed bigint, a_spent bigint, a_merchant bigint, a_gmv bigint, a_paid bigint,
    a_by text, a_reason text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH happened AS (
        INSERT INTO coupons_couponevent (at, kind, coupon_id, template_id, customer_id, placement, city_id, client,
                                         redemption_id, committed_fen, spent_fen, merchant_fen, gmv_fen, paid_fen, by, reason)
        VALUES (a_at, a_kind, a_coupon, a_template, a_customer, a_placement, a_city, a_client,
                a_redemption, a_committed, a_spent, a_merchant, a_gmv, a_paid, a_by, a_reason)
        RETURNING id
    ) INSERT INTO coupons_uncountedevent (event_id) SELECT id FROM happened;
END $$;


CREATE FUNCTION coupons_hold(
    a_coupon uuid, a_redemption uuid, a_mine uuid, a_until timestamptz, a_now timestamptz,
    a_city text, a_client text, a_by text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    UPDATE coupons_coupon SET status = 'held', held_until = a_until, redemption_id = a_redemption
     WHERE id = a_coupon AND valid_from <= a_now AND valid_until > a_now
       AND (status = 'available' OR (status = 'held' AND (held_until <= a_now OR redemption_id = a_mine)))
    RETURNING template_id, customer_id, placement INTO c;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;
    PERFORM coupons_event(a_now, 'held', a_coupon, c.template_id, c.customer_id, c.placement, a_city, a_client,
                          a_redemption, 0, 0, 0, 0, 0, a_by, '');
END $$;


-- captures: the coupon is held, and the hold promised that it will do, even past its date.
-- A coupon that may come back keeps what it did not take off, so that coming back never needs more than is held.
CREATE FUNCTION coupons_redeem(
    a_coupon uuid, a_redemption uuid, a_mine uuid, a_captures boolean, a_now timestamptz,
    a_discount bigint, a_merchant bigint, a_gmv bigint, a_paid bigint, a_city text, a_client text, a_by text,
    OUT budget bigint, OUT committed bigint, OUT spent bigint
) LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    UPDATE coupons_coupon AS now_
       SET status = 'redeemed', held_until = NULL, redemption_id = a_redemption,
           committed_fen = CASE WHEN t.returns_on_rollback AND old.valid_until > a_now
                                THEN greatest(old.committed_fen - a_discount, 0) ELSE 0 END
      FROM coupons_coupon AS old JOIN coupons_coupontemplate AS t ON t.id = old.template_id
     WHERE old.id = a_coupon AND now_.id = old.id AND now_.committed_fen = old.committed_fen
       AND CASE WHEN a_captures
                THEN now_.status = 'held' AND now_.redemption_id = a_mine AND now_.held_until > a_now
                ELSE now_.valid_from <= a_now AND now_.valid_until > a_now
                     AND (now_.status = 'available'
                          OR (now_.status = 'held' AND (now_.held_until <= a_now OR now_.redemption_id = a_mine))) END
    RETURNING now_.template_id, now_.customer_id, now_.placement, t.budget_id, now_.committed_fen - old.committed_fen AS change
         INTO c;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;
    PERFORM coupons_event(a_now, 'redeemed', a_coupon, c.template_id, c.customer_id, c.placement, a_city, a_client,
                          a_redemption, c.change, a_discount, a_merchant, a_gmv, a_paid, a_by, '');
    budget := c.budget_id;
    committed := c.change;
    spent := a_discount;
END $$;


-- Whether this redemption held it. Held by another by now: nothing to do.
CREATE FUNCTION coupons_release(
    a_coupon uuid, a_redemption uuid, a_now timestamptz, a_city text, a_client text, a_by text, a_reason text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    UPDATE coupons_coupon SET status = 'available', held_until = NULL, redemption_id = NULL
     WHERE id = a_coupon AND status = 'held' AND redemption_id = a_redemption
    RETURNING template_id, customer_id, placement INTO c;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM coupons_event(a_now, 'released', a_coupon, c.template_id, c.customer_id, c.placement, a_city, a_client,
                          a_redemption, 0, 0, 0, 0, 0, a_by, a_reason);
    RETURN true;
END $$;


-- Money of a redeemed coupon goes back: `back` of what it took off, `merchant` of it the merchant's. whole: nothing of the
-- order is left, so the coupon comes back if its template says so: past its date as expired, and void if by now the
-- customer holds one that excludes it. became: its status. The caller has locked the customer.
CREATE FUNCTION coupons_give_back(
    a_coupon uuid, a_redemption uuid, a_whole boolean, a_now timestamptz,
    a_back bigint, a_merchant bigint, a_gmv bigint, a_paid bigint, a_city text, a_client text, a_by text,
    OUT became text, OUT budget bigint, OUT committed bigint, OUT spent bigint
) LANGUAGE plpgsql AS $$
DECLARE
    c coupons_coupon;
    t record;
    alive boolean;
    kept bigint;
    code text;
BEGIN
    SELECT * INTO c FROM coupons_coupon
     WHERE id = a_coupon AND status = 'redeemed' AND redemption_id = a_redemption FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;
    SELECT budget_id, returns_on_rollback INTO STRICT t FROM coupons_coupontemplate WHERE id = c.template_id;
    alive := t.returns_on_rollback AND c.valid_until > a_now;
    became := CASE WHEN NOT a_whole OR NOT t.returns_on_rollback THEN 'redeemed'
                   WHEN alive THEN 'available' ELSE 'expired' END;
    IF became = 'available' AND (c.newcomer OR c.exclusive_group IS NOT NULL) AND EXISTS (
        SELECT FROM coupons_coupon AS o
         WHERE o.customer_id = c.customer_id AND o.id <> c.id AND o.status IN ('available', 'held')
           AND ((c.newcomer AND o.newcomer) OR o.exclusive_group = c.exclusive_group)
           AND o.issued_at < c.valid_until AND o.valid_until > c.issued_at
    ) THEN
        became := 'void';
        alive := false;
        code := CASE WHEN c.newcomer THEN 'newcomer_coupon_held' ELSE 'exclusive_coupon_held' END;
    END IF;
    kept := CASE WHEN NOT alive OR (a_whole AND became = 'redeemed') THEN 0 ELSE c.committed_fen + a_back END;
    UPDATE coupons_coupon
       SET status = became, committed_fen = kept,
           redemption_id = CASE WHEN became = 'redeemed' THEN redemption_id END
     WHERE id = c.id;
    PERFORM coupons_event(a_now, 'rolled_back', c.id, c.template_id, c.customer_id, c.placement, a_city, a_client,
                          a_redemption, kept - c.committed_fen, -a_back, -a_merchant, -a_gmv, -a_paid, a_by, '');
    IF became IN ('available', 'expired') THEN
        PERFORM coupons_event(a_now, 'returned', c.id, c.template_id, c.customer_id, c.placement, a_city, a_client,
                              a_redemption, 0, 0, 0, 0, 0, a_by, '');
    END IF;
    IF became IN ('void', 'expired') THEN
        PERFORM coupons_event(a_now, became, c.id, c.template_id, c.customer_id, c.placement, a_city, a_client,
                              a_redemption, 0, 0, 0, 0, 0, a_by, coalesce(code, ''));
    END IF;
    budget := t.budget_id;
    committed := kept - c.committed_fen;
    spent := -a_back;
END $$;


-- Changes of purses, budgets in the order of their ids.
CREATE FUNCTION coupons_purse(a_budgets bigint[], a_committed bigint[], a_spent bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
BEGIN
    IF cardinality(a_budgets) > 1 THEN
        SELECT array_agg(s.budget), array_agg(s.committed), array_agg(s.spent) INTO a_budgets, a_committed, a_spent
          FROM (SELECT p.budget, sum(p.committed)::bigint AS committed, sum(p.spent)::bigint AS spent
                  FROM unnest(a_budgets, a_committed, a_spent) AS p(budget, committed, spent)
                 GROUP BY p.budget ORDER BY p.budget) AS s;
    END IF;
    FOR i IN 1..cardinality(a_budgets) LOOP
        CONTINUE WHEN a_committed[i] = 0 AND a_spent[i] = 0;
        UPDATE coupons_budget SET committed_fen = committed_fen + a_committed[i], spent_fen = spent_fen + a_spent[i]
         WHERE id = a_budgets[i]
           AND (limit_fen IS NULL OR a_committed[i] + a_spent[i] <= 0
                OR committed_fen + spent_fen + a_committed[i] + a_spent[i] <= limit_fen);
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed <> 1 THEN
            RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'budget_spent';
        END IF;
    END LOOP;
END $$;


-- Up to `limit` coupons whose date has passed: those in a customer's hands become expired, and what is committed for them,
-- or kept for the return of redeemed ones, is to be freed in the budgets named. A hold that lasts keeps its coupon.
-- Locked ones wait for next time.
CREATE FUNCTION coupons_expired(
    a_now timestamptz, a_budget bigint, a_customer bigint, a_limit integer, a_by text,
    OUT budget bigint, OUT freed bigint, OUT number bigint
) RETURNS SETOF record LANGUAGE sql AS $$
    WITH due AS MATERIALIZED (
        SELECT c.id, c.status, c.committed_fen, t.budget_id
          FROM coupons_coupon AS c JOIN coupons_coupontemplate AS t ON t.id = c.template_id
         WHERE timezone('UTC', c.valid_until) <= timezone('UTC', a_now)
           AND (c.status IN ('available', 'held') OR c.committed_fen > 0)
           AND (c.status <> 'held' OR c.held_until <= a_now)
           AND (a_budget IS NULL OR (t.budget_id = a_budget AND c.committed_fen > 0))
           AND (a_customer IS NULL OR c.customer_id = a_customer)
         ORDER BY timezone('UTC', c.valid_until)
         LIMIT a_limit
           FOR NO KEY UPDATE OF c SKIP LOCKED
    ), moved AS (
        UPDATE coupons_coupon AS c
           SET status = CASE WHEN c.status IN ('available', 'held') THEN 'expired' ELSE c.status END,
               held_until = NULL,
               redemption_id = CASE WHEN c.status = 'held' THEN NULL ELSE c.redemption_id END,
               committed_fen = 0
          FROM due WHERE c.id = due.id
        RETURNING c.id, c.template_id, c.customer_id, c.placement, c.redemption_id, due.committed_fen, due.budget_id,
                  CASE WHEN due.status IN ('available', 'held') THEN 'expired' ELSE 'freed' END AS kind
    ), happened AS (
        INSERT INTO coupons_couponevent (at, kind, coupon_id, template_id, customer_id, placement, redemption_id,
                                         committed_fen, spent_fen, merchant_fen, gmv_fen, paid_fen, by, reason)
        SELECT a_now, kind, id, template_id, customer_id, placement, redemption_id, -committed_fen, 0, 0, 0, 0, a_by, ''
          FROM moved
        RETURNING id
    ), uncounted AS (
        INSERT INTO coupons_uncountedevent (event_id) SELECT id FROM happened
    )
    SELECT budget_id, sum(committed_fen)::bigint, count(*) FROM moved GROUP BY budget_id ORDER BY budget_id
$$;


-- The same, and the budgets told; how many.
CREATE FUNCTION coupons_expire(a_now timestamptz, a_budget bigint, a_customer bigint, a_limit integer, a_by text)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    e record;
    done integer := 0;
    budgets bigint[] := '{}';
    committed bigint[] := '{}';
    spent bigint[] := '{}';
BEGIN
    FOR e IN SELECT budget, freed, number FROM coupons_expired(a_now, a_budget, a_customer, a_limit, a_by) LOOP
        done := done + e.number;
        budgets := budgets || e.budget;
        committed := committed || -e.freed;
        spent := spent || 0::bigint;
    END LOOP;
    PERFORM coupons_purse(budgets, committed, spent);
    RETURN done;
END $$;


-- Holds that have run out: their coupons are available again, up to `limit` of them. Nothing waits for this.
CREATE FUNCTION coupons_lapse(a_now timestamptz, a_limit integer, a_by text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    done integer;
BEGIN
    WITH due AS MATERIALIZED (
        SELECT id, redemption_id FROM coupons_coupon
         WHERE status = 'held' AND held_until <= a_now AND valid_until > a_now
         ORDER BY held_until LIMIT a_limit FOR NO KEY UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE coupons_coupon AS c SET status = 'available', held_until = NULL, redemption_id = NULL
          FROM due WHERE c.id = due.id
        RETURNING c.id, c.template_id, c.customer_id, c.placement, due.redemption_id
    ), happened AS (
        INSERT INTO coupons_couponevent (at, kind, coupon_id, template_id, customer_id, placement, redemption_id,
                                         committed_fen, spent_fen, merchant_fen, gmv_fen, paid_fen, by, reason)
        SELECT a_now, 'released', id, template_id, customer_id, placement, redemption_id, 0, 0, 0, 0, 0, a_by, 'hold_expired'
          FROM moved
        RETURNING id
    ), uncounted AS (
        INSERT INTO coupons_uncountedevent (event_id) SELECT id FROM happened RETURNING 1
    )
    SELECT count(*) INTO done FROM moved;
    RETURN done;
END $$;


-- An operator takes it away. The code of the refusal, or NULL when it is done.
CREATE FUNCTION coupons_void(a_coupon uuid, a_now timestamptz, a_by text, a_reason text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c coupons_coupon;
    budget bigint;
BEGIN
    SELECT * INTO c FROM coupons_coupon WHERE id = a_coupon FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'not_found';
    ELSIF c.status = 'redeemed' THEN
        RETURN 'already_redeemed';
    ELSIF c.status = 'void' THEN
        RETURN 'not_available';
    ELSIF c.status = 'held' AND c.held_until > a_now THEN
        RETURN 'held_by_other_order';
    ELSIF c.status = 'expired' OR c.valid_until <= a_now THEN
        RETURN 'expired';
    END IF;
    UPDATE coupons_coupon SET status = 'void', committed_fen = 0, held_until = NULL, redemption_id = NULL WHERE id = c.id;
    PERFORM coupons_event(a_now, 'void', c.id, c.template_id, c.customer_id, c.placement, NULL, NULL, NULL,
                          -c.committed_fen, 0, 0, 0, 0, a_by, a_reason);
    SELECT budget_id INTO STRICT budget FROM coupons_coupontemplate WHERE id = c.template_id;
    PERFORM coupons_purse(ARRAY[budget], ARRAY[-c.committed_fen], ARRAY[0::bigint]);
    RETURN NULL;
END $$;
