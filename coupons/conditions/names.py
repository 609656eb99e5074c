"""What cities, areas and the rest are called, kept in the process until the catalogue changes."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar, cast

from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from coupons.models import Category, City

#: More than these are counted, not named.
MOST_NAMED = 20

#: Business lines that most such companies have; others go by the name of the category with their key.
BUSINESS_LINES = {
    "ride": _("rides"),
    "food": _("food delivery"),
    "freight": _("freight"),
    "designated_driver": _("designated drivers"),
    "bike": _("bikes"),
    "hotel": _("hotels"),
    "grocery": _("groceries"),
    "errand": _("errands"),
}

_known: dict[tuple[type[Model], str], Any] = {}
_kept: dict[Hashable, Any] = {}
Made = TypeVar("Made")


def forget() -> None:
    """The catalogue changed: read everything anew."""
    _known.clear()
    _kept.clear()


def keep(name: Hashable, make: Callable[[], Made]) -> Made:
    """What conditions read of the catalogue's other rows, once per version."""
    if name not in _kept:
        _kept[name] = make()
    return cast(Made, _kept[name])


def called(model: type[Model], keys: Iterable[str]) -> list[str]:
    """Their names in the active language; a key that is gone is called by itself."""
    keys = list(keys)
    rows = {key: _known.get((model, key)) for key in keys}
    missing = [key for key, row in rows.items() if row is None]
    if missing:
        columns = ("name", "name_en") if model is City else ("name",)
        found = model._default_manager.only("pk", *columns).in_bulk(missing)
        rows.update(found)
        _known.update({(model, key): row for key, row in found.items()})
    return [str(rows[key] or key) for key in keys]


def line_called(key: str) -> str:
    """A business line's name within a sentence."""
    if key in BUSINESS_LINES:
        return str(BUSINESS_LINES[key])
    return called(Category, [key])[0]


def one_of(names: Iterable[str], last: str = "") -> str:
    """ "Shanghai, Hangzhou or Nanjing"; past twenty only their number. ``last``: what stands before the last one."""
    names = list(names)
    rest = len(names) - MOST_NAMED
    if rest > 0:
        return ngettext("%(names)s or %(rest)d other", "%(names)s or %(rest)d others", rest) % {
            "names": pgettext("between names", ", ").join(names[:MOST_NAMED]),
            "rest": rest,
        }
    return _joined(names, last or pgettext("before the last name", " or "))


def all_of(names: Iterable[str]) -> str:
    """ "07:00–09:00 and 17:00–19:00"."""
    return _joined(list(names), pgettext("before the last of all names", " and "))


def _joined(names: list[str], last: str) -> str:
    between = pgettext("between names", ", ")
    return last.join([between.join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
