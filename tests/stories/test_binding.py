"""Coupons put into accounts: looked over, confirmed, called back, done once, told account by account."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from coupons.lifecycle.issuing_many import Again, Many
from coupons.models import Coupon, CouponEvent, Customer, Job
from coupons.refused import Refused
from coupons.tasks import go_on_with_jobs
from distribution.binding import giving, moving
from distribution.binding import lines as binding_lines
from distribution.models import Binding, BindingLine, Placement
from tests import making, using
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "/admin/distribution/binding/add/"


def people(*keys, **facts):
    return [Customer.objects.create(key=key, **facts) for key in keys]


def placement(*offers, **fields):
    return making.placement(*offers, form="bind", **fields)


def page(binding, more="change/"):
    return f"/admin/distribution/binding/{binding.pk}/{more}"


def begun(client, of, accounts=(), **said):
    said = {"placement": of.pk, "name": "补偿", "kind": "list", "accounts": "\n".join(accounts), **said}
    response = client.post(ADD, said)
    assert response.status_code == 302, response.context["adminform"].form.errors
    return Binding.objects.latest("pk")


def done(client, binding, clock):
    assert client.post(page(binding, "move/confirm/")).status_code == 302
    clock.forward(minutes=10)
    go_on_with_jobs()
    binding.refresh_from_db()
    return binding


def lines(binding):
    return list(
        BindingLine.objects.filter(binding_id=binding.pk)
        .order_by("number")
        .values_list("account", "outcome", "coupons")
    )


@pytest.fixture
def operator():
    return desk(somebody("运营", "xiaolin"))


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_a_pasted_list_is_looked_over_confirmed_given_and_told(operator, clock, ledger):
    """P7"""
    people("alice", "bob", "carol")
    template = making.template(limits={"customer_count": 1})
    using.give(template, "carol")
    binding = begun(operator, placement(template), ["alice", "bob", "nobody", "carol", "alice"])
    assert binding.state == "counted"
    assert (binding.looked["places"], binding.looked["cost_fen"]) == (2, 4000)
    assert binding.looked["no"] == {"customer_limit": 1, "unknown_account": 1, "listed_twice": 1}
    assert Coupon.objects.count() == 1
    words = operator.get(page(binding)).content.decode()
    assert "¥40.00" in words
    asked = operator.get(page(binding, "move/confirm/")).content.decode()
    assert "将发出 2 张券" in asked

    done(operator, binding, clock)
    assert binding.state == "done"
    assert (binding.did["given"], binding.did["coupons"]) == (2, 2)
    assert lines(binding) == [
        ("alice", "issued", 1),
        ("bob", "issued", 1),
        ("nobody", "unknown_account", 0),
        ("carol", "customer_limit", 0),
        ("alice", "listed_twice", 0),
    ]
    event = CouponEvent.objects.latest("pk")
    assert (event.by, event.reason) == ("user:xiaolin", f"binding:{binding.pk}")
    sheet = load_workbook(io.BytesIO(b"".join(operator.get(page(binding, "result/"))))).active
    assert [cell.value for cell in sheet[2]][1:4] == ["alice", "issued", 1]
    assert sheet.max_row == 6
    ledger()


def test_accounts_are_named_by_their_phone_numbers_too(operator, clock, ledger):
    """P7: however a number is written; the newest member's, else our own; unknown: its row says so."""
    for key, phone in (("old", 1), ("new", 1), ("h5:page", 1), ("h5:only", 2), ("empty", None)):
        Customer.objects.create(key=key, phone=f"+86138001380{phone:02}" if phone else "")
    sheet = "姓名,手机\n甲,138 0013 8001\n乙,+8613800138002\n丙,13800138003\n丁,\n戊,abc\n己,86-13800138001\n"
    file = SimpleUploadedFile("list.csv", sheet.encode())
    of = placement(making.template())
    binding = begun(operator, of, kind="file", named_by="phone", column=2, file=file)
    assert binding.looked["no"] == {"unknown_account": 3, "listed_twice": 1}
    done(operator, binding, clock)
    assert set(Coupon.objects.values_list("customer__key", flat=True)) == {"new", "h5:only"}
    assert "手机号" in operator.get(page(binding)).content.decode()
    Customer.objects.create(key="late", phone="+8613800138003")
    operator.post(page(binding, "move/again/"))
    again = Binding.objects.latest("pk")
    assert (again.looked["places"], again.looked["accounts"]) == (1, 3)
    pasted = begun(operator, of, ["13800138003"], named_by="phone", column=3)
    assert pasted.looked["places"] == 1
    ledger()


