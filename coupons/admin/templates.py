"""券模板: made, read, changed where its state allows, and moved from draft to end."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons import approving, checking, editing
from coupons.admin import comparing, panels
from coupons.admin.making import Making
from coupons.admin.money import fold, yuan
from coupons.admin.moving import Move
from coupons.admin.previewing import preview_of
from coupons.admin.saying import bar, condition_words, sentences
from coupons.admin.template_form import TemplateForm
from coupons.admin.warnings_form import warnings_form
from coupons.models import City, Coupon, CouponTemplate, Supply
from coupons.models.checks import needs_two_approvers
from coupons.queries.wording import claim_wording, reversal_words, wording

CHIPS = {"draft": "primary", "awaiting_approval": "warning", "live": "success", "paused": "info", "ended": ""}


#: Columns that only some types or validities have.
_OF_SOME_TYPES = ("amount_fen", "percent_off", "threshold_fen", "cap_fen", "valid_days", "valid_from", "valid_until")


def person(request: HttpRequest) -> User:
    """Whoever is signed in; the site lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


def _issued(template: CouponTemplate) -> int:
    return template.supply.issued_count


def _kept(template: CouponTemplate) -> str:
    count = _issued(template)
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
        return approving.move(template, name, by=person(request), version=version, accepted=accepted)

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
    ),
)


def _shows_limit(name: str) -> Any:
    label = editing.column(Supply, name).verbose_name

    def show(obj: Any) -> str:
        value = getattr(obj.supply, name)
        if value is None:
            return _("no limit")
        return yuan(value) if name in Supply.FEN_LIMITS else f"{value:,}"

    show.short_description = label  # type: ignore[attr-defined]
    return show


def _of(part: int, whole: int | None) -> str:
    return f"{part:,} / {whole:,}" if whole is not None else f"{part:,}"


