"""Who changed what, and when: a page to read and compare, from which nothing is rolled back."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import BooleanField, DateTimeField, Field, ForeignKey, JSONField
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import date_format, localize
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from coupons import approving
from coupons.admin.desk import Desk, is_money
from coupons.admin.money import yuan
from coupons.conditions.names import called
from coupons.models import City
from coupons.rules import compile_rules

#: Columns that change by themselves.
_QUIET = {"version", "updated_at", "created_at"}
_ON_A_PAGE = 50


class WithHistory(Desk):
    """A page of a model that keeps its history."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        records = obj.history.select_related("history_user").order_by("-history_date", "-history_id")
        page = Paginator(records, _ON_A_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(name)s") % {"name": obj},
            "opts": self.opts,
            "original": obj,
            "page": page,
            "entries": list(self._entries(page.object_list)),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "coupons/admin/history.html", context)

    def _entries(self, records: Any) -> Iterator[dict[str, Any]]:
        rows = list(records)
        for record, following in zip(rows, [*rows[1:], None][: len(rows)], strict=True):
            before = following or record.prev_record
            reason = record.history_change_reason or ""
            step, _space, who = reason.partition(" ")
            said = str(approving.SAID.get(step, ""))
            if said and who and step == approving.SENT_BACK:
                said = _("%(step)s: %(why)s") % {"step": said, "why": who}
            elif said and who:
                said = _("%(step)s by %(who)s") % {"step": said, "who": who}
            yield {
                "number": record.history_id,
                "at": record.history_date,
                "by": record.history_user,
                "said": said or (_("made") if before is None else ""),
                "changes": list(self._changes(before, record)) if before is not None else [],
            }

    def _changes(self, before: Any, after: Any) -> Iterator[tuple[str, str, str]]:
        for field in after.tracked_fields:
            if field.name in _QUIET:
                continue
            old, new = getattr(before, field.attname), getattr(after, field.attname)
            if old != new:
                yield str(field.verbose_name), shown(field, old), shown(field, new)


def shown(field: Field, value: Any) -> str:
    """A column's value in words."""
    if value in (None, "", {}, []):
        return "–"
    if is_money(field):
        return yuan(value)
    if field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, BooleanField):
        return _("yes") if value else _("no")
    if isinstance(field, DateTimeField):
        return date_format(localtime(value), "DATETIME_FORMAT")
    if isinstance(field, ForeignKey):
        return str(field.remote_field.model._default_manager.filter(pk=value).first() or value)
    if isinstance(field, JSONField) and field.name.endswith("conditions"):
        return "; ".join(condition.wording() for condition in compile_rules(value))
    if field.name == "claim_cities":
        return ", ".join(called(City, value))
    if field.name == "looks":
        return ", ".join(f"{name}: {word}" for name, word in value.items())
    return str(localize(value))