def test_a_chunk_that_is_tried_again_gives_nobody_two(operator, clock, monkeypatch, ledger):
    """P7: expired coupons gave room for the last, and a neighbour took it; all of the chunk begins anew."""
    people("a", "b", "c")
    template = making.template(limits={"customer_count": 5})
    binding = begun(operator, placement(template, pick="all"), ["a", "b", "c"])
    operator.post(page(binding, "move/confirm/"))
    clock.forward(minutes=10)
    issue, turns = Many.issue, iter(range(9))

    def unlucky(many, customers):
        turn = next(turns)
        if turn == 1:
            raise Again
        poor = issue(many, customers)
        return customers[:1] if turn == 0 else poor

    monkeypatch.setattr(Many, "issue", unlucky)
    monkeypatch.setattr(giving.ending, "expire", lambda **_: 1)
    go_on_with_jobs()
    binding.refresh_from_db()
    assert (binding.state, binding.did["given"]) == ("done", 3)
    assert Coupon.objects.count() == Coupon.objects.values("customer").distinct().count() == 3
    ledger()


def test_what_was_called_back_half_way_is_told_and_done_again_for_the_rest(operator, clock, monkeypatch, ledger):
    """P7"""
    monkeypatch.setattr(binding_lines, "CHUNK", 2)
    people(*(f"c{n}" for n in range(5)))
    binding = begun(operator, placement(making.template(limits={"customer_count": 1})), [f"c{n}" for n in range(5)])
    operator.post(page(binding, "move/confirm/"))
    clock.forward(minutes=10)
    issue, chunks = Many.issue, iter(range(9))

    def stuck(*told):
        if next(chunks) == 1:
            raise Refused("paused")
        return issue(*told)

    monkeypatch.setattr(Many, "issue", stuck)
    go_on_with_jobs()
    operator.post(page(binding, "move/call_back/"))
    binding.refresh_from_db()
    assert (binding.state, binding.did["given"], binding.did["no"]) == ("called_back", 2, {"called_back": 3})
    told = operator.get(page(binding, "result/"))
    rows = list(load_workbook(io.BytesIO(told.getvalue())).active.iter_rows(min_row=2, values_only=True))
    assert [row[2] for row in rows] == ["issued"] * 2 + ["called_back"] * 3
    assert rows[4][4] == "未执行，已撤回"
    operator.post(page(binding, "move/again/"))
    done(operator, Binding.objects.latest("pk"), clock)
    assert Coupon.objects.count() == Coupon.objects.values("customer").distinct().count() == 5
    ledger()


def test_while_its_placement_is_not_live_nothing_is_confirmed(operator, clock, settings):
    """P7, P9: the page says why; looked over it may be before."""
    settings.BIND_SECOND_ABOVE_FEN = 0
    people("alice")
    of = placement(making.template(), status="draft")
    binding = begun(operator, of, ["alice"])
    assert binding.looked["places"] == 1
    assert "不会发券。当前状态：草稿" in operator.get(page(binding)).content.decode()
    assert "尚未开始" in operator.post(page(binding, "move/confirm/"), follow=True).content.decode()
    binding.refresh_from_db()
    assert (binding.state, binding.confirmed_by, Job.objects.filter(kind="bind").count()) == ("counted", None, 0)
    Placement.objects.update(status="live")
    assert "不会发券" not in operator.get(page(binding)).content.decode()
    operator.post(page(binding, "move/confirm/"))
    Placement.objects.update(status="paused")
    other = desk(somebody("审核", "xiaowang"))
    assert "已暂停" in other.post(page(binding, "move/approve/"), follow=True).content.decode()
    binding.refresh_from_db()
    assert (binding.state, binding.approved_by) == ("awaiting", None)


