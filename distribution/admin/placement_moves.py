"""Buttons that move a placement from draft to its end, and what they say before."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.admin.moving import Move
from coupons.admin.warnings_form import form_of
from coupons.models import CouponTemplate
from distribution import placing
from distribution.admin.rights import APPROVES, CHANGES
from distribution.admin.states import phase_of
from distribution.models import Placement
from distribution.queries import offered_where


def _opening_says(placement: Placement) -> list[str]:
    campaign = placement.campaign
    start, end = (f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" for moment in (campaign.starts_at, campaign.ends_at))
    said = [
        {
            "planned": _("It gives out coupons from %(start)s on, when its campaign starts.") % {"start": start},
            "running": _("It gives out coupons from now on, until its campaign ends on %(end)s.") % {"end": end},
            "over": _("Its campaign ended on %(end)s: nothing is given out.") % {"end": end},
        }[phase_of(campaign)]
    ]
    offers = list(placement.offers.select_related("template"))
    resting = [str(offer.template) for offer in offers if offer.template.status != CouponTemplate.Status.LIVE]
    said[:0] = [
        f"{offer.template}: {finding.sentence}"
        for offer, verdict in offered_where.verdicts(placement)
        for finding in verdict.errors
    ]
    if not offers:
        said.append(_("It offers nothing yet."))
    if resting:
        said.append(
            _("Not live themselves, so not given out for now: %(templates)s.") % {"templates": ", ".join(resting)}
        )
    return said


def _warnings(placement: Placement) -> Any:
    return form_of(offered_where.unaccepted(placement))


_STAYS = gettext_lazy("Coupons that were given out stay with their customers and can be used.")


def _move(name: str) -> Any:
    def act(placement: Placement, request: HttpRequest, answers: dict[str, Any]) -> Placement:
        return placing.move(placement, name, by=request.user, accepted=answers)  # type: ignore[arg-type]

    return act


def _possible(name: str) -> Any:
    return lambda placement: placing.possible(placement, name)


MOVES = (
    Move(
        "open",
        gettext_lazy("Let it go live"),
        gettext_lazy("Let this placement go live?"),
        (APPROVES,),
        _possible("open"),
        _opening_says,
        _move("open"),
        gettext_lazy("The placement is live."),
        icon="rocket_launch",
        main=True,
        asks=_warnings,
    ),
    Move(
        "pause",
        gettext_lazy("Pause"),
        gettext_lazy("Pause this placement?"),
        (APPROVES, CHANGES),
        _possible("pause"),
        lambda placement: [_("Nobody can claim from it while it is paused."), str(_STAYS), _("It can be resumed.")],
        _move("pause"),
        gettext_lazy("Paused."),
        icon="pause",
    ),
    Move(
        "resume",
        gettext_lazy("Resume"),
        gettext_lazy("Resume this placement?"),
        (APPROVES,),
        _possible("resume"),
        _opening_says,
        _move("resume"),
        gettext_lazy("Resumed; the placement is live."),
        icon="play_arrow",
        main=True,
        asks=_warnings,
    ),
    Move(
        "end",
        gettext_lazy("End"),
        gettext_lazy("End this placement for good?"),
        (APPROVES, CHANGES),
        _possible("end"),
        lambda placement: [_("Nobody can claim from it any more, and this cannot be undone."), str(_STAYS)],
        _move("end"),
        gettext_lazy("Ended."),
        icon="stop",
        danger=True,
    ),
)
