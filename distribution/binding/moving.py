"""What people do with a binding: begin it, confirm it, be its second person, call it back, do it again."""

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from typing import IO

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons import jobs, sheets
from coupons.queries import catalogue
from coupons.refused import Refused
from distribution.binding import lines
from distribution.binding.fitting import compiled
from distribution.models import Binding, Placement
from distribution.queries.placements import refused_as_a_whole

State = Binding.State


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
        sheets.table(file, sheets.Limits(rows=lines.MOST))  # what it is, now; its rows are read in the background
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


def needs_second(binding: Binding) -> bool:
    return binding.looked.get("cost_fen", 0) > settings.BIND_SECOND_ABOVE_FEN


def possible(binding: Binding, move: str) -> bool:
    match move:
        case "confirm":
            return binding.state == State.COUNTED and bool(binding.looked.get("places"))
        case "approve":
            return binding.state == State.AWAITING
        case "call_back":
            return binding.state in (State.COUNTING, State.COUNTED, State.AWAITING, State.SCHEDULED)
        case "go_on":
            at_work = binding.state in (State.COUNTING, State.SCHEDULED)
            return at_work and binding.job is not None and jobs.possible(binding.job, "resume")
        case "again":
            over = binding.state == State.DONE or (binding.state == State.CALLED_BACK and binding.starts_at is not None)
            return over and binding.looked["accounts"] > binding.did.get("given", 0)
    return False


@transaction.atomic
def move(binding: Binding, name: str, *, by: User) -> Binding:
    """``confirm``, ``approve`` (a second person), ``call_back``, ``go_on`` after its job was paused or failed.

    :raises Refused: ``state_forbids``; ``approval_needed``: the second person must be another; ``not_started``,
        ``paused`` or ``ended``, as its placement is: nothing would be given.
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
    elif name == "go_on":
        assert now.job is not None
        jobs.move(now.job, "resume")
    elif name == "confirm":
        _must_be_live(now)
        now.confirmed_by = by
        if needs_second(now):
            now.state = State.AWAITING
        else:
            _schedule(now, by)
    else:
        if by.pk in (now.confirmed_by_id, now.made_by_id):
            raise Refused("approval_needed", detail=_("Whoever made or confirmed it cannot be its second person."))
        _must_be_live(now)
        now.approved_by = by
        _schedule(now, by)
    now.save()
    return now


def _must_be_live(binding: Binding) -> None:
    _version, placement = compiled(binding)
    closed = refused_as_a_whole(placement, catalogue.business_now())
    if closed is not None:
        raise Refused(closed)


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