def test_what_was_stopped_meanwhile_goes_on_from_its_own_page(operator, clock, ledger):
    """P7: whoever confirmed it last owns the job; whoever binds resumes it."""
    people("alice")
    binding = begun(operator, placement(making.template()), ["alice"])
    operator.post(page(binding, "move/confirm/"))
    Placement.objects.update(status="paused")
    clock.forward(minutes=10)
    go_on_with_jobs()
    binding.refresh_from_db()
    assert (binding.state, binding.job.state) == ("scheduled", "failed")
    Placement.objects.update(status="live")
    assert operator.get(page(binding, "move/go_on/")).status_code == 200
    operator.post(page(binding, "move/go_on/"))
    binding.refresh_from_db()
    assert (binding.state, binding.did["given"], Coupon.objects.count()) == ("done", 1, 1)
    assert operator.post(page(binding, "move/go_on/")).status_code == 302
    assert Coupon.objects.count() == 1
    ledger()


def test_a_binding_whose_job_was_cancelled_can_be_called_back_and_done_again(operator, clock, ledger):
    """P7"""
    people("alice")
    binding = begun(operator, placement(making.template()), ["alice"])
    operator.post(page(binding, "move/confirm/"))
    binding.refresh_from_db()
    operator.post(f"/admin/coupons/job/{binding.job_id}/move/cancel/")
    clock.forward(minutes=10)
    go_on_with_jobs()
    assert "后台任务已被取消" in operator.get(page(binding)).content.decode()
    operator.post(page(binding, "move/call_back/"))
    binding.refresh_from_db()
    assert (binding.state, binding.did["no"]) == ("called_back", {"called_back": 1})
    operator.post(page(binding, "move/again/"))
    done(operator, Binding.objects.latest("pk"), clock)
    assert Coupon.objects.count() == 1
    ledger()


def test_until_it_begins_it_can_be_called_back_and_nobody_has_anything(operator, clock, ledger):
    """P7"""
    people("alice")
    binding = begun(operator, placement(making.template()), ["alice"])
    operator.post(page(binding, "move/confirm/"))
    clock.forward(minutes=9, seconds=59)
    go_on_with_jobs()
    assert not Coupon.objects.exists()
    operator.post(page(binding, "move/call_back/"))
    clock.forward(minutes=10)
    go_on_with_jobs()
    binding.refresh_from_db()
    assert (binding.state, binding.job.state, Coupon.objects.count()) == ("called_back", "cancelled", 0)
    ledger()


def test_what_costs_much_needs_a_second_person(operator, clock, settings, ledger):
    """P7, C12"""
    settings.BIND_SECOND_ABOVE_FEN = 3999
    people("alice", "bob")
    binding = begun(operator, placement(making.template()), ["alice", "bob"])
    operator.post(page(binding, "move/confirm/"))
    binding.refresh_from_db()
    assert binding.state == "awaiting"
    assert operator.post(page(binding, "move/approve/")).status_code == 403
    boss = somebody("管理员", "boss")
    Binding.objects.filter(pk=binding.pk).update(made_by=boss)
    desk(boss).post(page(binding, "move/approve/"))
    binding.refresh_from_db()
    assert binding.state == "awaiting"
    desk(somebody("审核", "shen")).post(page(binding, "move/approve/"))
    binding.refresh_from_db()
    assert binding.state == "scheduled"
    clock.forward(minutes=10)
    go_on_with_jobs()
    assert Coupon.objects.count() == 2
    ledger()


