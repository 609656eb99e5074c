"""A campaign in and out as one document (P1, C1–C6, C8–C10, C12)."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from coupons.models import Area, Audience, Budget, Catalogue, Category, Coupon, CouponTemplate, Custom, Merchant, Supply
from distribution.models import Campaign, MessageTemplate, Offer, Placement, TriggerRule
from tests.pages.company import desk, somebody
from tests.stories.campaign_documents import DROP, SQUARE, summer

pytestmark = pytest.mark.django_db

OPEN = {"templates__0__release": {}, "placements__0__offers": [{"template": "s20"}]}
HISTORIES = (Campaign.history, CouponTemplate.history, Placement.history, Audience.history)


@pytest.fixture
def chief(system):
    """A system that may make campaigns and approve them."""
    return system("manage", "approve")


@pytest.fixture
def maker(system):
    """A system that may only make them."""
    return system("manage")


@pytest.fixture
def claimed(chief, system, clock):
    """The summer campaign with one coupon of `s20` in alice's hands; its document."""
    document = summer(**OPEN)
    assert chief.post("campaigns/", document).status == 201
    claim = system("issue").post("placements/summer-center/claims/", {"customer": "alice", "client": "app"})
    assert claim.status == 201, claim.body
    return document


def everything() -> dict[str, Any]:
    """All that a document can touch, and how often it was touched."""
    models = (Campaign, Budget, CouponTemplate, Supply, Placement, Offer, Audience, Category, Merchant, Area)
    models += (TriggerRule, MessageTemplate)
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
    return {**rows, "histories": [history.count() for history in HISTORIES], "version": Catalogue.objects.get().version}


def exported(key: str) -> dict[str, Any]:
    out = StringIO()
    call_command("export_campaign", key, stdout=out)
    return json.loads(out.getvalue())


# --- in and out ------------------------------------------------------------------------------------------------------


def test_a_document_becomes_a_campaign_with_all_that_hangs_below_it(chief):
    answer = chief.post("campaigns/", summer())
    assert answer.status == 201
    campaign = Campaign.objects.get()
    assert (campaign.key, campaign.name, campaign.goal_metric, campaign.goal_target) == (
        "summer",
        "夏日补贴",
        "redeemed",
        5000,
    )
    assert campaign.starts_at == datetime(2026, 5, 31, 16, tzinfo=UTC)
    assert campaign.budget.limit_fen == 10_000_000
    template = CouponTemplate.objects.get()
    assert (template.budget_id, template.status, template.category_id) == (campaign.budget_id, "live", "food")
    assert (template.amount_fen, template.threshold_fen, template.merchant_percent) == (2000, 10000, Decimal(30))
    assert template.release == {"weekdays": [5, 6, 7], "hours": [["10:00", "22:00"]]}
    assert (template.supply.total_count, template.supply.customer_count, template.supply.daily_fen) == (10000, 1, None)
    offer = Offer.objects.get()
    assert (offer.placement.key, offer.template, offer.audience_id) == ("summer-center", template, "lapsed")
    assert Audience.objects.get().conditions == {"last_order_days": {"min": 30}}


def test_the_answer_is_the_document_that_would_make_it_again(chief):
    document = chief.post("campaigns/", summer()).body
    assert document == exported("summer")
    sent = summer()
    assert {name: document[name] for name in sent if name not in ("templates", "placements")} == {
        name: sent[name] for name in sent if name not in ("templates", "placements")
    }
    again = chief.post("campaigns/", document)
    assert (again.status, again.body) == (200, document)


def test_get_says_the_document_and_what_came_of_it(chief, claimed):
    answer = chief.get("campaigns/summer/")
    assert answer.status == 200
    results = answer.body["results"]
    assert results["budget"] == {"spent_fen": 0, "committed_fen": 2000, "free_fen": 9_998_000}
    assert results["templates"] == {"s20": {"issued_count": 1, "issued_fen": 2000}}
    assert {name: value for name, value in answer.body.items() if name != "results"} == exported("summer")
    assert chief.post("campaigns/", answer.body).status == 200


def test_a_campaign_that_is_not_there_is_not_found(chief):
    assert chief.get("campaigns/nowhere/").code == "not_found"
    assert chief.get("campaigns/a%00b/").code == "not_found"


