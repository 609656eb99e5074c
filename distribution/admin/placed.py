"""On a template's page: where it is offered, and on to the next placement."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from coupons.admin import panels
from coupons.models import CouponTemplate
from distribution.admin.states import PLACEMENT_CHIPS, PLACEMENT_STATES, placement_state
from distribution.models import Placement

MOST = 20


def _placed(request: HttpRequest, template: CouponTemplate) -> str:
    if not request.user.has_perm("distribution.view_placement"):
        return ""
    there = Placement.objects.filter(offers__template=template).select_related("campaign").distinct().order_by("-id")
    placements = list(there[: MOST + 1])
    states = [placement_state(placement) for placement in placements[:MOST]]
    add = f"{reverse('admin:distribution_placement_add')}?template={template.pk}"
    return render_to_string(
        "distribution/admin/placed.html",
        {
            "rows": [
                (placement, str(PLACEMENT_STATES[state]), PLACEMENT_CHIPS[state])
                for placement, state in zip(placements, states, strict=False)
            ],
            "more": len(placements) > MOST,
            "ended": template.status == CouponTemplate.Status.ENDED,
            "add": add if request.user.has_perm("distribution.add_placement") else "",
        },
    )


panels.register(panels.Panel("placed", _("Where it is placed"), _placed, (panels.FORM,), position=90))
