"""Claims at the same moment, by real threads on PostgreSQL: no limit gives way, and counters equal rows after each."""

import pytest

from coupons.models import Budget, Coupon, Supply
from tests import making

pytestmark = pytest.mark.django_db(transaction=True)

TOGETHER = 12


def _claims(race, system, placement, customers):
    caller = system("issue")
    address = f"placements/{placement.key}/claims/"
    answers = race(len(customers), lambda n: caller.post(address, {"customer": customers[n]}))
    return [answer.status for answer in answers], answers


def _fifty(race, system, placement, key):
    """One customer's fifty calls, by ten threads of five."""
    caller = system("issue")
    address = f"placements/{placement.key}/claims/"

    def five(thread):
        return [caller.post(address, {"customer": "alice"}, once=key(5 * thread + n)) for n in range(5)]

    return [answer for answers in race(10, five) for answer in answers]


@pytest.mark.parametrize("stock", [1, 3])
def test_no_more_are_issued_than_there_are(system, race, ledger, stock):
    """C10: total limit by number."""
    placement = making.placement(making.template(limits={"total_count": stock}))
    statuses, answers = _claims(race, system, placement, [f"c{n}" for n in range(TOGETHER)])
    assert sorted(statuses) == [201] * stock + [409] * (TOGETHER - stock)
    assert {answer.code for answer in answers if answer.status == 409} == {"sold_out"}
    assert Coupon.objects.count() == stock == Supply.objects.get().issued_count
    ledger()


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"total_fen": 10000}, "sold_out"),
        ({"daily_fen": 10000}, "daily_limit"),
        ({"daily_count": 3}, "daily_limit"),
    ],
)
def test_an_amount_of_100_gives_three_coupons_of_30(system, race, ledger, limits, code):
    """C10: limits by amount and by day."""
    placement = making.placement(making.template(limits=limits, amount_fen=3000))
    statuses, answers = _claims(race, system, placement, [f"c{n}" for n in range(TOGETHER)])
    assert statuses.count(201) == 3
    assert {answer.code for answer in answers if answer.status == 409} == {code}
    ledger()


def test_a_budget_of_100_gives_three_coupons_of_30_over_all_its_templates(system, race, ledger):
    """C10, S6: the campaign's budget holds whatever template is claimed."""
    campaign = making.campaign(budget_fen=10000)
    placements = [making.placement(making.template(campaign, amount_fen=3000), of=campaign) for _ in range(3)]
    caller = system("issue")
    answers = race(
        TOGETHER, lambda n: caller.post(f"placements/{placements[n % 3].key}/claims/", {"customer": f"c{n}"})
    )
    assert [answer.status for answer in answers].count(201) == 3
    assert {answer.code for answer in answers if answer.status == 409} == {"budget_spent"}
    budget = Budget.objects.get(pk=campaign.budget_id)
    assert (budget.committed_fen, budget.spent_fen) == (9000, 0)
    ledger()


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"customer_count": 1}, "customer_limit"),
        ({"customer_fen": 3999}, "customer_limit"),
        ({"customer_daily_count": 1}, "customer_daily_limit"),
        ({"customer_daily_fen": 2000}, "customer_daily_limit"),
    ],
)
def test_one_customer_with_fifty_keys_gets_one(system, race, ledger, limits, code):
    """C10: per customer, and per customer and day."""
    placement = making.placement(making.template(limits=limits))
    answers = _fifty(race, system, placement, lambda n: f"key-{n}")
    assert sorted(answer.status for answer in answers) == [201] + [409] * 49
    assert {answer.code for answer in answers if answer.status == 409} == {code}
    ledger()


def test_one_key_fifty_times_has_one_effect_and_fifty_equal_answers(system, race, ledger):
    """U9: sent however often, done once."""
    placement = making.placement(making.template())
    answers = _fifty(race, system, placement, lambda n: "same")
    assert [answer.status for answer in answers] == [201] * 50
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert Coupon.objects.count() == 1
    ledger()


@pytest.mark.parametrize(
    ("terms", "code"),
    [({"newcomer": True}, "newcomer_coupon_held"), ({"exclusive_group": "spring"}, "exclusive_coupon_held")],
)
def test_of_templates_that_exclude_each_other_a_customer_gets_one(system, race, ledger, terms, code):
    """I10, I11: whatever the number of channels."""
    placements = [making.placement(making.template(**terms)) for _ in range(4)]
    caller = system("issue")
    answers = race(
        TOGETHER, lambda n: caller.post(f"placements/{placements[n % 4].key}/claims/", {"customer": "alice"})
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * (TOGETHER - 1)
    assert {answer.code for answer in answers if answer.status == 409} == {code}
    ledger()


def test_all_of_a_placement_and_single_claims_do_not_lock_each_other_out(system, race, ledger):
    """P11: templates and budgets are locked in one order, so nobody waits in a circle."""
    campaign = making.campaign(budget_fen=10_000_000)
    templates = [making.template(campaign) for _ in range(4)]
    together = making.placement(*reversed(templates), of=campaign, pick="all")
    alone = [making.placement(template, of=campaign) for template in templates]
    caller = system("issue")

    def some(n):
        placement = together if n % 2 else alone[n // 2 % 4]
        return [caller.post(f"placements/{placement.key}/claims/", {"customer": f"c{n}"}).status for _ in range(5)]

    assert {status for statuses in race(TOGETHER, some) for status in statuses} == {201}
    ledger()
