"""A template as it is read: in the list, and by those who may not change it."""

from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from coupons import editing
from coupons.admin.making import Making
from coupons.admin.money import fold, yuan
from coupons.admin.saying import bar, condition_words, sentences
from coupons.models import City, CouponTemplate, Supply
from coupons.queries.wording import claim_wording, reversal_words, wording

CHIPS = {"draft": "primary", "awaiting_approval": "warning", "live": "success", "paused": "info", "ended": ""}
#: Columns that only some types or validities have.
_OF_SOME_TYPES = ("amount_fen", "percent_off", "threshold_fen", "cap_fen", "valid_days", "valid_from", "valid_until")


def _shows_limit(name: str) -> Any:
    label = editing.column(Supply, name).verbose_name

    def show(obj: Any) -> str:
        value = getattr(obj.supply, name)
        if value is None:
            return _("no limit")
        return yuan(value) if name in Supply.FEN_LIMITS else f"{value:,}"

    show.short_description = label  # type: ignore[attr-defined]
    return show


def of(part: int, whole: int | None) -> str:
    return f"{part:,} / {whole:,}" if whole is not None else f"{part:,}"


class TemplateColumns(Making):
    def __init__(self, model: Any, admin_site: Any) -> None:
        for name in Supply.LIMITS:
            setattr(self, f"show_{name}", _shows_limit(name))
        super().__init__(model, admin_site)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever only reads sees what this type and this validity have; the form's script does the same."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self.reads_only(request, obj):
            return fieldsets
        missing = {name for name in _OF_SOME_TYPES if getattr(obj, name) is None}

        def has(name: Any) -> bool:
            return isinstance(name, list) or name.removeprefix("show_") not in missing

        return [(title, {**options, "fields": list(filter(has, options["fields"]))}) for title, options in fieldsets]

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
        return bar(issued, most, of(issued, most))

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
