"""绑券: a list or an audience is looked over, confirmed, and given its coupons by a job that may be called back.

The list stands in rows from the start. The job goes through it in chunks; what a chunk gives, what it says of each
account and how far it has come are one transaction, so a killed worker's successor gives nobody two.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons import jobs, rules, sheets
from coupons.conditions.audiences import members
from coupons.lifecycle import ending
from coupons.lifecycle.issuing import Stale
from coupons.lifecycle.issuing_many import ISSUED, Again, Outcome, issue_many, refusals, room
from coupons.models import Customer, Job
from coupons.models.keys import KEY_LENGTH
from coupons.queries import catalogue
from coupons.queries.surroundings import situate
from coupons.refused import SENTENCES, Refused
from coupons.rules import Profile, Situation
from coupons.telling import phone_of
from distribution.models import Binding, Placement
from distribution.queries import placements, risk
from distribution.queries.placements import CompiledOffer, CompiledPlacement

State = Binding.State
#: Accounts in one transaction.
CHUNK = 10_000
MOST_ACCOUNTS = 1_000_000

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
#: A luck of its own for each account and binding, the same however often the chunk is tried.
OPEN = """
SELECT number, customer_id, (hashint8extended(number, %s) >> 1) %% %s FROM distribution_bindingline
 WHERE binding_id = %s AND number > %s AND number <= %s AND customer_id IS NOT NULL ORDER BY number
"""
#: A later offer's word stands in place of an earlier one's, unless it only says for whom it is.
SAY = """
UPDATE distribution_bindingline l
   SET coupons = l.coupons + CASE WHEN g.outcome = 'issued' THEN 1 ELSE 0 END,
       outcome = CASE WHEN l.outcome = 'issued' OR (l.outcome IS NOT NULL AND g.outcome = 'conditions_unmet')
                      THEN l.outcome ELSE g.outcome END
  FROM unnest(%s::bigint[], %s::text[]) AS g(customer, outcome)
 WHERE l.binding_id = %s AND l.number > %s AND l.number <= %s AND l.customer_id = g.customer
