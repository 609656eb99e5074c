"""The steps in the database alone: eight clients, each a loop inside the server that commits every turn, so that
nothing of a client is measured. Floors are raw statements run in the same way."""

import threading
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import psycopg

CLIENTS = 8

SETUP = """
CREATE TABLE raw_coupon (LIKE coupons_coupon INCLUDING ALL);
CREATE TABLE raw_event (LIKE coupons_couponevent INCLUDING ALL);
CREATE TABLE raw_queue (LIKE coupons_uncountedevent INCLUDING ALL);
CREATE TABLE raw_answer (LIKE coupons_answer INCLUDING ALL);
CREATE TABLE raw_counter (id bigint PRIMARY KEY, number bigint NOT NULL) WITH (fillfactor = 40);
INSERT INTO raw_counter VALUES (1, 0);
CREATE TABLE bench_to_redeem AS
SELECT row_number() OVER () AS place, c.id, c.customer_id, c.template_id
  FROM coupons_coupon c JOIN coupons_coupontemplate t ON t.id = c.template_id
 WHERE c.status = 'available' AND t.key LIKE 'many-%';
ALTER TABLE bench_to_redeem ADD PRIMARY KEY (place);
CREATE TABLE raw_to_redeem AS SELECT c.* FROM coupons_coupon c JOIN bench_to_redeem b ON b.id = c.id;
ALTER TABLE raw_to_redeem ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX ON raw_to_redeem (code);
CREATE INDEX ON raw_to_redeem (customer_id, id);
CREATE INDEX ON raw_to_redeem (valid_until) WHERE committed_fen > 0;
CREATE SEQUENCE bench_turn;
CREATE SEQUENCE raw_turn;
"""

# A coupon's id as the application makes it: its time first.
_ID = """(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(random()::text), 1, 19))::uuid"""
_CODE = "upper(substr(md5(random()::text), 1, 12))"
_COUPON = f"""INSERT INTO raw_coupon (id, code, template_id, customer_id, placement, status, issued_at, valid_from,
                        valid_until, committed_fen, newcomer)
VALUES ({_ID}, {_CODE}, t, 1 + floor(random() * 5000), 'p-1', 'available', now(), now(),
        now() + interval '7 days', 2000, false)"""
_ROWS = f"""
{_COUPON};
WITH e AS (INSERT INTO raw_event (at, kind, coupon_id, template_id, customer_id, placement, city_id, client,
                                  committed_fen, spent_fen, merchant_fen, gmv_fen, paid_fen, by, reason)
           VALUES (now(), 'issued', {_ID}, t, 1, 'p-1', '310000', 'app', 2000, 0, 0, 0, 0, 'key:1', '') RETURNING id)
INSERT INTO raw_queue (event_id) SELECT id FROM e;
INSERT INTO raw_answer (caller, key, fingerprint, status, body, created_at)
VALUES ('key:1', md5(random()::text), '\\x00112233445566778899aabbccddeeff', 201,
        convert_to(repeat('x', 600), 'UTF8'), now())"""
_ISSUE = f"""PERFORM outcome FROM coupons_issue(
    a_version => (SELECT version FROM coupons_catalogue), a_caller => 'key:1', a_key => md5(random()::text),
    a_fingerprint => '\\x00112233445566778899aabbccddeeff'::bytea, a_status => 201::smallint,
    a_body => convert_to(repeat('x', 600), 'UTF8'), a_customer_key => 'c' || floor(random() * 5000), a_now => now(),
    a_day => current_date, a_day_starts => date_trunc('day', now()),
    a_day_ends => date_trunc('day', now()) + interval '1 day', a_placement => 'p-1', a_city => '310000',
    a_client => 'app', a_by => 'key:1', a_reason => '', a_templates => ARRAY[t],
    a_budgets => ARRAY[(SELECT budget_id FROM coupons_coupontemplate WHERE id = t)], a_ids => ARRAY[{_ID}],
    a_codes => ARRAY[{_CODE}], a_froms => ARRAY[now()], a_untils => ARRAY[now() + interval '7 days'],
    a_worths => ARRAY[2000]::bigint[], a_newcomers => ARRAY[false], a_groups => ARRAY[NULL]::text[],
    a_device => NULL)"""