def test_the_same_document_twice_changes_nothing(chief):
    chief.post("campaigns/", summer())
    before = everything()
    assert chief.post("campaigns/", summer()).status == 200
    assert everything() == before


def test_one_idempotency_key_gives_the_first_answer_again(chief):
    first = chief.post("campaigns/", summer(), once="k1")
    again = chief.post("campaigns/", summer(), once="k1")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert chief.post("campaigns/", summer(name="other"), once="k1").code == "idempotency_key_reused"


def test_null_and_absent_are_no_limit_and_0_is_none_at_all(chief):
    limits = {"total_count": 0, "customer_count": None, "daily_fen": 0}
    document = summer(templates__0__limits=limits, budget_fen=None)
    document["templates"].append({**document["templates"][0], "key": "s21", "limits": DROP})
    del document["templates"][1]["limits"]
    chief.post("campaigns/", document)
    limited = Supply.objects.get(template__key="s20")
    assert (limited.total_count, limited.daily_fen, limited.customer_count) == (0, 0, None)
    assert {getattr(Supply.objects.get(template__key="s21"), name) for name in Supply.LIMITS} == {None}
    assert Budget.objects.get().limit_fen is None


def test_percentages_come_as_whole_numbers_or_strings_and_leave_the_same_way(chief):
    for percent, kept in ((20, 20), ("12.5", "12.5"), ("0.01", "0.01"), ("99.99", "99.99"), ("30.00", 30)):
        document = summer(
            templates__0__type="percent_off",
            templates__0__amount_fen=None,
            templates__0__percent_off=percent,
            templates__0__cap_fen=3000,
            templates__0__cost={"merchant_percent": "33.33"},
        )
        template = chief.post("campaigns/", document).body["templates"][0]
        assert (template["percent_off"], template["cost"]) == (kept, {"merchant_percent": "33.33"})


def test_categories_merchants_and_areas_are_made_and_renamed(chief):
    area = {"key": "bund", "name": "外滩", "geojson": SQUARE}
    document = summer(
        merchants=[{"key": "m1", "name": "一号店"}],
        areas=[area],
        templates__0__merchant="m1",
        templates__0__use_conditions={"areas": {"any_of": ["bund"]}},
        templates__0__scope={"categories": ["food"], "merchants": ["m1"], "skus": ["x 1"]},
    )
    assert chief.post("campaigns/", document).status == 201
    assert exported("summer")["areas"] == [area]
    document["categories"][0]["name"] = "美食"
    document["areas"][0]["geojson"] = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}
    version = CouponTemplate.objects.get().version
    assert chief.post("campaigns/", document).status == 200
    assert (Category.objects.get().name, Area.objects.get().geojson["type"]) == ("美食", "MultiPolygon")
    assert CouponTemplate.objects.get().version == version


def test_days_of_the_companys_own_come_along_with_the_rules_that_name_them(chief):
    """I9"""
    rule = {"templates__0__use_conditions": {"festivals": {"any_of": ["custom:fair", "spring_festival"]}}}
    unknown = chief.post("campaigns/", summer(**rule))
    assert (unknown.status, list(unknown.wrong)) == (400, ["templates.0.use_conditions.festivals.any_of"])
    days = [
        {"first_date": "2026-06-06", "last_date": "2026-06-08", "city": "310000"},
        {"first_date": "2026-09-01", "last_date": "2026-09-01", "city": None},
    ]
    fair = {"key": "fair", "name": "庙会", "days": days}
    upside_down = {**fair, "days": [{"first_date": "2026-06-06", "last_date": "2026-06-05", "city": "000001"}]}
    wrong = chief.post("campaigns/", summer(**rule, customs=[upside_down]))
    assert (wrong.status, "customs.0.days.0.city" in wrong.wrong, len(wrong.wrong)) == (400, True, 2)
    assert not Custom.objects.exists()

    assert chief.post("campaigns/", summer(**rule, customs=[fair])).status == 201
    assert exported("summer")["customs"] == [fair]
    assert chief.post("campaigns/", summer(**rule)).status == 200, "known by now"
    renamed = {"key": "fair", "name": "城隍庙会"}
    assert chief.post("campaigns/", summer(**rule, customs=[renamed])).status == 200
    assert exported("summer")["customs"] == [{**fair, "name": "城隍庙会"}]
    assert chief.post("campaigns/", summer(**rule, customs=[{**fair, "days": days[:1]}])).status == 200
    assert exported("summer")["customs"] == [{**fair, "days": days[:1]}]


