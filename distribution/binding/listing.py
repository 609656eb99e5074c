"""To whom: the accounts of a file, of an audience or of those left out before become lines."""

from collections.abc import Iterator

from coupons import jobs, rules, sheets
from coupons.conditions.audiences import members
from coupons.models import Audience, Customer, Job
from coupons.models.keys import KEY_LENGTH
from coupons.queries import catalogue
from coupons.queries.surroundings import situate
from coupons.telling import phone_of
from distribution.binding import lines
from distribution.models import Binding

LIST = """
INSERT INTO distribution_bindingline (binding_id, number, account, customer_id, outcome, coupons)
SELECT %s, t.number, t.account, c.id, CASE WHEN c.id IS NULL THEN 'unknown_account' END, 0
  FROM {listed} LEFT JOIN {named}
"""
NAMED = {
    Binding.Named.KEY: "coupons_customer c ON c.key = t.account",
    # as who signs in by it: the newest member, else a customer of our own (``signing_in.OWN``)
    Binding.Named.PHONE: """LATERAL (
        SELECT id FROM coupons_customer WHERE phone = t.account AND t.account <> ''
         ORDER BY starts_with(key, 'h5:'), id DESC LIMIT 1) c ON true""",
}
TYPED = "unnest(%s::bigint[], %s::text[]) AS t(number, account)"
FAILED = """(
    SELECT row_number() OVER (ORDER BY number) AS number, account FROM distribution_bindingline
     WHERE binding_id = %s AND coupons = 0 AND outcome IS DISTINCT FROM 'listed_twice') t"""
TWICE = """
UPDATE distribution_bindingline l SET customer_id = NULL, outcome = 'listed_twice'
  FROM (SELECT number, row_number() OVER (PARTITION BY customer_id ORDER BY number) AS time
          FROM distribution_bindingline WHERE binding_id = %s AND customer_id IS NOT NULL) d
 WHERE l.binding_id = %s AND l.number = d.number AND d.time > 1
"""
FROM_AUDIENCE = """
INSERT INTO distribution_bindingline (binding_id, number, account, customer_id, outcome, coupons)
SELECT %s, row_number() OVER (ORDER BY a.id), a.key, a.id, NULL, 0 FROM ({members}) AS a
"""


def write_down(binding: Binding, job: Job, listed: int) -> Iterator[jobs.Step]:
    """Goes on after so many ``listed`` rows of a file; whom a line before named already is named by none."""
    if job.source:
        yield from _file(binding, job, listed)
        lines.run(TWICE, (binding.pk, binding.pk))
    elif binding.audience is not None:
        _audience(binding, binding.audience)
    else:
        lines.run(_listing(binding, FAILED), (binding.pk, binding.again_for_id))
    lines.run("ANALYZE distribution_bindingline", ())  # it just grew, maybe by a million


def _file(binding: Binding, job: Job, listed: int) -> Iterator[jobs.Step]:
    column, by_phone = job.answers.get("column", 1) - 1, binding.named_by == Binding.Named.PHONE
    with job.source.open("rb") as file:
        table = sheets.table(file, sheets.Limits(rows=lines.MOST))
        numbers: list[int] = []
        accounts: list[str] = []
        for place, row in enumerate(table.rows, 1):
            if place <= listed:
                continue
            numbers.append(place)
            told = row.cells[column] if len(row.cells) > column else ""
            accounts.append(((phone_of(told) or told) if by_phone else told)[:KEY_LENGTH])
            if len(numbers) == lines.CHUNK:
                lines.run(_listing(binding, TYPED), (binding.pk, numbers, accounts))
                yield jobs.Step(done=0, cursor={"listed": place})
                numbers, accounts = [], []
        if numbers:
            lines.run(_listing(binding, TYPED), (binding.pk, numbers, accounts))


def _listing(binding: Binding, listed: str) -> str:
    return LIST.format(listed=listed, named=NAMED[Binding.Named(binding.named_by)])


def _audience(binding: Binding, audience: Audience) -> None:
    situation = situate(catalogue.business_now())
    inside, _outside = members(rules.compile_rules(audience.conditions, "claim"), situation)
    sql, parameters = Customer.objects.filter(inside).order_by().values("id", "key").query.sql_with_params()
    lines.run(FROM_AUDIENCE.format(members=sql), (binding.pk, *parameters))
