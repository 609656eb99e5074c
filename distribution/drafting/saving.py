"""A document becomes a campaign: all of it or nothing, and nothing at all when it says what is there already."""

from base64 import b64decode
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date
from math import inf
from typing import Any, Literal, NamedTuple, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from coupons import approving, pictures, rules
from coupons.conditions.audiences import circle, leading_to, named_by
from coupons.editing import save_template, set_budget
from coupons.models import Area, Audience, Budget, Category, CouponTemplate, Custom, CustomDay, Merchant, Supply
from coupons.models.checks import check_worst_case
from coupons.models.places import Named
from coupons.refused import SENTENCES, Invalid, Refused
from distribution import placing
from distribution.drafting.document import (
    AudienceIn,
    CustomDayIn,
    Document,
    NamedIn,
    PageIn,
    PlacementIn,
    ShareIn,
    TemplateIn,
    TriggerIn,
)
from distribution.models import Campaign, ClaimPage, MessageTemplate, Offer, Placement, SharePlan, TriggerRule
from distribution.queries.offered_where import live_in

Limits = Mapping[str, int | None]
Moves = Mapping[str, tuple[tuple[str, ...], str]]
NamedRow = TypeVar("NamedRow", bound=Named)

#: What placements work with, by its name in the document.
TOOLS: dict[str, type[Model]] = {"trigger": TriggerRule, "share": SharePlan, "page": ClaimPage}

#: Columns of a template that the document calls otherwise.
PATHS = {
    "validity_type": "validity.type",
    "valid_days": "validity.days",
    "starts_after_days": "validity.starts_after_days",
    "valid_from": "validity.starts_at",
    "valid_until": "validity.ends_at",
    "merchant_percent": "cost.merchant_percent",
    "merchant_fen": "cost.merchant_fen",
}


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
            return _Saving(document, may_approve, by).run()
    except IntegrityError as problem:
        if isinstance(problem.__cause__, UniqueViolation):  # somebody made one of these by hand just now
            raise Refused("edited_meanwhile") from None
        raise