def test_what_a_second_document_does_not_name_stays_as_it_is(chief):
    chief.post("campaigns/", summer(templates__0__looks={"color": "#ff0000"}, placements__0__title="夏日"))
    more = summer(
        templates__0__key="s30",
        placements__0__key="summer-popup",
        placements__0__offers=[{"template": "s20"}, {"template": "s30", "weight": 3}],
        audiences=[],
    )
    document = chief.post("campaigns/", more).body
    assert [template["key"] for template in document["templates"]] == ["s20", "s30"]
    assert [placement["key"] for placement in document["placements"]] == ["summer-center", "summer-popup"]
    assert document["audiences"][0]["key"] == "lapsed"

    for part, fields in (("templates", ("looks", "status")), ("placements", ("status",))):
        for field in fields:
            more[part][0].pop(field, None)
    more["templates"][0]["key"], more["placements"][0]["key"] = "s20", "summer-center"
    document = chief.post("campaigns/", more).body
    assert (document["templates"][0]["looks"], document["templates"][0]["status"]) == ({"color": "#ff0000"}, "live")
    assert (document["placements"][0]["title"], document["placements"][0]["status"]) == ("夏日", "live")


def test_offers_are_replaced_as_a_list_in_its_order(chief):
    document = summer(placements__0__pick="random")
    document["templates"].append({**document["templates"][0], "key": "s30"})
    document["placements"][0]["offers"] = [{"template": "s20"}, {"template": "s30", "audience": "lapsed", "weight": 5}]
    chief.post("campaigns/", document)
    document["placements"][0]["offers"].reverse()
    histories = Placement.history.count()
    answer = chief.post("campaigns/", document).body
    assert [offer["template"] for offer in answer["placements"][0]["offers"]] == ["s30", "s20"]
    assert [offer["weight"] for offer in answer["placements"][0]["offers"]] == [5, 1]
    assert Placement.history.count() == histories + 1


def test_a_template_or_placement_of_another_campaign_is_not_taken_over(chief):
    chief.post("campaigns/", summer())
    answer = chief.post("campaigns/", summer(key="winter", name="冬日"))
    assert answer.wrong == {"templates.0.key": "other_campaign", "placements.0.key": "other_campaign"}
    assert Campaign.objects.count() == 1


# --- once coupons are out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"templates__0__amount_fen": 3000}, ["amount_fen"]),
        ({"templates__0__validity": {"type": "claim_day"}}, ["validity.type", "validity.days"]),
        ({"templates__0__cost": {}, "templates__0__newcomer": True}, ["cost.merchant_percent", "newcomer"]),
        ({"templates__0__use_conditions": {}}, ["use_conditions"]),
        ({"templates__0__returns_on_rollback": False}, ["returns_on_rollback"]),
    ],
)
def test_changed_terms_of_a_template_that_has_coupons_are_refused(chief, claimed, changes, fields):
    before = everything()
    answer = chief.post("campaigns/", summer(**OPEN, **changes, name="renamed"))
    assert (answer.status, answer.code) == (409, "terms_frozen")
    assert answer.body["reasons"][0]["template"] == "s20"
    assert sorted(answer.body["reasons"][0]["fields"]) == sorted(fields)
    assert everything() == before


def test_changed_supply_of_a_template_that_has_coupons_is_taken_over(chief, claimed):
    version = Catalogue.objects.get().version
    changes = {
        "name": "盛夏补贴",
        "templates__0__limits": {"total_count": 1, "customer_daily_fen": 2000},
        "templates__0__release": {"month_days": [1, -1], "starts_at": "2026-06-01T00:00:00+08:00"},
        "templates__0__claim_conditions": {"rival_app": {"is": True}},
        "templates__0__claim_cities": ["310000", "110000"],
        "templates__0__name": "盛夏券",
        "templates__0__internal_name": "盛夏",
        "templates__0__looks": {"badge": "热"},
        "templates__0__status": "paused",
    }
    document = summer(**OPEN)
    answer = chief.post("campaigns/", summer(**{**OPEN, **changes}))
    assert answer.status == 200, answer.content.decode()
    template = CouponTemplate.objects.get()
    assert (template.name, template.status, template.claim_cities) == ("盛夏券", "paused", ["310000", "110000"])
    assert (template.supply.total_count, template.supply.customer_count) == (1, None)
    assert template.supply.issued_count == 1
    assert Catalogue.objects.get().version > version
    assert chief.post("campaigns/", document).body["templates"][0]["status"] == "live"


