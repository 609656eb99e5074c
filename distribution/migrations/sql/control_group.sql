-- Whether a customer, by key, is in a campaign's control group: the same bytes as `distribution.queries.control`.
CREATE FUNCTION distribution_in_control_group(a_secret uuid, a_percent numeric, a_customer text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ('x' || encode(substring(sha256(uuid_send(a_secret) || convert_to(a_customer, 'UTF8')) FROM 1 FOR 4), 'hex')
           )::bit(32)::bigint * 1000 < (a_percent * 10)::bigint << 32
$$;
