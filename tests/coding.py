"""Batches of codes for tests, made by the real job; and what is in them, as the first download would say it."""

from typing import Any

from coupons.tasks import run_job
from distribution import codes, minting
from distribution.models import CodeBatch, Placement
from tests import making


def placement(*templates: Any, **fields: Any) -> Placement:
    return making.placement(*(templates or (making.template(),)), form="code", **fields)


def batch(of: Placement | None = None, customers: list[str] | None = None, **said: Any) -> CodeBatch:
    """Three Latin codes, ready, unless told otherwise."""
    said = {"name": "地推卡", "code_count": 3, **said}
    made = minting.begin(CodeBatch(placement=of or placement(), **said), customers=customers, by=None)
    if made.job_id:
        run_job(made.job_id)
        made.refresh_from_db()
    return made


def whole(of: CodeBatch) -> list[str]:
    """Its codes in the order in which they were made; ``code\\tcustomer`` where they are for named customers."""
    sheets = of.sheets.order_by("number").values_list("number", "sealed")
    lines = [line for number, sealed in sheets for line in codes.unseal(of.pk, number, bytes(sealed))]
    return [f"{code}\t{customer}" if customer else code for code, customer in lines]
