"""What every page of the operators' site has in common: money in 元, native date pickers, no deletion of what
money hangs on, a panel with the state and its buttons, export of what a list shows, pages that stay fast."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from django import forms
from django.contrib.admin.utils import display_for_field, label_for_field
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from coupons.admin import exporting
from coupons.admin.asking import Moment
from coupons.admin.money import YuanField, yuan
from coupons.admin.moving import MovesMixin
from coupons.admin.paging import BoundedPaginator
from coupons.admin.twice import done_once
from coupons.models.templates import MAX_FEN
from coupons.refused import Refused


def is_money(field: Any) -> bool:
    return isinstance(field, models.BigIntegerField) and field.name.endswith("_fen")


def yuan_field(field: models.Field, **kwargs: Any) -> YuanField:
    """The form field of a ``*_fen`` column, with the column's own bounds."""
    bounds: dict[str, int] = {"least": 0, "most": MAX_FEN}
    for validator in field.validators:
        if isinstance(validator, MinValueValidator):
            bounds["least"] = max(bounds["least"], int(validator.limit_value))
        elif isinstance(validator, MaxValueValidator):
            bounds["most"] = min(bounds["most"], int(validator.limit_value))
    return YuanField(
        **bounds, required=not field.blank, label=capfirst(field.verbose_name), help_text=field.help_text, **kwargs
    )


class Sought(AutocompleteSelect):
    """A row that is chosen by typing; what cannot be an id is no choice, where Django would break."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        to = self.field.target_field
        return super().optgroups(name, [one for one in value if not one or _may_be(to, one)], attr)


def _may_be(field: models.Field, value: Any) -> bool:
    try:
        field.clean(value, None)
    except ValidationError:
        return False
    return "\0" not in str(value)


class Inputs:
    """Form fields as operators want them; for pages and their inlines."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request) and "widget" not in kwargs:  # type: ignore[attr-defined]
            kwargs["widget"] = Sought(db_field, self.admin_site, using=kwargs.get("using"))  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if is_money(db_field):
            return yuan_field(db_field)
        if isinstance(db_field, models.DateTimeField):
            return db_field.formfield(form_class=forms.DateTimeField, widget=Moment())
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        for action in ("add", "change", "delete", "view"):
            if hasattr(getattr(field, "widget", None), f"can_{action}_related"):
                setattr(field.widget, f"can_{action}_related", False)
        return field


def _shows(field: models.Field) -> Callable[[Any], str]:
    def show(obj: Any) -> str:
        return yuan(getattr(obj, field.attname, None))

    show.short_description = field.verbose_name  # type: ignore[attr-defined]
    show.admin_order_field = field.name  # type: ignore[attr-defined]
    show.money = field.attname  # type: ignore[attr-defined]
    return show


def _names(field: Any) -> Callable[[Any], str]:
    def show(obj: Any) -> str:
        return str(getattr(obj, field.name, None) or "–")

    show.short_description = field.verbose_name  # type: ignore[attr-defined]
    show.row_of = field.related_model._meta  # type: ignore[attr-defined]
    return show


