"""Reports say what the ledger says, to everybody what they may know, and arrive once."""

import io
from contextlib import suppress
from datetime import timedelta
from smtplib import SMTPException

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from coupons import refusals, sights
from coupons.admin.money import yuan
from coupons.lifecycle import ending
from coupons.models import CouponEvent, Job
from coupons.refused import Refused
from coupons.tasks import run_job
from stats import folding, reporting
from stats.models import Report, ReportSending
from stats.queries.measures import DIMENSION, MEASURES
from stats.queries.refusals import REASON
from stats.reporting import Question, sending
from stats.reporting.ready import ready
from stats.tasks import send_reports
from tests import making, using
from tests.stories.dashboards import Page

pytestmark = pytest.mark.django_db
LOOK = "/admin/stats/report/add/"


def somebody(group: str, name: str = "", email: str = "x@example.com") -> User:
    user = User.objects.create_user(name or group, email, is_staff=True)
    user.groups.set([Group.objects.get(name=group)])
    return user


def desk(user: User, language: str = "zh-hans") -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    return client


@pytest.fixture
def lived(system, clock):
    """Two campaigns, three channels, five customers, nine days: claims, uses, half an order given back, an expiry."""
    caller = system("issue", "redeem")
    first, second = making.campaign(), making.campaign()
    out = making.template(first, internal_name="=cmd()")
    placements = [
        making.placement(out, of=first, channel="coupon_center"),
        making.placement(out, of=first, channel="flash_sale", form="api"),
        making.placement(making.template(second, valid_days=1), of=second, channel="share"),
    ]
    for day, placement in enumerate(placements * 3):
        for name in ("ann", "ben", "cat", "dan", "eve")[: day % 5 + 1]:
            body = {"customer": name, "client": "app", "city": "310000" if day % 2 else "110000"}
            [coupon] = caller.post(f"placements/{placement.key}/claims/", body).body["coupons"]
            if name in ("ann", "dan"):
                order = using.order(
                    f"o-{day}-{name}", name, using.line("a", 6000), using.line("b", 6000 + day), city="310000"
                )
                told = caller.post("redemptions/", {"order": order, "coupons": [coupon["id"]], "capture": True})
                assert told.status == 201, told.body
                if day == 4:
                    caller.post(f"redemptions/{told.body['id']}/rollbacks/", {"lines": [{"id": "a"}]})
        clock.forward(hours=27)
        ending.expire(clock.now())
    return first


def totals() -> dict[str, int]:
    """The ledger's own."""
    kinds = {
        name: CouponEvent.objects.filter(kind=name.removesuffix("_count")).count()
        for name in ("issued_count", "redeemed_count", "rolled_back_count", "returned_count", "expired_count")
    }
    money = CouponEvent.objects.aggregate(
        **{name: Sum(name) for name in ("spent_fen", "gmv_fen", "paid_fen", "merchant_fen", "committed_fen")}
    )
    return kinds | {name: value or 0 for name, value in money.items()}


@pytest.mark.parametrize("folded", [False, True], ids=["not-folded", "folded"])
def test_every_number_is_the_dashboards_and_the_ledgers_by_whatever_it_is_split(lived, folded):
    """S1, S3, S8: each measure by each dimension, also two of them crossed, before and after folding."""
    if folded:
        folding.fold_all()
    cards = Page(desk(somebody("财务"))).cards
    del cards["coupons_per_customer"]  # that is counted once the page stands
    today = timezone.localdate()
    ledger, measures = totals(), tuple(MEASURES)
    assert ledger["issued_count"] > 20
    assert ledger["rolled_back_count"] == 2
    assert ledger["expired_count"] > 0
    for rows, across in [((name,), "") for name in DIMENSION if name != REASON] + [
        (("campaign", "day"), "channel"),
        ((), "city"),
        ((), ""),
    ]:
        asked = Question(measures, rows, across, first=today - timedelta(days=29), last=today)
        answer = reporting.table(asked)
        whole = answer.total.parts[-1]
        assert {name: getattr(whole, name) for name in ledger} == ledger
        if rows:
            for name in ledger:
                assert sum(getattr(line.parts[-1], name) for line in answer.lines) == ledger[name], (rows, name)
        if across:
            for line in [*answer.lines, answer.total]:
                for name in ledger:
                    assert sum(getattr(part, name) for part in line.parts[:-1]) == getattr(line.parts[-1], name)
        shown = look_at(asked)
        assert {key: shown[key] for key in cards if key in shown} == {key: cards[key] for key in cards if key in shown}


