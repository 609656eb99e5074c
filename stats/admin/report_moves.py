"""What people do with a report that is kept: share it, have it sent by schedule or now, send again what failed."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.admin.moving import Move, person
from coupons.queries.catalogue import business_now
from coupons.refused import Refused
from coupons.tasks import run_job
from stats import reporting
from stats.models import Report, ReportSending
from stats.reporting import sending

CHANGES = ("stats.change_report",)


class ShareForm(forms.Form):
    groups = forms.ModelMultipleChoiceField(
        Group.objects.none(), label=gettext_lazy("Roles"), required=False, widget=forms.CheckboxSelectMultiple
    )


class ScheduleForm(forms.Form):
    every = forms.ChoiceField(label=gettext_lazy("Is sent"), choices=Report.Every.choices, required=False)
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("On"),
        choices=Report.Weekday.choices,
        coerce=int,
        help_text=gettext_lazy("Of what is sent every week."),
    )
    month_day = forms.IntegerField(
        label=gettext_lazy("Day of the month"),
        min_value=1,
        max_value=28,
        help_text=gettext_lazy("Of what is sent every month; every month has these."),
    )
    hour = forms.TypedChoiceField(
        label=gettext_lazy("At the hour"), choices=[(hour, f"{hour:02}:00") for hour in range(24)], coerce=int
    )
    recipients = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label=gettext_lazy("Recipients"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Accounts that may see the report and have an address."),
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("every") and not said.get("recipients") and "recipients" not in self.errors:
            self.add_error("recipients", str(Refused("no_recipients").detail))
        return said


def _readers() -> QuerySet[Group]:
    """Roles that may open reports at all."""
    right = Permission.objects.filter(codename="view_report", content_type__app_label="stats")
    return Group.objects.filter(permissions__in=right).order_by("name")


def _ask_share(report: Report) -> type[forms.Form]:
    field = forms.ModelMultipleChoiceField(
        _readers(),
        label=gettext_lazy("Roles"),
        required=False,
        initial=report.shared_with.all(),
        widget=forms.CheckboxSelectMultiple,
    )
    return type("Share", (ShareForm,), {"groups": field})


def _ask_schedule(report: Report) -> type[forms.Form]:
    staff = User.objects.filter(is_active=True).exclude(email="").order_by("username")
    may = [user.pk for user in staff if reporting.sees(user, report)]

    class Schedule(ScheduleForm):
        def __init__(self, data: Any = None) -> None:
            names = ("every", "weekday", "month_day", "hour")
            initial = {name: getattr(report, name) for name in names} | {"recipients": report.recipients.all()}
            super().__init__(data, initial=initial)
            self.fields["recipients"].queryset = User.objects.filter(pk__in=may)  # type: ignore[attr-defined]

    return Schedule


def _share(report: Report, request: HttpRequest, answers: dict[str, Any]) -> None:
    sending.share(report, answers["groups"], by=person(request))


def _schedule(report: Report, request: HttpRequest, answers: dict[str, Any]) -> None:
    recipients = list(answers["recipients"])
    sending.schedule(report, **{**answers, "recipients": recipients}, by=person(request), now=business_now())


def _send(report: Report, request: HttpRequest, answers: dict[str, Any]) -> None:
    run_job.delay_on_commit(sending.send_now(report, by=person(request), now=timezone.now()).pk)


def _again(report: Report, request: HttpRequest, answers: dict[str, Any]) -> None:
    run_job.delay_on_commit(sending.send_again(report, by=person(request)).pk)


def _stuck(report: Report) -> QuerySet[ReportSending]:
    return report.sendings.filter(state__in=(ReportSending.State.FAILED, ReportSending.State.UNCLEAR))


def _to(report: Report) -> list[str]:
    return [f"{user} <{user.email}>" for user in report.recipients.all()]


MOVES = (
    Move(
        "share",
        gettext_lazy("Share with roles"),
        gettext_lazy("Who else may read it?"),
        CHANGES,
        lambda report: True,
        lambda report: [
            _("Everybody of these roles can open it, take it away as Excel and be a recipient."),
            _("Measures of money are shown to those alone who may see money."),
        ],
        _share,
        gettext_lazy("It is shared with these roles."),
        icon="group",
        asks=_ask_share,
    ),
    Move(
        "schedule",
        gettext_lazy("Send by schedule"),
        gettext_lazy("When is it sent, and to whom?"),
        CHANGES,
        lambda report: True,
        lambda report: [
            _("By e-mail with the Excel file, once a day, a week or a month to each recipient."),
            _("Relative days are reckoned from the day on which it is sent."),
        ],
        _schedule,
        gettext_lazy("The schedule is saved."),
        icon="schedule_send",
        asks=_ask_schedule,
    ),
    Move(
        "send",
        gettext_lazy("Send now"),
        gettext_lazy("Send it now?"),
        CHANGES,
        lambda report: report.recipients.exists(),
        _to,
        _send,
        gettext_lazy("It is being sent."),
        icon="send",
    ),
    Move(
        "again",
        gettext_lazy("Send again"),
        gettext_lazy("Send again what failed?"),
        CHANGES,
        lambda report: _stuck(report).exists(),
        lambda report: [f"{one.recipient}: {one.get_state_display()}. {one.error}" for one in _stuck(report)],
        _again,
        gettext_lazy("It is being sent."),
        icon="forward_to_inbox",
    ),
)