_REDEEM = f"""SELECT * INTO r FROM bench_to_redeem WHERE place = (SELECT nextval('bench_turn'));
PERFORM outcome FROM redemption_redeem(
    a_caller => 'key:1', a_key => md5(random()::text), a_fingerprint => '\\x00112233445566778899aabbccddeeff'::bytea,
    a_status => 201::smallint, a_body => convert_to(repeat('x', 300), 'UTF8'), a_now => now(), a_captures => true,
    a_redemption => {_ID}, a_mine => NULL, a_until => NULL, a_by => 'key:1', a_customer => r.customer_id,
    a_order => 'o' || md5(random()::text), a_placed_at => now(), a_client => 'app', a_mode => NULL, a_line => 'food',
    a_city => '310000', a_lines => '[{{"id": "1", "quantity": 1, "unit_price_fen": 12000}}]'::jsonb, a_goods => 12000,
    a_shipping => 0, a_discount => 2000, a_merchant => 0, a_used => ARRAY[r.id],
    a_moves => json_build_array(json_build_object('coupon', r.id, 'stays', true, 'discount', 2000, 'merchant', 0,
                                                  'gmv', 12000, 'paid', 10000, 'parts', 1000000)),
    a_parts => json_build_array(json_build_object('coupon', r.id, 'template', r.template_id, 'line', '1', 'quantity', 1,
                                                  'amount', 12000, 'discount', 2000, 'merchant_fen', 0)))"""
_MANY = "t := many[1 + floor(random() * cardinality(many))]"
_HOT = "t := many[1]"


class Measured(NamedTuple):
    name: str
    floor: str
    ratio: float
    rate: float
    least: float


def measure(dsn: str, many: list[int], rounds: int, turns: int, say: Callable[[str], None]) -> list[Measured]:
    """Ratios of turns a second; medians over rounds that alternate between a step and its floors."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SETUP)
    loops = {
        "raw INSERT of the coupon's row": f"{_MANY}; {_COUPON};",
        "raw INSERT of all its rows": f"{_MANY}; {_ROWS};",
        "claims over many templates": f"{_MANY}; {_ISSUE};",
        "raw conditional UPDATE of one row": (
            "UPDATE raw_counter SET number = number + 1 WHERE id = 1 AND number < 1000000000000;"
        ),
        "claims of one hot template": f"{_HOT}; {_ISSUE};",
        "raw UPDATE of the coupon's row": (
            "UPDATE raw_to_redeem SET status = 'redeemed', committed_fen = 0 WHERE status = 'available'"
            " AND id = (SELECT id FROM bench_to_redeem WHERE place = (SELECT nextval('raw_turn')));"
        ),
        "redeem step": f"{_REDEEM};",
    }
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(rounds):
        for name, loop in loops.items():
            rates[name].append(_run(dsn, loop, many, turns))
        say(f"  round {number + 1} of {rounds}")
    middle = {name: sorted(found)[len(found) // 2] for name, found in rates.items()}

    def against(name: str, floor: str, least: float) -> Measured:
        return Measured(name, floor, middle[name] / middle[floor], middle[name], least)

    return [
        against("claims over many templates", "raw INSERT of the coupon's row", 0.75),
        against("claims over many templates", "raw INSERT of all its rows", 0.0),
        against("claims of one hot template", "raw conditional UPDATE of one row", 0.80),
        against("redeem step", "raw UPDATE of the coupon's row", 0.65),
    ]


def _run(dsn: str, loop: str, many: list[int], turns: int) -> float:
    """Turns a second over all clients."""
    block = f"""DO $do$ DECLARE many bigint[] := '{{{",".join(map(str, many))}}}'; t bigint; r record;
    BEGIN FOR turn IN 1..{turns} LOOP {loop} COMMIT; END LOOP; END $do$"""
    failed: list[BaseException] = []

    def one() -> None:
        try:
            with psycopg.connect(dsn, autocommit=True) as connection:
                start.wait()
                connection.execute(block)
        except BaseException as problem:
            failed.append(problem)
            start.abort()

    start = threading.Barrier(CLIENTS + 1)
    threads = [threading.Thread(target=one) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    start.wait()
    began = perf_counter()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return CLIENTS * turns / (perf_counter() - began)
