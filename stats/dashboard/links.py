"""Addresses of admin pages that the operator may open; empty where there is none for them."""

import datetime as dt
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from stats.queries.counting import SEEN
from stats.queries.opening import KINDS_OF


def _desk(model: type[Model]) -> admin.ModelAdmin | None:
    try:
        return admin.site.get_model_admin(model)
    except NotRegistered:
        return None


def page_of(request: HttpRequest, thing: Model) -> str:
    desk, meta = _desk(type(thing)), thing._meta
    if desk is None or not desk.has_view_permission(request):
        return ""
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[thing.pk])


def list_of(request: HttpRequest, model: type[Model]) -> str:
    desk, meta = _desk(model), model._meta
    if desk is None or not desk.has_view_permission(request):
        return ""
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def form_for(request: HttpRequest, model: type[Model]) -> str:
    desk, meta = _desk(model), model._meta
    if desk is None or not desk.has_add_permission(request):
        return ""
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_add")


def rows_of(
    ledger: str, measure: str, first: dt.datetime | None, end: dt.datetime | None, cell: Mapping[str, Any]
) -> str:
    """The page of the ledger, or of first sights, with the rows that a number is the sum of; empty for whoever may not
    read the ledger (``ledger``: its address), and for what is no sum of rows. Of a list, any value will do.
    """
    kinds = KINDS_OF.get(measure, ())
    if not ledger or not (kinds or measure == SEEN):
        return ""
    names = {name: "" if value is None else value for name, value in cell.items()}
    of = f"{quote(urlencode(names, doseq=True), safe='=&')}/" if names else ""
    if measure == SEEN:
        return f"{_before('admin:stats_seen')}{of}?{_ends(first, end, 'sight__at')}"
    return f"{_before('admin:stats_opened') + of if of else ledger}?{_ends(first, end)}&kind__in={','.join(kinds)}"


@cache
def _before(name: str) -> str:
    """What stands before the cell; looked up once, for there are hundreds of links on a page."""
    return reverse(name, args=["-"]).removesuffix("-/")


@lru_cache(1000)
def _ends(first: dt.datetime | None, end: dt.datetime | None, at: str = "at") -> str:
    ends = {f"{at}__gte": first, f"{at}__lt": end}
    return urlencode({name: moment.isoformat() for name, moment in ends.items() if moment})
