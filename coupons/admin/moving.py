"""Buttons that move something's state: asked once more with the consequences, then done by one step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise

from coupons.admin.asking import dress
from coupons.admin.twice import done_once
from coupons.refused import Refused

Words = str | Promise


def person(request: HttpRequest) -> User:
    """Whoever is signed in; the site lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


@dataclass(frozen=True)
class Move:
    """One button. ``act`` is the step; ``consequences`` are said before it is taken."""

    name: str
    label: Words
    question: Words
    permissions: tuple[str, ...]  #: any of these is enough
    possible: Callable[[Any], bool]
    consequences: Callable[[Any], Sequence[Words]]
    act: Callable[[Any, HttpRequest, dict[str, Any]], Any]
    done: Words | Callable[[Any], Words]  #: said afterwards, if need be of what came of it
    icon: str = "arrow_forward"
    danger: bool = False
    main: bool = False
    form: type[forms.Form] | None = None
    asks: Callable[[Any], type[forms.Form] | None] | None = None  #: a form that depends on what is moved
    shows: Callable[[HttpRequest, Any], str] | None = None  #: safe HTML to be looked at before
    makes: bool = False  #: something new each time, or sends something: its page, sent twice, does so once


class MovesMixin:
    """For a ModelAdmin: ``moves``, each at its own address below the change page."""

    moves: tuple[Move, ...] = ()

    def moves_for(self, request: HttpRequest, obj: Model) -> list[Move]:
        """What this person may do to it in its present state."""
        return [move for move in self.moves if self._may(request, move) and move.possible(obj)]

    @staticmethod
    def _may(request: HttpRequest, move: Move) -> bool:
        return any(request.user.has_perm(permission) for permission in move.permissions)

    def get_urls(self) -> list[URLPattern]:
        if not self.moves:
            return super().get_urls()  # type: ignore[misc]
        name = f"{self.opts.app_label}_{self.opts.model_name}_move"  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.move_view)  # type: ignore[attr-defined]
        return [path("<path:object_id>/move/<slug:name>/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def move_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        opts = self.opts  # type: ignore[attr-defined]
        move = next((move for move in self.moves if move.name == name), None)
        obj = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if move is None or obj is None:
            return self._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[attr-defined]
        if not self._may(request, move) or not self.has_view_permission(request, obj):  # type: ignore[attr-defined]
            raise PermissionDenied
        back = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[object_id])
        asked = move.asks(obj) if move.asks else move.form
        form = asked(request.POST if request.method == "POST" else None) if asked else None
        if not move.possible(obj):
            messages.error(request, str(Refused("state_forbids").detail))
            return HttpResponseRedirect(back)
        if form is not None:
            dress(form)
        if request.method == "POST" and (form is None or form.is_valid()):

            def onwards(result: Any) -> HttpResponse:
                messages.success(request, str(move.done(result) if callable(move.done) else move.done))
                pk = result.pk if isinstance(result, Model) else obj.pk
                return HttpResponseRedirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[pk]))

            def act() -> tuple[HttpResponse, object]:
                try:
                    result = move.act(obj, request, form.cleaned_data if form else {})
                except Refused as refused:
                    messages.error(request, str(refused.detail))
                    return HttpResponseRedirect(back), None
                if isinstance(result, HttpResponse):  # it says what came of it on a page of its own
                    return result, None
                return onwards(result), result.pk if isinstance(result, Model) else obj.pk

            if not move.makes:
                return act()[0]
            return done_once(request, act, lambda made: onwards(self.get_object(request, made)))  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": move.label,
            "opts": opts,
            "original": obj,
            "move": move,
            "consequences": move.consequences(obj),
            "shown": move.shows(request, obj) if move.shows else "",
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "coupons/admin/move.html", context)