OPENED = [
    {"row_1": "template", "row_2": "day"},
    {"row_1": "week", "across": "channel", "only_channel": ["share", "flash_sale"], "only_city": ["110000"]},
    {"row_1": "month", "row_2": "hour"},
    {"row_1": "campaign", "across": "weekday"},
    {"row_1": "activity", "row_2": "merchant"},
    {"only_channel": ["share", "flash_sale"]},
]


def added_up(measure: str, rows: list) -> str:
    """What rows of the ledger, or coupons that were seen, say by hand."""
    if measure == "seen_count":
        return f"{len(rows)}"
    if measure == "gmv_fen":
        return yuan(sum(row.gmv_fen for row in rows))
    if measure == "order_count":
        return f"{sum(row.order_parts for row in rows) // CouponEvent.ORDER_PARTS}"
    return f"{sum({'returned': -1, 'rolled_back': 0}.get(row.kind, 1) for row in rows)}"


@pytest.mark.parametrize("asked", OPENED, ids=lambda asked: "-".join(asked))
def test_every_number_of_a_report_opens_to_its_rows(lived, customer, asked):
    """S1, S8: as many rows as it says, or rows that add up to it; nothing leads anywhere for who reads no ledger."""
    for name in ("ann", "ben"):
        customer(name).get("coupons/")
    sights.flush()
    folding.fold_all()
    measures = ["issued_count", "seen_count", "used_count", "order_count", "gmv_fen", "use_rate", "customer_count"]
    today = timezone.localdate()
    days = {"period": "fixed", "first": str(today - timedelta(days=6)), "last": str(today)}
    client = desk(somebody("财务"))
    look = client.get(LOOK, {"measures": measures, **days, **asked}).context["look"]
    opened = 0
    for line in [*look.lines, look.total]:
        for place, (text, link) in enumerate(line.linked):
            name = measures[place % len(measures)]
            if name in ("use_rate", "customer_count"):
                assert not link
                continue
            assert bool(link) is (text not in ("0", "¥0.00")), (line, name)
            if link:
                rows = client.get(link).context["cl"].result_list
                found = added_up(name, rows)
                assert (line.names, name, found) == (line.names, name, text), link
                opened += 1
    assert opened >= 5
    plain = User.objects.create_user("figures", is_staff=True)
    rights = ("view_dayrollup", "view_report", "add_report")
    plain.user_permissions.set(Permission.objects.filter(codename__in=rights))
    shown = desk(plain).get(LOOK, {"measures": ["issued_count"], **days, **asked}).context["look"]
    assert not any(shown.total.links)


def look_at(asked: Question) -> dict[str, str]:
    from stats.admin.report_look import look

    answer = reporting.table(asked)
    measures = asked.shown(money=True)
    cells = look(answer, measures, "auto").total.cells[-len(measures) :]
    said = {
        measure.code.removesuffix("_count").removesuffix("_fen"): cell
        for measure, cell in zip(measures, cells, strict=True)
    }
    assert {"issued", "used", "use_rate", "gmv", "subsidy_rate", "average_paid"} <= {*said}
    return said | {"discount": said["spent"]}


