"""Who works here: users and groups, and what the lock at the door has seen. For administrators."""

from typing import Any

from axes import admin as axes_admin  # noqa: F401  registered, so that it can be registered anew
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from coupons.admin.desk import Inputs, ReadDesk
from coupons.admin.saying import sentences
from couponsite import roles

for model in (User, Group, AccessAttempt, AccessLog, AccessFailureLog):
    try:
        admin.site.unregister(model)
    except NotRegistered:  # left out by the settings
        continue

ROLES = (*roles.ROLES, roles.EVERYTHING)
WORDS: dict[str, str | Promise] = {
    "view": gettext_lazy("see"),
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
    "export": gettext_lazy("export"),
    "approve": gettext_lazy("approve"),
    "void": gettext_lazy("make void"),
    "close": gettext_lazy("close"),
    "resend": gettext_lazy("send again"),
}


#: What has no page of its own but is asked for on others.
SEEN_ELSEWHERE = {("coupons", "budget"): ("view", "change"), ("stats", "dayrollup"): ("view", "export")}
READING = ("view", "export", "void", "resend", "close")


def _rights() -> QuerySet[Permission]:
    """Those that mean something on these pages."""
    wanted = Q(pk=None)
    for model, desk in admin.site._registry.items():
        right = Q(content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name)
        if isinstance(desk, ReadDesk):
            right &= Q(codename__in=[f"{word}_{model._meta.model_name}" for word in READING])
        wanted |= right
    for (app, name), words in SEEN_ELSEWHERE.items():
        codenames = [f"{word}_{name}" for word in words]
        wanted |= Q(content_type__app_label=app, content_type__model=name, codename__in=codenames)
    found = Permission.objects.filter(wanted, content_type__app_label__in=roles.EVERYTHING_OF)
    return found.select_related("content_type").order_by("content_type__app_label", "content_type__model", "id")


def _right(permission: Permission) -> tuple[str, str]:
    """What it is about, and what may be done to it."""
    word = permission.codename.partition("_")[0]
    thing = _("User") if permission.content_type.model == "user" else permission.content_type.name
    return thing, str(WORDS.get(word, permission.name))


class RightsField(ModelMultipleChoiceField):
    def label_from_instance(self, permission: Any) -> str:
        return _("%(thing)s: %(act)s") % dict(zip(("thing", "act"), _right(permission), strict=True))


@admin.register(User)
class UserAdmin(Inputs, BaseUserAdmin, ModelAdmin):
    """Nobody is deleted: what they did bears their name. Who leaves is switched off."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("named", "group_names", "active", "last_login")
    list_filter = ("is_active", ("groups", RelatedDropdownFilter))
    list_filter_submit = True
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    actions = None
    warn_unsaved_form = True
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        (gettext_lazy("May do"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (gettext_lazy("When"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("username", "first_name", "last_name", "email", "password1", "password2")},
        ),
        (gettext_lazy("May do"), {"fields": ("is_staff", "groups")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only a superuser makes superusers."""
        times = ("last_login", "date_joined")
        return times if request.user.is_superuser else (*times, "is_superuser")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever could set a superuser's password could be one."""
        safe = obj is None or not obj.is_superuser or request.user.is_superuser
        return safe and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.widget = UnfoldAdminCheckboxSelectMultipleWidget(choices=field.choices)
            field.help_text = _("What somebody may do comes from their groups.")
        return field

    @display(description=gettext_lazy("User"), header=True, ordering="username")
    def named(self, obj: Any) -> list[str]:
        return [obj.username, obj.get_full_name()]

    @display(description=gettext_lazy("Groups"))
    def group_names(self, obj: Any) -> str:
        names = [group.name for group in obj.groups.all()]
        return ", ".join([*names, _("superuser")] if obj.is_superuser else names) or "–"

    @display(description=gettext_lazy("State"), label={"on": "success", "off": "danger"}, ordering="is_active")
    def active(self, obj: Any) -> tuple[str, str]:
        return ("on", _("active")) if obj.is_active else ("off", _("switched off"))


@admin.register(Group)
class GroupAdmin(Inputs, BaseGroupAdmin, ModelAdmin):
    """The house's five groups are what ``roles`` says; others may be made beside them."""

    list_display = ("name", "kind", "members")
    actions = None
    warn_unsaved_form = True
    readonly_fields = ("rights",)

    class Media:
        css = {"all": ("couponsite/people.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = obj is not None and not self.has_change_permission(request, obj)
        return [(None, {"fields": ("name", "rights" if fixed else "permissions")})]

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name != "permissions":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        widget = UnfoldAdminCheckboxSelectMultipleWidget()
        return RightsField(_rights(), widget=widget, required=False, label=_("May do"))

    @display(description=gettext_lazy("May do"))
    def rights(self, obj: Any) -> SafeString:
        by_thing: dict[str, list[str]] = {}
        for permission in _rights().filter(group=obj):
            thing, act = _right(permission)
            by_thing.setdefault(thing, []).append(act)
        return sentences(
            [_("%(thing)s: %(act)s") % {"thing": thing, "act": ", ".join(acts)} for thing, acts in by_thing.items()]
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("user_set")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.name not in ROLES) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and obj.name not in ROLES and super().has_delete_permission(request, obj)

    @display(description=gettext_lazy("Kind"), label={"house": "info", "own": ""})
    def kind(self, obj: Any) -> tuple[str, str]:
        return ("house", _("built in")) if obj.name in ROLES else ("own", _("made here"))

    @display(description=gettext_lazy("Members"))
    def members(self, obj: Any) -> str:
        return ", ".join(user.username for user in obj.user_set.all()[:10]) or "–"


class SignInDesk(ReadDesk):
    """What axes wrote down about somebody at the door."""

    search_fields = ("username", "ip_address")
    list_filter = (("attempt_time", RangeDateTimeFilter),)
    ordering = ("-attempt_time",)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(SignInDesk):
    """Deleting one lets its user try again at once."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    fields = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent", "path_info")
    empty_words = gettext_lazy("Nobody has failed to sign in.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and request.user.has_perm("axes.delete_accessattempt")


@admin.register(AccessLog)
class AccessLogAdmin(SignInDesk):
    list_display = ("attempt_time", "username", "ip_address", "logout_time", "user_agent")
    fields = ("attempt_time", "logout_time", "username", "ip_address", "user_agent", "path_info")
    empty_words = gettext_lazy("Nobody has signed in yet.")