"""


# --- to whom -----------------------------------------------------------------------------------------------------


@transaction.atomic
def begin(
    binding: Binding,
    *,
    by: User | None,
    accounts: Sequence[str] | None = None,
    file: IO[bytes] | None = None,
    column: int = 1,
) -> Binding:
    """Writes it down with the job that looks it over: the door runs it.

    One of ``accounts``, ``file`` (CSV or Excel: accounts in this ``column``, from 1, below a heading),
    ``binding.audience`` and ``binding.again_for`` (those that got nothing) says to whom; ``binding.named_by``: by keys
    or phone numbers.

    :raises Refused: ``state_forbids``: the placement is of another form or has ended; ``file_unreadable``.
    """
    placement = binding.placement
    if placement.form != Placement.Form.BIND or placement.status == Placement.Status.ENDED:
        raise Refused("state_forbids", detail=_("Coupons are bound by a placement of that form that has not ended."))
    source: IO[bytes] | None = None
    if accounts is not None:
        source = BytesIO("".join(f"{account}\n" for account in ("account", *accounts)).encode())
    elif file is not None:
        sheets.table(file, sheets.Limits(rows=MOST_ACCOUNTS))  # what it is, now; its rows are read in the background
        file.seek(0)
        source = file
    binding.made_by, binding.state = by, State.COUNTING
    binding.save(force_insert=True)
    binding.job = jobs.start(
        "look_over_binding",
        title=_("Binding, dry run: %(name)s") % {"name": binding.name},
        by=by,
        answers={"binding": binding.pk, "column": column if file else 1},
        source=source,
        name="accounts",
    )
    binding.save(update_fields=["job"])
    return binding


@jobs.work("look_over_binding")
def look_over_binding(job: Job) -> Iterator[jobs.Step]:
    """Puts the list into rows, then asks of each account what would be given. Gives nothing, locks nothing."""
    binding = Binding.objects.select_related("placement", "audience").get(pk=job.answers["binding"])
    cursor: dict[str, Any] = job.cursor or {"listed": 0}
    if "accounts" not in cursor:
        if job.source:
            yield from _list(binding, job, cursor)
            _run(TWICE, (binding.pk, binding.pk))
        elif binding.audience is not None:
            _list_audience(binding)
        else:
            _run(_listing(binding, FAILED), (binding.pk, binding.again_for_id))
        [(accounts,)] = _rows("SELECT count(*) FROM distribution_bindingline WHERE binding_id = %s", (binding.pk,))
        cursor = {"accounts": accounts, "asked": 0, "would": {}, "no": {}, "cost_fen": 0}
        yield jobs.Step(done=0, total=accounts, cursor=cursor)
    while cursor["asked"] < cursor["accounts"]:
        cursor = _look_over(binding, cursor)
        yield jobs.Step(done=cursor["asked"], cursor=cursor)
    for code, count in _rows(
        "SELECT outcome, count(*) FROM distribution_bindingline"
        " WHERE binding_id = %s AND customer_id IS NULL GROUP BY 1",
        (binding.pk,),
    ):
        cursor["no"][code] = count
    cursor["places"] = sum(cursor["would"].values())
    Binding.objects.filter(pk=binding.pk, state=State.COUNTING).update(state=State.COUNTED, looked=cursor)
    yield jobs.Step(done=cursor["accounts"], cursor=cursor)


def _list(binding: Binding, job: Job, cursor: dict[str, Any]) -> Iterator[jobs.Step]:
    column, by_phone = job.answers.get("column", 1) - 1, binding.named_by == Binding.Named.PHONE
    with job.source.open("rb") as file:
        table = sheets.table(file, sheets.Limits(rows=MOST_ACCOUNTS))
        numbers: list[int] = []
        accounts: list[str] = []
        for place, row in enumerate(table.rows, 1):
            if place <= cursor["listed"]:
                continue
            numbers.append(place)
            told = row.cells[column] if len(row.cells) > column else ""
            accounts.append(((phone_of(told) or told) if by_phone else told)[:KEY_LENGTH])
            if len(numbers) == CHUNK:
                _run(_listing(binding, TYPED), (binding.pk, numbers, accounts))
                yield jobs.Step(done=0, cursor={"listed": place})
                numbers, accounts = [], []
        if numbers:
            _run(_listing(binding, TYPED), (binding.pk, numbers, accounts))


def _listing(binding: Binding, listed: str) -> str:
    return LIST.format(listed=listed, named=NAMED[Binding.Named(binding.named_by)])


def _list_audience(binding: Binding) -> None:
    assert binding.audience is not None
    situation = situate(catalogue.business_now())
    inside, _outside = members(rules.compile_rules(binding.audience.conditions, "claim"), situation)
    sql, parameters = Customer.objects.filter(inside).order_by().values("id", "key").query.sql_with_params()
    _run(FROM_AUDIENCE.format(members=sql), (binding.pk, *parameters))


# --- whom it fits ------------------------------------------------------------------------------------------------


class Turn(NamedTuple):
    """One offer's turn with a chunk: whom its rules fit, and what is said of the others."""

    offer: CompiledOffer
    fitting: list[int]
    others: dict[int, str]


def _turns(
    placement: CompiledPlacement, situation: Situation, open_lines: Iterable[tuple[int, int, int]], given: set[int]
) -> Iterator[Turn]:
    """Offers in their order, each for those whose turn it is; ``given`` are those who have something by then."""
    lines = list(open_lines)
    total, low = sum(offer.weight for offer in placement.offers), 0
    had: dict[int, set[int]] = {}  # of each template: offered to several audiences, it is given once
    for offer in placement.offers:
        if placement.pick == Placement.Pick.RANDOM:
            mine = [customer for _number, customer, luck in lines if low <= luck % total < low + offer.weight]
            low += offer.weight
        elif placement.pick == Placement.Pick.ALL:
            earlier = had.get(offer.template.id, set())
            mine = [customer for _number, customer, _luck in lines if customer not in earlier]
        else:
            mine = [customer for _number, customer, _luck in lines if customer not in given]
        closed = placements.refused_by_rules(replace(offer, rules=()), Profile(None, ""), situation)
        if closed is not None:
            yield Turn(offer, [], dict.fromkeys(mine, closed.code))
            continue
        fitting = _fitting(offer, mine, situation)
        others = dict.fromkeys(set(mine) - fitting, "conditions_unmet")
        barred = _in_control_group(placement, fitting)
        others |= dict.fromkeys(barred, "in_control_group")
        risky = risk.among(fitting - barred, situation.now, catalogue.current())
        others |= dict.fromkeys(risky, "risk_refused")
        had.setdefault(offer.template.id, set()).update(fitting)
        yield Turn(offer, sorted(fitting - barred - risky), others)


