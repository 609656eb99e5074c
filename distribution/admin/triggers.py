"""触发规则: which event sets a placement off, tried on what was told."""

import json
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons import jobs, rules
from coupons.admin.asking import dress
from coupons.admin.jobs import watched
from coupons.admin.money import yuan
from coupons.admin.moving import Move
from coupons.admin.rule_fields import ConditionsField
from coupons.admin.saying import condition_words
from coupons.admin.small_forms import OneForm, Section, is_sections
from coupons.models import Job
from coupons.rules.answers import Answers
from coupons.tasks import run_job
from distribution import trying
from distribution.admin.events import code_words
from distribution.admin.seen import SeenForm
from distribution.admin.states import PLACEMENT_CHIPS, PLACEMENT_STATES, placement_state
from distribution.admin.tool_desk import ToolDesk
from distribution.models import InboundEvent, Placement, TriggerRule
from distribution.models.triggers import MOST_TESTS, Comparison, clean_tests

#: Events that most apps report, as suggestions.
USUAL = ("app_open", "page_view", "order_delivered_late", "sign_up", "review_posted", "wechat_followed")
_LINES = 5


def test_words(test: dict[str, Any]) -> str:
    value = test["value"]
    shown = (_("yes") if value else _("no")) if isinstance(value, bool) else value
    return f"{test['field']} {Comparison(test['is']).label} {shown}"


class TestsField(OneForm):
    """What the event's data must say: a line for each, stored as a list."""

    empty_values = [None, ""]

    class Form(Answers):
        """``field_0`` ``is_0`` ``value_0`` and so on; lines without a name count for nothing."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            lines = min(max(_LINES, len(self.initial or {}) // 3 + 1), MOST_TESTS)
            for line in range(lines):
                numbered = {"number": line + 1}
                self.fields[f"field_{line}"] = forms.CharField(
                    required=False, max_length=132, label=_("Name %(number)d") % numbered
                )
                self.fields[f"is_{line}"] = forms.ChoiceField(
                    required=False, choices=Comparison.choices, label=_("Comparison %(number)d") % numbered
                )
                self.fields[f"value_{line}"] = forms.CharField(
                    required=False, max_length=100, label=_("Value %(number)d") % numbered
                )

        def clean(self) -> None:
            told = self.cleaned_data
            for line in range(len(self.fields) // 3):
                name, value = told.get(f"field_{line}"), told.get(f"value_{line}")
                if bool(name) != bool(value):
                    self.add_error(f"value_{line}" if name else f"field_{line}", _("This field is required."))
                elif name:
                    try:
                        clean_tests([_test(name, told.get(f"is_{line}") or "=", value or "")])
                    except rules.InvalidRules as invalid:
                        for path, _code, sentence in invalid.errors:
                            self.add_error(f"{path.split('.')[1]}_{line}", sentence)

    def initial_of(self, value: Any) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for line, test in enumerate(value or []):
            shown = str(test["value"]).lower() if isinstance(test["value"], bool) else test["value"]
            said |= {f"field_{line}": test["field"], f"is_{line}": test["is"], f"value_{line}": shown}
        return said

    def sections(self, data: Any, value: Any, name: str) -> list[Section]:
        form = self.Form(data, prefix=name, initial=self.initial_of(value))
        dress(form)
        return [Section(name, "", form)]

    def stored(self, answers: dict[str, Any]) -> Any:
        return [
            _test(answers[f"field_{line}"], answers[f"is_{line}"] or "=", answers[f"value_{line}"])
            for line in range(len(answers) // 3)
            if answers.get(f"field_{line}")
        ]

    def clean(self, value: Any) -> Any:
        return self.answer(value) if is_sections(value) else value or []

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return (initial or []) != self.clean(data)
        except ValidationError:
            return True


def _test(name: str, comparison: str, value: str) -> dict[str, Any]:
    """Typed as it looks: 20 is a number, true and false are yes and no, everything else is a word."""
    typed: Any = value.strip()
    with suppress(ValueError, RecursionError):
        read = json.loads(typed, parse_constant=str)
        typed = read if type(read) in (int, bool) or (type(read) is float and isfinite(read)) else typed
    return {"field": name.strip(), "is": comparison, "value": typed}


class Suggested(widgets.UnfoldAdminTextInputWidget):
    """A text with suggestions of the browser's own."""

    template_name = "distribution/admin/suggested.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, {**(attrs or {}), "list": f"{name}-suggestions"})
        told = InboundEvent.objects.filter(received_at__gte=timezone.now() - timedelta(days=7))
        context["suggestions"] = sorted({*USUAL, *told.values_list("event", flat=True).distinct()[:100]})
        return context


class TriggerForm(SeenForm):
    tests = TestsField(
        label=gettext_lazy("What the event says"),
        help_text=gettext_lazy(
            "Such as late_minutes, at least, 20. All lines must hold; no line: every event will do."
        ),
    )
    conditions = ConditionsField(
        deed="claim",
        label=gettext_lazy("Conditions"),
        help_text=gettext_lazy("About the customer and the moment, beside those of the coupons it offers."),
    )

    class Meta:
        model = TriggerRule
        fields = ()
        widgets = {"event": Suggested()}


