"""A placement is written down or changed by hand, and moved from draft to its end.

draft → live ⇄ paused → ended. Going live needs the right to approve; what was approved and is changed without that
right is a draft again.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons import approving
from coupons.refused import Refused
from distribution.models import Offer, Placement, SharePlan, TriggerRule
from distribution.queries import cutting, offered_where

Status = Placement.Status

#: What each move is called on record, and from where to where it goes.
MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "open": ((Status.DRAFT,), Status.LIVE),
    "pause": ((Status.LIVE,), Status.PAUSED),
    "resume": ((Status.PAUSED,), Status.LIVE),
    "end": ((Status.LIVE, Status.PAUSED), Status.ENDED),
    "drop": ((Status.DRAFT,), Status.ENDED),  # a document says that it is over: it never goes live
}
OFFERS = "offers"
TOOL = "tool"
SAID = {
    "open": gettext_lazy("went live"),
    "pause": gettext_lazy("paused"),
    "resume": gettext_lazy("resumed"),
    "end": gettext_lazy("ended"),
    "drop": gettext_lazy("written down as ended, without going live"),
    OFFERS: gettext_lazy("what it offers"),
    TOOL: gettext_lazy("what it works with"),
}
#: What an approver looked at, beside the offers.
APPROVED = ("channel", "form", "pick")


def possible(placement: Placement, move: str) -> bool:
    return placement.status in MOVES[move][0]


@transaction.atomic
def move(
    placement: Placement, name: str, *, by: User | None, accepted: approving.Accepted = approving.NOTHING
) -> Placement:
    """Whether ``by`` may approve, the door has asked. ``accepted``: reasons by the code of a warning of the checker.

    :raises Refused: ``state_forbids``; ``check_failed``, ``warnings_not_accepted``.
    """
    now = Placement.objects.select_for_update(no_key=True).get(pk=placement.pk)
    sources, target = MOVES[name]
    if now.status not in sources:
        raise Refused("state_forbids", state=now.status)
    if name in ("open", "resume"):
        _is_ready(now, name)
        now.accepted_warnings = _accepted(now, accepted, by)
    now.status = target
    now._change_reason = name  # type: ignore[attr-defined]
    now._history_user = by  # type: ignore[attr-defined]
    now.save(update_fields=["status", "accepted_warnings"])
    placement.status, placement.accepted_warnings = target, now.accepted_warnings
    return now


def _is_ready(placement: Placement, name: str) -> None:
    """Whether it has all that it gives out with.  :raises Refused: ``state_forbids``."""
    if name == "open":
        if not placement.offers.exists():
            raise Refused("state_forbids", detail=_("It offers nothing yet: add an offer first."))
        is_triggered = placement.form == Placement.Form.TRIGGER
        if is_triggered and not TriggerRule.objects.filter(placement=placement).exists():
            raise Refused("state_forbids", detail=_("Nothing sets it off yet: say which event does."))
    plan = SharePlan.objects.filter(placement=placement).first()
    if plan is not None:
        cutting.of_plan(plan, cutting.offered_by(placement))


#: Template, audience's key or None, weight; in the order in which they are offered.
Offered = tuple[int, str | None, int]


@transaction.atomic
def save(
    placement: Placement,
    offers: Sequence[Offered],
    *,
    may_approve: bool,
    by: User | None,
    seen: int | None = None,
    accepted: approving.Accepted = approving.NOTHING,
) -> bool:
    """Writes the placement and its offers. True: it was approved, has changed, and is a draft again.

    ``seen``: the number of the history record that the editor saw last; None: whatever is there now.

    :raises Refused: ``edited_meanwhile``; ``state_forbids`` once it has ended; ``check_failed`` or
        ``warnings_not_accepted`` for what it would offer from now on.
    """
    placement._history_user = by  # type: ignore[attr-defined]
    if placement.pk is None:
        placement.status = Status.DRAFT
        placement.save(force_insert=True)
        _write(placement, offers)
        return False

    before = Placement.objects.select_for_update(no_key=True).get(pk=placement.pk)
    if seen is not None and seen != last_record(before):
        raise Refused("edited_meanwhile")
    if before.status == Status.ENDED:
        raise Refused("state_forbids", state=before.status)
    reordered = offered(before) != list(offers)
    approved = before.status in (Status.LIVE, Status.PAUSED)
    changed = reordered or any(getattr(before, name) != getattr(placement, name) for name in APPROVED)
    back = approved and changed and not may_approve
    placement.status = Status.DRAFT if back else before.status
    if reordered or _changed(before, placement):
        placement._change_reason = OFFERS if reordered else None  # type: ignore[attr-defined]
        placement.save()
    if reordered:
        before.offers.all().delete()
        _write(placement, offers)
    if placement.status == Status.LIVE and (reordered or changed):
        _go_on(placement, accepted, by)
    return back


def _accepted(placement: Placement, accepted: approving.Accepted, by: User | None) -> dict[str, dict[str, str]]:
    """Asks the checker of each offer. Warnings that are accepted beside those that the template's own approval did.

    :raises Refused: ``check_failed``, ``warnings_not_accepted`` with a reason for each finding.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    kept: dict[str, dict[str, str]] = {}
    for offer, verdict in offered_where.verdicts(placement):
        known = offered_where.accepted_before(offer, verdict)
        try:
            said = approving.accept(verdict, {**known, **placement.accepted_warnings}, accepted, by)
        except Refused as refused:
            about = {"placement": placement.key, "template": offer.template.key}
            found.setdefault(refused.code, []).extend({**reason, **about} for reason in refused.reasons)
        else:
            kept |= {code: one for code, one in said.items() if code not in known}
    for code in ("check_failed", "warnings_not_accepted"):
        if code in found:
            raise Refused(code, found[code])
    return kept