def _fitting(offer: CompiledOffer, customers: list[int], situation: Situation) -> set[int]:
    if not offer.rules:
        return set(customers)
    inside, _outside = members(offer.rules, situation)
    return set(Customer.objects.filter(inside, id__in=customers).values_list("id", flat=True))


def _in_control_group(placement: CompiledPlacement, customers: set[int]) -> set[int]:
    campaign = placement.row.campaign
    if placement.control is None:
        return set()
    drawn = RawSQL(
        "distribution_in_control_group(%s, %s, coupons_customer.key)",
        (campaign.control_secret, campaign.control_percent),
    )
    found = Customer.objects.filter(id__in=customers).annotate(drawn=drawn).filter(Q(drawn=True))
    return set(found.values_list("id", flat=True))


def _compiled(binding: Binding) -> tuple[int, CompiledPlacement]:
    catalogue.forget()
    book = catalogue.current()
    found = placements.find(book, binding.placement.key)
    if found is None:
        raise Refused("not_found")
    return book.version, found


def _look_over(binding: Binding, cursor: dict[str, Any]) -> dict[str, Any]:
    _version, placement = _compiled(binding)
    now = catalogue.business_now()
    first = cursor["asked"]
    lines = _open(binding, placement, first)
    given: set[int] = set()
    said: dict[int, str] = {}
    would: dict[str, int] = {**cursor["would"]}
    cost = cursor["cost_fen"]
    for offer, fitting, others in _turns(placement, situate(now), lines, given):
        for customer, code in others.items():
            said.setdefault(customer, code)
        no = refusals(offer.template, fitting, now)
        most, bound = room(offer.template, now)
        left = None if most is None else most - would.get(offer.template.key, 0)
        for customer in fitting:
            against = no.get(customer) or (bound if left is not None and left <= 0 else None)
            if against is None:
                left = None if left is None else left - 1
                given.add(customer)
                would[offer.template.key] = would.get(offer.template.key, 0) + 1
                cost += offer.template.worth_fen
            else:
                said[customer] = against
    noes: dict[str, int] = {**cursor["no"]}
    for _number, customer, _luck in lines:
        if customer not in given:
            code = said.get(customer, "nothing_on_offer")
            noes[code] = noes.get(code, 0) + 1
    return {**cursor, "asked": min(first + CHUNK, cursor["accounts"]), "would": would, "no": noes, "cost_fen": cost}


def _open(binding: Binding, placement: CompiledPlacement, first: int) -> list[tuple[int, int, int]]:
    total = max(1, sum(offer.weight for offer in placement.offers))
    return _rows(OPEN, (binding.pk, total, binding.pk, first, first + CHUNK))


# --- confirmed ---------------------------------------------------------------------------------------------------


def needs_second(binding: Binding) -> bool:
    return binding.looked.get("cost_fen", 0) > settings.BIND_SECOND_ABOVE_FEN


def possible(binding: Binding, move: str) -> bool:
    match move:
        case "confirm":
            return binding.state == State.COUNTED and bool(binding.looked.get("places"))
        case "approve":
            return binding.state == State.AWAITING
        case "call_back":
            return binding.state in (State.COUNTING, State.COUNTED, State.AWAITING) or (
                binding.state == State.SCHEDULED and binding.job is not None and jobs.possible(binding.job, "cancel")
            )
        case "again":
            over = binding.state == State.DONE or (binding.state == State.CALLED_BACK and binding.starts_at is not None)
            return over and binding.looked["accounts"] > binding.did.get("given", 0)
    return False


