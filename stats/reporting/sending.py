"""Reports on their way: each to each recipient once for a day, a week or a month, however often the timetable rings.

A letter is marked as on its way, and that is committed, before it is handed to the mail server, which knows no
transaction. A worker that dies in between leaves it so, and the next one calls it unclear: it is sent again only when
somebody says so.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from coupons import jobs
from coupons.models import Job
from coupons.refused import Refused
from coupons.sheets import EXCEL, excel_file
from stats.models import Report, ReportSending
from stats.reporting import sharing
from stats.reporting.asked import question_of, words
from stats.reporting.table import Table, excel_rows, table

KIND = "send_report"
State, Every = ReportSending.State, Report.Every


# --- by hand -----------------------------------------------------------------------------------------------------


@transaction.atomic
def share(report: Report, groups: Iterable[Group], *, by: User) -> None:
    """With these roles and no others. Recipients who may not see it any more get nothing from now on."""
    report.shared_with.set(groups)
    report._history_user = by  # type: ignore[attr-defined]
    report._change_reason = "share"  # type: ignore[attr-defined]
    report.save()


@transaction.atomic
def schedule(
    report: Report,
    *,
    every: str,
    weekday: int,
    month_day: int,
    hour: int,
    recipients: list[User],
    by: User,
    now: dt.datetime,
) -> None:
    """From now on; moments that have passed stay passed.

    :raises Refused: ``no_recipients``; ``recipient_unfit``: one may not see the report or has no address.
    """
    if every and not recipients:
        raise Refused("no_recipients")
    unfit = [user.get_username() for user in recipients if not (user.email and sharing.sees(user, report))]
    if unfit:
        raise Refused(
            "recipient_unfit", detail=_("May not see it, or has no address: %(names)s.") % {"names": ", ".join(unfit)}
        )
    report.every, report.weekday, report.month_day, report.hour = every, weekday, month_day, hour
    report.scheduled_at = now if every else None
    report.recipients.set(recipients)
    report._history_user = by  # type: ignore[attr-defined]
    report._change_reason = "schedule"  # type: ignore[attr-defined]
    report.save()


@transaction.atomic
def send_now(report: Report, *, by: User, now: dt.datetime) -> Job:
    """To all its recipients, beside what the timetable sends.  :raises Refused: ``no_recipients``."""
    recipients = list(report.recipients.order_by("pk"))
    if not recipients:
        raise Refused("no_recipients")
    return _start(report, f"now {now.isoformat()}", recipients, now, by)


@transaction.atomic
def send_again(report: Report, *, by: User) -> Job:
    """What failed, and what nobody knows of whether it arrived.  :raises Refused: ``state_forbids``: there is none."""
    stuck = report.sendings.select_for_update().filter(state__in=(State.FAILED, State.UNCLEAR))
    ids = [sending.pk for sending in stuck]
    if not ids:
        raise Refused("state_forbids")
    job = jobs.start(KIND, title=report.name, by=by, total=len(ids))
    ReportSending.objects.filter(pk__in=ids).update(state=State.WAITING, error="", job=job)
    return job


def schedule_words(report: Report) -> str:
    at = {"hour": f"{report.hour:02}:00", "weekday": WEEKDAYS[report.weekday - 1], "day": report.month_day}
    match report.every:
        case Every.DAY:
            return _("every day at %(hour)s") % at
        case Every.WEEK:
            return _("every week, %(weekday)s at %(hour)s") % at
        case Every.MONTH:
            return _("every month on day %(day)s at %(hour)s") % at
    return str(Every.NEVER.label)


# --- by the timetable ----------------------------------------------------------------------------------------------


def due(report: Report, now: dt.datetime) -> tuple[str, dt.datetime] | None:
    """The last moment up to now at which it was to be sent, and the name of its period; None: it is not sent."""
    today = timezone.localdate(now)

    def at(day: dt.date) -> dt.datetime:
        return timezone.make_aware(dt.datetime.combine(day, dt.time(report.hour)))

    match report.every:
        case Every.DAY:
            day = start = today if at(today) <= now else today - dt.timedelta(days=1)
        case Every.WEEK:
            start = today - dt.timedelta(days=today.weekday())
            day = start + dt.timedelta(days=report.weekday - 1)
            if at(day) > now:
                start, day = start - dt.timedelta(days=7), day - dt.timedelta(days=7)
        case Every.MONTH:
            start, day = today.replace(day=1), today.replace(day=report.month_day)
            if at(day) > now:
                start = (start - dt.timedelta(days=1)).replace(day=1)
                day = start.replace(day=report.month_day)
        case _:
            return None
    return f"{report.every} {start.isoformat()}", at(day)


def start_due(now: dt.datetime) -> list[int]:
    """Jobs for what is due and not begun yet. What was due while nobody was at work goes out late, the last of it."""
    started = []
    for pk in Report.objects.exclude(every=Every.NEVER).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            report = Report.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=pk).first()
            found = due(report, now) if report else None
            if report is None or found is None or report.scheduled_at is None:
                continue
            period, moment = found
            if moment <= report.scheduled_at or report.sendings.filter(period=period).exists():
                continue
            recipients = list(report.recipients.order_by("pk"))
            if recipients:
                started.append(_start(report, period, recipients, moment, report.owner).pk)
    return started


def _start(report: Report, period: str, recipients: list[User], moment: dt.datetime, by: User) -> Job:
    job = jobs.start(KIND, title=report.name, by=by, total=len(recipients))
    ReportSending.objects.bulk_create(
        ReportSending(report=report, period=period, recipient=user, job=job, due_at=moment) for user in recipients
    )
    return job


@jobs.work(KIND)
def send(job: Job) -> Iterator[jobs.Step]:
    """Each waiting letter in two pieces: it is on its way; it is gone, or was refused."""
    letters = ReportSending.objects.filter(job=job).order_by("pk")
    letters.filter(state=State.SENDING).update(state=State.UNCLEAR)
    total, tables = letters.count(), _Tables()
    for sending in list(letters.filter(state=State.WAITING).select_related("report", "recipient")):
        fit = bool(sending.recipient.email) and sharing.sees(sending.recipient, sending.report)
        state = State.SENDING if fit else State.SKIPPED
        why = "" if fit else _("May not see the report any more, or has no address.")
        ReportSending.objects.filter(pk=sending.pk, state=State.WAITING).update(
            state=state, address=sending.recipient.email, error=why
        )
        yield jobs.Step(done=letters.exclude(state__in=(State.WAITING, State.SENDING)).count(), total=total)
        if fit:
            _hand_over(sending, tables)
            yield jobs.Step(done=letters.exclude(state__in=(State.WAITING, State.SENDING)).count(), total=total)
    if not total:
        yield jobs.Step(done=0, total=0)


class _Tables(dict[tuple[int, dt.date], Table]):
    """Answers that several recipients get."""

    def of(self, sending: ReportSending) -> Table:
        day = timezone.localdate(sending.due_at)
        key = (sending.report_id, day)
        if key not in self:
            self[key] = table(question_of(sending.report.question, day))
        return self[key]


def _hand_over(sending: ReportSending, tables: _Tables) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        try:
            _letter(sending, tables.of(sending)).send()
        except (SMTPException, OSError, Refused) as no:
            said = str(no.detail) if isinstance(no, Refused) else f"{type(no).__name__}: {no}"
            ReportSending.objects.filter(pk=sending.pk).update(state=State.FAILED, error=said[:300])
        else:
            ReportSending.objects.filter(pk=sending.pk).update(state=State.SENT, sent_at=timezone.now(), error="")


def _letter(sending: ReportSending, answer: Table) -> EmailMessage:
    """:raises Refused: ``report_outdated``: nothing of it may be seen by the recipient."""
    report, day = sending.report, timezone.localdate(sending.due_at)
    measures = answer.question.shown(money=sending.recipient.has_perm(sharing.SEES_MONEY))
    if not measures:
        raise Refused("report_outdated", detail=_("It tells of money alone, which the recipient may not see."))
    heading, rows = excel_rows(answer, measures)
    address = settings.PUBLIC_URL + reverse("admin:stats_report_change", args=[report.pk])
    body = [words(report.question | {"measures": [measure.code for measure in measures]}), "", address]
    if answer.is_empty:
        body.insert(1, _("Nothing happened in these days."))
    letter = EmailMessage(f"{report.name} {day.isoformat()}", "\n".join(body), to=[sending.recipient.email])
    with excel_file(heading, rows) as file:
        letter.attach(f"{report.name}-{day:%Y%m%d}.xlsx", file.read(), EXCEL)
    return letter
