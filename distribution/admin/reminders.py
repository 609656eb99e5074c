"""提醒规则: who is reminded of what and when, how many that will be tomorrow, and what it brought."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import RegexValidator
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import Desk, ReadDesk
from coupons.admin.history import WithHistory
from coupons.admin.moving import Move
from coupons.admin.saying import who
from coupons.models import Coupon, Customer
from distribution import reminding
from distribution.admin.seen import SeenForm
from distribution.messages import quiet
from distribution.messages.outbox import fill
from distribution.models import Message, OptOut, Reminder, ReminderRule
from distribution.queries import reminders

CHIPS = {"draft": "primary", "live": "success", "paused": "info"}
OUTCOME_CHIPS = {
    "pending": "info",
    "written": "success",
    "merged": "success",
    "gone": "",
    "opted_out": "warning",
    "held_out": "",
}
CHANGES = "distribution.change_reminderrule"


class ReminderForm(SeenForm):
    class Meta:
        model = ReminderRule
        fields = ()


class Trial(forms.Form):
    to = forms.CharField(
        label=gettext_lazy("Sent to"),
        max_length=64,
        help_text=gettext_lazy("A phone number such as +8613800000000; for a push, a customer's key."),
        validators=[RegexValidator(r"^(\+[0-9]{8,15}|[A-Za-z0-9][A-Za-z0-9_.:@-]{0,63})$")],
    )


def _tomorrow() -> tuple[datetime, datetime]:
    day = timezone.localdate() + timedelta(days=1)
    start = timezone.make_aware(datetime.combine(day, time.min))
    return start, timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _forecast_words(rule: ReminderRule) -> str:
    found = reminders.forecast(rule, *_tomorrow(), timezone.now())
    words = ngettext(
        "Tomorrow the moment comes for %(coupons)s coupon of %(customers)s customers, unless they use them before.",
        "Tomorrow the moment comes for %(coupons)s coupons of %(customers)s customers, unless they use them before.",
        found.coupons,
    )
    said = words % {"coupons": f"{found.coupons:,}", "customers": f"{found.customers:,}"}
    if found.opted_out:
        said += " " + _("%(count)s of them want no messages.") % {"count": f"{found.opted_out:,}"}
    return said


def _starting_says(rule: ReminderRule) -> list[str]:
    return [
        _forecast_words(rule),
        _("%(percent)s %% are left out by lot, so that what reminding brings can be seen.")
        % {"percent": f"{rule.holdout_percent.normalize():f}"},
        _("Coupons whose moment has passed already are not reminded of."),
        _("At most one message per customer and day, over all rules; none in quiet hours."),
    ]


def _move(name: str) -> Any:
    return lambda rule, request, answers: reminding.move(rule, name, by=request.user, now=timezone.now())


def _try(rule: ReminderRule, request: HttpRequest, answers: dict[str, Any]) -> None:
    by = f"user:{request.user.get_username()}"
    reminding.try_out(rule, answers["to"], now=timezone.now(), by=by)


@admin.register(ReminderRule)
class ReminderRuleAdmin(WithHistory):
    form = ReminderForm
    change_form_before_template = "distribution/admin/seen.html"
    empty_words = gettext_lazy("No rules yet. A rule says when unused coupons are brought to mind, and in which words.")
    list_display = ("name", "state", "moment", "about", "message", "reminded")
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("name",)
    list_select_related = ("message", "campaign", "template")
    fields = ("name", "basis", ("amount", "unit"), "campaign", "template", "message", "holdout_percent")
    moves = (
        Move(
            "start",
            gettext_lazy("Start reminding"),
            gettext_lazy("Start reminding?"),
            (CHANGES,),
            lambda rule: reminding.possible(rule, "start"),
            _starting_says,
            _move("start"),
            gettext_lazy("Customers are reminded from now on."),
            icon="play_arrow",
            main=True,
        ),
        Move(
            "pause",
            gettext_lazy("Pause"),
            gettext_lazy("Stop reminding for now?"),
            (CHANGES,),
            lambda rule: reminding.possible(rule, "pause"),
            lambda rule: [_("What was chosen already is still written. Moments missed meanwhile stay missed.")],
            _move("pause"),
            gettext_lazy("Paused."),
            icon="pause",
        ),
        Move(
            "try",
            gettext_lazy("Send me a trial"),
            gettext_lazy("Send the message once, with examples?"),
            (CHANGES,),
            lambda rule: True,
            lambda rule: [_("It goes out like any other message, at the usual cost.")],
            _try,
            gettext_lazy("The trial is in the outbox."),
            icon="send",
            form=Trial,
            makes=True,
        ),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        live = obj is not None and obj.status == ReminderRule.Status.LIVE and "/move/" not in request.path
        return super().has_change_permission(request, obj) and not live

    def hangs(self, obj: Any) -> bool:
        return obj.status != ReminderRule.Status.DRAFT or obj.reminders.exists()

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        found = reminders.results(obj, timezone.now())
        message = obj.message
        examples = {name: str(example) for name, (_label, example) in message.VARIABLES[message.occasion].items()}
        chosen = f"{reverse('admin:distribution_reminder_changelist')}?rule__id__exact={obj.pk}"
        notes = []
        if obj.status == ReminderRule.Status.LIVE:
            notes.append(_("While it is live it stays as it is. Pause it to change it."))
        if quiet.until(timezone.now()) > timezone.now():
            notes.append(_("It is quiet hours now: what is due waits for the morning."))
        return {
            "chip": (obj.get_status_display(), CHIPS[obj.status]),
            "title": obj.name,
            "facts": [(_("Chosen so far"), f"{sum(found.outcomes.values()):,}")],
            "links": [(_("Its reminders"), chosen)] if request.user.has_perm("distribution.view_reminder") else [],
            "notes": notes,
            "groups": [
                (_("What it says, with examples"), [fill(message.text, examples)]),
                (_("Tomorrow"), [_forecast_words(obj)]),
                (_("What became of them"), _outcome_words(found)),
                (_("What it brought"), _answer_words(found)),
            ],
        }

    @display(description=gettext_lazy("State"), label=CHIPS, ordering="status")
    def state(self, obj: Any) -> tuple[str, str]:
        return obj.status, str(obj.get_status_display())

    @display(description=gettext_lazy("Moment"))
    def moment(self, obj: Any) -> str:
        words = {"amount": obj.amount, "unit": obj.get_unit_display(), "basis": obj.get_basis_display()}
        return _("%(amount)s %(unit)s %(basis)s") % words

    @display(description=gettext_lazy("About"))
    def about(self, obj: Any) -> str:
        return str(obj.template or obj.campaign or _("all coupons"))

    @display(description=gettext_lazy("Reminders written"))
    def reminded(self, obj: Any) -> str:
        return f"{obj.reminders.filter(outcome=Reminder.Outcome.WRITTEN).count():,}"


def _outcome_words(found: reminders.Results) -> list[str]:
    said = [f"{Reminder.Outcome(code).label}: {count:,}" for code, count in sorted(found.outcomes.items())]
    return said + [
        _("messages %(state)s: %(count)s") % {"state": Message.Status(code).label, "count": f"{count:,}"}
        for code, count in sorted(found.messages.items())
    ]


def _answer_words(found: reminders.Results) -> list[str]:
    said = [
        _("%(label)s: %(used)s of %(chosen)s used it within 3 days (%(share)s)")
        % {
            "label": label,
            "used": f"{answer.used:,}",
            "chosen": f"{answer.chosen:,}",
            "share": f"{answer.share:.1%}",
        }
        for label, answer in ((_("Reminded"), found.reminded), (_("Not reminded"), found.held_out))
        if answer.chosen
    ]
    if not said:
        return [_("Nothing can be said yet: it takes 3 days from the first reminder.")]
    if found.difference is None:
        return [*said, _("Too few on one side to compare: at least 30 are needed on each.")]
    gap, low, high = found.difference
    words = {"gap": f"{gap * 100:+.1f}", "low": f"{low * 100:+.1f}", "high": f"{high * 100:+.1f}"}
    if low <= 0 <= high:
        return [*said, _("No difference shown yet: %(gap)s points, 95 %% interval %(low)s to %(high)s.") % words]
    return [*said, _("Difference: %(gap)s points, 95 %% interval %(low)s to %(high)s.") % words]


@admin.register(Reminder)
class ReminderAdmin(ReadDesk):
    list_display = ("chosen_at", "rule", "customer", "coupon", "result", "due_at")
    list_filter = (("rule", RelatedDropdownFilter), ("outcome", ChoicesDropdownFilter))
    list_select_related = ("rule",)
    search_fields = ("message_key",)
    search_help_text = gettext_lazy("The customer's key, whole.")
    empty_words = gettext_lazy("Nobody has been reminded yet.")
    fields = ("rule", "customer", "coupon", "due_at", "chosen_at", "result")
    readonly_fields = ("customer", "coupon", "result")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if term:
            ids = list(Customer.objects.filter(key=term).values_list("pk", flat=True))
            queryset = queryset.filter(customer_id__in=ids)
        return queryset, False

    def know(self, rows: Any) -> None:
        customers = Customer.objects.in_bulk({one.customer_id for one in rows})
        coupons = Coupon.objects.only("code").in_bulk([one.coupon_id for one in rows])
        for one in rows:
            one.known = (customers.get(one.customer_id), coupons.get(one.coupon_id))

    def _known(self, obj: Any) -> tuple[Any, Any]:
        if not hasattr(obj, "known"):
            self.know([obj])
        return obj.known

    @display(description=gettext_lazy("Customer"))
    def customer(self, obj: Any) -> str:
        return str(self._known(obj)[0] or obj.customer_id)

    @display(description=gettext_lazy("Coupon"))
    def coupon(self, obj: Any) -> str:
        return str(self._known(obj)[1] or obj.coupon_id)

    @display(description=gettext_lazy("What became of it"), label=OUTCOME_CHIPS, ordering="outcome")
    def result(self, obj: Any) -> tuple[str, str]:
        return obj.outcome, str(obj.get_outcome_display())


@admin.register(OptOut)
class OptOutAdmin(Desk):
    """免打扰: customer service notes who wants no messages, and lets them have them again."""

    list_display = ("customer", "at", "by_whom")
    search_fields = ("customer__key",)
    list_select_related = ("customer",)
    autocomplete_fields = ("customer",)
    fields = ("customer",)
    empty_words = gettext_lazy("Nobody has asked for no messages.")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def hangs(self, obj: Any) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        reminding.opt_out(obj.customer, True, now=timezone.now(), by=f"user:{request.user.get_username()}")

    @display(description=gettext_lazy("Entered by"), ordering="by")
    def by_whom(self, obj: Any) -> str:
        return who(obj.by)