class _Saving:
    def __init__(self, document: Document, may_approve: bool, by: User | None) -> None:
        self.document, self.may_approve, self.by = document, may_approve, by
        self.errors: list[dict[str, Any]] = []
        self.changed = False
        #: What would go live, or change while live.
        self.unapproved: list[dict[str, Any]] = []

    def wrong(self, field: str, code: str, detail: str) -> None:
        self.errors.append({"field": field, "code": code, "detail": detail})

    def run(self) -> Saved:
        campaign = self.lock()
        created = campaign is None
        campaign = campaign or Campaign(key=self.document.key, budget=Budget())
        with approving.making_sense(self.leaning(campaign)):
            self.write(campaign, created)
        if self.unapproved and not self.may_approve:
            raise Refused("approval_needed", self.unapproved)
        return Saved(campaign, "created" if created else "changed" if self.changed else "unchanged")

    def leaning(self, campaign: Campaign) -> list[CouponTemplate]:
        """Live templates that lean on an audience, or on a period, that the document changes."""
        period = (self.document.starts_at, self.document.ends_at)
        found = list(live_in(campaign)) if campaign.pk and period != (campaign.starts_at, campaign.ends_at) else []
        there = Audience.objects.in_bulk([item.key for item in self.document.audiences])
        for item in self.document.audiences:
            if item.key in there and there[item.key].conditions != item.conditions:
                found += approving.asking_for(item.key)
        return found

    def write(self, campaign: Campaign, created: bool) -> None:
        self.save_named(Category, self.document.categories)
        self.save_named(Merchant, self.document.merchants)
        self.save_named(Area, self.document.areas, "geojson")
        self.save_customs()
        self.save_audiences()
        self.save_messages()
        self.save_pictures()
        templates = self.read_templates(campaign)
        placements = self.read_placements(campaign)
        self.read_offers()
        if self.errors:
            raise Invalid(self.errors)

        self.save_campaign(campaign)
        # Claims of several templates lock their supplies by id; so does this.
        for item, template, limits in sorted(templates, key=lambda read: read[1].pk or inf):
            self.save_template(campaign, item, template, limits)
        for placed, placement in placements:
            self.save_placement(campaign, placed, placement)
        if self.errors:
            raise Invalid(self.errors)
        if not created and campaign.budget.limit_fen != self.document.budget_fen:
            # The most shared row, last.
            campaign.budget = set_budget(campaign.budget, self.document.budget_fen)
            self.changed = True

    # --- before anything is written ----------------------------------------------------------------------------------

    def lock(self) -> Campaign | None:
        """Documents go one after the other; rows in the order in which everybody locks them."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('campaign document', 0))")
        locked = Campaign.objects.select_for_update(no_key=True, of=("self",)).select_related("budget")
        campaign = locked.filter(key=self.document.key).first()
        self.templates = _locked(CouponTemplate, [item.key for item in self.document.templates])
        self.placements = _locked(Placement, [item.key for item in self.document.placements])
        return campaign

    def read_templates(self, campaign: Campaign) -> list[tuple[TemplateIn, CouponTemplate, Limits]]:
        read = []
        categories = _known(Category, (item.category for item in self.document.templates))
        merchants = _known(Merchant, (item.merchant for item in self.document.templates))
        for place, item in enumerate(self.document.templates):
            path = f"templates.{place}"
            template = self.templates.get(item.key) or CouponTemplate(key=item.key)
            if template.pk and (not campaign.pk or template.budget_id != campaign.budget_id):
                self.wrong(f"{path}.key", "other_campaign", _("Another campaign has one of this key."))
                continue
            for field, known in (("category", categories), ("merchant", merchants)):
                key = getattr(item, field)
                setattr(template, f"{field}_id", key if key in known else None)
                if key is not None and key not in known:
                    self.wrong(f"{path}.{field}", "unknown_key", _("Unknown: %(keys)s.") % {"keys": key})
            _fill(template, item)
            limits: Limits = item.limits.model_dump() if item.limits else dict.fromkeys(Supply.LIMITS)
            self.check(template, path, exclude=["budget"], more=check_worst_case(template, limits, self.budget_fen))
            read.append((item, template, limits))
        if campaign.pk and self.budget_fen is not None:
            uncapped = CouponTemplate.objects.filter(
                budget=campaign.budget_id, type=CouponTemplate.Type.PERCENT_OFF, cap_fen__isnull=True
            ).exclude(key__in=[item.key for item in self.document.templates])
            for key in uncapped.values_list("key", flat=True):
                sentence = _("%(template)s takes off a percentage without a cap; that cannot sit under a budget.")
                self.wrong("budget_fen", "uncapped", sentence % {"template": key})
        return read

    def read_placements(self, campaign: Campaign) -> list[tuple[PlacementIn, Placement]]:
        read = []
        for place, item in enumerate(self.document.placements):
            path = f"placements.{place}"
            placement = self.placements.get(item.key) or Placement(key=item.key)
            if placement.pk and (not campaign.pk or placement.campaign_id != campaign.pk):
                self.wrong(f"{path}.key", "other_campaign", _("Another campaign has one of this key."))
                continue
            placement.channel, placement.form, placement.pick = item.channel, item.form, item.pick
            if item.title is not None:
                placement.title = item.title
            self.check(placement, path, exclude=["campaign"])
            read.append((item, placement))
        return read

    def read_offers(self) -> None:
        """Names that are neither in the document nor known."""
        offers = [offer for placement in self.document.placements for offer in placement.offers]
        known = {
            "template": {item.key for item in self.document.templates}
            | _known(CouponTemplate, (offer.template for offer in offers), "key"),
            "audience": {item.key for item in self.document.audiences}
            | _known(Audience, (offer.audience for offer in offers)),
        }
        for place, placement in enumerate(self.document.placements):
            for number, offer in enumerate(placement.offers):
                for field, keys in known.items():
                    key = getattr(offer, field)
                    if key is not None and key not in keys:
                        path = f"placements.{place}.offers.{number}.{field}"
                        self.wrong(path, "unknown_key", _("Unknown: %(keys)s.") % {"keys": key})

    def check(
        self,
        row: Model,
        path: str,
        exclude: list[str],
        more: Mapping[str, list[ValidationError]] | None = None,
    ) -> None:
        try:
            row.full_clean(exclude=exclude)
            found: dict[str, list[ValidationError]] = {}
        except ValidationError as invalid:
            found = dict(invalid.error_dict)
        for field, problems in (*found.items(), *(more or {}).items()):
            name = "" if field == "__all__" else f".{PATHS.get(field, field)}"
            for problem in problems:
                for sentence in problem.messages:
                    self.wrong(f"{path}{name}", problem.code or "invalid", sentence)

    @property
    def budget_fen(self) -> int | None:
        return self.document.budget_fen

    # --- names ---------------------------------------------------------------------------------------------------

    def save_named(self, model: type[NamedRow], items: Iterable[NamedIn], *more: str) -> None:
        """Created, renamed or left alone."""
        there = model._default_manager.in_bulk([item.key for item in items])
        for item in items:
            self.save_changed(there.get(item.key) or model(key=item.key), item, ("name", *more))

    def save_changed(self, row: Named, item: object, fields: Iterable[str]) -> bool:
        changed = [field for field in fields if getattr(row, field) != getattr(item, field)]
        for field in changed:
            setattr(row, field, getattr(item, field))
        if changed:
            row.save()
            self.changed = True
        return bool(changed)

    def save_customs(self) -> None:
        self.save_named(Custom, self.document.customs)
        for place, item in enumerate(self.document.customs):
            if item.days is None:
                continue
            wanted = [CustomDay(custom_id=item.key, city_id=day.city, **_dates(day)) for day in item.days]
            there = CustomDay.objects.filter(custom=item.key)
            if _days_of(there) == _days_of(wanted):
                continue
            for number, day in enumerate(wanted):
                self.check(day, f"customs.{place}.days.{number}", exclude=["custom"])
            if not self.errors:
                there.delete()
                CustomDay.objects.bulk_create(wanted)
                self.changed = True

    def save_audiences(self) -> None:
        there = Audience.objects.in_bulk([item.key for item in self.document.audiences])
        for place, item in self.audiences_by_need():
            try:
                cleaned = rules.clean(item.conditions)
            except rules.InvalidRules as invalid:
                for path, code, sentence in invalid.errors:
                    self.wrong(f"audiences.{place}.conditions{path and '.'}{path}", code, sentence)
                continue
            if way := circle(item.key, cleaned):
                sentence = _("An audience cannot lead back to itself: %(way)s.") % {"way": " → ".join(way)}
                self.wrong(f"audiences.{place}.conditions.audiences", "circle", sentence)
                continue
            audience = there.get(item.key) or Audience(key=item.key)
            before = audience.conditions
            self.save_changed(audience, item.model_copy(update={"conditions": cleaned}), ("name", "conditions"))
            if before != cleaned and _is_at_work(item.key):
                self.needs_approval("audience", item.key)

    def audiences_by_need(self) -> list[tuple[int, AudienceIn]]:
        """With their places; each after those of the document that it names, as far as that is possible."""
        left = dict(enumerate(self.document.audiences))
        ordered: list[tuple[int, AudienceIn]] = []
        while left:
            waiting = {item.key for item in left.values()}
            ready = [place for place, item in left.items() if waiting.isdisjoint(_named(item) - {item.key})]
            for place in ready or list(left):
                ordered.append((place, left.pop(place)))
        return ordered

    def save_messages(self) -> None:
        there = {
            row.key: row for row in MessageTemplate.objects.filter(key__in=[m.key for m in self.document.messages])
        }
        for place, item in enumerate(self.document.messages):
            message = there.get(item.key) or MessageTemplate(key=item.key)
            said = item.model_dump()
            if message.pk and all(getattr(message, field) == value for field, value in said.items()):
                continue
            for field, value in said.items():
                setattr(message, field, value)
            self.check(message, f"messages.{place}", exclude=[])
            if not self.errors:
                message.save()
                self.changed = True

    def save_pictures(self) -> None:
        """Files have no way back; one that nothing names does no harm."""
        for place, item in enumerate(self.document.pictures):
            try:
                pictures.restore(item.address, b64decode(item.data, validate=True))
            except ValueError:
                self.wrong(f"pictures.{place}.data", "invalid_format", _("Not in base64."))
            except ValidationError as invalid:
                self.wrong(f"pictures.{place}.data", str(invalid.code), invalid.messages[0])

    # --- the campaign and what hangs below it ----------------------------------------------------------------------

    def save_campaign(self, campaign: Campaign) -> None:
        goal = self.document.goal
        said: dict[str, Any] = {
            "name": self.document.name,
            "goal_metric": goal.metric if goal else Campaign.Metric.REDEEMED,
            "goal_target": goal.target if goal else None,
            "starts_at": self.document.starts_at,
            "ends_at": self.document.ends_at,
        }
        if self.document.control_percent is not None:
            said["control_percent"] = self.document.control_percent
        if campaign.pk and all(getattr(campaign, field) == value for field, value in said.items()):
            return
        for field, value in said.items():
            setattr(campaign, field, value)
        if not campaign.pk:
            campaign.budget = set_budget(campaign.budget, self.budget_fen)
            campaign.owner = self.by
        campaign.save()
        self.changed = True

    def save_template(self, campaign: Campaign, item: TemplateIn, template: CouponTemplate, limits: Limits) -> None:
        version = template.version if template.pk else 0
        template.budget = campaign.budget
        try:
            save_template(template, limits, by=self.by, may_approve=self.may_approve)
            changed = template.version != version
            way = _way(approving.MOVES, template.status, item.status or template.status)
            for move in way:
                if approving.NEEDS[move] == (approving.APPROVE,):
                    self.needs_approval("template", template.key)
                approving.move(template, move, by=self.by, accepted=self.accepted(item.key))
        except Refused as refused:
            reasons = [_about(template, reason) for reason in refused.reasons]
            if refused.code == "approval_needed" and not self.may_approve:
                self.unapproved += reasons
                return  # nothing will be kept
            raise Refused(refused.code, reasons) from None
        self.changed = self.changed or changed or bool(way)

    def save_placement(self, campaign: Campaign, item: PlacementIn, placement: Placement) -> None:
        target = item.status or placement.status
        ids = dict(
            CouponTemplate.objects.filter(key__in=[offer.template for offer in item.offers]).values_list("key", "id")
        )
        wanted = [(ids[offer.template], offer.audience, offer.weight) for offer in item.offers]
        placement.campaign = campaign
        accepted = self.accepted(*(offer.template for offer in item.offers))
        seen = placing.last_record(placement) if placement.pk else None
        try:
            if seen is None or placing.differs(placement, wanted):
                placing.save(placement, wanted, may_approve=self.may_approve, by=self.by, accepted=accepted)
            for name, tool in (("trigger", item.trigger), ("share", item.share), ("page", item.page)):
                if tool is not None:
                    self.save_tool(placement, name, tool)
            if self.errors:
                return
            for move in _way(placing.MOVES, placement.status, target):
                if move in ("open", "resume"):
                    self.needs_approval("placement", placement.key)
                placing.move(placement, move, by=self.by, accepted=accepted)
        except Refused as refused:
            reasons = [{**reason, "placement": placement.key} for reason in refused.reasons]
            raise Refused(refused.code, reasons, detail=refused.detail) from None
        self.changed = self.changed or placing.last_record(placement) != seen

    def save_tool(self, placement: Placement, name: str, item: TriggerIn | ShareIn | PageIn) -> None:
        model = TOOLS[name]
        tool = model._default_manager.filter(placement=placement).first() or model()
        path = f"placements.{[one.key for one in self.document.placements].index(placement.key)}.{name}"
        said = {**item.model_dump(), "placement": placement}
        if (picture := said.get("picture")) and not pictures.is_kept(picture):
            self.wrong(f"{path}.picture", "unknown_key", _("There is no such picture here: upload it first."))
        if key := said.get("message"):
            said["message"] = MessageTemplate.objects.filter(key=key).first()
            if said["message"] is None:
                self.wrong(f"{path}.message", "unknown_key", _("Unknown: %(keys)s.") % {"keys": key})
        if tool.pk and all(getattr(tool, field) == value for field, value in said.items()):
            return
        for field, value in said.items():
            setattr(tool, field, value)
        self.check(tool, path, exclude=["placement"])
        if self.errors:
            return
        self.changed = True
        if isinstance(tool, TriggerRule | SharePlan):
            placing.save_tool(tool, may_approve=self.may_approve, by=self.by)
            placement.refresh_from_db(fields=["status"])
        else:
            tool._history_user = self.by  # type: ignore[attr-defined]
            tool.save()

    def accepted(self, *templates: str) -> approving.Accepted:
        """What the document accepts of the checker's warnings; None: it does not speak of them, so they pass."""
        said = self.document.accepted_warnings
        return None if said is None else {code: why for key in templates for code, why in said.get(key, {}).items()}

    def needs_approval(self, kind: str, key: str) -> None:
        self.unapproved.append({"code": "approval_needed", "detail": SENTENCES["approval_needed"], kind: key})


