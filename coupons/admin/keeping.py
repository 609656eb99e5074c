"""What was typed into a template's form and is not the template: kept as it is, shown again, proposed to others."""

from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict

from coupons import pictures
from coupons.models import CouponTemplate, TemplateDraft

State = TemplateDraft.State
#: What a page posts besides its answers.
_NO_ANSWERS = (
    "csrfmiddlewaretoken",
    "next",
    "language",
    "sure",
    "kept_at",
    "_save",
    "_keep",
    "_submit",
    "_propose",
    "_continue",
)


def kept_for(request: HttpRequest, template: CouponTemplate | None) -> TemplateDraft | None:
    """What this person left unfinished: of this template, or of a new one as ``?draft=`` says."""
    mine = TemplateDraft.objects.filter(made_by=request.user.pk, state=State.UNFINISHED)
    if template is not None:
        return mine.filter(template=template).first()
    number = request.GET.get("draft", "")
    return mine.filter(template=None, pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None


def moment_of(kept: TemplateDraft | None) -> str:
    """When it was kept last, as the page carries it."""
    return kept.updated_at.isoformat() if kept else ""


def is_kept_meanwhile(request: HttpRequest) -> bool:
    """Whether this person has kept something else in another window since this one was opened."""
    kept: TemplateDraft | None = request.kept  # type: ignore[attr-defined]
    return request.method == "POST" and kept is not None and request.POST.get("kept_at") != moment_of(kept)


def keep(request: HttpRequest, template: CouponTemplate | None, kept: TemplateDraft | None) -> TemplateDraft:
    """Writes down what was posted, a picture too; nothing of it has to make sense."""
    posted = request.POST.copy()
    upload = request.FILES.get("looks-picture_file")
    if upload is not None:
        with suppress(ValidationError):  # it is no picture: nothing of it is worth keeping
            posted["looks-picture"] = pictures.keep(upload)
    answers = {name: values for name, values in posted.lists() if name not in _NO_ANSWERS}
    draft = kept or TemplateDraft(template=template, made_by=request.user)  # type: ignore[misc]
    draft.title = posted.get("internal_name", "").strip()[:100] or (template.internal_name if template else "")
    draft.answers = answers
    draft.save()
    return draft


def posted(draft: TemplateDraft) -> QueryDict:
    """As the browser sent it."""
    data = QueryDict(mutable=True)
    for name, values in draft.answers.items():
        data.setlist(name, values)
    return data


def unfinished(request: HttpRequest) -> Any:
    """Of this person, the latest first."""
    mine = TemplateDraft.objects.filter(made_by=request.user.pk, state=State.UNFINISHED)
    return mine.select_related("template").order_by("-updated_at")
