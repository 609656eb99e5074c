"""A template's way from draft to its end. Every move is a step of its own, and on record.

draft → awaiting approval → live ⇄ paused → ended; whoever had a hand in it cannot approve it.
"""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.models import CouponTemplate, Supply
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
}
SAID = {
    "submit": gettext_lazy("submitted for approval"),
    "send_back": gettext_lazy("sent back"),
    "approve": gettext_lazy("approved"),
    "pause": gettext_lazy("paused"),
    "resume": gettext_lazy("resumed"),
    "end": gettext_lazy("ended"),
}


def possible(template: CouponTemplate, move: str) -> bool:
    return template.status in MOVES[move][0]


def had_a_hand_in(template: CouponTemplate, user: User) -> bool:
    """Made it, or changed it after; moving its state is not changing it."""
    if template.made_by_id == user.pk:
        return True
    return template.history.filter(history_user=user).exclude(history_change_reason__in=MOVES).exists()


@transaction.atomic
def move(template: CouponTemplate, name: str, *, by: User | None) -> CouponTemplate:
    """Moves the template's state; ``by`` is None where a system calls.

    :raises Refused: ``state_forbids``; ``approval_needed`` if the approver had a hand in it.
    """
    now = CouponTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    sources, target = MOVES[name]
    if now.status not in sources:
        raise Refused("state_forbids", state=now.status)
    if name == "approve":
        if by is not None and had_a_hand_in(now, by):
            raise Refused("approval_needed", detail=_("Whoever makes a coupon cannot approve it."))
        now.approved_by = by
    now.status = target
    now.version += 1
    now._change_reason, now._history_user = name, by  # type: ignore[attr-defined]  # read by the history
    now.save(update_fields=["status", "approved_by", "version", "updated_at"])
    template.status, template.approved_by, template.version = now.status, now.approved_by, now.version
    return now


def submit(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    return move(template, "submit", by=by)


def send_back(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    return move(template, "send_back", by=by)


def approve(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    return move(template, "approve", by=by)


def pause(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    return move(template, "pause", by=by)


def resume(template: CouponTemplate, *, by: User | None) -> CouponTemplate:
    return move(template, "resume", by=by)


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
    twin.made_by, twin.approved_by, twin.version = by, None, 1
    twin._state.adding = True
    twin._history_user = by  # type: ignore[attr-defined]
    twin.save(force_insert=True)
    Supply.objects.create(template=twin, **{name: getattr(supply, name) for name in Supply.LIMITS})
    return twin
