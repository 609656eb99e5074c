"""A template is written down or changed: by form, document or import, through here alone.

Terms freeze with the first coupon, limits never fall below what was given out, and nobody overwrites what
somebody else changed meanwhile. Changed terms of a template that was approved need approving again; so does giving
out more, elsewhere or looking otherwise than was approved. Less is always allowed.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Field, Model
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons import checking
from coupons.models import Budget, CouponTemplate, Supply
from coupons.models.checks import check_worst_case, needs_two_approvers
from coupons.refused import Refused

#: Limits of all coupons together, and the counter that each must not fall below.
ISSUED = {"total_count": "issued_count", "total_fen": "issued_fen"}

#: What an approver looked at, beside terms and limits.
APPROVED = ("name", "looks", "release", "claim_cities", "claim_conditions")
_APPROVED_STATES = (CouponTemplate.Status.LIVE, CouponTemplate.Status.PAUSED)

#: While it is given out, the checker looks at changes of who can claim it and when.
RUNNING = (CouponTemplate.Status.LIVE, CouponTemplate.Status.PAUSED)
CLAIMING = ("release", "claim_cities", "claim_conditions")


def column(model: type[Model], name: str) -> "Field[Any, Any]":
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def terms_of(template: CouponTemplate) -> dict[str, Any]:
    """The promise to customers, comparable."""
    return {name: getattr(template, column(CouponTemplate, name).attname) for name in CouponTemplate.TERMS}


def changed_terms(before: CouponTemplate, after: CouponTemplate) -> list[str]:
    old, new = terms_of(before), terms_of(after)
    return [name for name in CouponTemplate.TERMS if not _is_same(old[name], new[name])]


def _is_same(before: Any, after: Any) -> bool:
    """Names say the same in any order, which is the page's and not the operator's."""
    return bool(_unordered(before) == _unordered(after))


def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unordered(one) for name, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return sorted(value, key=str)
    return value


def loosened(
    before: CouponTemplate, after: CouponTemplate, supply: Supply, limits: Mapping[str, int | None]
) -> list[str]:
    """Fields in which it is given out otherwise, or more of it, than was approved. Empty: not approved yet, or less."""
    if before.status not in _APPROVED_STATES or changed_terms(before, after):
        return []
    otherwise = [name for name in APPROVED if not _is_same(getattr(before, name), getattr(after, name))]
    return otherwise + [name for name, limit in limits.items() if _is_more(getattr(supply, name), limit)]


def _is_more(before: int | None, after: int | None) -> bool:
    return before is not None and (after is None or after > before)


@transaction.atomic
def save_template(
    template: CouponTemplate,
    limits: Mapping[str, int | None],
    *,
    by: User | None,
    version: int | None = None,
    may_approve: bool = False,
    why: str | None = None,
) -> CouponTemplate:
    """Writes the template and its limits; ``limits`` may leave some of ``Supply.LIMITS`` out.

    ``version`` is the one that the editor saw; None: whatever is there now. ``may_approve``: what is approved may be
    loosened, because a system with that right asks, or somebody else took the change over. ``why`` stands in the
    history. The state is not moved here, but for one thing: changed terms take a template that was approved, or waits
    for it, back to draft.

    :raises Refused: ``edited_meanwhile``, ``terms_frozen``, ``limit_below_issued``, ``approval_needed``,
        ``second_approval_needed``, ``check_failed``.
    :raises ValidationError: by field.
    """
    template._history_user = by  # type: ignore[attr-defined]  # read by the history, outside of requests too
    template._history_date = now = timezone.now()  # type: ignore[attr-defined]  # one moment for template and limits
    if template.pk is None:
        template.status = CouponTemplate.Status.DRAFT
        template.made_by = by
        template.version = 1
        template.full_clean()
        _check_worst_case(template, limits)
        template.save(force_insert=True)
        supply = Supply(template=template, **limits)
        supply.full_clean(exclude=["template"])
        supply._history_user, supply._history_date = by, now
        supply.save(force_insert=True)
        return template

    before = CouponTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    supply = Supply.objects.select_for_update(no_key=True).get(pk=template.pk)
    if version is not None and before.version != version:
        raise Refused("edited_meanwhile")
    template.status, template.approved_by_id = before.status, before.approved_by_id
    template.second_approved_by_id, template.approvals_needed = before.second_approved_by_id, before.approvals_needed
    template.made_by_id, template.version = before.made_by_id, before.version
    template.accepted_warnings = before.accepted_warnings
    template.full_clean()
    terms = changed_terms(before, template)
    if terms and supply.issued_count:
        names = [str(column(CouponTemplate, name).verbose_name) for name in terms]
        raise Refused("terms_frozen", fields=terms, template=template.key, names=names)
    _check_limits(supply, limits)
    all_limits = {**{name: getattr(supply, name) for name in Supply.LIMITS}, **limits}
    _check_worst_case(template, all_limits)
    more = loosened(before, template, supply, limits)
    if more:
        _check_approval(template, more, all_limits, may_approve)
    if before.status in RUNNING and any(getattr(before, name) != getattr(template, name) for name in CLAIMING):
        _check_use(template, all_limits)

    moved = {name: value for name, value in limits.items() if getattr(supply, name) != value}
    if terms and before.status != CouponTemplate.Status.DRAFT and before.status != CouponTemplate.Status.ENDED:
        template.status, template.approvals_needed = CouponTemplate.Status.DRAFT, 1
        template.approved_by = template.second_approved_by = None
    if moved:
        for name, value in moved.items():
            setattr(supply, name, value)
        supply.clean_fields(exclude=["template"])
        supply._history_user, supply._history_date = by, now  # type: ignore[attr-defined]
        supply.save(update_fields=list(moved))
    if moved or any(
        not _is_same(getattr(before, field.attname), getattr(template, field.attname))
        for field in CouponTemplate._meta.concrete_fields
        if field.name != "updated_at"
    ):
        template.version = before.version + 1
        template._change_reason = why  # type: ignore[attr-defined]
        if template.status == CouponTemplate.Status.AWAITING:
            template.approved_by = None  # the first of two approvers looked at something else
        template.save()
    return template


def _check_approval(
    template: CouponTemplate, more: list[str], limits: Mapping[str, int | None], may_approve: bool
) -> None:
    if not may_approve:
        sentence = _("It is approved as it is: giving out more, or otherwise, needs the right to approve.")
        raise Refused("approval_needed", detail=sentence, template=template.key, fields=more)
    worst = template.worst_case_fen(limits, template.budget.limit_fen)
    if needs_two_approvers(worst) and template.second_approved_by_id is None:
        raise Refused("second_approval_needed", template=template.key, fields=more)


def _check_use(template: CouponTemplate, limits: Mapping[str, int | None]) -> None:
    errors = checking.verdict(template, limits=limits).errors
    if errors:
        raise Refused("check_failed", [finding.as_reason() for finding in errors])


def _check_limits(supply: Supply, limits: Mapping[str, int | None]) -> None:
    errors: dict[str, ValidationError] = {}
    for name, counter in ISSUED.items():
        limit, issued = limits.get(name), getattr(supply, counter)
        if limit is not None and limit < issued:
            errors[name] = ValidationError(
                _("A limit cannot be lower than what has been given out."), code="limit_below_issued"
            )
    if errors:
        reasons = [
            {
                "code": "limit_below_issued",
                "detail": error.message,
                "field": name,
                "issued": getattr(supply, ISSUED[name]),
            }
            for name, error in errors.items()
        ]
        raise Refused("limit_below_issued", reasons)


def _check_worst_case(template: CouponTemplate, limits: Mapping[str, int | None]) -> None:
    errors = check_worst_case(template, limits, template.budget.limit_fen)
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def set_budget(budget: Budget, limit_fen: int | None) -> Budget:
    """A new limit for a campaign's purse, in fen; None: no limit.

    :raises Refused: ``budget_below_used``; ``second_approval_needed`` if something that one person approved could then
        cost what needs two.
    :raises ValidationError: a percentage without a cap hangs below, and would have no worst case.
    """
    if budget.pk is None:
        budget.limit_fen = limit_fen
        budget.full_clean()
        budget.save(force_insert=True)
        return budget
    now = Budget.objects.select_for_update(no_key=True).get(pk=budget.pk)
    if limit_fen is not None and limit_fen < now.committed_fen + now.spent_fen:
        raise Refused("budget_below_used", used_fen=now.committed_fen + now.spent_fen)
    if limit_fen is not None:
        uncapped = CouponTemplate.objects.filter(budget=budget, type="percent_off", cap_fen__isnull=True).first()
        if uncapped:
            raise ValidationError(
                _("%(template)s takes off a percentage without a cap; that cannot sit under a budget.")
                % {"template": uncapped.internal_name},
                code="uncapped",
            )
    _check_approvers(now, limit_fen)
    now.limit_fen = budget.limit_fen = limit_fen
    now.clean_fields()
    now.save(update_fields=["limit_fen"])
    return now


def _check_approvers(budget: Budget, limit_fen: int | None) -> None:
    """Less needs nobody, and what was above the amount already is not asked again."""
    approved = CouponTemplate.objects.filter(
        budget=budget, status__in=_APPROVED_STATES, second_approved_by__isnull=True
    ).select_related("supply")
    reasons = []
    for template in approved:
        limits = {name: getattr(template.supply, name) for name in Supply.LIMITS}
        before, after = (template.worst_case_fen(limits, limit) for limit in (budget.limit_fen, limit_fen))
        if needs_two_approvers(after) and not needs_two_approvers(before):
            sentence = _(
                "With this budget %(template)s may cost more than one person may approve. Limit its number or its "
                "amount first, or end it and have a copy approved by two."
            )
            detail = sentence % {"template": template.internal_name}
            reasons.append({"code": "second_approval_needed", "detail": detail, "template": template.key})
    if reasons:
        raise Refused("second_approval_needed", reasons)