def _go_on(placement: Placement, accepted: approving.Accepted, by: User | None) -> None:
    """It is live, and offers something else from now on."""
    try:
        kept = _accepted(placement, accepted, by)
    except Refused as refused:
        if refused.code != "warnings_not_accepted" or accepted:
            raise
        onwards = _("It is live: pause it, change what it offers, and say why when you resume it.")
        reasons = [{**reason, "detail": f"{reason['detail']} {onwards}"} for reason in refused.reasons]
        raise Refused(refused.code, reasons) from None
    if kept != placement.accepted_warnings:
        placement.accepted_warnings = kept
        placement.save(update_fields=["accepted_warnings"])


def offered(placement: Placement) -> list[Offered]:
    return list(placement.offers.order_by("position", "id").values_list("template_id", "audience_id", "weight"))


def differs(placement: Placement, offers: Sequence[Offered]) -> bool:
    """Whether saving would change anything of what is there."""
    return offered(placement) != list(offers) or _changed(Placement.objects.get(pk=placement.pk), placement)


def _changed(before: Model, after: Model) -> bool:
    columns = [field.attname for field in before._meta.concrete_fields]
    return any(getattr(before, name) != getattr(after, name) for name in columns)


@transaction.atomic
def save_tool(tool: TriggerRule | SharePlan, *, may_approve: bool, by: User | None) -> bool:
    """Writes what the placement works with. True: it was approved, has changed, and is a draft again.

    :raises Refused: ``state_forbids`` once the placement has ended.
    """
    placement = Placement.objects.select_for_update(no_key=True).get(pk=tool.placement_id)
    model = type(tool)
    before = model.objects.filter(pk=tool.pk).first()
    if before is not None and not _changed(before, tool):
        return False
    if placement.status == Status.ENDED:
        raise Refused("state_forbids", state=placement.status)
    tool._history_user = by  # type: ignore[union-attr]
    tool.save()
    back = placement.status in (Status.LIVE, Status.PAUSED) and not may_approve
    if back:
        placement.status = Status.DRAFT
        placement._history_user = by  # type: ignore[attr-defined]
        placement._change_reason = TOOL  # type: ignore[attr-defined]
        placement.save(update_fields=["status"])
    return back


def last_record(placement: Placement) -> int | None:
    """The number of its last history record."""
    return placement.history.values_list("history_id", flat=True).first()


def _write(placement: Placement, offers: Sequence[Offered]) -> None:
    Offer.objects.bulk_create(
        Offer(placement=placement, position=position, template_id=template, audience_id=audience, weight=weight)
        for position, (template, audience, weight) in enumerate(offers)
    )