def _dates(day: CustomDayIn) -> dict[str, date]:
    return {"first_date": day.first_date, "last_date": day.last_date}


def _days_of(days: Iterable[CustomDay]) -> list[tuple[date, date, str]]:
    return sorted((day.first_date, day.last_date, day.city_id or "") for day in days)


def _is_at_work(audience: str) -> bool:
    """Whether something live asks for it, if only through other audiences."""
    asking = leading_to(audience)
    live = CouponTemplate.objects.filter(status=CouponTemplate.Status.LIVE, claim_conditions__has_key="audiences")
    return Offer.objects.filter(audience__in=asking, placement__status=Placement.Status.LIVE).exists() or any(
        not asking.isdisjoint(named_by(conditions)) for conditions in live.values_list("claim_conditions", flat=True)
    )


def _named(item: AudienceIn) -> set[str]:
    """The audiences that it names, before anybody has looked whether it makes sense."""
    answers = item.conditions.get("audiences")
    sides = [answers.get(side) for side in ("any_of", "none_of")] if isinstance(answers, dict) else []
    return {key for side in sides if isinstance(side, list) for key in side if isinstance(key, str)}


def _about(template: CouponTemplate, reason: Mapping[str, Any]) -> dict[str, Any]:
    """A reason in the document's words."""
    fields = {"fields": [PATHS.get(field, field) for field in reason["fields"]]} if "fields" in reason else {}
    return {**reason, "template": template.key, **fields}


