"""The lines of a binding, one for each account, gone through in chunks."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from distribution.models import Binding
from distribution.queries.placements import CompiledPlacement

#: Accounts in one transaction.
CHUNK = 10_000
MOST = 1_000_000

#: A luck of its own for each account and binding, the same however often the chunk is tried.
OPEN = """
SELECT number, customer_id, (hashint8extended(number, %s) >> 1) %% %s FROM distribution_bindingline
 WHERE binding_id = %s AND number > %s AND number <= %s AND customer_id IS NOT NULL ORDER BY number
"""


def chunk(binding: Binding, placement: CompiledPlacement, first: int) -> list[tuple[int, int, int]]:
    """Number, customer and luck of the accounts after the ``first``."""
    total = max(1, sum(offer.weight for offer in placement.offers))
    return rows(OPEN, (binding.pk, total, binding.pk, first, first + CHUNK))


def given(binding: Binding, first: int) -> set[int]:
    """Customers of the chunk who have something by now."""
    return {
        customer
        for (customer,) in rows(
            "SELECT customer_id FROM distribution_bindingline"
            " WHERE binding_id = %s AND number > %s AND number <= %s AND coupons > 0",
            (binding.pk, first, first + CHUNK),
        )
    }


def run(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def rows(sql: str, parameters: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
