"""What was refused, by the hour: how often, of what, and why."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from coupons.admin.desk import ReadDesk
from coupons.conditions.names import line_called
from coupons.models import City, CouponTemplate, RefusalCount
from coupons.refused import SENTENCES

#: Causes that a customer is not told.
CAUSES = {
    "blocked": gettext_lazy("on the block list"),
    "account_age": gettext_lazy("account too young, or nobody knows how old"),
    "velocity_customer": gettext_lazy("too many claims of one customer"),
    "velocity_device": gettext_lazy("too many claims from one device"),
    "velocity_ip": gettext_lazy("too many claims from one address"),
    "velocity_phone_prefix": gettext_lazy("too many claims of one phone segment"),
    "service": gettext_lazy("refused by the risk service"),
    "service_silent": gettext_lazy("the risk service did not answer"),
}


@admin.register(RefusalCount)
class RefusalCountAdmin(ReadDesk):
    list_display = ("when", "deed", "placement", "template", "city", "line", "activity", "words", "cause", "count")
    fields = readonly_fields = list_display
    list_filter = (("deed", ChoicesDropdownFilter), ("hour", RangeDateTimeFilter))
    search_fields = ("placement", "code", "reason")
    ordering = ("-hour", "-count")
    empty_words = gettext_lazy("Nothing was refused. Refusals appear here some seconds after they happened.")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            self.know([found])
        return found

    def know(self, rows: Any) -> None:
        names = dict(
            CouponTemplate.objects.filter(pk__in={row.template_id for row in rows}).values_list("pk", "internal_name")
        )
        cities = City.objects.in_bulk({row.city_id for row in rows})
        for row in rows:
            row.named = names.get(row.template_id, "–")
            row.where = str(cities.get(row.city_id, row.city_id or "–"))

    @display(description=gettext_lazy("Hour"), ordering="hour")
    def when(self, obj: Any) -> str:
        return f"{timezone.localtime(obj.hour):%Y-%m-%d %H:00}"

    @display(description=gettext_lazy("Coupon template"))
    def template(self, obj: Any) -> str:
        return obj.named

    @display(description=gettext_lazy("City"), ordering="city_id")
    def city(self, obj: Any) -> str:
        return obj.where

    @display(description=gettext_lazy("Business line"), ordering="business_line")
    def line(self, obj: Any) -> str:
        return line_called(obj.business_line) if obj.business_line else "–"

    @display(description=gettext_lazy("What the customer was told"), ordering="code")
    def words(self, obj: Any) -> str:
        return str(SENTENCES.get(obj.code, obj.code))

    @display(description=gettext_lazy("Cause"), ordering="reason")
    def cause(self, obj: Any) -> str:
        return str(CAUSES.get(obj.reason, obj.reason)) or "–"
