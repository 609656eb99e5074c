-- Every event that somebody may want to be told of stands in a queue of its own, appended with it: a mark on ids would
-- lose events, since ids commit out of order. While nobody subscribes, this is one look at an empty table.
CREATE FUNCTION coupons_untold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM coupons_subscription WHERE is_active) THEN
        INSERT INTO coupons_untoldevent (event_id) SELECT id FROM fresh;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_untold AFTER INSERT ON coupons_couponevent
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION coupons_untold();