class Desk(Inputs, MovesMixin, ModelAdmin):
    """A page of the site. For each ``x_fen`` there is a ``show_x_fen`` to read, and for each row that ``x`` names a
    ``show_x`` for whoever may not open that row's own page.
    """

    list_filter_submit = True
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    paginator = BoundedPaginator
    warn_unsaved_form = True
    actions = None
    change_form_outer_before_template = "coupons/admin/panel.html"
    change_list_template = "coupons/admin/list.html"
    #: What an empty list says.
    empty_words: Any = _("Nothing here yet.")
    #: Columns of the file; empty: no export.
    export_fields: Sequence[str] = ()

    def __init__(self, model: type[models.Model], admin_site: Any) -> None:
        for field in model._meta.concrete_fields:
            if is_money(field) and not hasattr(self, f"show_{field.name}"):
                setattr(self, f"show_{field.name}", _shows(field))
            elif (field.many_to_one or field.one_to_one) and not hasattr(self, f"show_{field.name}"):
                setattr(self, f"show_{field.name}", _names(field))
        super().__init__(model, admin_site)

    # --- who may what -------------------------------------------------------------------------------------------

    def hangs(self, obj: Any) -> bool:
        """Whether something hangs on it, so that it cannot be deleted."""
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and super().has_delete_permission(request, obj) and not self.hangs(obj)

    def has_export_permission(self, request: HttpRequest) -> bool:
        right = f"{self.opts.app_label}.export_{self.opts.model_name}"
        return bool(self.export_fields) and self.has_view_permission(request) and request.user.has_perm(right)

    # --- reading ------------------------------------------------------------------------------------------------

    def reads_only(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and not self.has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only read sees ``show_x`` instead of ``x``, where there is one, and no link to what is closed."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self.reads_only(request, obj):
            return fieldsets

        def shown(names: Any) -> Any:
            if isinstance(names, list | tuple):
                return [shown(name) for name in names]
            row = getattr(getattr(self, f"show_{names}", None), "row_of", None)
            opens = row is not None and request.user.has_perm(f"{row.app_label}.view_{row.model_name}")
            return f"show_{names}" if hasattr(self, f"show_{names}") and not opens else names

        return [(title, {**options, "fields": shown(options["fields"])}) for title, options in fieldsets]

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What stands above the form: ``chip`` (words, look), ``facts``, ``sentences``, ``links``, ``notes``."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        extra_context = dict(extra_context or {})
        if object_id and request.method == "GET":
            obj = self.get_object(request, object_id)
            if obj is not None and self.has_view_or_change_permission(request, obj):
                extra_context["panel"] = self.panel(request, obj)
                extra_context["moves"] = self.moves_for(request, obj)

        def answer() -> HttpResponse:
            try:
                return super(Desk, self).changeform_view(request, object_id, form_url, extra_context)
            except (Refused, ValidationError) as no:  # a step, after the form had said yes: the form again, as typed
                request.refused = no  # type: ignore[attr-defined]
                return super(Desk, self).changeform_view(request, object_id, form_url, extra_context)

        if object_id or request.method != "POST":
            return answer()
        return done_once(
            request, lambda: (answer(), getattr(request, "made", None)), lambda made: self.made_already(request, made)
        )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        request.made = obj.pk  # type: ignore[attr-defined]
        return super().log_addition(request, obj, message)

    def made_already(self, request: HttpRequest, made: str) -> HttpResponse:
        """The page was sent before, and made what has this id."""
        obj = self.get_object(request, made)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, made)
        return self.response_add(request, obj)

    # --- lists --------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/<slug:kind>/", view, name=name), *super().get_urls()]

    def know(self, rows: Sequence[Any]) -> None:
        """What columns show besides the rows' own, looked up at once for a page or a piece of a file."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"can_export": self.has_export_permission(request), "query_string": request.GET.urlencode()}
        response = super().changelist_view(request, {**context, **(extra_context or {})})
        if changes := (getattr(response, "context_data", None) or {}).get("cl"):
            self.know(changes.result_list)
        return response

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """The rows of the list as filtered, all pages of it."""
        if kind not in ("csv", "xlsx") or not self.has_export_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        heading = [capfirst(str(label_for_field(name, self.model, self))) for name in self.export_fields]
        stamp = f"{timezone.localtime():%Y%m%d-%H%M}"
        return exporting.answer(kind, f"{self.opts.model_name}-{stamp}", heading, self._export_rows(rows))

    def _export_rows(self, rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
        every = rows.iterator(chunk_size=2000)
        while piece := list(islice(every, 500)):
            self.know(piece)
            for obj in piece:
                yield [self._export_cell(obj, name) for name in self.export_fields]

    def _export_cell(self, obj: Any, name: str) -> Any:
        shower = getattr(self, name, None)
        if shower is not None and not hasattr(ModelAdmin, name):  # a column may be called "form"
            column = getattr(shower, "money", None)
            if column:
                return exporting.in_yuan(getattr(obj, column))
            value = shower(obj)
            return value[1] if isinstance(value, tuple) else value
        field = self.opts.get_field(name)
        value = getattr(obj, name)
        if field.flatchoices:
            return display_for_field(value, field, "")
        return value


class ReadDesk(Desk):
    """A page to read: rows that steps alone write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeskInline(Inputs, TabularInline):
    extra = 0
    show_change_link = False


class ReadInline(DeskInline):
    """Rows below a page, to read; money by ``show_x_fen``."""

    can_delete = False
    hide_title = True
    max_num = 0

    def __init__(self, parent_model: type[models.Model], admin_site: Any) -> None:
        for field in self.model._meta.concrete_fields:
            if is_money(field) and not hasattr(self, f"show_{field.name}"):
                setattr(self, f"show_{field.name}", _shows(field))
        super().__init__(parent_model, admin_site)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RefusedMixin:
    """For a page's form: what a step refused stands among the form's errors."""

    request: Any = None

    def say_refused(self) -> None:
        refused = getattr(self.request, "refused", None)
        if refused is None:
            return
        if isinstance(refused, ValidationError):
            self._update_errors(refused)  # type: ignore[attr-defined]
            return
        for reason in refused.reasons:
            names = [str(name or "").split(".")[0] for name in reason.get("fields") or [reason.get("field")]]
            for field in dict.fromkeys(name if name in self.fields else None for name in names):  # type: ignore[attr-defined]
                self.add_error(field, reason.get("detail") or refused.detail)  # type: ignore[attr-defined]
