"""The database goes away and comes back: a call that was under way is told so, the next ones go on."""

import os
import socket

import pytest
from django.db import connection

from tests import making
from tests.using import coupon, order

pytestmark = pytest.mark.django_db(transaction=True)


def shut_down() -> None:
    """As an administrator ends a connection."""
    pid = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()


def cut() -> None:
    """As a cable is cut."""
    with socket.socket(fileno=os.dup(connection.connection.pgconn.socket)) as line:
        line.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("lose", [shut_down, cut])
def test_a_lost_connection_is_one_503_and_the_next_call_goes_on(lose, system, ledger):
    placement = making.placement(making.template())
    caller = system("issue", "redeem", "read")
    one = coupon("bob")
    assert caller.post(f"placements/{placement.key}/claims/", {"customer": "alice"}).status == 201
    for path, body in [
        (f"placements/{placement.key}/claims/", {"customer": "alice"}),
        ("quotes/", {"order": order("o1", "bob")}),
        ("redemptions/", {"order": order("o1", "bob"), "coupons": [one], "capture": False}),
    ]:
        lose()
        lost = caller.post(path, body, once=path)
        assert (lost.status, lost.code) == (503, "busy"), (path, lost.body)
        again = caller.post(path, body, once=path)
        assert again.status in (200, 201), (path, again.body)
    held = again.body["id"]
    lose()
    assert caller.post(f"redemptions/{held}/capture/", once="c").status == 503
    assert caller.post(f"redemptions/{held}/capture/", once="c").status == 200
    lose()
    assert caller.post(f"redemptions/{held}/rollbacks/", once="r").status == 503
    assert caller.post(f"redemptions/{held}/rollbacks/", once="r").status == 200
    ledger()