@transaction.atomic
def move(binding: Binding, name: str, *, by: User) -> Binding:
    """``confirm``, ``approve`` (a second person), ``call_back``.

    :raises Refused: ``state_forbids``; ``approval_needed``: the second person must be another.
    """
    locked = Binding.objects.select_for_update(no_key=True, of=("self",))
    now = locked.select_related("job", "placement").get(pk=binding.pk)
    if name == "again" or not possible(now, name):
        raise Refused("state_forbids", state=now.state)
    if name == "call_back":
        if now.job is not None and jobs.possible(now.job, "cancel"):
            jobs.move(now.job, "cancel")
        if now.state == State.SCHEDULED and now.starts_at is not None and now.starts_at <= timezone.now():
            now.job = jobs.start(
                "tell_binding",
                title=_("Binding, result: %(name)s") % {"name": now.name},
                by=by,
                answers={"binding": now.pk},
            )
        now.state, now.ended_at = State.CALLED_BACK, timezone.now()
    elif name == "confirm":
        now.confirmed_by = by
        if needs_second(now):
            now.state = State.AWAITING
        else:
            _schedule(now, by)
    else:
        if by.pk in (now.confirmed_by_id, now.made_by_id):
            raise Refused("approval_needed", detail=_("Whoever made or confirmed it cannot be its second person."))
        now.approved_by = by
        _schedule(now, by)
    now.save()
    return now


def _schedule(binding: Binding, by: User) -> None:
    binding.state = State.SCHEDULED
    binding.starts_at = timezone.now() + timedelta(minutes=settings.BIND_MINUTES)
    binding.job = jobs.start(
        "bind",
        title=_("Binding: %(name)s") % {"name": binding.name},
        by=by,
        answers={"binding": binding.pk, "by": f"user:{by.username}"},
        total=binding.looked["accounts"],
        not_before=binding.starts_at,
    )


def again(binding: Binding, *, by: User) -> Binding:
    """Another one for those who got nothing.  :raises Refused: ``state_forbids``."""
    if not possible(binding, "again"):
        raise Refused("state_forbids", state=binding.state)
    name = _("%(name)s, again") % {"name": binding.name[:80]}
    made = Binding(placement=binding.placement, name=name, again_for=binding, named_by=binding.named_by)
    return begin(made, by=by)


# --- done --------------------------------------------------------------------------------------------------------


@jobs.work("bind")
def bind(job: Job) -> Iterator[jobs.Step]:
    """Chunk by chunk; each offer's turn with a chunk is a transaction of its own, so that it locks one template."""
    binding = Binding.objects.select_related("placement").get(pk=job.answers["binding"])
    accounts = binding.looked["accounts"]
    first, turn = job.cursor or (0, 0)
    while first < accounts:
        last, offers = _bind(binding, first, turn, job.answers["by"])
        first, turn = (first + CHUNK, 0) if turn + 1 >= offers else (first, turn + 1)
        yield jobs.Step(done=min(last if turn == 0 else first, accounts), cursor=[first, turn])
    coupons = _sum_up(binding)
    Binding.objects.filter(pk=binding.pk).update(state=State.DONE, ended_at=timezone.now())
    yield jobs.Step(done=accounts, cursor=[first, 0], outcome={"coupons": coupons})
    _tell(binding, job)
    yield jobs.Step(done=accounts, cursor=[first, 0])


@jobs.work("tell_binding")
def tell_binding(job: Job) -> Iterator[jobs.Step]:
    """What had been done when it was called back."""
    binding = Binding.objects.get(pk=job.answers["binding"])
    coupons = _sum_up(binding)
    _tell(binding, job)
    yield jobs.Step(done=1, total=1, outcome={"coupons": coupons})


