-- As before, and each use says which part of its order it is: a million parts, shared over the coupons of the order. What
-- is given back takes parts along, or hands them on to the coupons that stay with the order.

DROP FUNCTION coupons_event(timestamptz, text, uuid, bigint, bigint, text, text, text, uuid, bigint, bigint, bigint, bigint,
                            bigint, text, text);
DROP FUNCTION coupons_redeem(uuid, uuid, uuid, boolean, timestamptz, bigint, bigint, bigint, bigint, text, text, text);
DROP FUNCTION coupons_give_back(uuid, uuid, text, text, timestamptz, timestamptz, bigint, bigint, bigint, bigint, text, text,
                                text);

CREATE FUNCTION coupons_event(
    a_at timestamptz, a_kind text, a_coupon uuid, a_template bigint, a_customer bigint, a_placement text, a_city text,
    a_client text, a_redemption uuid, a_committed bigint, a_spent bigint, a_merchant bigint, a_gmv bigint, a_paid bigint,
    a_by text, a_reason text, a_parts bigint DEFAULT 0
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH happened AS (
        INSERT INTO coupons_couponevent (at, kind, coupon_id, template_id, customer_id, placement, city_id, client,
                                         redemption_id, committed_fen, spent_fen, merchant_fen, gmv_fen, paid_fen,
                                         order_parts, by, reason)
        VALUES (a_at, a_kind, a_coupon, a_template, a_customer, a_placement, a_city, a_client,
                a_redemption, a_committed, a_spent, a_merchant, a_gmv, a_paid, a_parts, a_by, a_reason)
        RETURNING id
    ) INSERT INTO coupons_uncountedevent (event_id) SELECT id FROM happened;
END $$;


CREATE FUNCTION coupons_redeem(
    a_coupon uuid, a_redemption uuid, a_mine uuid, a_captures boolean, a_now timestamptz,
    a_discount bigint, a_merchant bigint, a_gmv bigint, a_paid bigint, a_parts bigint, a_city text, a_client text, a_by text,
    OUT budget bigint, OUT committed bigint, OUT spent bigint
) LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    UPDATE coupons_coupon AS now_
       SET status = 'redeemed', held_until = NULL, redemption_id = a_redemption,
           committed_fen = CASE WHEN coupons_may_return(t) AND old.valid_until > a_now
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
                          a_redemption, c.change, a_discount, a_merchant, a_gmv, a_paid, a_by, '', a_parts);
    budget := c.budget_id;
    committed := c.change;
    spent := a_discount;
END $$;


CREATE FUNCTION coupons_give_back(
    a_coupon uuid, a_redemption uuid, a_outcome text, a_late text, a_grace timestamptz, a_now timestamptz,
    a_back bigint, a_merchant bigint, a_gmv bigint, a_paid bigint, a_parts bigint, a_city text, a_client text, a_by text,
    OUT became text, OUT budget bigint, OUT committed bigint, OUT spent bigint
) LANGUAGE plpgsql AS $$
DECLARE
    c coupons_coupon;
    t coupons_coupontemplate;
    ends timestamptz;
    alive boolean;
    kept bigint;
    code text;
BEGIN
    SELECT * INTO c FROM coupons_coupon
     WHERE id = a_coupon AND status = 'redeemed' AND redemption_id = a_redemption FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', MESSAGE = 'changed';
    END IF;
    SELECT * INTO STRICT t FROM coupons_coupontemplate WHERE id = c.template_id;
    ends := c.valid_until;
    IF a_outcome = 'grace' THEN
        ends := greatest(ends, a_grace);
    END IF;
    IF a_outcome <> 'stays' AND ends <= a_now THEN
        IF a_late = 'grace' THEN
            ends := greatest(ends, a_grace);
        ELSIF a_late = 'stays' THEN
            a_outcome := 'stays';
        END IF;
    END IF;
    became := CASE WHEN a_outcome IS NULL OR a_outcome = 'stays' THEN 'redeemed'
                   WHEN ends > a_now THEN 'available' ELSE 'expired' END;
    alive := coupons_may_return(t) AND ends > a_now;
    IF became = 'available' AND ((c.exclusive_group IS NOT NULL AND EXISTS (
        SELECT FROM coupons_coupon AS o
         WHERE o.customer_id = c.customer_id AND o.id <> c.id AND o.status IN ('available', 'held')
           AND o.exclusive_group = c.exclusive_group
           AND o.issued_at < ends AND o.valid_until > c.issued_at
    )) OR (c.newcomer AND coupons_newcomer_held(c.customer_id, c.newcomer_device, c.issued_at, ends, c.id))) THEN
        became := 'void';
        alive := false;
        code := CASE WHEN c.newcomer THEN 'newcomer_coupon_held' ELSE 'exclusive_coupon_held' END;
    END IF;
    kept := CASE WHEN NOT alive OR (a_outcome IS NOT NULL AND became = 'redeemed') THEN 0
                 -- Its rest may have been freed when its date passed: with grace it needs its worst case again.
                 WHEN ends > c.valid_until
                 THEN greatest(c.committed_fen + a_back, CASE WHEN t.type = 'percent_off' THEN t.cap_fen ELSE t.amount_fen END)
                 ELSE c.committed_fen + a_back END;
    UPDATE coupons_coupon
       SET status = became, committed_fen = kept,
           valid_until = CASE WHEN became = 'available' THEN ends ELSE valid_until END,
           redemption_id = CASE WHEN became = 'redeemed' THEN redemption_id END
     WHERE id = c.id;
    PERFORM coupons_event(a_now, 'rolled_back', c.id, c.template_id, c.customer_id, c.placement, a_city, a_client,
                          a_redemption, kept - c.committed_fen, -a_back, -a_merchant, -a_gmv, -a_paid, a_by, '', -a_parts);
    IF became IN ('available', 'expired') THEN
        PERFORM coupons_event(a_now, 'returned', c.id, c.template_id, c.customer_id, c.placement, a_city, a_client,
                              a_redemption, 0, 0, 0, 0, 0, a_by,
                              CASE WHEN became = 'available' AND ends > c.valid_until THEN 'grace' ELSE '' END);
    END IF;
    IF became IN ('void', 'expired') THEN
        PERFORM coupons_event(a_now, became, c.id, c.template_id, c.customer_id, c.placement, a_city, a_client,
                              a_redemption, 0, 0, 0, 0, 0, a_by, coalesce(code, ''));
    END IF;
    budget := t.budget_id;
    committed := kept - c.committed_fen;
    spent := -a_back;
END $$;