def test_a_limit_cannot_fall_below_what_was_issued(chief, claimed):
    before = everything()
    for limits in ({"total_count": 0}, {"total_fen": 1999}):
        answer = chief.post("campaigns/", summer(**OPEN, templates__0__limits=limits))
        assert (answer.status, answer.code) == (409, "limit_below_issued")
        assert answer.body["reasons"][0]["template"] == "s20"
    assert everything() == before
    assert chief.post("campaigns/", summer(**OPEN, templates__0__limits={"total_fen": 2000})).status == 200


def test_a_budget_cannot_fall_below_what_is_spent_and_committed(chief, claimed):
    before = everything()
    answer = chief.post("campaigns/", summer(**OPEN, budget_fen=1999, name="renamed"))
    assert (answer.status, answer.code) == (409, "budget_below_used")
    assert everything() == before
    assert chief.post("campaigns/", summer(**OPEN, budget_fen=2000)).body["budget_fen"] == 2000
    assert chief.post("campaigns/", summer(**OPEN, budget_fen=None)).body["budget_fen"] is None


def test_an_ended_template_stays_ended(chief):
    chief.post("campaigns/", summer(templates__0__status="ended"))
    answer = chief.post("campaigns/", summer())
    assert (answer.status, answer.code) == (409, "state_forbids")
    assert answer.body["reasons"][0]["template"] == "s20"


# --- approval --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{"placements__0__status": "draft"}, {"templates__0__status": "draft"}, {"templates__0__status": "paused"}],
)
def test_going_live_needs_the_right_to_approve(maker, changes):
    before = everything()
    answer = maker.post("campaigns/", summer(**changes))
    assert (answer.status, answer.code) == (403, "approval_needed")
    assert everything() == before


def test_drafts_need_no_approval(maker):
    assert maker.post("campaigns/", summer(templates__0__status=DROP, placements__0__status=DROP)).status == 201
    drafts = {"templates__0__status": "awaiting_approval", "placements__0__status": "draft", "name": "新名"}
    assert maker.post("campaigns/", summer(**drafts)).status == 200
    assert (CouponTemplate.objects.get().status, Placement.objects.get().status) == ("awaiting_approval", "draft")


def test_what_is_live_already_may_stay_so_unchanged(chief, maker):
    chief.post("campaigns/", summer())
    assert maker.post("campaigns/", summer(name="新名")).status == 200
    assert maker.post("campaigns/", summer(templates__0__status="paused")).status == 200


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"templates__0__limits": {}}, {"template": "s20"}),
        ({"templates__0__amount_fen": 1000}, {"template": "s20"}),
        ({"placements__0__offers": [{"template": "s20"}]}, {"placement": "summer-center"}),
        ({"placements__0__channel": "share"}, {"placement": "summer-center"}),
        ({"audiences__0__conditions": {}}, {"audience": "lapsed"}),
    ],
)
def test_what_is_live_changes_only_with_approval(chief, maker, changes, what):
    chief.post("campaigns/", summer())
    before = everything()
    answer = maker.post("campaigns/", summer(**changes))
    assert (answer.status, answer.code) == (403, "approval_needed")
    assert [{**what, **reason} == reason for reason in answer.body["reasons"]] == [True]
    assert everything() == before
    assert chief.post("campaigns/", summer(**changes)).status == 200
    assert CouponTemplate.objects.get().status == "live"


def test_only_systems_that_may_make_campaigns_come_in(system, customer):
    assert system("issue", "read", "approve").post("campaigns/", summer()).code == "scope_missing"
    assert customer("alice").get("campaigns/summer/").status == 403
    assert not Campaign.objects.exists()


# --- commands --------------------------------------------------------------------------------------------------------


