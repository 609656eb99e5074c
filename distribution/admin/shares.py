"""裂变红包: how packets are cut, and what became of each."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.decorators import display

from coupons.admin.desk import ReadDesk
from coupons.admin.money import yuan
from coupons.refused import Refused
from distribution import sharing
from distribution.admin.seen import SeenForm
from distribution.admin.states import PLACEMENT_CHIPS, PLACEMENT_STATES, placement_state
from distribution.admin.tool_desk import ToolDesk
from distribution.admin.tools import packet_call
from distribution.models import Placement, SharePacket, SharePlan
from distribution.queries import cutting

PACKET_CHIPS = {"open": "success", "taken": "info", "ended": ""}
PACKET_STATES = {
    "open": pgettext_lazy("red packet", "open"),
    "taken": gettext_lazy("all taken"),
    "ended": gettext_lazy("over"),
}


class PlanForm(SeenForm):
    class Meta:
        model = SharePlan
        fields = ()

    def clean(self) -> dict[str, Any] | None:
        """A sum that the coupons on offer cannot make is said where it is typed."""
        answers = super().clean() or {}
        placement = answers.get("placement") or (self.instance.placement if self.instance.pk else None)
        if placement is None or self.errors or not {"slots_count", "pot_fen", "split"} <= answers.keys():
            return answers
        plan = SharePlan(**{name: answers[name] for name in ("slots_count", "pot_fen", "split")})
        offered = cutting.offered_by(placement)
        try:
            cutting.of_plan(plan, offered)
        except Refused:
            faces = ", ".join(yuan(face) for face in sorted({face for face, _weight in offered.values()}))
            sentence = _("So many coupons of those on offer do not add up to this sum. On offer: %(faces)s.")
            self.add_error("pot_fen", sentence % {"faces": faces or "–"})
        return answers


@admin.register(SharePlan)
class PlanAdmin(ToolDesk):
    form = PlanForm
    back_to_draft = gettext_lazy(
        "How packets are cut has changed, so the placement is a draft again and needs approving."
    )
    empty_words = gettext_lazy("No plans yet. A plan says how many friends share what sum of a packet.")
    change_form_outer_before_template = "distribution/admin/placement_top.html"
    list_display = ("named", "state", "slots_count", "pot", "cut", "packets_made")
    search_fields = ("placement__key", "placement__title")
    fields = ("placement", "slots_count", "pot_fen", "split", "hours", "sharer_takes")

    class Media:
        css = {"all": ("distribution/desk.css",)}
        js = ("distribution/desk.js",)

    def placements(self) -> QuerySet[Placement]:
        return Placement.objects.filter(channel=Placement.Channel.SHARE, share_plan__isnull=True)

    def hangs(self, obj: Any) -> bool:
        return super().hangs(obj) or obj.packets.exists()

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        state = placement_state(obj.placement)
        faces = sorted(face for face, _weight in cutting.offered_by(obj.placement).values())
        packets = f"{reverse('admin:distribution_sharepacket_changelist')}?plan__id__exact={obj.pk}"
        said = _("%(count)d friends share %(pot)s, each between %(least)s and %(most)s.")
        numbers = {"count": obj.slots_count, "pot": yuan(obj.pot_fen)}
        ends = {"least": yuan(faces[0]), "most": yuan(faces[-1])} if faces else {"least": "–", "most": "–"}
        return {
            "chip": (PLACEMENT_STATES[state], PLACEMENT_CHIPS[state]),
            "title": str(obj),
            "links": [
                (_("Placement"), reverse("admin:distribution_placement_change", args=[obj.placement_id])),
                (_("Its packets"), packets),
            ],
            "groups": [(_("A packet"), [said % {**numbers, **ends}])],
            "call": packet_call(request, obj.placement),
        }

    @display(description=gettext_lazy("Sum of a packet"), ordering="pot_fen")
    def pot(self, obj: Any) -> str:
        return yuan(obj.pot_fen)

    @display(description=gettext_lazy("Cut"), ordering="split")
    def cut(self, obj: Any) -> str:
        return obj.get_split_display()

    @display(description=gettext_lazy("Packets"))
    def packets_made(self, obj: Any) -> str:
        return f"{obj.packets.count():,}"


@admin.register(SharePacket)
class PacketAdmin(ReadDesk):
    list_display = ("order_key", "sharer", "packet_plan", "state", "progress", "pot", "created_at")
    list_filter = ("plan",)
    search_fields = ("order_key", "sharer")
    list_select_related = ("plan__placement",)
    empty_words = gettext_lazy("No packets yet. Each finished order may make one, by POST /api/v1/shares/.")
    fields = ("order_key", "sharer", "packet_plan", "pot", "progress", "created_at", "ends_at")
    readonly_fields = ("packet_plan", "pot", "progress")
    change_form_before_template = "distribution/admin/packet_takes.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SharePacket]:
        return super().get_queryset(request).prefetch_related("takes")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        packet = self.get_object(request, object_id) if object_id else None
        takes = [(take, yuan(packet.faces[take.slot])) for take in packet.takes.all()] if packet else []
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "takes": takes})

    @display(description=gettext_lazy("Plan"))
    def packet_plan(self, obj: Any) -> str:
        return str(obj.plan)

    @display(description=gettext_lazy("State"), label=PACKET_CHIPS)
    def state(self, obj: Any) -> tuple[str, str]:
        state = sharing.state_of(obj, timezone.now())
        return state, str(PACKET_STATES[state])

    @display(description=gettext_lazy("Taken"))
    def progress(self, obj: Any) -> str:
        return f"{obj.taken_count} / {len(obj.cut)}"

    @display(description=gettext_lazy("Sum"))
    def pot(self, obj: Any) -> str:
        return yuan(obj.pot_fen)
