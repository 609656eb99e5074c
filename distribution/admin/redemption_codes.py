"""One redemption code: looked up by what was typed, made void."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import ReadDesk, ReadInline
from distribution import codes, minting
from distribution.admin.code_moves import VOID
from distribution.models import CodeExchange, RedemptionCode


class UseInline(ReadInline):
    model = CodeExchange
    fields = ("at", "customer", "coupon_count")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Exchanged")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("distribution.view_redemptioncode")

    @display(description=gettext_lazy("Coupons"))
    def coupon_count(self, obj: Any) -> int:
        return len(obj.coupons)


@admin.register(RedemptionCode)
class RedemptionCodeAdmin(ReadDesk):
    """What is kept of each code. A whole code, typed into the search, finds its row; no row shows a whole code."""

    inlines = (UseInline,)
    moves = (VOID,)
    fields = ("masked", "batch", "customer", "used")
    list_display = ("masked", "batch_name", "customer", "used")
    list_filter = (("batch", RelatedDropdownFilter),)
    search_fields = ("customer",)
    search_help_text = gettext_lazy("A whole code as a customer typed it, or a customer's key")
    list_select_related = ("batch",)
    ordering = ("digest",)
    empty_words = gettext_lazy("No codes here. To look one up, type it as the customer did.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if search_term and (code := minting.find(search_term)):
            return queryset.filter(pk=code.pk), False
        return queryset.filter(customer=search_term) if search_term else queryset, False

    @display(description=gettext_lazy("Redemption code"), ordering="digest")
    def masked(self, obj: Any) -> str:
        return f"{codes.MASK}{obj.hint}"

    @display(description=gettext_lazy("Batch"))
    def batch_name(self, obj: Any) -> str:
        return f"{obj.batch} ({obj.batch.get_state_display()})"

    @display(description=gettext_lazy("Used"))
    def used(self, obj: Any) -> str:
        words = f"{obj.used_count:,} / {obj.use_limit:,}"
        return words if obj.use_limit >= obj.batch.use_limit else _("%(used)s, the rest is void") % {"used": words}
