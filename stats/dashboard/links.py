"""Addresses of admin pages that the operator may open; empty where there is none for them."""

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse


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