def test_the_commands_read_and_write_the_same_document(tmp_path):
    file = tmp_path / "summer.json"
    file.write_text(json.dumps(summer()), "utf-8")
    for outcome in ("created", "unchanged"):
        out = StringIO()
        call_command("import_campaign", str(file), stdout=out)
        assert out.getvalue() == f"summer: {outcome}\n"
    file.write_text(json.dumps(exported("summer")), "utf-8")
    out = StringIO()
    call_command("import_campaign", str(file), stdout=out)
    assert out.getvalue() == "summer: unchanged\n"


def test_a_bad_file_is_said_in_words_and_nothing_is_made(tmp_path):
    file = tmp_path / "summer.json"
    with pytest.raises(CommandError, match=r"summer\.json"):
        call_command("import_campaign", str(file))
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="JSON"):
        call_command("import_campaign", str(file))
    file.write_text(json.dumps(summer(templates__0__amount_fen=0, placements__0__form="x")), "utf-8")
    with pytest.raises(CommandError, match=r"templates\.0\.amount_fen(.|\n)*placements\.0\.form"):
        call_command("import_campaign", str(file))
    with pytest.raises(CommandError, match="nowhere"):
        call_command("export_campaign", "nowhere")
    assert not Campaign.objects.exists()


# --- at the same time ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_document_many_times_at_once_makes_one_campaign(chief, race):
    came = race(6, lambda number: chief.post("campaigns/", summer()).status)
    assert sorted(came) == [200] * 5 + [201]
    assert (Campaign.objects.count(), Budget.objects.count(), Offer.objects.count()) == (1, 1, 1)
    assert Campaign.history.count() == 1


@pytest.mark.django_db(transaction=True)
def test_claims_go_on_while_the_document_changes_supply(chief, system, race):
    open_now = {
        **OPEN,
        "starts_at": "2020-01-01T00:00:00Z",
        "ends_at": "2120-01-01T00:00:00Z",
        "templates__0__limits": {},
    }
    chief.post("campaigns/", summer(**open_now))
    issuer = system("issue")

    def act(number: int) -> int:
        if number % 3 == 0:
            return chief.post("campaigns/", summer(**open_now, name=f"夏日{number}", budget_fen=10**9 + number)).status
        body = {"customer": f"c{number}", "client": "app"}
        return issuer.post("placements/summer-center/claims/", body).status

    came = race(12, act)
    assert [status for number, status in enumerate(came) if number % 3 == 0] == [200] * 4, came
    claimed = sum(status == 201 for number, status in enumerate(came) if number % 3)
    assert claimed == Coupon.objects.count() == Supply.objects.get().issued_count
    assert Budget.objects.get().committed_fen == Coupon.objects.aggregate(sum=Sum("committed_fen"))["sum"]
    assert claimed == 8, came


# --- states ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "first", "then"),
    [
        ("templates", "live", "draft"),
        ("templates", "live", "awaiting_approval"),
        ("templates", "paused", "draft"),
        ("templates", "ended", "live"),
        ("templates", "ended", "paused"),
        ("placements", "live", "draft"),
        ("placements", "paused", "draft"),
        ("placements", "ended", "live"),
        ("placements", "ended", "paused"),
    ],
)
def test_a_document_goes_no_way_that_an_operator_could_not_go(chief, place, first, then):
    assert chief.post("campaigns/", summer(**{f"{place}__0__status": first})).status == 201
    before = everything()
    answer = chief.post("campaigns/", summer(**{f"{place}__0__status": then}))
    assert (answer.status, answer.code) == (409, "state_forbids")
    assert everything() == before


def test_every_move_that_a_document_makes_is_on_record(chief):
    """C12: as by hand; what is paused in an empty database was submitted, approved and paused."""
    chief.post("campaigns/", summer(templates__0__status="paused", placements__0__status="paused"))
    template, placement = CouponTemplate.objects.get(), Placement.objects.get()
    said = [record.history_change_reason for record in template.history.order_by("history_id")]
    assert said[-3:] == ["submit", "approve", "pause"]
    said = [record.history_change_reason for record in placement.history.order_by("history_id")]
    assert said[-2:] == ["open", "pause"]


