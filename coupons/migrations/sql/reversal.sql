-- Whether coupons of the template come back in any case: then what they did not take off stays committed for them.
CREATE FUNCTION coupons_may_return(t coupons_coupontemplate) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT t.returns_on_rollback OR t.reversal @? '$.* ? (@ == "returns" || @ == "grace")'
$$;


-- As before, but by the whole table of cases.
CREATE OR REPLACE FUNCTION coupons_redeem(
    a_coupon uuid, a_redemption uuid, a_mine uuid, a_captures boolean, a_now timestamptz,
    a_discount bigint, a_merchant bigint, a_gmv bigint, a_paid bigint, a_city text, a_client text, a_by text,
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
                          a_redemption, c.change, a_discount, a_merchant, a_gmv, a_paid, a_by, '');
    budget := c.budget_id;
    committed := c.change;
    spent := a_discount;
END $$;


DROP FUNCTION coupons_give_back(uuid, uuid, boolean, timestamptz, bigint, bigint, bigint, bigint, text, text, text);

-- Money of a redeemed coupon goes back: `back` of what it took off, `merchant` of it the merchant's.
-- outcome: NULL while the coupon stays with its order; else what its template's table says of the case: 'returns', 'grace'
-- or 'stays'; late: what it says of a coupon whose date has passed meanwhile. grace: until when grace would last, NULL: the
-- budget cannot bear it. A coupon that comes back is void if by now the customer holds one that excludes it.
-- became: its status. The caller has locked the customer.
CREATE FUNCTION coupons_give_back(
    a_coupon uuid, a_redemption uuid, a_outcome text, a_late text, a_grace timestamptz, a_now timestamptz,
    a_back bigint, a_merchant bigint, a_gmv bigint, a_paid bigint, a_city text, a_client text, a_by text,
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
                          a_redemption, kept - c.committed_fen, -a_back, -a_merchant, -a_gmv, -a_paid, a_by, '');
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
