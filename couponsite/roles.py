"""Who may do what: five groups, brought in step with this page after every migration.

Other rights than these belong into a group of another name; what is changed in these five comes back.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction

#: Rights beside add, change, delete and view, by model.
OWN_RIGHTS: dict[str, tuple[str, str]] = {
    "coupons.coupon": ("void", "Can void coupons"),
    "redemption.settledmonth": ("close", "Can close months"),
    "coupons.delivery": ("resend", "Can send deliveries again"),
    "distribution.codebatch": ("download", "Can download codes"),
    "distribution.message": ("resend", "Can send messages again"),
    "coupons.customer": ("import", "Can import files about customers"),
    "stats.report": ("oversee", "Can see everybody's reports"),
}
#: Lists that can be taken away as a file.
EXPORTED = (
    "coupons.coupontemplate",
    "coupons.audience",
    "coupons.customer",
    "coupons.coupon",
    "coupons.couponevent",
    "coupons.merchant",
    "distribution.campaign",
    "distribution.placement",
    "distribution.message",
    "redemption.order",
    "redemption.redemption",
    "redemption.settledmonth",
    "redemption.settlemententry",
    "stats.dayrollup",
)

_ALL = ("add", "change", "delete", "view")
_MAKES = ("add", "change", "view")
_READS = ("view",)

#: What campaigns are made of. Deleting is for drafts: the pages refuse it where money hangs on a thing.
_CAMPAIGNS = (
    "distribution.campaign",
    "distribution.placement",
    "distribution.offer",
    "distribution.claimpage",
    "distribution.claimlink",
    "distribution.triggerrule",
    "distribution.shareplan",
    "coupons.coupontemplate",
)
_EVENTS = ("distribution.inboundevent", "distribution.sharepacket")
#: The calendar.
_DAYS = ("coupons.toldday", "coupons.custom", "coupons.customday")
_PLANNED = ("coupons.audience", "coupons.area", "coupons.weather", "coupons.band", *_DAYS)
_RISK = ("distribution.block", "distribution.riskrule")
_NAMED = ("coupons.city", "coupons.category", "coupons.merchant")
_PEOPLE = ("coupons.customer", "coupons.customerline", "coupons.fact")
_COUPONS = ("coupons.coupon", "coupons.couponevent")
_SHOPS = ("redemption.shop", "redemption.clerk")
_MONEY = ("redemption.order", "redemption.redemption", "redemption.redemptionline")
_FIGURES = ("coupons.budget", "stats.dayrollup")
#: What is written to customers, and what was sent.
_MESSAGES = (
    "distribution.message",
    "distribution.messagetemplate",
    "distribution.reminderrule",
    "distribution.reminder",
    "distribution.optout",
)
#: Everybody who may start long work watches their own; administration sees all.
_WATCHES = ("coupons.job",)

_CODES = ("distribution.codebatch", "distribution.redemptioncode")
_BINDINGS = ("distribution.binding",)

Rights = Iterable[tuple[tuple[str, ...], tuple[str, ...]]]  # models, what may be done to them

ROLES: dict[str, Rights] = {
    "运营": (
        ((*_CAMPAIGNS, *_PLANNED, *_RISK), _ALL),
        (("distribution.messagetemplate", "distribution.reminderrule"), _ALL),
        (("distribution.reminder", "distribution.optout"), _READS),
        (("distribution.codebatch",), ("add", "download")),
        (("distribution.binding",), ("add", "view")),
        (_CODES, _READS),
        (_SHOPS, _MAKES),
        (("coupons.category", "coupons.merchant", "coupons.budget"), _MAKES),
        (("distribution.message",), ("view", "export", "resend")),
        ((*_NAMED, *_PEOPLE, *_COUPONS, *_FIGURES, *_WATCHES, *_EVENTS, "coupons.refusalcount"), _READS),
        (
            (
                "coupons.coupontemplate",
                "coupons.audience",
                "coupons.coupon",
                "distribution.campaign",
                "distribution.placement",
            ),
            ("export",),
        ),
        (("coupons.customer",), ("import",)),
        (("stats.rehearsal",), ("add", "delete", "view")),
        (("stats.effectreading",), ("add", "view")),
        (("stats.report",), _ALL),
    ),
    "审核": (
        (("stats.report",), _ALL),
        (("stats.rehearsal", "stats.effectreading"), ("add", "view")),
        (("coupons.coupontemplate",), ("approve", "export")),
        (_BINDINGS, _READS),
        (_CODES, _READS),
        ((*_CAMPAIGNS, *_PLANNED, *_RISK, *_NAMED, *_COUPONS, *_FIGURES, *_WATCHES, *_MESSAGES, *_EVENTS), _READS),
    ),
    "财务": (
        (("stats.report",), _ALL),
        (("redemption.settledmonth",), ("view", "close", "export")),
        (("redemption.settlemententry",), ("view", "add", "export")),
        (_BINDINGS, _READS),
        (_CODES, _READS),
        (_SHOPS, _READS),
        (("stats.rehearsal", "stats.effectreading"), _READS),
        ((*_CAMPAIGNS, *_NAMED, *_COUPONS, *_MONEY, *_FIGURES, *_WATCHES, *_MESSAGES, *_EVENTS), _READS),
        (
            (
                "coupons.coupontemplate",
                "coupons.coupon",
                "coupons.couponevent",
                "coupons.merchant",
                "distribution.campaign",
                "distribution.placement",
                "distribution.message",
                "redemption.order",
                "redemption.redemption",
                "stats.dayrollup",
            ),
            ("export",),
        ),
    ),
    "客服": (
        (("stats.report",), _READS),
        (_CODES, _READS),
        (_SHOPS, _READS),
        ((*_PEOPLE, *_COUPONS, *_MONEY, *_NAMED, *_EVENTS, "coupons.coupontemplate", "distribution.placement"), _READS),
        (_MESSAGES, _READS),
        (("distribution.optout",), ("add", "delete")),
        (("distribution.block",), _ALL),
        (("distribution.riskrule", "coupons.refusalcount"), _READS),
        (("coupons.coupon",), ("void",)),
        (("distribution.message",), ("resend",)),
    ),
}
EVERYTHING = "管理员"
EVERYTHING_OF = ("coupons", "distribution", "redemption", "stats", "auth", "axes")


def synchronise(using: str = "default", **_signal: Any) -> None:
    """Makes the rights and the groups, and gives each group exactly its rights. May be done again at any time."""
    with connections[using].cursor() as db:
        if "auth_group" not in connections[using].introspection.table_names(db):
            return  # migrated only in part
    with transaction.atomic(using=using):
        for label in EVERYTHING_OF:
            create_permissions(apps.get_app_config(label), verbosity=0, using=using)
        _make_own_rights(using)
        for name, rights in ROLES.items():
            _give(name, set(_ids(rights, using)), using)
        everything = Permission.objects.using(using).filter(content_type__app_label__in=EVERYTHING_OF)
        _give(EVERYTHING, set(everything.values_list("pk", flat=True)), using)


def _make_own_rights(using: str) -> None:
    wanted = [(model, word, name) for model, (word, name) in OWN_RIGHTS.items()]
    wanted += [(model, "export", f"Can export {apps.get_model(model)._meta.verbose_name_raw}") for model in EXPORTED]
    for model, word, name in wanted:
        Permission.objects.using(using).get_or_create(
            content_type=ContentType.objects.db_manager(using).get_for_model(apps.get_model(model)),
            codename=_codename(word, model),
            defaults={"name": name},
        )


def _codename(word: str, model: str) -> str:
    return f"{word}_{model.split('.')[1]}"


def _ids(rights: Rights, using: str) -> Iterator[int]:
    """:raises KeyError: there is no such right."""
    existing = {
        (label, codename): pk
        for label, codename, pk in Permission.objects.using(using).values_list(
            "content_type__app_label", "codename", "pk"
        )
    }
    for models, words in rights:
        for model in models:
            for word in words:
                yield existing[model.split(".")[0], _codename(word, model)]


def _give(name: str, wanted: set[int], using: str) -> None:
    group, _made = Group.objects.using(using).get_or_create(name=name)
    if set(group.permissions.values_list("pk", flat=True)) != wanted:
        group.permissions.set(wanted)
