"""The campaign and what hangs below it: its templates, its placements, the tool of each."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from coupons import approving, editing, pictures
from coupons.models import CouponTemplate
from coupons.refused import Refused
from distribution import placing
from distribution.drafting.document import PageIn, PlacementIn, ShareIn, TriggerIn
from distribution.drafting.draft import PATHS, Draft
from distribution.drafting.filling import Filled
from distribution.models import Campaign, ClaimPage, MessageTemplate, Placement, SharePlan, TriggerRule

Moves = Mapping[str, tuple[tuple[str, ...], str]]
#: What placements work with, by its name in the document.
TOOLS: dict[str, type[Model]] = {"trigger": TriggerRule, "share": SharePlan, "page": ClaimPage}


def write_campaign(draft: Draft, campaign: Campaign) -> None:
    goal = draft.document.goal
    said: dict[str, Any] = {
        "name": draft.document.name,
        "goal_metric": goal.metric if goal else Campaign.Metric.REDEEMED,
        "goal_target": goal.target if goal else None,
        "starts_at": draft.document.starts_at,
        "ends_at": draft.document.ends_at,
    }
    if draft.document.control_percent is not None:
        said["control_percent"] = draft.document.control_percent
    if campaign.pk and all(getattr(campaign, field) == value for field, value in said.items()):
        return
    for field, value in said.items():
        setattr(campaign, field, value)
    if not campaign.pk:
        campaign.budget = editing.set_budget(campaign.budget, draft.document.budget_fen)
        campaign.owner = draft.by
    campaign.save()
    draft.changed = True


def write_template(draft: Draft, campaign: Campaign, filled: Filled) -> None:
    item, template, limits = filled
    version = template.version if template.pk else 0
    template.budget = campaign.budget
    try:
        # A system that may approve changes what is live at once; a person proposes it to somebody else.
        editing.save_template(template, limits, by=draft.by, may_approve=draft.may_approve and draft.by is None)
        changed = template.version != version
        way = _way(approving.MOVES, template.status, item.status or template.status)
        for move in way:
            if approving.NEEDS[move] == (approving.APPROVE,):
                draft.needs_approval("template", template.key)
            approving.move(template, move, by=draft.by, accepted=draft.accepted(item.key))
    except Refused as refused:
        reasons = [_about(template, reason) for reason in refused.reasons]
        if refused.code == "approval_needed" and not draft.may_approve:
            draft.unapproved += reasons
            return  # nothing will be kept
        if refused.code == "approval_needed" and draft.by is not None:
            own = _("Nobody approves a change of their own: propose it on the template's page, to be taken over there.")
            reasons = [{**reason, "detail": own} if "fields" in reason else reason for reason in reasons]
        raise Refused(refused.code, reasons) from None
    draft.changed = draft.changed or changed or bool(way)


def write_placement(draft: Draft, campaign: Campaign, item: PlacementIn, placement: Placement) -> None:
    target = item.status or placement.status
    ids = dict(
        CouponTemplate.objects.filter(key__in=[offer.template for offer in item.offers]).values_list("key", "id")
    )
    wanted = [(ids[offer.template], offer.audience, offer.weight) for offer in item.offers]
    placement.campaign = campaign
    accepted = draft.accepted(*(offer.template for offer in item.offers))
    seen = placing.last_record(placement) if placement.pk else None
    try:
        if seen is None or placing.differs(placement, wanted):
            placing.save(placement, wanted, may_approve=draft.may_approve, by=draft.by, accepted=accepted)
        for name, tool in (("trigger", item.trigger), ("share", item.share), ("page", item.page)):
            if tool is not None:
                _write_tool(draft, placement, name, tool)
        if draft.errors:
            return
        for move in _way(placing.MOVES, placement.status, target):
            if move in ("open", "resume"):
                draft.needs_approval("placement", placement.key)
            placing.move(placement, move, by=draft.by, accepted=accepted)
    except Refused as refused:
        reasons = [{**reason, "placement": placement.key} for reason in refused.reasons]
        raise Refused(refused.code, reasons, detail=refused.detail) from None
    draft.changed = draft.changed or placing.last_record(placement) != seen


def _write_tool(draft: Draft, placement: Placement, name: str, item: TriggerIn | ShareIn | PageIn) -> None:
    model = TOOLS[name]
    tool = model._default_manager.filter(placement=placement).first() or model()
    path = f"placements.{[one.key for one in draft.document.placements].index(placement.key)}.{name}"
    said = {**item.model_dump(), "placement": placement}
    if (picture := said.get("picture")) and not pictures.is_kept(picture):
        draft.wrong(f"{path}.picture", "unknown_key", _("There is no such picture here: upload it first."))
    if key := said.get("message"):
        said["message"] = MessageTemplate.objects.filter(key=key).first()
        if said["message"] is None:
            draft.wrong(f"{path}.message", "unknown_key", _("Unknown: %(keys)s.") % {"keys": key})
    if tool.pk and all(getattr(tool, field) == value for field, value in said.items()):
        return
    for field, value in said.items():
        setattr(tool, field, value)
    draft.check(tool, path, exclude=["placement"])
    if draft.errors:
        return
    draft.changed = True
    if isinstance(tool, TriggerRule | SharePlan):
        placing.save_tool(tool, may_approve=draft.may_approve, by=draft.by)
        placement.refresh_from_db(fields=["status"])
    else:
        tool._history_user = draft.by  # type: ignore[attr-defined]
        tool.save()


def _about(template: CouponTemplate, reason: Mapping[str, Any]) -> dict[str, Any]:
    """A reason in the document's words."""
    fields = {"fields": [PATHS.get(field, field) for field in reason["fields"]]} if "fields" in reason else {}
    return {**reason, "template": template.key, **fields}


def _way(moves: Moves, state: str, target: str) -> list[str]:
    """The moves from one state to another.  :raises Refused: ``state_forbids`` when none leads there."""
    ways: deque[tuple[str, list[str]]] = deque([(state, [])])
    seen = {state}
    while ways:
        here, way = ways.popleft()
        if here == target:
            return way
        for move, (sources, there) in moves.items():
            if here in sources and there not in seen:
                seen.add(there)
                ways.append((there, [*way, move]))
    raise Refused("state_forbids", state=state)
