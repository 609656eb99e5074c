-- One live newcomer coupon for each account, phone number, WeChat account and device.

-- The same digest as `coupons.rules.identity`.
CREATE FUNCTION coupons_identity(a_kind text, a_value text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT encode(substring(sha256(convert_to(a_kind || ':' || a_value, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid
$$;

-- Whether the customer may be somebody who holds a newcomer coupon between now and a_until: by the account, by another
-- account of the same phone or WeChat account, known by now or when that coupon was issued, or by the device.
CREATE FUNCTION coupons_newcomer_held(
    a_customer bigint, a_device uuid, a_now timestamptz, a_until timestamptz, a_but uuid DEFAULT NULL
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    number uuid;
    account uuid;
    twins bigint[] := ARRAY[a_customer];
BEGIN
    SELECT coupons_identity('phone', nullif(phone, '')), wechat INTO number, account
      FROM coupons_customer WHERE id = a_customer;
    IF number IS NOT NULL THEN
        twins := twins || ARRAY(SELECT t.id FROM coupons_customer AS t
                                  JOIN coupons_customer AS me ON t.phone = me.phone WHERE me.id = a_customer);
    END IF;
    IF account IS NOT NULL THEN
        twins := twins || ARRAY(SELECT id FROM coupons_customer WHERE wechat = account);
    END IF;
    RETURN EXISTS (SELECT FROM coupons_coupon WHERE customer_id = ANY(twins) AND newcomer AND id IS DISTINCT FROM a_but
                      AND status IN ('available', 'held') AND valid_until > a_now AND issued_at < a_until)
        OR (number IS NOT NULL AND EXISTS (
               SELECT FROM coupons_coupon WHERE newcomer_phone = number AND newcomer AND id IS DISTINCT FROM a_but
                  AND status IN ('available', 'held') AND valid_until > a_now AND issued_at < a_until))
        OR (account IS NOT NULL AND EXISTS (
               SELECT FROM coupons_coupon WHERE newcomer_wechat = account AND newcomer AND id IS DISTINCT FROM a_but
                  AND status IN ('available', 'held') AND valid_until > a_now AND issued_at < a_until))
        OR (a_device IS NOT NULL AND EXISTS (
               SELECT FROM coupons_coupon WHERE newcomer_device = a_device AND newcomer AND id IS DISTINCT FROM a_but
                  AND status IN ('available', 'held') AND valid_until > a_now AND issued_at < a_until));
END $$;

-- Whoever issues it, one by one or a million at once: a newcomer coupon carries what is known of its customer.
CREATE FUNCTION coupons_newcomer_identities() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT coupons_identity('phone', nullif(phone, '')), wechat INTO NEW.newcomer_phone, NEW.newcomer_wechat
      FROM coupons_customer WHERE id = NEW.customer_id;
    RETURN NEW;
END $$;
CREATE TRIGGER coupons_newcomer_identities BEFORE INSERT ON coupons_coupon
FOR EACH ROW WHEN (NEW.newcomer) EXECUTE FUNCTION coupons_newcomer_identities();

-- As it was, and with the device.
DROP FUNCTION coupons_issue;
-- Put coupons into one customer's hands: all of them or none, in one round trip.
--
-- Looks first without locking, so that a refusal writes nothing and waits for nobody. Then, from the least shared row
-- to the most shared: the customer (only where coupons exclude each other), the stored answer, the customer's counters,
-- the coupons with their events, the templates' supply, the campaigns' budgets. Every limit stands in the WHERE of its
-- own update, and every row count is read; a limit lost to a neighbour in between raises, which undoes everything.
--
-- outcome: issued | replayed | key_reused | stale | a refusal code. which: the item (from 1) that was refused.
-- Items come sorted by template. worth: the most a coupon can take off, in fen. day: now's day in the business time zone,
-- from day_starts to day_ends: not always 24 hours.
CREATE FUNCTION coupons_issue(
    a_version bigint,
    a_caller text, a_key text, a_fingerprint bytea, a_status smallint, a_body bytea,
    a_customer_key text,
    a_now timestamptz, a_day date, a_day_starts timestamptz, a_day_ends timestamptz,
    a_placement text, a_city text, a_client text, a_by text, a_reason text,
    a_templates bigint[], a_budgets bigint[], a_ids uuid[], a_codes text[],
    a_froms timestamptz[], a_untils timestamptz[], a_worths bigint[], a_newcomers boolean[], a_groups text[],
    a_device uuid,
    OUT outcome text, OUT which integer, OUT answer bytea, OUT answer_status smallint
) LANGUAGE plpgsql AS $$
DECLARE
    n CONSTANT integer := cardinality(a_templates);
    customer bigint;
    looks coupons_supply[];
    s coupons_supply;
    c coupons_customercounter;
    b record;
    today bigint;
    w bigint;
    changed integer;
    print bytea;
BEGIN
    which := 0;
    SELECT id INTO customer FROM coupons_customer WHERE key = a_customer_key;

    -- The look. ---------------------------------------------------------------------------------------------------
    IF a_version IS NOT NULL AND a_version <> (SELECT version FROM coupons_catalogue) THEN
        outcome := 'stale';
    END IF;
    FOR i IN 1..n LOOP
        EXIT WHEN outcome IS NOT NULL;
        which := i;
        w := a_worths[i];
        SELECT * INTO STRICT s FROM coupons_supply WHERE template_id = a_templates[i];
        looks[i] := s;
        IF s.issued_count >= s.total_count OR s.issued_fen + w > s.total_fen THEN
            outcome := 'sold_out';
        ELSIF (CASE WHEN s.day = a_day THEN s.day_count ELSE 0 END) >= s.daily_count
           OR (CASE WHEN s.day = a_day THEN s.day_fen ELSE 0 END) + w > s.daily_fen THEN
            outcome := 'daily_limit';
        ELSIF s.customer_count < 1 OR w > s.customer_fen THEN
            outcome := 'customer_limit';
        ELSIF s.customer_daily_count < 1 OR w > s.customer_daily_fen THEN
            outcome := 'customer_daily_limit';
        ELSE
            SELECT * INTO c FROM coupons_customercounter WHERE customer_id = customer AND template_id = a_templates[i];
            IF FOUND THEN
                IF c.issued_count >= s.customer_count OR c.issued_fen + w > s.customer_fen THEN
                    outcome := 'customer_limit';
                ELSIF c.day = a_day AND (c.day_count >= s.customer_daily_count
                                         OR c.day_fen + w > s.customer_daily_fen) THEN
                    outcome := 'customer_daily_limit';
                END IF;
            END IF;
        END IF;
        IF outcome IS NULL AND w > 0 AND EXISTS (
            SELECT FROM coupons_budget WHERE id = a_budgets[i] AND committed_fen + spent_fen + w > limit_fen
        ) THEN
            outcome := 'budget_spent';
        END IF;
        IF outcome IS NULL AND (a_newcomers[i] OR a_groups[i] IS NOT NULL) THEN
            IF customer IS NULL THEN
                INSERT INTO coupons_customer (key, phone, nickname, created_at, tags, order_count, gross_fen, deducted_fen)
                VALUES (a_customer_key, '', '', a_now, '{}', 0, 0, 0) ON CONFLICT (key) DO NOTHING;
                SELECT id INTO STRICT customer FROM coupons_customer WHERE key = a_customer_key;
            END IF;
            -- A customer's own claims of such coupons go one after the other.
            PERFORM FROM coupons_customer WHERE id = customer FOR NO KEY UPDATE;
            IF a_newcomers[i] AND coupons_newcomer_held(customer, a_device, a_now, a_untils[i]) THEN
                outcome := 'newcomer_coupon_held';
            ELSIF a_groups[i] IS NOT NULL AND EXISTS (
                SELECT FROM coupons_coupon WHERE customer_id = customer AND exclusive_group = a_groups[i]
                   AND status IN ('available', 'held') AND valid_until > a_now AND issued_at < a_untils[i]
            ) THEN
                outcome := 'exclusive_coupon_held';
            END IF;
        END IF;
    END LOOP;
    IF outcome IS NOT NULL THEN
        RETURN;  -- a repeated call is answered by its stored answer: its caller looks for it before refusing
    END IF;

    -- The work. ---------------------------------------------------------------------------------------------------
    IF a_key IS NOT NULL THEN
        INSERT INTO coupons_answer (caller, key, fingerprint, status, body, created_at)
        VALUES (a_caller, a_key, a_fingerprint, a_status, a_body, a_now) ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            SELECT fingerprint, status, body INTO STRICT print, answer_status, answer
              FROM coupons_answer WHERE caller = a_caller AND key = a_key;
            outcome := CASE WHEN print = a_fingerprint THEN 'replayed' ELSE 'key_reused' END;
            RETURN;
        END IF;
    END IF;
    IF customer IS NULL THEN
        INSERT INTO coupons_customer (key, phone, nickname, created_at, tags, order_count, gross_fen, deducted_fen)
        VALUES (a_customer_key, '', '', a_now, '{}', 0, 0, 0) ON CONFLICT (key) DO NOTHING;
        SELECT id INTO STRICT customer FROM coupons_customer WHERE key = a_customer_key;
    END IF;

    FOR i IN 1..n LOOP
        which := i;
        w := a_worths[i];
        s := looks[i];
        INSERT INTO coupons_customercounter AS o
               (customer_id, template_id, issued_count, issued_fen, day, day_count, day_fen)
        VALUES (customer, a_templates[i], 1, w, a_day, 1, w)
        ON CONFLICT (customer_id, template_id) DO UPDATE
           SET issued_count = o.issued_count + 1,
               issued_fen = o.issued_fen + w,
               day = a_day,
               day_count = CASE WHEN o.day = a_day THEN o.day_count + 1 ELSE 1 END,
               day_fen = CASE WHEN o.day = a_day THEN o.day_fen + w ELSE w END
         WHERE o.day <= a_day
           AND (s.customer_count IS NULL OR o.issued_count < s.customer_count)
           AND (s.customer_fen IS NULL OR o.issued_fen + w <= s.customer_fen)
           AND (s.customer_daily_count IS NULL OR s.customer_daily_count >
                CASE WHEN o.day = a_day THEN o.day_count ELSE 0 END)
           AND (s.customer_daily_fen IS NULL OR s.customer_daily_fen >=
                w + CASE WHEN o.day = a_day THEN o.day_fen ELSE 0 END);
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            SELECT * INTO c FROM coupons_customercounter WHERE customer_id = customer AND template_id = a_templates[i];
            IF c.issued_count >= s.customer_count OR c.issued_fen + w > s.customer_fen THEN
                RAISE EXCEPTION USING ERRCODE = 'CP001', DETAIL = i, MESSAGE = 'customer_limit';
            END IF;
            -- The counter is a day ahead of this call's clock: the numbers of the day before come from the rows.
            SELECT count(*) INTO today FROM coupons_coupon
             WHERE customer_id = customer AND template_id = a_templates[i]
               AND issued_at >= a_day_starts AND issued_at < a_day_ends;
            IF c.day <= a_day OR today >= s.customer_daily_count OR (today + 1) * w > s.customer_daily_fen THEN
                RAISE EXCEPTION USING ERRCODE = 'CP001', DETAIL = i, MESSAGE = 'customer_daily_limit';
            END IF;
            UPDATE coupons_customercounter SET issued_count = issued_count + 1, issued_fen = issued_fen + w
             WHERE customer_id = customer AND template_id = a_templates[i];
        END IF;

        INSERT INTO coupons_coupon (id, code, template_id, customer_id, placement, status, issued_at, valid_from,
                                    valid_until, committed_fen, newcomer, exclusive_group, newcomer_device)
        VALUES (a_ids[i], a_codes[i], a_templates[i], customer, a_placement, 'available', a_now, a_froms[i],
                a_untils[i], w, a_newcomers[i], a_groups[i], CASE WHEN a_newcomers[i] THEN a_device END);
        WITH happened AS (
            INSERT INTO coupons_couponevent (at, kind, coupon_id, template_id, customer_id, placement, city_id, client,
                                             committed_fen, spent_fen, merchant_fen, gmv_fen, paid_fen, by, reason)
            VALUES (a_now, 'issued', a_ids[i], a_templates[i], customer, a_placement, a_city, a_client,
                    w, 0, 0, 0, 0, a_by, a_reason)
            RETURNING id
        ) INSERT INTO coupons_uncountedevent (event_id) SELECT id FROM happened;
    END LOOP;

    FOR i IN 1..n LOOP
        which := i;
        w := a_worths[i];
        UPDATE coupons_supply AS o
           SET issued_count = o.issued_count + 1,
               issued_fen = o.issued_fen + w,
               day = greatest(o.day, a_day),
               day_count = CASE WHEN o.day = a_day THEN o.day_count + 1 WHEN o.day > a_day THEN o.day_count ELSE 1 END,
               day_fen = CASE WHEN o.day = a_day THEN o.day_fen + w WHEN o.day > a_day THEN o.day_fen ELSE w END
         WHERE o.template_id = a_templates[i]
           AND (o.total_count IS NULL OR o.issued_count < o.total_count)
           AND (o.total_fen IS NULL OR o.issued_fen + w <= o.total_fen)
           AND ((o.day > a_day) IS NOT TRUE OR (o.daily_count IS NULL AND o.daily_fen IS NULL))
           AND (o.daily_count IS NULL OR o.daily_count > CASE WHEN o.day = a_day THEN o.day_count ELSE 0 END)
           AND (o.daily_fen IS NULL OR o.daily_fen >= w + CASE WHEN o.day = a_day THEN o.day_fen ELSE 0 END);
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            SELECT * INTO s FROM coupons_supply WHERE template_id = a_templates[i] FOR NO KEY UPDATE;
            IF s.issued_count >= s.total_count OR s.issued_fen + w > s.total_fen THEN
                RAISE EXCEPTION USING ERRCODE = 'CP001', DETAIL = i, MESSAGE = 'sold_out';
            END IF;
            -- The counter went on to a later day, by another's clock or while we waited: our day's numbers come from the
            -- rows, our own among them.
            SELECT count(*) INTO today FROM coupons_coupon
             WHERE s.day > a_day AND template_id = a_templates[i]
               AND issued_at >= a_day_starts AND issued_at < a_day_ends;
            IF (s.day > a_day) IS NOT TRUE OR today > s.daily_count OR today * w > s.daily_fen THEN
                RAISE EXCEPTION USING ERRCODE = 'CP001', DETAIL = i, MESSAGE = 'daily_limit';
            END IF;
            UPDATE coupons_supply SET issued_count = issued_count + 1, issued_fen = issued_fen + w
             WHERE template_id = a_templates[i];
        END IF;
    END LOOP;

    -- Whoever changes terms holds the supply until it is done; if that is what we waited for, start anew.
    IF a_version IS NOT NULL AND a_version <> (SELECT version FROM coupons_catalogue) THEN
        RAISE EXCEPTION USING ERRCODE = 'CP001', DETAIL = 1, MESSAGE = 'stale';
    END IF;

    IF n = 1 THEN
        UPDATE coupons_budget SET committed_fen = committed_fen + w
         WHERE id = a_budgets[1] AND (limit_fen IS NULL OR committed_fen + spent_fen + w <= limit_fen);
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed = 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'CP001', DETAIL = 1, MESSAGE = 'budget_spent';
        END IF;
    ELSE
        FOR b IN SELECT p.budget AS id, sum(p.worth)::bigint AS worth, min(p.place)::integer AS place
                   FROM unnest(a_budgets, a_worths) WITH ORDINALITY AS p(budget, worth, place)
                  GROUP BY p.budget ORDER BY p.budget LOOP
            UPDATE coupons_budget SET committed_fen = committed_fen + b.worth
             WHERE id = b.id AND (limit_fen IS NULL OR committed_fen + spent_fen + b.worth <= limit_fen);
            GET DIAGNOSTICS changed = ROW_COUNT;
            IF changed = 0 THEN
                RAISE EXCEPTION USING ERRCODE = 'CP001', DETAIL = b.place, MESSAGE = 'budget_spent';
            END IF;
        END LOOP;
    END IF;
    outcome := 'issued';
END $$;

-- Money of a redeemed coupon goes back: `back` of what it took off, `merchant` of it the merchant's. whole: nothing of the
-- order is left, so the coupon comes back if its template says so: past its date as expired, and void if by now the
-- customer holds one that excludes it. became: its status. The caller has locked the customer.
CREATE OR REPLACE FUNCTION coupons_give_back(
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
    IF became = 'available' AND ((c.exclusive_group IS NOT NULL AND EXISTS (
        SELECT FROM coupons_coupon AS o
         WHERE o.customer_id = c.customer_id AND o.id <> c.id AND o.status IN ('available', 'held')
           AND o.exclusive_group = c.exclusive_group
           AND o.issued_at < c.valid_until AND o.valid_until > c.issued_at
    )) OR (c.newcomer AND coupons_newcomer_held(c.customer_id, c.newcomer_device, c.issued_at, c.valid_until, c.id))) THEN
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
