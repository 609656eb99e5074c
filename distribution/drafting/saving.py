"""A document becomes a campaign: all of it or nothing, and nothing at all when it says what is there already."""

from math import inf
from typing import Literal, NamedTuple

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from coupons import approving
from coupons.editing import set_budget
from coupons.models import Audience, Budget, CouponTemplate
from coupons.refused import Invalid, Refused
from distribution.drafting import building, filling, naming
from distribution.drafting.document import Document
from distribution.drafting.draft import Draft
from distribution.drafting.filling import Locked
from distribution.models import Campaign
from distribution.queries.offered_where import live_in


class Saved(NamedTuple):
    campaign: Campaign
    outcome: Literal["created", "changed", "unchanged"]


def save(document: Document, *, may_approve: bool, by: User | None = None) -> Saved:
    """Make the campaign what the document says.

    ``may_approve``: whether the caller may let something go live, or change what is; ``by`` stands in the history,
    None where a system calls.

    :raises Invalid: with every field that makes no sense.
    :raises Refused: ``terms_frozen``, ``limit_below_issued``, ``budget_below_used``, ``state_forbids``,
        ``approval_needed``, ``second_approval_needed``, ``edited_meanwhile``.
    """
    try:
        with transaction.atomic():
            return _save(Draft(document, may_approve, by))
    except IntegrityError as problem:
        if isinstance(problem.__cause__, UniqueViolation):  # somebody made one of these by hand just now
            raise Refused("edited_meanwhile") from None
        raise


def _save(draft: Draft) -> Saved:
    locked = filling.lock(draft)
    campaign = locked.campaign or Campaign(key=draft.document.key, budget=Budget())
    with approving.making_sense(_leaning(draft, campaign)):
        _write(draft, campaign, locked)
    if draft.unapproved and not draft.may_approve:
        raise Refused("approval_needed", draft.unapproved)
    return Saved(campaign, "created" if locked.campaign is None else "changed" if draft.changed else "unchanged")


def _leaning(draft: Draft, campaign: Campaign) -> list[CouponTemplate]:
    """Live templates that lean on an audience, or on a period, that the document changes."""
    period = (draft.document.starts_at, draft.document.ends_at)
    found = list(live_in(campaign)) if campaign.pk and period != (campaign.starts_at, campaign.ends_at) else []
    there = Audience.objects.in_bulk([item.key for item in draft.document.audiences])
    for item in draft.document.audiences:
        if item.key in there and there[item.key].conditions != item.conditions:
            found += approving.asking_for(item.key)
    return found


def _write(draft: Draft, campaign: Campaign, locked: Locked) -> None:
    naming.save(draft)
    templates = filling.fill_templates(draft, campaign, locked.templates)
    placements = filling.fill_placements(draft, campaign, locked.placements)
    filling.look_at_offers(draft)
    if draft.errors:
        raise Invalid(draft.errors)

    building.write_campaign(draft, campaign)
    # Claims of several templates lock their supplies by id; so does this.
    for filled in sorted(templates, key=lambda filled: filled[1].pk or inf):
        building.write_template(draft, campaign, filled)
    for placed, placement in placements:
        building.write_placement(draft, campaign, placed, placement)
    if draft.errors:
        raise Invalid(draft.errors)
    if locked.campaign is not None and campaign.budget.limit_fen != draft.document.budget_fen:
        # The most shared row, last.
        campaign.budget = set_budget(campaign.budget, draft.document.budget_fen)
        draft.changed = True