def _known(day: date) -> None:
    if not timedelta(0) <= timezone.localdate() - day <= timedelta(days=settings.EVENT_DAYS):
        raise ValidationError(_("Events of the last %(days)s days are there.") % {"days": f"{settings.EVENT_DAYS:g}"})


class Trying(forms.Form):
    day = forms.DateField(
        label=gettext_lazy("Events of which day"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[_known],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"].initial = timezone.localdate() - timedelta(days=1)
        self.fields["day"].widget.attrs.update({"class": " ".join([*widgets.BASE_INPUT_CLASSES, "max-w-2xl"])})


def _try(rule: TriggerRule, request: HttpRequest, answers: dict[str, Any]) -> None:
    start, end = (timezone.make_aware(datetime.combine(answers["day"] + timedelta(days=n), time.min)) for n in (0, 1))
    job = jobs.start(
        trying.KIND,
        title=_("Trial of %(rule)s on %(day)s") % {"rule": rule, "day": date_format(answers["day"])},
        by=request.user,  # type: ignore[arg-type]
        answers={"rule": rule.pk, "from": start.isoformat(), "until": end.isoformat()},
    )
    run_job.delay_on_commit(job.pk)


@admin.register(TriggerRule)
class TriggerAdmin(ToolDesk):
    form = TriggerForm
    back_to_draft = gettext_lazy("What sets it off has changed, so it is a draft again and needs approving anew.")
    change_form_before_template = "distribution/admin/trigger_top.html"
    empty_words = gettext_lazy(
        "No rules yet. A rule says which event of the app gives which coupons, such as a late delivery."
    )
    list_display = ("named", "event", "state", "rest", "given_today")
    list_filter = (("placement__status", ChoicesDropdownFilter), "event")
    search_fields = ("placement__key", "placement__title", "event")
    fields = ("placement", "event", "tests", "conditions", "cooldown_minutes", "fresh_minutes", "message")
    moves = (
        Move(
            "try",
            gettext_lazy("Try it on past events"),
            gettext_lazy("Try this rule on events that were told?"),
            ("distribution.view_triggerrule",),
            lambda rule: True,
            lambda rule: [
                _("Nothing is given. It runs in the background; what it would have given stands on this page."),
                _("Facts of customers are those of now, and limits are not asked."),
            ],
            _try,
            gettext_lazy("The trial has begun."),
            icon="science",
            form=Trying,
            makes=True,
        ),
    )

    class Media:
        css = {"all": ("distribution/desk.css",)}

    def placements(self) -> QuerySet[Placement]:
        return Placement.objects.filter(form=Placement.Form.TRIGGER, trigger__isnull=True)

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        state = placement_state(obj.placement)
        events = f"{reverse('admin:distribution_inboundevent_changelist')}?event={obj.event}"
        links = [(_("Placement"), reverse("admin:distribution_placement_change", args=[obj.placement_id]))]
        if request.user.has_perm("distribution.view_inboundevent"):
            links.append((_("Its events"), events))
        return {
            "chip": (PLACEMENT_STATES[state], PLACEMENT_CHIPS[state]),
            "title": str(obj),
            "facts": [(_("Event"), obj.event)],
            "links": links,
            "groups": [
                (_("When the event says"), [test_words(test) for test in obj.tests]),
                (_("Conditions"), condition_words(obj.conditions, "claim")),
                (
                    _("Gives"),
                    [
                        str(offer.template)
                        for offer in obj.placement.offers.select_related("template").order_by("position")
                    ],
                ),
            ],
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = dict(extra_context or {})
        if object_id and object_id.isdecimal():
            last = Job.objects.filter(kind=trying.KIND, answers__rule=int(object_id)).order_by("-id").first()
            if last is not None:
                context |= {**watched(last), "trial": _trial(last)}
                if last.made_by_id != request.user.pk:
                    context["progress_url"] = ""
        return super().changeform_view(request, object_id, form_url, context)

    @display(description=gettext_lazy("Rest, minutes"), ordering="cooldown_minutes")
    def rest(self, obj: Any) -> str:
        return f"{obj.cooldown_minutes:,}"

    @display(description=gettext_lazy("Events today that gave something"))
    def given_today(self, obj: Any) -> str:
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = [{"placement": obj.placement.key, "code": "issued"}]
        given = InboundEvent.objects.filter(received_at__gte=today, event=obj.event, outcomes__contains=wanted)
        return f"{given.count():,}"


def _trial(job: Job) -> dict[str, Any] | None:
    """What a trial found, in words; None while it runs."""
    found = job.outcome
    if job.state != Job.State.DONE or "codes" not in found:
        return None
    codes = sorted(found["codes"].items(), key=lambda pair: -pair[1])
    return {
        "events": sum(found["codes"].values()),
        "codes": [(code_words(code), count) for code, count in codes],
        "given": found["codes"].get("issued", 0),
        "customers": found["customers"],
        "worth": yuan(found["worth_fen"]),
    }