def test_an_audience_gets_it_and_its_control_group_does_not(operator, clock, ledger):
    """P7, I12, I13"""
    people("a", "b", "c", tags=["loyal"])
    people("d")
    audience = making.audience({"tags": {"any_of": ["loyal"]}})
    campaign = making.campaign()
    of = placement(making.template(campaign), of=campaign)
    binding = begun(operator, of, kind="audience", audience=audience.pk)
    assert (binding.looked["accounts"], binding.looked["places"]) == (3, 3)
    campaign.control_percent = 100
    campaign.save()
    done(operator, binding, clock)
    assert {outcome for _account, outcome, _n in lines(binding)} == {"in_control_group"}
    campaign.control_percent = 0
    campaign.save()
    operator.post(page(binding, "move/again/"))
    again = Binding.objects.latest("pk")
    assert (again.again_for, again.looked["places"]) == (binding, 3)
    done(operator, again, clock)
    assert Coupon.objects.count() == 3
    ledger()


def test_again_is_for_those_who_got_nothing_alone(operator, clock, ledger):
    """P7"""
    people("a", "b", "c")
    template = making.template(limits={"total_count": 2})
    binding = done(operator, begun(operator, placement(template), ["a", "b", "c"]), clock)
    assert binding.looked["no"] == {"sold_out": 1}
    assert binding.did["no"] == {"sold_out": 1}
    template.supply.refresh_from_db()
    template.supply.total_count = 5
    template.supply.save(update_fields=["total_count"])
    operator.post(page(binding, "move/again/"))
    again = Binding.objects.latest("pk")
    assert again.looked["accounts"] == 1
    done(operator, again, clock)
    assert lines(again) == [("c", "issued", 1)]
    assert not moving.possible(again, "again")
    ledger()


@pytest.mark.parametrize(
    ("limits", "terms", "code"),
    [
        ({"total_count": 1}, {}, "sold_out"),
        ({"total_fen": 3999}, {}, "sold_out"),
        ({"daily_count": 1}, {}, "daily_limit"),
        ({"daily_fen": 2000}, {}, "daily_limit"),
        ({}, {"budget_fen": 3000}, "budget_spent"),
    ],
)
def test_what_is_there_for_one_goes_to_the_first(operator, clock, ledger, limits, terms, code):
    """C10: limits of the template and the campaign's budget."""
    people("a", "b")
    campaign = making.campaign(**terms)
    binding = begun(operator, placement(making.template(campaign, limits=limits), of=campaign), ["a", "b"])
    assert binding.looked["no"] == {code: 1}
    done(operator, binding, clock)
    assert lines(binding) == [("a", "issued", 1), ("b", code, 0)]
    ledger()


@pytest.mark.parametrize(
    ("limits", "terms", "code"),
    [
        ({"customer_count": 1}, {}, "customer_limit"),
        ({"customer_fen": 2000}, {}, "customer_limit"),
        ({"customer_daily_count": 1}, {}, "customer_daily_limit"),
        ({"customer_daily_fen": 3999}, {}, "customer_daily_limit"),
        ({}, {"newcomer": True}, "newcomer_coupon_held"),
        ({}, {"exclusive_group": "spring"}, "exclusive_coupon_held"),
    ],
)
def test_whoever_has_had_theirs_gets_no_other(operator, clock, ledger, limits, terms, code):
    """C10, I10, I11: limits of a customer, and coupons that exclude each other."""
    people("a", "b")
    template = making.template(limits=limits, **terms)
    using.give(template, "a")
    binding = begun(operator, placement(template), ["a", "b"])
    assert binding.looked["no"] == {code: 1}
    operator.post(page(binding, "move/confirm/"))
    clock.forward(minutes=10)
    go_on_with_jobs()
    assert lines(binding) == [("a", code, 0), ("b", "issued", 1)]
    ledger()


