"""风控: what stands against giving anything to this customer, device or address, whatever the rules of the offer say.

The customer hears ``risk_refused`` and no more; which rule it was is counted. Where no rule is on, nobody is blocked
and no outside service is named, nothing is asked.
"""

import logging
from datetime import datetime
from typing import Protocol

from django.conf import settings

from coupons import calling
from coupons.refused import Refused
from distribution.models import Placement, RiskRule, Velocity
from distribution.queries.placements import CompiledPlacement

log = logging.getLogger(__name__)
#: Forms by which the company gives, not the customer takes.
_GIVEN = (Placement.Form.BIND, Placement.Form.TRIGGER)


class Whence(Protocol):
    @property
    def client(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...
    @property
    def device(self) -> str | None: ...
    @property
    def ip(self) -> str | None: ...


def ask_outside(placement: CompiledPlacement, customer: str, now: datetime, whence: Whence) -> None:
    """Asks the company's risk service, if one is named; its silence is answered as ``RISK_WHEN_SILENT`` says.

    :raises Refused: "risk_refused".
    """
    if not settings.RISK_URL or placement.row.form in _GIVEN:
        return
    told = {
        "customer": customer,
        "placement": placement.key,
        "channel": placement.row.channel,
        "client": whence.client,
        "city": whence.city,
        "device": whence.device,
        "ip": whence.ip,
        "at": now.isoformat(),
    }
    headers = {"Authorization": f"Bearer {settings.RISK_KEY}"} if settings.RISK_KEY else {}
    try:
        answer = calling.ask("POST", settings.RISK_URL, timeout=settings.RISK_TIMEOUT, json=told, headers=headers)
        said = calling.json_of(answer) if answer.status_code == 200 else None
        accepts = said.get("accept") if isinstance(said, dict) else None
    except calling.Unreachable as silent:
        log.warning("risk service: %s", silent)
        accepts = None
    if not isinstance(accepts, bool):
        if settings.RISK_WHEN_SILENT != "accept":
            raise Refused("risk_refused", cause="service_silent")
    elif not accepts:
        raise Refused("risk_refused", cause="service")


def forget_old(now: datetime) -> int:
    """Counts of windows that are over go; how many."""
    windows = dict(RiskRule.objects.values_list("pk", "minutes"))
    gone = 0
    for rule in Velocity.objects.values_list("rule_id", flat=True).distinct():
        seconds = windows.get(rule, 0) * 60
        begun = datetime.fromtimestamp(now.timestamp() - seconds, tz=now.tzinfo)
        gone += Velocity.objects.filter(rule_id=rule, window_at__lt=begun).delete()[0]
    return gone