@pytest.mark.parametrize("status", ["live", "paused"])
def test_a_placement_that_offers_nothing_does_not_go_live(chief, status):
    before = everything()
    answer = chief.post("campaigns/", summer(placements__0__offers=[], placements__0__status=status))
    assert (answer.status, answer.code) == (409, "state_forbids")
    assert answer.body["reasons"][0]["placement"] == "summer-center"
    assert everything() == before


def test_a_trigger_placement_goes_live_with_what_sets_it_off(chief):
    """P8: without an event it is refused; with one it is live at once, and the same document changes nothing."""
    said = {"placements__0__form": "trigger", "placements__0__channel": "home_popup"}
    assert chief.post("campaigns/", summer(**said)).code == "state_forbids"
    said["placements__0__trigger"] = {"event": "app_open", "message": "given"}
    assert chief.post("campaigns/", summer(**said)).wrong == {"placements.0.trigger.message": "unknown_key"}
    said["messages"] = [{"key": "given", "name": "到账", "occasion": "issued", "text": "{coupon}"}]
    assert chief.post("campaigns/", summer(**said)).status == 201
    before = everything()
    assert chief.post("campaigns/", summer(**said)).status == 200
    assert everything() == before


def test_a_trigger_that_makes_no_sense_is_named_by_its_path(chief):
    said = {"placements__0__form": "trigger", "placements__0__status": "draft"}
    wrong = {"event": "App Open", "tests": [{"field": "late_minutes", "is": ">=", "value": "many"}]}
    answer = chief.post("campaigns/", summer(**said, placements__0__trigger=wrong))
    assert answer.status == 400
    assert answer.wrong.keys() == {"placements.0.trigger.event", "placements.0.trigger.tests"}
    answer = chief.post("campaigns/", summer(placements__0__share={"pot_fen": 100}))
    assert answer.wrong == {"placements.0.share.placement": "other_channel"}


def test_what_a_live_placement_works_with_changes_only_with_approval(chief, maker):
    said = {"placements__0__form": "trigger", "placements__0__trigger": {"event": "app_open"}}
    assert chief.post("campaigns/", summer(**said)).status == 201
    before = everything()
    said["placements__0__trigger"] = {"event": "page_view"}
    answer = maker.post("campaigns/", summer(**said))
    assert (answer.status, answer.code) == (403, "approval_needed")
    assert everything() == before
    assert chief.post("campaigns/", summer(**said)).status == 200
    assert Placement.objects.get().status == "live"


# --- the file that an operator picks ----------------------------------------------------------------------------------


def picked(client, body):
    file = BytesIO(body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False, indent=1).encode())
    file.name = "campaign.json"
    return client.post("/admin/distribution/campaign/import/", {"document": file})


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"key": "summer",\n "name": "x",\n}', "第 3 行第 1 列"),
        (json.dumps(summer(), ensure_ascii=False).encode("gbk"), "第 1 行第 "),
        (b"PK\x03\x04", "第 1 行第 1 列"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_nothing_is_made(body, where):
    """C13"""
    page = picked(desk(somebody("管理员")), body)
    assert page.status_code == 422
    assert "不是 UTF-8 编码的 JSON" in page.content.decode()
    assert where in page.content.decode()
    assert not Campaign.objects.exists()


def test_a_file_that_was_saved_by_a_windows_editor_is_read(tmp_path):
    document = summer(templates__0__status="draft", placements__0__status="draft")
    marked = b"\xef\xbb\xbf" + json.dumps(document, ensure_ascii=False).encode()
    assert picked(desk(somebody("管理员")), marked).status_code == 302
    assert Campaign.objects.get().key == "summer"
    file = tmp_path / "summer.json"
    file.write_bytes(marked)
    out = StringIO()
    call_command("import_campaign", str(file), stdout=out)
    assert out.getvalue() == "summer: unchanged\n"


def test_what_is_wrong_in_a_file_is_said_with_the_key_of_whose_it_is():
    document = summer(templates__0__amount_fen=20_000, placements__0__offers=[{"template": "s99"}])
    page = picked(desk(somebody("管理员")), document)
    assert page.status_code == 422
    for place in ("templates.0.amount_fen</code></td><td>s20: ", ".offers.0.template</code></td><td>summer-center: "):
        assert place in page.content.decode()
    assert not Campaign.objects.exists()
