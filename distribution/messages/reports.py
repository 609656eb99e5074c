"""What providers report later: a message arrived on the phone, or did not. A report settles what was unclear, too."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q

from distribution.models import Message

Status = Message.Status


class Report(NamedTuple):
    """``receipt``: the provider's; ``reference``: ours, where it comes back; ``why``: of what did not arrive."""

    receipt: str
    reference: str
    arrived: bool
    why: str


def aliyun(rows: Iterable[Mapping[str, Any]]) -> Iterator[Report]:
    """SmsReport: help.aliyun.com/zh/sms/developer-reference/smsreport."""
    for row in rows:
        arrived = row.get("success") in (True, "true")
        why = "" if arrived else f"{row.get('err_code', '')} {row.get('err_msg', '')}".strip()
        yield Report(str(row.get("biz_id") or ""), str(row.get("out_id") or ""), arrived, why)


def tencent(rows: Iterable[Mapping[str, Any]]) -> Iterator[Report]:
    """cloud.tencent.com/document/product/382/52077."""
    for row in rows:
        arrived = row.get("report_status") == "SUCCESS"
        why = "" if arrived else f"{row.get('errmsg', '')} {row.get('description', '')}".strip()
        yield Report(str(row.get("sid") or ""), "", arrived, why)


#: By provider: how its reports are read, and what it wants to hear.
READERS = {"aliyun": (aliyun, {"code": 0, "msg": "OK"}), "tencent": (tencent, {"result": 0, "errmsg": "OK"})}


def take(gateway: str, reports: Iterable[Report], *, now: datetime) -> int:
    """How many messages were settled; told twice, nothing changes. What arrived stays so, whatever is told later."""
    settled = 0
    for report in reports:
        which = Q(pk__in=[])
        if report.receipt:
            which |= Q(receipt=report.receipt, gateway=gateway)
        number = report.reference.removeprefix("m")
        if report.reference.startswith("m") and number.isascii() and number.isdigit() and len(number) < 19:
            which |= Q(pk=int(number), gateway__in=("", gateway))
        settled += (
            Message.objects.filter(which, status__in=(Status.SENT, Status.UNCLEAR))
            .exclude(arrived=True)
            .update(status=Status.SENT, arrived=report.arrived, why=report.why[:200], reported_at=now)
        )
    return settled
