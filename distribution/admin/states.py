"""What time makes of campaigns and placements."""

from typing import Any

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from distribution.models import Campaign, Placement


class Phase(TextChoices):
    PLANNED = "planned", _("planned")
    RUNNING = "running", _("running")
    OVER = "over", _("over")


def phase_of(campaign: Campaign, now: Any = None) -> Phase:
    now = now or timezone.now()
    if now < campaign.starts_at:
        return Phase.PLANNED
    return Phase.OVER if now >= campaign.ends_at else Phase.RUNNING


#: A placement's own state; live ones as their campaign's time makes them.
PLACEMENT_STATES: dict[str, str | Promise] = {
    **dict(Placement.Status.choices),
    "waiting": _("live, campaign not started"),
    "over": _("campaign is over"),
}
PLACEMENT_CHIPS = {
    "draft": "",
    "live": "success",
    "paused": "warning",
    "ended": "danger",
    "waiting": "info",
    "over": "",
}


def placement_state(placement: Placement, now: Any = None) -> str:
    if placement.status != Placement.Status.LIVE:
        return placement.status
    match phase_of(placement.campaign, now):
        case Phase.PLANNED:
            return "waiting"
        case Phase.OVER:
            return "over"
    return placement.status


def waits_for(placement: Placement) -> list[str]:
    """What is to be known of a placement that gives nothing out at this moment; by whatever works with it."""
    state = placement_state(placement)
    if state == "live":
        return []
    return [
        gettext("Nothing is given out while its placement is not live. Now: %(state)s.")
        % {"state": PLACEMENT_STATES[state]}
    ]
