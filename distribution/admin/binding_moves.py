"""What people do with a binding: confirm it, agree as its second person, call it back, try again."""

from typing import Any

from django.conf import settings
from django.http import (
    HttpRequest,
)
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.admin.money import yuan
from coupons.admin.moving import Move
from coupons.models import Job
from coupons.tasks import run_job
from distribution.admin.rights import APPROVES
from distribution.binding import moving
from distribution.models import Binding

_BINDS = ("distribution.add_binding",)


def _move(name: str) -> Any:
    def act(binding: Binding, request: HttpRequest, answers: dict[str, Any]) -> Binding:
        moved = moving.move(binding, name, by=request.user)  # type: ignore[arg-type]
        if name in ("call_back", "go_on") and moved.job and moved.job.state == Job.State.WAITING:
            run_job.delay_on_commit(moved.job.pk)
        return moved

    return act


def _again(binding: Binding, request: HttpRequest, answers: dict[str, Any]) -> Binding:
    made = moving.again(binding, by=request.user)  # type: ignore[arg-type]
    if made.job_id:
        run_job.delay_on_commit(made.job_id)
    return made


def _says(binding: Binding) -> list[str]:
    """What it comes to."""
    looked = binding.looked
    said = [
        _("%(places)s coupons go to %(accounts)s listed accounts.")
        % {"places": f"{looked['places']:,}", "accounts": f"{looked['accounts']:,}"},
        _("%(cost)s of the budget is committed at most.") % {"cost": yuan(looked["cost_fen"])},
    ]
    if sum(looked["no"].values()):
        said.append(_("%(count)s accounts get nothing.") % {"count": f"{sum(looked['no'].values()):,}"})
    return said


def _begins() -> str:
    minutes = {"minutes": f"{settings.BIND_MINUTES:g}"}
    return _("It begins in %(minutes)s minutes; until then nobody has anything, and it can be called back.") % minutes


def _confirming_says(binding: Binding) -> list[str]:
    said = _says(binding)
    if moving.needs_second(binding):
        said.append(_("It costs so much that a second person has to agree before it begins."))
    else:
        said.append(_begins())
    said.append(_("Limits and rules are asked anew when it is done: they may have changed by then."))
    return said


MOVES = (
    Move(
        "confirm",
        gettext_lazy("Confirm"),
        gettext_lazy("Give these coupons out?"),
        _BINDS,
        lambda binding: moving.possible(binding, "confirm"),
        _confirming_says,
        _move("confirm"),
        gettext_lazy("Confirmed."),
        icon="check",
        main=True,
    ),
    Move(
        "approve",
        gettext_lazy("Agree as second person"),
        gettext_lazy("Agree that these coupons are given out?"),
        (APPROVES,),
        lambda binding: moving.possible(binding, "approve"),
        lambda binding: [*_says(binding), _begins()],
        _move("approve"),
        gettext_lazy("Agreed."),
        icon="check",
        main=True,
    ),
    Move(
        "go_on",
        gettext_lazy("Resume"),
        gettext_lazy("Go on with this binding?"),
        _BINDS,
        lambda binding: moving.possible(binding, "go_on"),
        lambda binding: [_("It goes on where it stopped; nothing is done twice.")],
        _move("go_on"),
        gettext_lazy("It goes on."),
        icon="play_arrow",
        main=True,
    ),
    Move(
        "call_back",
        gettext_lazy("Call back"),
        gettext_lazy("Call this back?"),
        (*_BINDS, APPROVES),
        lambda binding: moving.possible(binding, "call_back"),
        lambda binding: [
            _("Nothing more is given out. What has been given already stays with its customers.")
            if binding.starts_at and binding.starts_at <= timezone.now()
            else _("Nobody has been given anything yet.")
        ],
        _move("call_back"),
        gettext_lazy("Called back."),
        icon="undo",
        danger=True,
    ),
    Move(
        "again",
        gettext_lazy("Again for those who got nothing"),
        gettext_lazy("Try again for those who got nothing?"),
        _BINDS,
        lambda binding: moving.possible(binding, "again"),
        lambda binding: [_("They are looked over anew; you confirm it as another binding.")],
        _again,
        gettext_lazy("It is being looked over."),
        icon="replay",
        makes=True,
    ),
)