def test_offers_are_asked_in_order_all_or_by_luck_as_the_placement_says(operator, clock, ledger):
    """P11"""
    people("new")
    people("old", tags=["loyal"])
    first, second = making.template(), making.template()
    loyal = making.audience({"tags": {"any_of": ["loyal"]}})
    for pick, expected in (("first", [1, 1]), ("all", [1, 2])):
        of = placement((first, loyal), second, pick=pick)
        binding = done(operator, begun(operator, of, ["new", "old"]), clock)
        assert [number for _account, _outcome, number in lines(binding)] == expected
    people(*(f"c{n}" for n in range(40)))
    of = placement((first, 1), (second, 3), pick="random")
    before = Coupon.objects.filter(template=first).count()
    binding = done(operator, begun(operator, of, [f"c{n}" for n in range(40)]), clock)
    assert binding.did["coupons"] == 40
    assert 0 < Coupon.objects.filter(template=first).count() - before < 25
    ledger()


def test_a_file_is_told_by_what_is_in_it(operator, clock):
    """P7: CSV, whatever its name; what is no table is refused at its field."""
    people("alice", "bob")
    of = placement(making.template())
    file = SimpleUploadedFile("list.xlsx", "账号,备注\nalice,=1+1\nbob,\n".encode("gb18030"))
    binding = begun(operator, of, kind="file", file=file)
    assert binding.looked["places"] == 2
    for content in (b"\x89PNG\r\n\x1a\n\0\0\0", b"", b"PK\x03\x04broken"):
        response = operator.post(
            ADD, {"placement": of.pk, "name": "x", "kind": "file", "file": SimpleUploadedFile("list.csv", content)}
        )
        assert response.status_code == 200
        assert response.context["adminform"].form.errors["file"]
    assert Binding.objects.count() == 1
    assert Job.objects.count() == 1


def test_a_paused_placement_gives_nothing_and_the_job_goes_on_later(operator, clock, ledger):
    people("alice")
    of = placement(making.template())
    binding = begun(operator, of, ["alice"])
    operator.post(page(binding, "move/confirm/"))
    of.status = "paused"
    of.save()
    clock.forward(minutes=10)
    go_on_with_jobs()
    binding.refresh_from_db()
    assert (binding.state, binding.job.state) == ("scheduled", "failed")
    assert "暂停" in binding.job.error or "paused" in binding.job.error
    of.status = "live"
    of.save()
    operator.post(f"/admin/coupons/job/{binding.job_id}/move/resume/")
    binding.refresh_from_db()
    assert (binding.state, Coupon.objects.count()) == ("done", 1)
    ledger()


def test_money_freed_by_expiry_is_there_for_a_binding(operator, clock, ledger):
    """S6: no limit waits for a task."""
    people("bob")
    campaign = making.campaign(budget_fen=2000)
    template = making.template(campaign, valid_days=1)
    using.give(template, "alice")
    clock.forward(days=2)
    binding = done(operator, begun(operator, placement(template, of=campaign), ["bob"]), clock)
    assert not binding.did
    assert binding.looked["no"] == {"budget_spent": 1}
    ledger()


@pytest.mark.parametrize("said", [{"accounts": ""}, {"kind": "file"}, {"kind": "audience"}, {"name": ""}])
def test_what_is_missing_is_said_at_its_field(operator, clock, said):
    of = placement(making.template())
    response = operator.post(ADD, {"placement": of.pk, "name": "x", "kind": "list", "accounts": "a", **said})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert not Binding.objects.exists()


def test_only_those_who_may_bind_do(clock):
    for role, may in (("客服", False), ("财务", False), ("审核", False), ("运营", True)):
        assert (desk(somebody(role)).get(ADD).status_code == 200) is may


def test_of_two_accounts_with_one_phone_one_gets_the_newcomer_coupon(operator, clock, ledger):
    """I11: one live newcomer coupon for each person, in bulk as one by one."""
    people("a", "b", phone="13800138000")
    people("c", "d")
    binding = done(operator, begun(operator, placement(making.template(newcomer=True)), ["a", "b", "c", "d"]), clock)
    assert [number for _account, _outcome, number in lines(binding)] == [1, 0, 1, 1]
    assert lines(binding)[1][1] == "newcomer_coupon_held"
    ledger()