class UnderCampaign(RelatedDropdownFilter):
    """By campaign, which is what operators call a budget."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("Campaign")

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        budgets = field.remote_field.model.objects.select_related("campaign").order_by("-campaign__id")
        return [(budget.pk, budget.campaign.name) for budget in budgets if getattr(budget, "campaign", None)]


@admin.register(CouponTemplate)
class TemplateAdmin(Making):
    form = TemplateForm
    moves = MOVES
    change_form_before_template = "coupons/admin/template_top.html"
    empty_words = gettext_lazy(
        "No templates yet. A template says what a coupon is worth, for whom, and how many there are."
    )
    list_display = ("named", "face", "state", "campaign", "progress", "validity", "updated_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("type", ChoicesDropdownFilter),
        ("budget", UnderCampaign),
        ("category", RelatedDropdownFilter),
        "newcomer",
    )
    search_fields = ("key", "internal_name", "name")
    list_select_related = ("supply", "budget__campaign")
    export_fields = (
        "key",
        "internal_name",
        "name",
        "state",
        "campaign",
        "type",
        "show_amount_fen",
        "show_threshold_fen",
        "percent_off",
        "show_cap_fen",
        "validity",
        "issued_count",
        "total_count",
        "created_at",
    )

    class Media:
        css = {"all": ("coupons/card.css", "coupons/maker.css")}
        js = ("coupons/admin.js", "coupons/maker.js")

    #: The steps, in the order in which they are thought of.
    fieldsets = (
        (gettext_lazy("Type"), {"fields": ("budget", "type", "internal_name", "name", "key", "category")}),
        (
            gettext_lazy("Money"),
            {
                "fields": (
                    "amount_fen",
                    "percent_off",
                    "threshold_fen",
                    "cap_fen",
                    "merchant",
                    ("merchant_percent", "merchant_fen"),
                )
            },
        ),
        (
            gettext_lazy("Validity"),
            {"fields": ("validity_type", "valid_days", "starts_after_days", "valid_from", "valid_until")},
        ),
        (
            gettext_lazy("Who and where"),
            {"fields": ("newcomer", "exclusive_group", "claim_cities", "claim_conditions", "release")},
        ),
        (
            gettext_lazy("Use rules"),
            {"fields": ("use_conditions", "scope", "stack_group", "returns_on_rollback", "reversal")},
        ),
        (gettext_lazy("Looks"), {"fields": ("looks",)}),
        (
            gettext_lazy("Limits"),
            {
                "description": gettext_lazy("A limit that is left empty does not limit; 0 means none at all."),
                "fields": tuple(zip(Supply.LIMITS[::2], Supply.LIMITS[1::2], strict=True)),
            },
        ),
    )

    def __init__(self, model: Any, admin_site: Any) -> None:
        for name in Supply.LIMITS:
            setattr(self, f"show_{name}", _shows_limit(name))
        super().__init__(model, admin_site)

    # --- what of it there is ---------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever only reads sees what this type and this validity have; the form's script does the same."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self.reads_only(request, obj):
            return fieldsets
        missing = {name for name in _OF_SOME_TYPES if getattr(obj, name) is None}

        def has(name: Any) -> bool:
            return isinstance(name, list) or name.removeprefix("show_") not in missing

        return [(title, {**options, "fields": list(filter(has, options["fields"]))}) for title, options in fieldsets]

    # --- form ---------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[CouponTemplate]:
        return super().get_queryset(request).select_related("supply", "budget__campaign")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        key = f"c{timezone.localtime():%m%d}-{get_random_string(4, 'abcdefghjkmnpqrstuvwxyz23456789')}"
        return {"valid_days": 7, "key": key, **super().get_changeform_initial_data(request)}

    def moves_for(self, request: HttpRequest, obj: Any) -> list[Move]:
        moves = super().moves_for(request, obj)
        if any(move.name == "approve" for move in moves) and not self._may_approve_now(request, obj):
            return [move for move in moves if move.name != "approve"]
        return moves

    @staticmethod
    def _may_approve_now(request: HttpRequest, obj: Any) -> bool:
        if not hasattr(obj, "approvable"):  # asked for the buttons and for the notes
            obj.approvable = approving.may_approve_now(obj, person(request))
        return obj.approvable

    def hangs(self, obj: Any) -> bool:
        return _issued(obj) > 0 or obj.offers.exists() or Coupon.objects.filter(template=obj).exists()

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        supply, words = obj.supply, wording(obj)
        facts = [(_("Given out"), _of(supply.issued_count, supply.total_count))]
        if request.user.has_perm("coupons.view_budget"):
            facts.append((_("Budget free"), yuan(obj.budget.free_fen, _("no limit"))))
        for label, who in (
            (_("Made by"), obj.made_by),
            (_("Approved by"), obj.approved_by),
            (_("Also approved by"), obj.second_approved_by),
        ):
            if who:
                facts.append((label, str(who)))
        coupons = f"{reverse('admin:coupons_coupon_changelist')}?template__id__exact={obj.pk}"
        links = [(_("Its coupons"), coupons)] if request.user.has_perm("coupons.view_coupon") else []
        if request.user.has_perm("distribution.add_placement") and obj.status != CouponTemplate.Status.ENDED:
            links.insert(0, (_("Place it"), f"{reverse('admin:distribution_placement_add')}?template={obj.pk}"))
        notes = []
        if approving.possible(obj, "approve") and obj.approved_by_id:
            notes.append(_("One of two has approved it; a second approver, somebody else, decides."))
        waits = approving.possible(obj, "approve")
        if waits and obj.approved_by_id != request.user.pk and not self._may_approve_now(request, obj):
            notes.append(_("You had a hand in this template, so somebody else has to approve it."))
        if supply.issued_count and self.has_change_permission(request, obj):
            notes.append(
                _(
                    "Coupons are out, so what customers were promised stays as it is: money, validity, use rules, "
                    "cost. Limits, release and claim rules can still be changed. For other terms, make a copy."
                )
            )
        return {
            "chip": (obj.get_status_display(), CHIPS[obj.status]),
            "facts": facts,
            "title": words["short"],
            "groups": [(_("On the coupon"), words["rules"]), (_("When it is given out"), claim_wording(obj))],
            "links": links,
            "notes": notes,
        }

    # --- history ------------------------------------------------------------------------------------------------

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Any two versions side by side, if ``?from=&to=`` names them."""
        obj = self.get_object(request, object_id)
        older, newer = (request.GET.get(name, "") for name in ("from", "to"))
        more: dict[str, Any] = {"comparable": True, "older": older, "newer": newer}
        if obj is not None and self.has_view_or_change_permission(request, obj):
            versions = comparing.records(obj, older, newer)
            if len(versions) == 2:
                more |= {"compares": True, "comparison": list(comparing.differences(*versions))}
        return super().history_view(request, object_id, {**more, **(extra_context or {})})

    def _entries(self, records: Any) -> Iterator[dict[str, Any]]:
        """With its limits, which are written at the same moment in a history of their own."""
        rows = list(records)
        limits = comparing.limit_changes(rows)
        for record, entry in zip(rows, super()._entries(rows), strict=True):
            yield {**entry, "changes": [*entry["changes"], *limits.get(record.history_date, [])]}

    # --- to read ------------------------------------------------------------------------------------------------

    def show_budget(self, obj: Any) -> str:
        return self.campaign(obj)

    show_budget.short_description = gettext_lazy("Campaign")  # type: ignore[attr-defined]

    def show_percent_off(self, obj: Any) -> str:
        return f"{obj.percent_off} % ({fold(obj.percent_off)})" if obj.percent_off else ""

    show_percent_off.short_description = gettext_lazy("Percent off")  # type: ignore[attr-defined]

    def show_release(self, obj: Any) -> SafeString:
        return sentences(claim_wording(obj))

    show_release.short_description = gettext_lazy("Release schedule")  # type: ignore[attr-defined]

    def show_claim_cities(self, obj: Any) -> str:
        cities = City.objects.filter(pk__in=obj.claim_cities)
        return ", ".join(map(str, cities)) or _("everywhere")

    show_claim_cities.short_description = gettext_lazy("Cities where it can be claimed")  # type: ignore[attr-defined]

    def show_claim_conditions(self, obj: Any) -> SafeString:
        return sentences(condition_words(obj.claim_conditions, "claim"))

    show_claim_conditions.short_description = gettext_lazy("Claim conditions")  # type: ignore[attr-defined]

    def show_use_conditions(self, obj: Any) -> SafeString:
        return sentences(condition_words(obj.use_conditions, "use"))

    show_use_conditions.short_description = gettext_lazy("Use conditions")  # type: ignore[attr-defined]

    def show_scope(self, obj: Any) -> SafeString:
        return sentences(wording(obj)["rules"])

    show_scope.short_description = gettext_lazy("On the coupon")  # type: ignore[attr-defined]

    def show_reversal(self, obj: Any) -> SafeString:
        return sentences(reversal_words(obj))

    show_reversal.short_description = gettext_lazy("Case by case")  # type: ignore[attr-defined]

    def show_looks(self, obj: Any) -> str:
        return ", ".join(f"{value}" for value in (obj.looks or {}).values()) or _("the usual ones")

    show_looks.short_description = gettext_lazy("Looks")  # type: ignore[attr-defined]

    # --- columns ------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Template"), header=True, ordering="internal_name")
    def named(self, obj: Any) -> list[str]:
        return [obj.internal_name, obj.key]

    @display(description=gettext_lazy("Worth"))
    def face(self, obj: Any) -> str:
        if obj.type == CouponTemplate.Type.PERCENT_OFF:
            words = [fold(obj.percent_off)]
            if obj.threshold_fen:
                words.append(_("from %(amount)s") % {"amount": yuan(obj.threshold_fen)})
            if obj.cap_fen:
                words.append(_("at most %(amount)s") % {"amount": yuan(obj.cap_fen)})
            return " · ".join(words)
        if obj.type == CouponTemplate.Type.NO_THRESHOLD:
            return _("%(amount)s off") % {"amount": yuan(obj.amount_fen)}
        return _("%(amount)s off %(threshold)s") % {
            "amount": yuan(obj.amount_fen),
            "threshold": yuan(obj.threshold_fen),
        }

    @display(description=gettext_lazy("State"), label=CHIPS, ordering="status")
    def state(self, obj: Any) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    @display(description=gettext_lazy("Campaign"))
    def campaign(self, obj: Any) -> str:
        campaign = getattr(obj.budget, "campaign", None)
        return campaign.name if campaign else "–"

    @display(description=gettext_lazy("Given out"))
    def progress(self, obj: Any) -> SafeString:
        issued, most = obj.supply.issued_count, obj.supply.total_count
        return bar(issued, most, _of(issued, most))

    @display(description=gettext_lazy("Valid for"))
    def validity(self, obj: Any) -> str:
        if obj.validity_type == CouponTemplate.Validity.DAYS_AFTER_CLAIM:
            return ngettext("%(days)d day", "%(days)d days", obj.valid_days) % {"days": obj.valid_days}
        return obj.get_validity_type_display()

    @display(description=gettext_lazy("Given out"))
    def issued_count(self, obj: Any) -> int:
        return obj.supply.issued_count

    @display(description=gettext_lazy("In all, number"))
    def total_count(self, obj: Any) -> int | None:
        return obj.supply.total_count
