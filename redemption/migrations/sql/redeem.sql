-- Coupons of an order, taken as money. One round trip each: the stored answer, the coupons (by id), the order, its redemption
-- with the lines, and last the budgets. What rules and prices say has been reckoned from a look without locks; here every
-- move is conditional on what was looked at, and every row count is read. Anything else raises CP001: 'changed' (look again)
-- or 'budget_spent'.
--
-- outcome: done | replayed | key_reused.

-- Whether the answer to this key was given before; if not, it is kept now.
CREATE FUNCTION redemption_answered(
    a_caller text, a_key text, a_fingerprint bytea, a_status smallint, a_body bytea, a_now timestamptz,
    OUT outcome text, OUT answer bytea, OUT answer_status smallint
) LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
    print bytea;
BEGIN
    INSERT INTO coupons_answer (caller, key, fingerprint, status, body, created_at)
    VALUES (a_caller, a_key, a_fingerprint, a_status, a_body, a_now) ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed = 0 THEN
        SELECT fingerprint, status, body INTO STRICT print, answer_status, answer
          FROM coupons_answer WHERE caller = a_caller AND key = a_key;
        outcome := CASE WHEN print = a_fingerprint THEN 'replayed' ELSE 'key_reused' END;
    END IF;
END $$;


-- A finished order counts among its customer's: what is taken off it, or given back, changes their totals, too.
-- The caller has locked the customer.
CREATE FUNCTION redemption_deduct(a_customer bigint, a_day date, a_fen bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE coupons_customer SET deducted_fen = deducted_fen + a_fen WHERE id = a_customer;
    UPDATE coupons_customerday SET deducted_fen = deducted_fen + a_fen WHERE customer_id = a_customer AND day = a_day;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;
END $$;


-- Hold (captures: false) or redeem in one call. redemption: a new id, or that of the order's own hold when the same
-- coupons are asked for again. mine: the order's hold as it was looked at, or NULL; its coupons that are no longer wanted
-- come along with stays = false. Moves are sorted by coupon; parts are what each takes off each line.
CREATE FUNCTION redemption_redeem(
    a_caller text, a_key text, a_fingerprint bytea, a_status smallint, a_body bytea,
    a_now timestamptz, a_captures boolean, a_redemption uuid, a_mine uuid, a_until timestamptz, a_by text,
    a_customer bigint, a_order text, a_placed_at timestamptz, a_client text, a_mode text, a_line text, a_city text,
    a_lines jsonb, a_goods bigint, a_shipping bigint, a_discount bigint, a_merchant bigint, a_used uuid[],
    a_moves json, a_parts json,
    OUT outcome text, OUT answer bytea, OUT answer_status smallint
) LANGUAGE plpgsql AS $$
DECLARE
    m record;
    p record;
    the_order bigint;
    changed integer;
    budgets bigint[] := '{}';
    committed bigint[] := '{}';
    spent bigint[] := '{}';
BEGIN
    IF a_key IS NOT NULL THEN
        SELECT * INTO outcome, answer, answer_status
          FROM redemption_answered(a_caller, a_key, a_fingerprint, a_status, a_body, a_now);
        IF outcome IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;

    FOR m IN SELECT * FROM json_to_recordset(a_moves)
                  AS x(coupon uuid, stays boolean, discount bigint, merchant bigint, gmv bigint, paid bigint) LOOP
        IF NOT m.stays THEN
            PERFORM coupons_release(m.coupon, a_mine, a_now, a_city, a_client, a_by, 'replaced');
        ELSIF a_captures THEN
            SELECT * INTO p FROM coupons_redeem(
                m.coupon, a_redemption, a_mine, false, a_now,
                m.discount, m.merchant, m.gmv, m.paid, a_city, a_client, a_by);
            budgets := budgets || p.budget;
            committed := committed || p.committed;
            spent := spent || p.spent;
        ELSE
            PERFORM coupons_hold(m.coupon, a_redemption, a_mine, a_until, a_now, a_city, a_client, a_by);
        END IF;
    END LOOP;

    INSERT INTO redemption_order AS o (key, customer_id, placed_at, client, business_mode, business_line, city_id, lines,
                                       goods_fen, shipping_fen, deducted_fen)
    VALUES (a_order, a_customer, a_placed_at, a_client, a_mode, a_line, a_city, a_lines,
            a_goods, a_shipping, CASE WHEN a_captures THEN a_discount ELSE 0 END)
    ON CONFLICT (key) DO UPDATE
       SET placed_at = excluded.placed_at, client = excluded.client, business_mode = excluded.business_mode,
           business_line = excluded.business_line, city_id = excluded.city_id, lines = excluded.lines,
           goods_fen = excluded.goods_fen, shipping_fen = excluded.shipping_fen, deducted_fen = excluded.deducted_fen
     WHERE o.customer_id = excluded.customer_id AND o.finished_at IS NULL
    RETURNING id INTO the_order;
    IF the_order IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;

    IF a_mine IS NOT NULL AND a_mine <> a_redemption THEN
        UPDATE redemption_redemption SET status = 'released', ended_at = least(a_now, held_until)
         WHERE id = a_mine AND order_id = the_order AND status = 'held';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
        END IF;
    END IF;
    IF a_mine = a_redemption THEN
        UPDATE redemption_redemption
           SET status = CASE WHEN a_captures THEN 'redeemed' ELSE 'held' END,
               held_until = CASE WHEN a_captures THEN NULL ELSE a_until END,
               redeemed_at = CASE WHEN a_captures THEN a_now END,
               discount_fen = a_discount, merchant_fen = a_merchant, coupons = a_used, by = a_by
         WHERE id = a_redemption AND order_id = the_order AND status = 'held';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
        END IF;
        DELETE FROM redemption_redemptionline WHERE redemption_id = a_redemption;
    ELSE
        -- Another redemption of this order that the look did not see breaks redemption_one_live_per_order here.
        INSERT INTO redemption_redemption (id, order_id, customer_id, status, created_at, held_until, redeemed_at, discount_fen,
                                           merchant_fen, returned_fen, returned_merchant_fen, by, coupons, returned)
        VALUES (a_redemption, the_order, a_customer, CASE WHEN a_captures THEN 'redeemed' ELSE 'held' END, a_now,
                CASE WHEN a_captures THEN NULL ELSE a_until END, CASE WHEN a_captures THEN a_now END, a_discount,
                a_merchant, 0, 0, a_by, a_used, '{}');
    END IF;
    INSERT INTO redemption_redemptionline (redemption_id, coupon_id, template_id, line, merchant_id, quantity, amount_fen,
                                           discount_fen, merchant_fen, returned_quantity, returned_fen, returned_merchant_fen)
    SELECT a_redemption, coupon, template, line, merchant, quantity, amount, discount, merchant_fen, 0, 0, 0
      FROM json_to_recordset(a_parts)
           AS x(coupon uuid, template bigint, line text, merchant text, quantity integer, amount bigint,
                discount bigint, merchant_fen bigint);

    IF a_captures THEN
        PERFORM coupons_purse(budgets, committed, spent);
    END IF;
    outcome := 'done';
END $$;


-- Held → redeemed. day: the business day on which the order was finished, NULL while it is not.
CREATE FUNCTION redemption_capture(
    a_caller text, a_key text, a_fingerprint bytea, a_status smallint, a_body bytea,
    a_now timestamptz, a_redemption uuid, a_order bigint, a_customer bigint, a_day date, a_discount bigint,
    a_coupons uuid[], a_discounts bigint[], a_merchants bigint[], a_gmvs bigint[], a_paids bigint[],
    a_city text, a_client text, a_by text,
    OUT outcome text, OUT answer bytea, OUT answer_status smallint
) LANGUAGE plpgsql AS $$
DECLARE
    p record;
    changed integer;
    budgets bigint[] := '{}';
    committed bigint[] := '{}';
    spent bigint[] := '{}';
BEGIN
    IF a_day IS NOT NULL THEN
        PERFORM FROM coupons_customer WHERE id = a_customer FOR NO KEY UPDATE;
    END IF;
    IF a_key IS NOT NULL THEN
        SELECT * INTO outcome, answer, answer_status
          FROM redemption_answered(a_caller, a_key, a_fingerprint, a_status, a_body, a_now);
        IF outcome IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    FOR i IN 1..cardinality(a_coupons) LOOP
        SELECT * INTO p FROM coupons_redeem(
            a_coupons[i], a_redemption, a_redemption, true, a_now,
            a_discounts[i], a_merchants[i], a_gmvs[i], a_paids[i], a_city, a_client, a_by);
        budgets := budgets || p.budget;
        committed := committed || p.committed;
        spent := spent || p.spent;
    END LOOP;
    UPDATE redemption_order SET deducted_fen = a_discount WHERE id = a_order AND (finished_at IS NULL) = (a_day IS NULL);
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed = 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;
    UPDATE redemption_redemption SET status = 'redeemed', held_until = NULL, redeemed_at = a_now
     WHERE id = a_redemption AND status = 'held' AND held_until > a_now AND discount_fen = a_discount;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed = 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;
    IF a_day IS NOT NULL THEN
        PERFORM redemption_deduct(a_customer, a_day, a_discount);
    END IF;
    PERFORM coupons_purse(budgets, committed, spent);
    outcome := 'done';
END $$;


-- Held → released, the coupons available again. A hold that ran out ended when it did.
CREATE FUNCTION redemption_release(
    a_caller text, a_key text, a_fingerprint bytea, a_status smallint, a_body bytea,
    a_now timestamptz, a_redemption uuid, a_coupons uuid[], a_city text, a_client text, a_by text,
    OUT outcome text, OUT answer bytea, OUT answer_status smallint
) LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
BEGIN
    IF a_key IS NOT NULL THEN
        SELECT * INTO outcome, answer, answer_status
          FROM redemption_answered(a_caller, a_key, a_fingerprint, a_status, a_body, a_now);
        IF outcome IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    FOR i IN 1..cardinality(a_coupons) LOOP
        PERFORM coupons_release(a_coupons[i], a_redemption, a_now, a_city, a_client, a_by, '');
    END LOOP;
    UPDATE redemption_redemption SET status = 'released', ended_at = least(a_now, held_until)
     WHERE id = a_redemption AND status = 'held';
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed = 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;
    outcome := 'done';
END $$;