def _sum_up(binding: Binding) -> int:
    """Keeps what was done; how many coupons."""
    [(accounts, given, coupons)] = _rows(
        "SELECT count(*), count(*) FILTER (WHERE coupons > 0), coalesce(sum(coupons), 0)"
        "  FROM distribution_bindingline WHERE binding_id = %s",
        (binding.pk,),
    )
    noes = dict(
        _rows(
            "SELECT coalesce(outcome, %s), count(*) FROM distribution_bindingline"
            " WHERE binding_id = %s AND coupons = 0 GROUP BY 1",
            (_left_over(binding), binding.pk),
        )
    )
    did = {"accounts": accounts, "given": given, "coupons": coupons, "no": noes}
    Binding.objects.filter(pk=binding.pk).update(did=did)
    return coupons


def _left_over(binding: Binding) -> str:
    """What became of accounts of which nothing is written."""
    return "called_back" if binding.state == State.CALLED_BACK else "nothing_on_offer"


def _tell(binding: Binding, job: Job) -> None:
    heading = [_("Row"), _("Account"), _("Outcome"), _("Coupons"), _("In words")]
    with sheets.excel_file(heading, _told(binding)) as file:
        jobs.attach(job, "binding.xlsx", file)


def _bind(binding: Binding, first: int, turn: int, by: str) -> tuple[int, int]:
    """One offer's turn with one chunk: the number of its last account, and how many offers there are."""
    for _attempt in range(20):
        version, placement = _compiled(binding)
        now = catalogue.business_now()
        whole = placements.refused_as_a_whole(placement, now)
        if whole is not None:
            raise Refused(whole)
        lines = _open(binding, placement, first)
        if not placement.offers:
            raise Refused("nothing_on_offer")
        if turn >= len(placement.offers) or not lines:
            return first + CHUNK, len(placement.offers)
        given = _given(binding, first)
        mine = next(taken for place, taken in enumerate(_turns(placement, situate(now), lines, given)) if place == turn)
        try:
            outcomes = _issue(mine, version, placement.key, now, by, f"binding:{binding.pk}")
        except (Again, Stale):
            continue
        said = {**mine.others, **{outcome.customer: outcome.code for outcome in outcomes}}
        _run(SAY, (list(said), list(said.values()), binding.pk, first, first + CHUNK))
        return first + CHUNK, len(placement.offers)
    raise Refused("busy")


def _issue(turn: Turn, version: int, placement: str, now: datetime, by: str, reason: str) -> list[Outcome]:
    template = turn.offer.template

    def issue(customers: list[int]) -> list[Outcome]:
        if not customers:
            return []
        return issue_many(template, customers, now=now, version=version, placement=placement, by=by, reason=reason)

    outcomes = issue(turn.fitting)
    poor = [outcome.customer for outcome in outcomes if outcome.code == "budget_spent"]
    if poor and ending.expire(now=now, budget_id=template.budget_id):  # no limit waits for a task
        outcomes = [outcome for outcome in outcomes if outcome.code != "budget_spent"] + issue(poor)
    return outcomes


def _given(binding: Binding, first: int) -> set[int]:
    return {
        customer
        for (customer,) in _rows(
            "SELECT customer_id FROM distribution_bindingline"
            " WHERE binding_id = %s AND number > %s AND number <= %s AND coupons > 0",
            (binding.pk, first, first + CHUNK),
        )
    }


def _told(binding: Binding) -> Iterator[list[Any]]:
    """A line for each account."""
    first = 0
    while lines := _rows(
        "SELECT number, account, coalesce(outcome, %s), coupons FROM distribution_bindingline"
        " WHERE binding_id = %s AND number > %s ORDER BY number LIMIT %s",
        (_left_over(binding), binding.pk, first, CHUNK),
    ):
        first = lines[-1][0]
        for number, account, outcome, coupons in lines:
            yield [number, account, outcome, coupons, words_of(outcome)]


def words_of(outcome: str) -> str:
    if outcome == "called_back":
        return _("called back before its turn")
    return _("given") if outcome == ISSUED else str(SENTENCES.get(outcome, outcome))


def _run(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _rows(sql: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
