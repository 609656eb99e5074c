"""A template's way from draft to its end. Every move is a step of its own, and on record.

draft → awaiting approval → live ⇄ paused → ended; whoever had a hand in it cannot approve it. What may cost more than
``SECOND_APPROVAL_ABOVE_FEN`` is approved by two, and stays waiting between the first and the second. Who may take
which step, the door has asked by ``NEEDS``.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons import checking
from coupons.conditions import names
from coupons.conditions.audiences import leading_to, named_by
from coupons.models import CouponTemplate, Supply, TemplateDraft
from coupons.models.checks import needs_two_approvers
from coupons.refused import Refused

Status = CouponTemplate.Status

#: What each move is called on record, and from where to where it goes.
MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "submit": ((Status.DRAFT,), Status.AWAITING),
    "send_back": ((Status.AWAITING,), Status.DRAFT),
    "approve": ((Status.AWAITING,), Status.LIVE),
    "pause": ((Status.LIVE,), Status.PAUSED),
    "resume": ((Status.PAUSED,), Status.LIVE),
    "end": ((Status.LIVE, Status.PAUSED), Status.ENDED),
    "drop": ((Status.DRAFT, Status.AWAITING), Status.ENDED),  # a document says that it is over: it never goes live
}
#: Any of these rights is enough for a move. Whatever makes or keeps something claimable needs the right to approve.
APPROVE, CHANGE = "coupons.approve_coupontemplate", "coupons.change_coupontemplate"
NEEDS: dict[str, tuple[str, ...]] = {
    "submit": (CHANGE,),
    "send_back": (APPROVE, CHANGE),
    "approve": (APPROVE,),
    "pause": (APPROVE, CHANGE),
    "resume": (APPROVE,),
    "end": (APPROVE, CHANGE),
    "drop": (APPROVE, CHANGE),
}
SENT_BACK = "send_back"  # and why
FIRST = "approve_first"  # of two
TAKEN = "proposal"  # and who took it over
WARNED = "warnings"
SAID = {
    FIRST: gettext_lazy("approved by the first of two"),
    TAKEN: gettext_lazy("a proposed change, taken over"),
    WARNED: gettext_lazy("warnings accepted"),
    "submit": gettext_lazy("submitted for approval"),
    "send_back": gettext_lazy("sent back"),
    "approve": gettext_lazy("approved"),
    "pause": gettext_lazy("paused"),
    "resume": gettext_lazy("resumed"),
    "end": gettext_lazy("ended"),
    "drop": gettext_lazy("written down as ended, without going live"),
}


def possible(template: CouponTemplate, move: str) -> bool:
    return template.status in MOVES[move][0]


def had_a_hand_in(template: CouponTemplate, user: User) -> bool:
    """Made it, or changed it after; moving its state is not changing it."""
    if template.made_by_id == user.pk:
        return True
    moved = [*MOVES, FIRST, WARNED]
    mine = template.history.filter(history_user=user).exclude(history_change_reason__startswith=f"{SENT_BACK} ")
    return mine.exclude(history_change_reason__in=moved).exists()


def sent_back(template: CouponTemplate) -> tuple[User | None, str] | None:
    """Who sent the draft back last, and why; None: nobody, or it was submitted again since."""
    if template.status != Status.DRAFT:
        return None
    last = template.history.filter(Q(history_change_reason="submit") | Q(history_change_reason__startswith=SENT_BACK))
    record = last.select_related("history_user").first()
    if record is None or record.history_change_reason == "submit":
        return None
    return record.history_user, record.history_change_reason.removeprefix(SENT_BACK).strip()


def may_approve_now(template: CouponTemplate, user: User) -> bool:
    """Had no hand in it, and is not the first of its two approvers."""
    return template.approved_by_id != user.pk and not had_a_hand_in(template, user)


#: Of a record in the history.
REASON_LENGTH = 100
#: Moves before which the checker is asked.
CHECKED = ("submit", "approve", "resume")
#: Reasons by the code of a warning; None: warnings are not asked about.
Accepted = Mapping[str, str] | None
NOTHING: Mapping[str, str] = MappingProxyType({})


@transaction.atomic
def move(
    template: CouponTemplate,
    name: str,
    *,
    by: User | None,
    version: int | None = None,
    accepted: Accepted = NOTHING,
    why: str = "",
) -> CouponTemplate:
    """Moves the template's state; ``by`` is None where a system calls.

    ``version`` is the one that was looked at: nobody approves what was changed since. None: whatever is there now.

    Before it is submitted, approved or resumed the checker is asked: errors stop it, and so does each warning that
    nobody ``accepted`` with a reason, now or since it was submitted; what was accepted stays on record.
    ``why`` stands in the history beside the move.

    :raises Refused: ``state_forbids``; ``approval_needed`` if the approver had a hand in it; ``edited_meanwhile``;
        ``second_approval_needed`` if a system would be one of two approvers; ``check_failed``,
        ``warnings_not_accepted`` with a reason for each finding.
    """
    now = CouponTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    sources, target = MOVES[name]
    if now.status not in sources:
        raise Refused("state_forbids", state=now.status)
    if version is not None and version != now.version:
        raise Refused("edited_meanwhile")
    reason = name
    if name in CHECKED and not (name == "submit" and accepted is None):
        before = {} if name == "submit" else now.accepted_warnings
        now.accepted_warnings = accept(checking.verdict(now), before, accepted, by)
    if name == "approve":
        reason = _approve(now, by)
    elif target in (Status.AWAITING, Status.DRAFT):
        now.approved_by = now.second_approved_by = None
        now.approvals_needed = 1
    now.status = Status.AWAITING if reason == FIRST else target
    now.version += 1
    now._change_reason = f"{reason} {why}".strip()[:REASON_LENGTH]  # type: ignore[attr-defined]  # read by the history
    now._history_user = by  # type: ignore[attr-defined]
    moved = ("status", "approved_by", "second_approved_by", "approvals_needed", "accepted_warnings", "version")
    now.save(update_fields=[*moved, "updated_at"])
    for field in moved:
        setattr(template, field, getattr(now, field))
    return now


def accept(
    verdict: checking.Verdict, before: Mapping[str, Any], accepted: Accepted, by: User | None
) -> dict[str, dict[str, str]]:
    """The verdict's warnings that are accepted, by code: the reason and who gave it, ``before`` or now.

    :raises Refused: errors; warnings that are left over.
    """
    if verdict.errors:
        raise Refused("check_failed", [finding.as_reason() for finding in verdict.errors])
    if accepted is None:
        return {finding.code: before[finding.code] for finding in verdict.warnings if finding.code in before}
    name = "" if by is None else by.get_username()
    now = {code: {"reason": reason.strip(), "by": name} for code, reason in accepted.items() if reason.strip()}
    said = {**before, **now}
    left = [finding for finding in verdict.warnings if finding.code not in said]
    if left:
        raise Refused("warnings_not_accepted", [finding.as_reason() for finding in left])
    return {finding.code: said[finding.code] for finding in verdict.warnings}


def _approve(template: CouponTemplate, by: User | None) -> str:
    """Writes down who approves; the answer is what that is called on record."""
    if by is not None and had_a_hand_in(template, by):
        raise Refused("approval_needed", detail=_("Whoever makes a coupon cannot approve it."))
    supply = Supply.objects.get(pk=template.pk)
    worst = template.worst_case_fen({name: getattr(supply, name) for name in Supply.LIMITS}, template.budget.limit_fen)
    if not needs_two_approvers(worst):
        template.approved_by, template.second_approved_by, template.approvals_needed = by, None, 1
        return "approve"
    if by is None:
        raise Refused("second_approval_needed", template=template.key)
    template.approvals_needed = 2
    if template.approved_by_id is None:
        template.approved_by = by
        return FIRST
    if template.approved_by_id == by.pk:
        sentence = _("You have approved it already; the second approver is somebody else.")
        raise Refused("approval_needed", detail=sentence)
    template.second_approved_by = by
    return "approve"


def must_make_sense(template: CouponTemplate, *, accepted: Accepted, by: User | None) -> None:
    """Asks the checker of what was changed while it is approved, and keeps on record what was ``accepted``.

    :raises Refused: ``check_failed``, ``warnings_not_accepted`` with a reason for each finding.
    """
    now = CouponTemplate.objects.get(pk=template.pk)
    said = accept(checking.verdict(now), now.accepted_warnings, accepted, by)
    if said != now.accepted_warnings:
        now.accepted_warnings = said
        now._change_reason, now._history_user = WARNED, by  # type: ignore[attr-defined]
        now.save(update_fields=["accepted_warnings", "updated_at"])


def asking_for(audience: str) -> list[CouponTemplate]:
    """Live templates that ask for the audience or are offered to it, if only through other audiences."""
    asking = leading_to(audience)
    live = CouponTemplate.objects.filter(status=Status.LIVE)
    found = {one.pk: one for one in live.filter(offers__audience__in=asking, offers__placement__status="live")}
    themselves = live.filter(claim_conditions__has_key="audiences")
    found |= {one.pk: one for one in themselves if not asking.isdisjoint(named_by(one.claim_conditions))}
    return [found[number] for number in sorted(found)]


@contextmanager
def making_sense(templates: Iterable[CouponTemplate]) -> Iterator[None]:
    """Around a change of something that live templates lean on: it must not take away their last customer.

    :raises Refused: ``check_failed``, with a reason for each error of the checker that was not there before.
    """
    numbers = [template.pk for template in templates]

    def errors() -> dict[tuple[int, str], dict[str, Any]]:
        names.forget()  # the change is not committed, so no version tells of it
        return {
            (template.pk, finding.code): {
                **finding.as_reason(),
                "detail": f"{template.internal_name}: {finding.sentence}",
                "template": template.key,
            }
            for template in CouponTemplate.objects.filter(pk__in=numbers, status=Status.LIVE).order_by("pk")
            for finding in checking.verdict(template).errors
        }

    if not numbers:
        yield
        return
    try:
        before = errors()
        yield
        found = [reason for known, reason in errors().items() if known not in before]
    finally:
        names.forget()
    if found:
        raise Refused("check_failed", found)


@transaction.atomic
def decide(proposal: TemplateDraft, *, take: bool, by: User) -> TemplateDraft:
    """Somebody takes a proposed change over, or declines it; the change itself the door makes in the same transaction.

    :raises Refused: ``state_forbids`` once it is decided; ``approval_needed`` for one's own.
    """
    now = TemplateDraft.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if now.state != TemplateDraft.State.PROPOSED:
        raise Refused("state_forbids", state=now.state)
    if take and now.made_by_id == by.pk:
        raise Refused("approval_needed", detail=_("Whoever makes a coupon cannot approve it."))
    now.state = TemplateDraft.State.TAKEN if take else TemplateDraft.State.DECLINED
    now.decided_by = by
    now.save(update_fields=["state", "decided_by", "updated_at"])
    return now


def submit(template: CouponTemplate, *, by: User | None, accepted: Accepted = NOTHING) -> CouponTemplate:
    return move(template, "submit", by=by, accepted=accepted)


def send_back(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    return move(template, "send_back", by=by)


def approve(template: CouponTemplate, *, by: User | None, accepted: Accepted = NOTHING) -> CouponTemplate:
    return move(template, "approve", by=by, accepted=accepted)


def pause(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    return move(template, "pause", by=by)


def resume(template: CouponTemplate, *, by: User | None, accepted: Accepted = NOTHING) -> CouponTemplate:
    return move(template, "resume", by=by, accepted=accepted)


def end(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    return move(template, "end", by=by)


@transaction.atomic
def copy(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    """A draft with the same terms and supply under a new key: the way to other terms once coupons are out."""
    supply = Supply.objects.get(pk=template.pk)
    twin = CouponTemplate.objects.get(pk=template.pk)
    number, stem = 2, template.key[:58]
    while CouponTemplate.objects.filter(key=f"{stem}-{number}").exists():
        number += 1
    twin.pk, twin.key, twin.status = None, f"{stem}-{number}", Status.DRAFT
    twin.internal_name = _("%(name)s (copy)") % {"name": template.internal_name[:90]}
    twin.made_by, twin.version, twin.approvals_needed, twin.accepted_warnings = by, 1, 1, {}
    twin.approved_by = twin.second_approved_by = None
    twin._state.adding = True
    twin._history_user = by  # type: ignore[attr-defined]
    twin.save(force_insert=True)
    limits = Supply(template=twin, **{name: getattr(supply, name) for name in Supply.LIMITS})
    limits._history_user = by  # type: ignore[attr-defined]
    limits.save(force_insert=True)
    return twin
