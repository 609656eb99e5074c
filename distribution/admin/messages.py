"""消息: the words that are sent to customers, and what became of each message."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from coupons.admin.desk import ReadDesk
from coupons.admin.history import WithHistory
from coupons.admin.moving import Move
from coupons.admin.saying import who
from distribution import messages
from distribution.admin.seen import SeenForm
from distribution.messages.outbox import AGAIN, fill
from distribution.models import Message, MessageTemplate
from distribution.models.messages import PLACE, parts_of

CHIPS = {"waiting": "info", "sending": "info", "sent": "success", "failed": "danger", "unclear": "warning", "late": ""}
#: What a provider or we said when a message did not go out.
WHY = {
    "no_phone": gettext_lazy("The customer has no phone number."),
    "too_late": gettext_lazy("It could not go out in time."),
    "interrupted": gettext_lazy("The sender was interrupted; the provider may have it."),
    "error": gettext_lazy("An error of ours; the provider may have it."),
    "sealed_under_another_key": gettext_lazy("It was sealed under another SECRET_KEY."),
}
SEES_PHONES = "coupons.view_customer"


def masked(phone: str) -> str:
    """``+86 138****8000``: enough to be recognised by whoever knows it."""
    return f"{phone[:-8]}****{phone[-4:]}" if phone.startswith("+") and len(phone) > 8 else phone


class MessageTemplateForm(SeenForm):
    class Meta:
        model = MessageTemplate
        fields = ()
        widgets = {"text": widgets.UnfoldAdminTextareaWidget({"rows": 4})}


@admin.register(MessageTemplate)
class MessageTemplateAdmin(WithHistory):
    form = MessageTemplateForm
    change_form_before_template = "distribution/admin/seen.html"
    change_form_after_template = "distribution/admin/message_words.html"
    empty_words = gettext_lazy("No message templates yet. They hold the words of SMS and push messages.")
    list_display = ("named", "channel", "occasion", "excerpt", "at_any_hour", "in_use")
    list_filter = (("channel", ChoicesDropdownFilter), ("occasion", ChoicesDropdownFilter), "is_active")
    search_fields = ("key", "name", "text")
    fieldsets = (
        (None, {"fields": ("name", "key", "channel", "occasion")}),
        (gettext_lazy("Words"), {"fields": ("title", "text")}),
        (gettext_lazy("Sending"), {"fields": ("provider_template", "is_urgent", "is_active")}),
    )

    class Media:
        css = {"all": ("distribution/messages.css",)}
        js = ("distribution/messages.js",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def hangs(self, obj: Any) -> bool:
        return obj.messages.exists()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        known = {
            occasion: {name: [str(label), str(example)] for name, (label, example) in names.items()}
            for occasion, names in MessageTemplate.VARIABLES.items()
        }
        context = {**(extra_context or {}), "known_variables": known}
        return super().changeform_view(request, object_id, form_url, context)

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        sent = obj.messages.filter(status=Message.Status.SENT).count()
        facts = [(_("Sent"), f"{sent:,}")]
        if obj.channel == MessageTemplate.Channel.SMS:
            examples = {name: str(example) for name, (_label, example) in obj.VARIABLES[obj.occasion].items()}
            facts.append((_("Charged as"), _("%(count)d SMS") % {"count": parts_of(fill(obj.text, examples))}))
        return {"title": obj.name, "facts": facts}

    @display(description=gettext_lazy("Message template"), header=True, ordering="name")
    def named(self, obj: Any) -> list[str]:
        return [obj.name, obj.key]

    @display(description=gettext_lazy("Text"))
    def excerpt(self, obj: Any) -> str:
        return obj.text if len(obj.text) <= 60 else f"{obj.text[:60]}…"

    @display(description=gettext_lazy("At any hour"), boolean=True, ordering="is_urgent")
    def at_any_hour(self, obj: Any) -> bool:
        return obj.is_urgent

    @display(description=gettext_lazy("State"), label={"on": "success", "off": "danger"}, ordering="is_active")
    def in_use(self, obj: Any) -> tuple[str, str]:
        return ("on", _("in use")) if obj.is_active else ("off", _("switched off"))


def _may_go_again(message: Message) -> bool:
    return message.status in AGAIN and message.template.occasion != MessageTemplate.Occasion.SIGN_IN


def _consequences(message: Message) -> list[str]:
    if message.status == Message.Status.UNCLEAR:
        return [_("The provider may have it already: the customer could get it twice.")]
    return [_("It was not sent so far. It goes out now, as it was written then.")]


AGAIN_MOVE = Move(
    "again",
    gettext_lazy("Send again"),
    gettext_lazy("Send this message again?"),
    ("distribution.resend_message",),
    _may_go_again,
    _consequences,
    lambda message, request, answers: messages.again(message, now=timezone.now()),
    gettext_lazy("It is in the outbox again."),
    icon="send",
)


@admin.register(Message)
class MessageAdmin(ReadDesk):
    moves = (AGAIN_MOVE,)
    list_display = ("created_at", "kind", "recipient", "words", "state", "sent_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("channel", ChoicesDropdownFilter),
        ("template", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("template", "customer")
    search_fields = ("to__exact", "key__startswith", "customer__key__exact")
    search_help_text = gettext_lazy("Whole phone number, customer's key, or what it is about")
    ordering = ("-id",)
    empty_words = gettext_lazy("No messages yet. Sign-in codes, reminders and triggers write them.")
    export_fields = (
        "created_at",
        "channel",
        "template",
        "hidden_recipient",
        "words",
        "state",
        "sent_at",
        "attempt_count",
        "gateway",
        "receipt",
        "reason",
        "show_cost_fen",
        "author",
    )
    fieldsets = (
        (None, {"fields": ("channel", "template", "recipient", "words", "author", "key")}),
        (
            gettext_lazy("What became of it"),
            {
                "fields": (
                    "state",
                    "reason",
                    "due_at",
                    "sent_at",
                    "reported_at",
                    "attempt_count",
                    "gateway",
                    "receipt",
                    "cost_fen",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Each row knows whether its reader may see whole phone numbers."""
        return super().get_queryset(request).annotate(phone_shown=Value(request.user.has_perm(SEES_PHONES)))

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {"chip": (obj.get_status_display(), CHIPS[obj.status]), "title": obj.template.name}

    @display(description=gettext_lazy("Message"), header=True, ordering="template")
    def kind(self, obj: Any) -> list[str]:
        return [obj.template.name, obj.get_channel_display()]

    @display(description=gettext_lazy("Recipient"))
    def recipient(self, obj: Any) -> str:
        return obj.to if obj.phone_shown else self.hidden_recipient(obj)

    @display(description=gettext_lazy("Recipient"))
    def hidden_recipient(self, obj: Any) -> str:
        return masked(obj.to) or "–"

    @display(description=gettext_lazy("Text"))
    def words(self, obj: Any) -> str:
        return PLACE.sub("••••••", " · ".join(filter(None, (obj.title, obj.text))))

    @display(description=gettext_lazy("State"), label=CHIPS, ordering="status")
    def state(self, obj: Any) -> tuple[str, str]:
        if obj.arrived is not None:
            return ("sent", _("arrived")) if obj.arrived else ("failed", _("did not arrive"))
        return obj.status, obj.get_status_display()

    @display(description=gettext_lazy("Why not"))
    def reason(self, obj: Any) -> str:
        return str(WHY.get(obj.why, obj.why)) or "–"

    @display(description=gettext_lazy("By"))
    def author(self, obj: Any) -> str:
        return who(obj.by)
