"""A template from draft to end: submitted, approved, sent back, paused, resumed, ended, copied."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from coupons import approving, checking
from coupons.admin import comparing, panels
from coupons.admin.money import yuan
from coupons.admin.moving import Move, person
from coupons.admin.previewing import preview_of
from coupons.admin.warnings_form import warnings_form
from coupons.models import CouponTemplate
from coupons.models.checks import needs_two_approvers


def _kept(template: CouponTemplate) -> str:
    count = template.supply.issued_count
    return ngettext(
        "%(count)d coupon is out; it stays with its customer and can be used.",
        "%(count)d coupons are out; they stay with their customers and can be used.",
        count,
    ) % {"count": count}


def _worst(template: CouponTemplate) -> int | None:
    return template.worst_case_fen(comparing.limits_of(template.supply), template.budget.limit_fen)


def _approved(template: CouponTemplate) -> str:
    if template.status == CouponTemplate.Status.LIVE:
        return _("Approved; the template is live.")
    return _("Approved by you; it goes live once a second approver, somebody else, approves it too.")


def _approval_says(template: CouponTemplate) -> list[str]:
    supply, said = template.supply, []
    if (
        approving.possible(template, "approve")
        and template.approved_by_id is None
        and needs_two_approvers(_worst(template))
    ):
        said.append(_("You are the first of two: nothing is given out until somebody else approves it too."))
    said.append(_("Customers can claim it once it is live, wherever a live placement offers it."))
    if supply.total_count is not None:
        said.append(_("At most %(count)s coupons are given out.") % {"count": f"{supply.total_count:,}"})
    else:
        said.append(_("There is no limit to the number of coupons."))
    if template.budget.limit_fen is None:
        said.append(_("Its campaign has no budget limit."))
    else:
        said.append(_("Of the campaign's budget, %(free)s is free.") % {"free": yuan(template.budget.free_fen)})
    return said


def _move(name: str) -> Any:
    def act(template: CouponTemplate, request: HttpRequest, answers: dict[str, Any]) -> CouponTemplate:
        seen = request.POST.get("version", "")
        version = int(seen) if seen.isdecimal() else None
        accepted = answers if name in approving.CHECKED else {}
        why = answers["why"] if name == approving.SENT_BACK else ""
        return approving.move(template, name, by=person(request), version=version, accepted=accepted, why=why)

    return act


def _verdict_says(says: Any) -> Any:
    """The consequences, and before them what the checker found."""

    def consequences(template: CouponTemplate) -> list[str]:
        return [finding.sentence for finding in checking.verdict(template).errors] + says(template)

    return consequences


def _looked_at(request: HttpRequest, template: CouponTemplate) -> str:
    """What is decided about: what it may cost, what has changed since, what customers will see, what others found."""
    limits = comparing.limits_of(template.supply)
    worst = _worst(template)
    last = comparing.last_approved(template)
    now = comparing.values_of(template, limits)
    above = settings.SECOND_APPROVAL_ABOVE_FEN
    return render_to_string(
        "coupons/admin/approval.html",
        {
            "original": template,
            "worst": yuan(worst, _("without end")),
            "needs_two": needs_two_approvers(worst),
            "above": yuan(above) if above is not None else "",
            "approved": last and last[0],
            "differences": list(comparing.differences(last[1], now)) if last else [],
            "preview": preview_of(template, limits, set()),
            "panels": panels.shown(request, template, panels.APPROVAL),
        },
    )


class SendBackForm(forms.Form):
    why = forms.CharField(
        required=False,
        max_length=approving.REASON_LENGTH - len(approving.SENT_BACK) - 1,
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("Whoever made it reads this on its page; it stays in its history."),
    )


def _possible(name: str) -> Any:
    return lambda template: approving.possible(template, name)


MOVES = (
    Move(
        "submit",
        gettext_lazy("Submit for approval"),
        gettext_lazy("Submit this template for approval?"),
        approving.NEEDS["submit"],
        _possible("submit"),
        _verdict_says(
            lambda template: [
                _("Somebody who had no hand in it looks at it and approves it, or sends it back."),
                _("No coupons are given out until then."),
            ]
        ),
        _move("submit"),
        gettext_lazy("Submitted for approval."),
        shows=_looked_at,
        icon="send",
        main=True,
        asks=warnings_form,
    ),
    Move(
        "approve",
        gettext_lazy("Approve"),
        gettext_lazy("Approve this template?"),
        approving.NEEDS["approve"],
        _possible("approve"),
        _verdict_says(_approval_says),
        _move("approve"),
        _approved,
        shows=_looked_at,
        icon="check",
        main=True,
        asks=warnings_form,
    ),
    Move(
        "send_back",
        gettext_lazy("Send back"),
        gettext_lazy("Send this template back to draft?"),
        approving.NEEDS["send_back"],
        _possible("send_back"),
        lambda template: [_("It can be changed and submitted again.")],
        _move("send_back"),
        gettext_lazy("Sent back; the template is a draft again."),
        icon="undo",
        form=SendBackForm,
    ),
    Move(
        "pause",
        gettext_lazy("Pause"),
        gettext_lazy("Pause this template?"),
        approving.NEEDS["pause"],
        _possible("pause"),
        lambda template: [_("Nobody can claim it while it is paused."), _kept(template), _("It can be resumed.")],
        _move("pause"),
        gettext_lazy("Paused."),
        icon="pause",
    ),
    Move(
        "resume",
        gettext_lazy("Resume"),
        gettext_lazy("Resume this template?"),
        approving.NEEDS["resume"],
        _possible("resume"),
        _verdict_says(_approval_says),
        _move("resume"),
        gettext_lazy("Resumed; the template is live."),
        icon="play_arrow",
        main=True,
        asks=warnings_form,
    ),
    Move(
        "end",
        gettext_lazy("End"),
        gettext_lazy("End this template for good?"),
        approving.NEEDS["end"],
        _possible("end"),
        lambda template: [_("No more coupons are given out, and this cannot be undone."), _kept(template)],
        _move("end"),
        gettext_lazy("Ended."),
        icon="stop",
        danger=True,
    ),
    Move(
        "copy",
        gettext_lazy("Copy"),
        gettext_lazy("Make a copy of this template?"),
        ("coupons.add_coupontemplate",),
        lambda template: True,
        lambda template: [
            _("A draft with the same terms and limits, under a key of its own. No coupons are out of it.")
        ],
        lambda template, request, answers: approving.copy(template, by=person(request)),
        gettext_lazy("This is the copy."),
        icon="content_copy",
        makes=True,
    ),
)
