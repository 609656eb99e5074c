"""Where templates are offered, and what is wrong among the offers of one placement: told to the checker."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from coupons import checking
from coupons.checking import Case, Finding, Placed, Witness, advice
from coupons.models import CouponTemplate
from coupons.rules import Client
from distribution.models import Campaign, Offer, Placement

Channel = Placement.Channel
#: What customers hold in hand in channels that belong to one client.
CLIENTS = {
    Channel.WECHAT_FOLLOW: frozenset({Client.WECHAT.value, Client.MINI_PROGRAM.value}),
    Channel.OPEN_PLATFORM: frozenset({Client.OPEN_PLATFORM.value}),
}


def placed(offer: Offer) -> Placed:
    placement = offer.placement
    return Placed(
        key=placement.key,
        name=str(placement),
        audience=offer.audience,
        starts_at=placement.campaign.starts_at,
        ends_at=placement.campaign.ends_at,
        clients=CLIENTS.get(Channel(placement.channel), frozenset()),
    )


@checking.register_source
def offers_of(template: CouponTemplate) -> Iterator[Placed]:
    """Every placement that offers it and has not ended."""
    offers = Offer.objects.filter(template=template).exclude(placement__status=Placement.Status.ENDED)
    yield from map(placed, offers.select_related("placement__campaign", "audience"))


@checking.register
def neighbours(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """Offers of one placement that stand in each other's way."""
    if not case.placed.key or witness is None:
        return
    mine = case.template
    offers = list(
        Offer.objects.filter(placement__key=case.placed.key)
        .select_related("template", "placement", "audience")
        .order_by("position", "id")
    )
    ranks = [
        rank
        for rank, offer in enumerate(offers)
        if offer.template_id == mine.pk and offer.audience == case.placed.audience
    ]
    before = offers[: ranks[0]] if ranks else []
    for other in before:
        same_group = mine.exclusive_group is not None and mine.exclusive_group == other.template.exclusive_group
        both_new = mine.newcomer and other.template.newcomer
        if other.template_id != mine.pk and other.placement.pick == Placement.Pick.ALL and (same_group or both_new):
            field = "newcomer" if both_new else "exclusive_group"
            sentence = _("Whoever gets %(other)s by the same placement cannot get this one beside it.")
            yield Finding("excluded_by_neighbour", "warning", sentence % {"other": other.template}, (field,))
        elif (
            other.template_id != mine.pk and other.placement.pick == Placement.Pick.ALL and _only_one_first(mine, other)
        ):
            sentence = _("Whoever uses %(other)s of the same placement first is new no longer and cannot use this one.")
            field = "use_conditions.standing"
            yield Finding("no_longer_new", "warning", sentence % {"other": other.template}, (field,))
    if before and before[0].placement.pick == Placement.Pick.FIRST:
        open_to_all = [
            other
            for other in before
            if other.audience is None
            and not (other.template.claim_conditions or other.template.claim_cities or other.template.release)
        ]
        if open_to_all:
            yield Finding(
                "never_reached",
                "warning",
                _("%(other)s stands before it and suits everybody: this one is given only when that one is gone.")
                % {"other": open_to_all[0].template},
                ("offers",),
            )


def _only_one_first(mine: CouponTemplate, other: Offer) -> bool:
    """Both are for a first order alone, and one order does not take both."""
    groups = {mine.stack_group, other.template.stack_group}
    stacks = len(groups) == 2 and "exclusive" not in groups
    return not stacks and advice.for_new_alone(mine) and advice.for_new_alone(other.template)


def verdicts(placement: Placement) -> Iterator[tuple[Offer, checking.Verdict]]:
    """The checker's word on each of its offers, in their order."""
    offers = placement.offers.select_related("template__budget", "placement__campaign", "audience")
    for offer in offers.order_by("position", "id"):
        yield offer, checking.verdict(offer.template, placed(offer))


def accepted_before(offer: Offer, verdict: checking.Verdict) -> dict[str, Any]:
    """What the template's approval accepted, as far as it holds here: what only this placement makes of the template
    is another matter, of which that approval knew nothing."""
    said = offer.template.accepted_warnings
    if all(finding.code not in said for finding in verdict.warnings):
        return {}
    itself = checking.verdict(offer.template, checking.alone(offer.template))
    own = {(finding.code, finding.sentence) for finding in itself.warnings}
    others = {finding.code for finding in verdict.warnings if (finding.code, finding.sentence) not in own}
    return {code: one for code, one in said.items() if code not in others}


def unaccepted(placement: Placement) -> dict[str, str]:
    """Warnings that neither it nor the approval of the template has accepted: sentences by code."""
    said: dict[str, dict[str, None]] = {}
    for offer, verdict in verdicts(placement):
        known = {**accepted_before(offer, verdict), **placement.accepted_warnings}
        for finding in verdict.warnings:
            if finding.code not in known:
                said.setdefault(finding.code, {})[f"{offer.template}: {finding.sentence}"] = None
    return {code: " ".join(sentences) for code, sentences in said.items()}


def live_in(campaign: Campaign) -> QuerySet[CouponTemplate]:
    """Live templates that its period bounds: its own, and what its live placements offer."""
    mine = Q(budget=campaign.budget_id) | Q(
        offers__placement__campaign=campaign, offers__placement__status=Placement.Status.LIVE
    )
    return CouponTemplate.objects.filter(mine, status=CouponTemplate.Status.LIVE).distinct()
