"""How packets are cut is set by operations; what cannot be cut is said before anybody shares it."""

import pytest
from django.contrib.auth.models import Group, User

from distribution.models import Placement, SharePlan
from tests import making
from tests.stories.test_sharing import plan, share, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client):
    user = User.objects.create_user("ops", is_staff=True)
    user.groups.add(Group.objects.get(name="运营"))
    client.force_login(user)
    return client


def typed(placement, **more):
    return {"placement": placement.pk, "slots_count": "4", "pot_fen": "20", "split": "luck", "hours": "24", **more}


def test_a_plan_is_made_and_its_change_wants_approval_anew(desk):
    """P11, C12."""
    templates = [making.template(type="no_threshold", amount_fen=face) for face in (300, 500, 800)]
    placement = making.placement(*templates, channel="share", pick="random")
    assert desk.post("/admin/distribution/shareplan/add/", typed(placement)).status_code == 302
    made = SharePlan.objects.get()
    assert made.pot_fen == 2000
    assert Placement.objects.get().status == "draft"
    page = desk.get(f"/admin/distribution/shareplan/{made.pk}/change/").content.decode()
    assert "4位好友分¥20.00，每份在¥3.00到¥8.00之间" in page


@pytest.mark.parametrize(("pot", "sentence"), [("21.5", "凑不出"), ("100", "凑不出"), ("0", ""), ("x", "")])
def test_a_sum_that_cannot_be_made_is_said_at_its_field(desk, pot, sentence):
    placement = making.placement(making.template(type="no_threshold", amount_fen=500), channel="share")
    page = desk.post("/admin/distribution/shareplan/add/", typed(placement, pot_fen=pot))
    assert page.status_code == 200
    assert "pot_fen" in page.context["adminform"].form.errors
    assert sentence in page.content.decode()
    assert not SharePlan.objects.exists()


def test_what_became_of_a_packet_can_be_read(desk, system, customer, clock):
    made = plan()
    token = share(system("issue"), made).body["token"]
    take(customer("bob"), token)
    page = desk.get(f"/admin/distribution/sharepacket/{token}/change/").content.decode()
    assert "bob" in page
    assert "1 / 4" in desk.get("/admin/distribution/sharepacket/").content.decode()


def test_luck_shows_what_a_claim_costs_on_average(desk):
    """P11: ¥3 at weight 80, ¥8 at 18, ¥38 at 2."""
    faces = [(300, 80), (800, 18), (3800, 2)]
    offers = [(making.template(type="no_threshold", amount_fen=face), weight) for face, weight in faces]
    placement = making.placement(*offers, channel="share", pick="random")
    assert "¥4.60" in desk.get(f"/admin/distribution/placement/{placement.pk}/change/").content.decode()
