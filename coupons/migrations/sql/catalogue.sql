-- Every change of what rules and offers are compiled from raises the catalogue's version, whoever makes it.
CREATE FUNCTION coupons_catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE coupons_catalogue SET version = version + 1;
    RETURN NULL;
END $$;
