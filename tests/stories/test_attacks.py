"""What somebody would try who wants more than is theirs, or who asks at the worst moment."""

import threading

import jwt
import pytest
from django.db import connections, transaction
from django.utils import timezone

from coupons.models import Customer, Supply
from coupons.queries import catalogue
from tests import making
from tests.conftest import Caller
from tests.database import until_waiting
from tests.races.test_storms import deadlocks
from tests.races.test_storms import document as storm_document
from tests.using import coupon, order


@pytest.mark.django_db
def test_a_template_offered_to_two_audiences_is_given_once(system, ledger):
    """P1: whoever belongs to both is not given two, and not refused for it."""
    template = making.template(limits={"customer_count": 1})
    audiences = [making.audience({}), making.audience({"order_count": {"max": 5}})]
    placement = making.placement(*[(template, audience) for audience in audiences], pick="all")
    answer = system("issue").post(f"placements/{placement.key}/claims/", {"customer": "alice"})
    assert answer.status == 201, answer.body
    assert len(answer.body["coupons"]) == 1
    ledger()


@pytest.mark.django_db(transaction=True)
def test_one_key_at_two_doors_that_wait_for_each_other_is_no_500(system, ledger):
    """A key belongs to one call; two calls with it at the same moment end in one effect and one refusal."""
    caller = system("issue", "redeem")
    one = coupon(newcomer=True)
    made = caller.post("redemptions/", {"order": order(), "coupons": [one]}).body
    placement = making.placement(making.template(newcomer=True))
    came = []

    def post(path, body):
        came.append(caller.post(path, body, once="same"))
        connections.close_all()

    threads = [
        threading.Thread(target=post, args=[f"placements/{placement.key}/claims/", {"customer": "alice"}]),
        threading.Thread(target=post, args=[f"redemptions/{made['id']}/rollbacks/", {}]),
    ]
    with transaction.atomic():  # so that the claim has the customer before the rollback, which has the key
        Customer.objects.select_for_update().get(key="alice")
        for number, thread in enumerate(threads, 1):
            thread.start()
            until_waiting(number)
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in came) in ([200, 422], [201, 422]), [answer.body for answer in came]
    ledger()


@pytest.mark.django_db(transaction=True)
def test_a_document_and_a_claim_of_several_templates_do_not_wait_for_each_other(system, ledger):
    """Both lock the templates' supplies in the order of ids, whatever the order in the document."""
    caller = system("issue", "manage", "approve")
    document = storm_document(60, timezone.now(), seconds=3600)
    assert caller.post("campaigns/", document).status == 201
    before = deadlocks()
    document["templates"].reverse()
    came = []

    def post(path, body):
        came.append(caller.post(path, body).status)
        connections.close_all()

    threads = [
        threading.Thread(target=post, args=["placements/all/claims/", {"customer": "alice"}]),
        threading.Thread(target=post, args=["campaigns/", document]),
    ]
    with transaction.atomic():
        Supply.objects.select_for_update(of=("self",)).get(template__key="t2")  # both will want it, and more
        for number, thread in enumerate(threads, 1):
            thread.start()
            until_waiting(number)
    for thread in threads:
        thread.join()
    assert sorted(came) == [200, 201]
    assert deadlocks() == before
    ledger()


@pytest.mark.django_db
def test_placements_that_nobody_has_are_not_found_and_not_remembered(system):
    """Anybody may ask for anything: neither a 500 nor a process that grows with every question."""
    caller = system("issue")
    book = catalogue.current()
    for key in ("%00", "a%00b", "nobody-1", "nobody-2", "x" * 3000, "' OR 1=1 --", "%25s"):
        assert caller.post(f"placements/{key}/claims/", {"customer": "alice"}).status == 404
    assert "nobody" not in repr(catalogue.current()._kept) + repr(book._kept)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "claims", [{"exp": 10**400}, {"exp": [1]}, {"sub": ["alice"]}, {"sub": "a\0"}, {"nbf": 10**12}]
)
def test_a_token_that_says_something_absurd_is_invalid(customer, claims):
    assert customer("alice", **claims).get("coupons/").code == "token_invalid"


@pytest.mark.django_db
def test_a_token_that_is_not_signed_as_settled_is_invalid(customer, settings):
    """Neither unsigned, nor by another algorithm, nor by another key."""
    claims = {"sub": "alice", "iss": settings.CUSTOMER_JWT_ISSUER, "aud": settings.CUSTOMER_JWT_AUDIENCE, "exp": 10**10}
    for key, algorithm in [
        ("", "none"),
        (settings.CUSTOMER_JWT_KEY, "HS512"),
        ("another key, long enough: " * 4, "HS256"),
    ]:
        caller = Caller("", {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm=algorithm)}"})
        assert caller.get("coupons/").code == "token_invalid"