def test_the_ready_made_reports_open_in_both_languages_and_can_be_taken_away(lived):
    """S3, S8: a report for each of what is asked most; without what the account may not see."""
    client, english = desk(somebody("运营")), desk(somebody("审核"), "en")
    assert {
        "issued_used",
        "use_rate",
        "average_paid",
        "subsidy_rate",
        "gmv",
        "coupons_per_customer",
        "activity",
        "failures",
        "failure_reasons",
    } <= {one.code for one in ready()}
    for one in ready():
        page = client.get(LOOK, {"ready": one.code})
        assert page.status_code == 200, one.code
        nothing_was_refused = one.code.startswith("failure")
        assert page.context["look"].is_empty is nothing_was_refused, one.code
        assert english.get(LOOK, {"ready": one.code}).status_code == 200
        if nothing_was_refused:
            continue
        taken = client.get(page.context["excel"])
        assert len(list(sheet(taken))) == len(page.context["look"].lines) + 2


def sheet(response):
    return list(load_workbook(io.BytesIO(b"".join(response))).active.iter_rows(values_only=True))


def test_excel_has_numbers_as_numbers_money_in_yuan_and_formulas_as_words(lived):
    """S8."""
    client = desk(somebody("财务"))
    query = {"measures": ["issued_count", "gmv_fen", "use_rate"], "row_1": "template", "period": "all"}
    page = client.get(LOOK, query)
    rows = sheet(client.get(page.context["excel"]))
    assert [name in heading for name, heading in zip(("券模板", "发放", "元", "核销率"), rows[0], strict=True)] == [
        True
    ] * 4
    by_name = {row[0]: row for row in rows}
    assert by_name["=cmd()"][1] > 10
    ledger = totals()
    assert rows[-1][1:3] == (ledger["issued_count"], ledger["gmv_fen"] / 100)
    assert isinstance(rows[-1][3], float)
    book = load_workbook(io.BytesIO(b"".join(client.get(page.context["excel"]))))
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {"s", "n"}


