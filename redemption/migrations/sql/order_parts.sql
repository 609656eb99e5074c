-- As before, and each coupon is told which part of the order it is.

CREATE OR REPLACE FUNCTION redemption_redeem(
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
                  AS x(coupon uuid, stays boolean, discount bigint, merchant bigint, gmv bigint, paid bigint,
                       parts bigint) LOOP
        IF NOT m.stays THEN
            PERFORM coupons_release(m.coupon, a_mine, a_now, a_city, a_client, a_by, 'replaced');
        ELSIF a_captures THEN
            SELECT * INTO p FROM coupons_redeem(
                m.coupon, a_redemption, a_mine, false, a_now,
                m.discount, m.merchant, m.gmv, m.paid, m.parts, a_city, a_client, a_by);
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


DROP FUNCTION redemption_capture(text, text, bytea, smallint, bytea, timestamptz, uuid, bigint, bigint, date, bigint, uuid[],
                                 bigint[], bigint[], bigint[], bigint[], text, text, text);

CREATE FUNCTION redemption_capture(
    a_caller text, a_key text, a_fingerprint bytea, a_status smallint, a_body bytea,
    a_now timestamptz, a_redemption uuid, a_order bigint, a_customer bigint, a_day date, a_discount bigint,
    a_coupons uuid[], a_discounts bigint[], a_merchants bigint[], a_gmvs bigint[], a_paids bigint[],
    a_parts bigint[], a_city text, a_client text, a_by text,
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
            a_discounts[i], a_merchants[i], a_gmvs[i], a_paids[i], a_parts[i], a_city, a_client, a_by);
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


-- What was written before: in proportion to the order's value, which was shared by the same rule; the first has all where
-- there is none. It goes back with the last that was given back, if nothing of the order is left.
UPDATE coupons_couponevent e SET order_parts = s.upto - s.before
  FROM (SELECT id, CASE WHEN total > 0 THEN floor(1000000 * upto / total) ELSE 1000000 END AS upto,
               CASE WHEN total > 0 THEN floor(1000000 * (upto - gmv_fen) / total)
                    WHEN place > 1 THEN 1000000 ELSE 0 END AS before
          FROM (SELECT id, gmv_fen, sum(gmv_fen) OVER whole AS total, sum(gmv_fen) OVER upto AS upto,
                       row_number() OVER upto AS place
                  FROM coupons_couponevent WHERE kind = 'redeemed' AND redemption_id IS NOT NULL
                WINDOW whole AS (PARTITION BY redemption_id), upto AS (PARTITION BY redemption_id ORDER BY id)) x) s
 WHERE e.id = s.id;
UPDATE coupons_couponevent e SET order_parts = -used.order_parts
  FROM (SELECT redemption_id, coupon_id, max(id) AS id FROM coupons_couponevent WHERE kind = 'rolled_back' GROUP BY 1, 2) l
  JOIN redemption_redemption r ON r.id = l.redemption_id AND r.status = 'rolled_back'
  JOIN coupons_couponevent used ON used.coupon_id = l.coupon_id AND used.redemption_id = r.id AND used.kind = 'redeemed'
 WHERE e.id = l.id;