def _fill(template: CouponTemplate, item: TemplateIn) -> None:
    """All that the document says of it but names of other rows, limits and state."""
    for field in ("internal_name", "name", "type", "amount_fen", "threshold_fen", "percent_off", "cap_fen"):
        setattr(template, field, getattr(item, field))
    for field in ("newcomer", "exclusive_group", "returns_on_rollback"):
        setattr(template, field, getattr(item, field))
    template.validity_type = item.validity.type
    template.valid_days = item.validity.days
    template.starts_after_days = item.validity.starts_after_days or 0
    template.valid_from, template.valid_until = item.validity.starts_at, item.validity.ends_at
    template.release = item.release.model_dump(mode="json", exclude_none=True) if item.release else {}
    template.claim_cities = list(dict.fromkeys(item.claim_cities or ()))
    template.merchant_percent = item.cost.merchant_percent if item.cost else None
    template.merchant_fen = item.cost.merchant_fen if item.cost else None
    template.stack_group = item.stack_group or "order"
    template.claim_conditions, template.use_conditions = item.claim_conditions or {}, item.use_conditions or {}
    template.reversal = item.reversal or {}
    template.scope = item.scope.model_dump(exclude_none=True) if item.scope else {}
    if item.looks is not None:
        template.looks = item.looks


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


def _locked(model: type[Model], keys: list[str]) -> dict[str, Any]:
    rows = model._default_manager.select_for_update(no_key=True).filter(key__in=keys).order_by("id")
    return {row.key: row for row in rows}  # type: ignore[attr-defined]


def _known(model: type[Model], keys: Iterable[str | None], column: str = "pk") -> set[str]:
    asked = {key for key in keys if key is not None}
    return set(model._default_manager.filter(**{f"{column}__in": asked}).values_list(column, flat=True))