def test_filters_leave_out_the_rest_and_empty_days_say_so(lived):
    client = desk(somebody("运营"))
    asked = {"measures": ["issued_count"], "row_1": "channel", "period": "all", "only_channel": ["share", "flash_sale"]}
    page = client.get(LOOK, asked)
    assert {line.names[0] for line in page.context["look"].lines} == {"分享红包", "秒杀券"}
    none = client.get(LOOK, {**asked, "period": "fixed", "first": "2020-01-01", "last": "2020-01-02"})
    assert none.context["look"].is_empty
    assert "这段时间没有数据" in none.content.decode()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"measures": ["nothing"]}, "measures"),
        ({"measures": ["issued_count"], "row_1": "city", "row_2": "city"}, "row_2"),
        ({"measures": ["issued_count"], "row_1": "city", "across": "city"}, "across"),
        ({"measures": ["issued_count"], "period": "fixed"}, "first"),
        ({"measures": ["issued_count"], "period": "fixed", "first": "2026-06-02", "last": "2026-06-01"}, "last"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field_and_what_was_typed_is_kept(clock, asked, field):
    page = desk(somebody("运营")).get(LOOK, {"period": "all", **asked})
    form = page.context["form"]
    assert page.status_code == 200
    assert field in form.errors
    assert "look" not in page.context
    assert form.data.getlist("measures") == asked["measures"]


def save(client: Client, name: str = "周报", **asked) -> Report:
    said = {"measures": ["issued_count", "gmv_fen"], "row_1": "channel", "period": "last_7", **asked}
    page = client.get(LOOK, said)
    answer = client.post(LOOK, {"asked": page.context["asked"], "name": name, "as": "new"})
    assert answer.status_code == 302, answer.content.decode()
    return Report.objects.latest("id")


def test_a_report_is_saved_changed_by_its_owner_alone_and_its_history_is_in_words(clock):
    """S8: saved, with who changed what."""
    owner, other = somebody("运营"), somebody("审核")
    client = desk(owner)
    report = save(client)
    address = f"/admin/stats/report/{report.pk}/change/"
    assert client.get(address).context["look"].headers == ["发放", "交易额（GMV）"]
    page = client.get(address, {"measures": ["used_count"], "period": "all"})
    assert page.context["is_changed"]
    assert client.post(address, {"asked": page.context["asked"], "name": "全部", "as": "change"}).status_code == 302
    report.refresh_from_db()
    assert (report.name, report.question["measures"]) == ("全部", ["used_count"])
    assert "核销 · 全部时间" in client.get(f"/admin/stats/report/{report.pk}/history/").content.decode()
    stranger = desk(other)
    assert stranger.get(address).status_code == 403
    assert stranger.post(address, {"asked": "", "name": "x", "as": "change"}).status_code == 403
    assert stranger.get(f"/admin/stats/report/{report.pk}/move/share/").status_code == 403
    assert stranger.get("/admin/stats/report/excel/", {"report": report.pk}).status_code == 403
    assert "全部" not in [one.name for one in stranger.get("/admin/stats/report/").context["cl"].result_list]


def test_a_shared_report_hides_money_from_who_may_not_see_it(clock):
    """S8: 客服 reads what is shared with them, without money, and makes none of their own."""
    client, service = desk(somebody("财务")), desk(somebody("客服"))
    report, money = save(client), save(client, "钱", measures=["gmv_fen", "subsidy_rate"])
    for one in (report, money):
        group = Group.objects.get(name="客服")
        moved = client.post(f"/admin/stats/report/{one.pk}/move/share/", {"groups": [group.pk]})
        assert moved.status_code == 302
    page = service.get(f"/admin/stats/report/{report.pk}/change/")
    assert page.context["look"].headers == ["发放"]
    assert "¥" not in page.content.decode()
    assert [row[0] for row in zip(*sheet(service.get(page.context["excel"])), strict=True)] == ["渠道", "发放"]
    assert "无权查看" in service.get(f"/admin/stats/report/{money.pk}/change/").content.decode()
    asked = {"report": report.pk, "measures": ["gmv_fen"], "period": "all"}
    assert service.get("/admin/stats/report/excel/", asked).status_code == 404
    assert service.get(LOOK).status_code == 403
    assert service.get("/admin/stats/report/comparison/").status_code == 403
    desk(somebody("管理员")).get(f"/admin/stats/report/{report.pk}/change/")


def weekly(client: Client, *recipients: User, **when) -> Report:
    report = save(client)
    said = {"every": "week", "weekday": 4, "month_day": 1, "hour": 9, **when}
    answer = client.post(
        f"/admin/stats/report/{report.pk}/move/schedule/", {**said, "recipients": [user.pk for user in recipients]}
    )
    assert answer.status_code == 302, answer.content.decode()
    report.refresh_from_db()
    return report


def test_a_report_is_sent_once_for_its_period_however_often_the_timetable_rings(clock):
    """S8: in the background, by e-mail with the Excel file, on record with its time."""
    clock.set("2026-06-17 12:00")  # a Wednesday
    owner = somebody("财务", email="finance@example.com")
    report = weekly(desk(owner), owner)
    assert (send_reports(), mail.outbox) == (0, [])
    clock.set("2026-06-18 08:59")
    assert send_reports() == 0
    clock.set("2026-06-18 09:00")
    assert (send_reports(), send_reports(), len(mail.outbox)) == (1, 0, 1)
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (["finance@example.com"], "周报 2026-06-18")
    [(name, content, _kind)] = letter.attachments
    assert name == "周报-20260618.xlsx"
    assert load_workbook(io.BytesIO(content)).active["A1"].value == "渠道"
    told = ReportSending.objects.get()
    assert (told.state, told.period, told.sent_at) == ("sent", "week 2026-06-15", clock.now())
    assert run_job(told.job_id) == "not_due"
    clock.set("2026-06-24 23:00")
    assert send_reports() == 0
    clock.set("2026-06-26 15:00")  # nobody was at work on Thursday
    assert (send_reports(), len(mail.outbox)) == (1, 2)
    assert "2026-06-25" in mail.outbox[1].subject
    assert "finance@example.com" in desk(owner).get(f"/admin/stats/report/{report.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("when", "now", "period", "at"),
    [
        ({"every": "day", "hour": 9}, "2026-06-18 09:00", "day 2026-06-18", "2026-06-18 09:00"),
        ({"every": "day", "hour": 9}, "2026-06-18 08:59", "day 2026-06-17", "2026-06-17 09:00"),
        ({"every": "week", "hour": 0, "weekday": 1}, "2026-06-15 00:00", "week 2026-06-15", "2026-06-15 00:00"),
        ({"every": "week", "hour": 9, "weekday": 7}, "2026-06-15 09:00", "week 2026-06-08", "2026-06-14 09:00"),
        ({"every": "month", "hour": 9, "month_day": 28}, "2026-03-01 09:00", "month 2026-02-01", "2026-02-28 09:00"),
        ({"every": "month", "hour": 9, "month_day": 1}, "2026-01-01 08:00", "month 2025-12-01", "2025-12-01 09:00"),
    ],
)
def test_when_a_report_is_due(clock, when, now, period, at):
    assert sending.due(Report(**when), clock.set(now)) == (period, clock.set(at))


def test_a_worker_killed_on_the_way_sends_nothing_twice(clock, monkeypatch):
    """S8: the letter that was on its way is unclear, and goes again only when somebody says so; the next one goes."""
    clock.set("2026-06-17 12:00")
    owner, second = somebody("财务", email="a@example.com"), somebody("财务", "second", "b@example.com")
    client = desk(owner)
    report = weekly(client, owner)
    report.shared_with.add(Group.objects.get(name="财务"))
    report.recipients.add(second)
    clock.set("2026-06-18 09:00")
    really = sending._hand_over

    class Killed(BaseException):
        pass

    def die_afterwards(*arguments):
        really(*arguments)
        raise Killed

    monkeypatch.setattr(sending, "_hand_over", die_afterwards)
    [job] = sending.start_due(clock.now())
    with pytest.raises(Killed):
        run_job(job)
    monkeypatch.setattr(sending, "_hand_over", really)
    assert sending.start_due(clock.now()) == []
    assert run_job(job) == "done"
    assert [letter.to for letter in mail.outbox] == [["a@example.com"], ["b@example.com"]]
    states = dict(ReportSending.objects.values_list("recipient__email", "state"))
    assert states == {"a@example.com": "unclear", "b@example.com": "sent"}
    assert desk(owner).post(f"/admin/stats/report/{report.pk}/move/again/").status_code == 302
    assert run_job(Job.objects.latest("id").pk) == "done"
    assert [letter.to for letter in mail.outbox][2:] == [["a@example.com"]]
    assert {*ReportSending.objects.values_list("state", flat=True)} == {"sent"}


def test_a_letter_that_the_server_refuses_is_on_record_and_the_others_go(clock, monkeypatch):
    clock.set("2026-06-17 12:00")
    owner = somebody("财务", email="a@example.com")
    report = weekly(desk(owner), owner)
    clock.set("2026-06-18 09:00")

    def refuse(self, messages):
        raise SMTPException("mailbox full")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    assert send_reports() == 1
    told = report.sendings.get()
    assert (told.state, told.error, told.sent_at) == ("failed", "SMTPException: mailbox full", None)


def test_who_may_not_see_it_any_more_gets_nothing_and_money_is_left_out_for_others(clock):
    clock.set("2026-06-17 12:00")
    owner, service = somebody("财务", email="a@example.com"), somebody("客服", email="s@example.com")
    client = desk(owner)
    report = save(client)
    client.post(f"/admin/stats/report/{report.pk}/move/share/", {"groups": [Group.objects.get(name="客服").pk]})
    said = {"every": "day", "weekday": 1, "month_day": 1, "hour": 9, "recipients": [service.pk]}
    assert client.post(f"/admin/stats/report/{report.pk}/move/schedule/", said).status_code == 302
    clock.set("2026-06-18 09:00")
    assert send_reports() == 1
    [(_name, content, _kind)] = mail.outbox[0].attachments
    assert [cell.value for cell in load_workbook(io.BytesIO(content)).active[1]] == ["渠道", "发放"]
    assert "GMV" not in mail.outbox[0].body
    service.groups.clear()
    clock.set("2026-06-19 09:00")
    assert (send_reports(), len(mail.outbox)) == (1, 1)
    assert report.sendings.latest("id").state == "skipped"


def test_a_schedule_wants_recipients_who_may_see_it_and_have_an_address(clock):
    owner, stranger = somebody("财务"), somebody("审核")
    client = desk(owner)
    report = save(client)
    address = f"/admin/stats/report/{report.pk}/move/schedule/"
    said = {"every": "day", "weekday": 1, "month_day": 1, "hour": 9}
    for recipients in ([], [stranger.pk]):
        page = client.post(address, {**said, "recipients": recipients})
        assert page.status_code == 200
        assert "recipients" in page.context["form"].errors
    with pytest.raises(sending.Refused) as no:
        sending.schedule(report, **said, recipients=[stranger], by=owner, now=timezone.now())
    assert no.value.code == "recipient_unfit"
    with pytest.raises(sending.Refused) as no:
        sending.schedule(report, **said, recipients=[], by=owner, now=timezone.now())
    assert no.value.code == "no_recipients"
    report.refresh_from_db()
    assert (report.every, report.recipients.count(), ReportSending.objects.count()) == ("", 0, 0)


def test_what_is_not_counted_any_more_is_refused_by_name(clock):
    owner = somebody("财务")
    report = Report.objects.create(
        name="旧", owner=owner, question={"measures": ["moonlight_count"], "rows": [], "period": "all"}
    )
    with pytest.raises(sending.Refused) as no:
        reporting.question_of(report.question, timezone.localdate())
    assert no.value.code == "report_outdated"
    assert desk(owner).get(f"/admin/stats/report/{report.pk}/change/").status_code == 200
    assert desk(owner).get("/admin/stats/report/").status_code == 200


def test_an_unused_measure_adds_up(lived):
    """S1: over the whole life, unused are those that are still in hands."""
    from coupons.models import Coupon

    whole = reporting.table(Question(("unused_count",))).total.parts[0]
    assert whole.unused_count == Coupon.objects.filter(status="available").count()


def test_customers_are_counted_once_and_refusals_stand_beside_what_was_done(lived):
    """S3, S5: coupons per customer; failure rate by placement and city; by activity none is known."""
    today = timezone.localdate()
    placement = CouponEvent.objects.filter(kind="issued").order_by("id").values_list("placement", flat=True)[0]
    for _time in range(7):
        with suppress(Refused), refusals.counted("claim", timezone.localtime(), "ann", placement, city="310000"):
            raise Refused("sold_out")
    refusals.flush()
    asked = ("coupons_per_customer", "customer_count", "claim_failure_rate", "refused_claim_count")
    issued = CouponEvent.objects.filter(kind="issued")
    answer = reporting.table(Question((*asked, "issued_count"), ("placement",), "day", last=today))
    whole = answer.total.parts[-1]
    assert whole.customer_count == issued.values("customer_id").distinct().count() == 5
    assert whole.coupons_per_customer == issued.count() / 5
    assert whole.claim_failure_rate == 7 / (7 + issued.count())
    by_name = {line.names[0]: line.parts[-1] for line in answer.lines}
    mine = by_name[placement]
    of_mine = issued.filter(placement=placement)
    assert mine.customer_count == of_mine.values("customer_id").distinct().count()
    assert (mine.refused_claim_count, mine.issued_count) == (7, of_mine.count())
    assert sum(part.refused_claim_count for part in by_name.values()) == 7
    by_city = {line.names[0]: line.parts[0] for line in reporting.table(Question(asked, ("city",))).lines}
    assert {city: part.refused_claim_count for city, part in by_city.items() if part.refused_claim_count} == {
        "上海市": 7
    }
    by_activity = reporting.table(Question(asked, ("activity",)))
    assert [line.parts[0].claim_failure_rate for line in by_activity.lines] == [whole.claim_failure_rate]
    assert {line.parts[0].customer_count for line in by_activity.lines} <= {3, 4, 5}
