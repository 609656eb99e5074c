"""On a template's page and before it is approved: what its last rehearsal found."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from coupons.admin import panels
from coupons.admin.jobs import CHIPS
from coupons.models import CouponTemplate
from stats import rehearsing
from stats.admin import rehearsal_words
from stats.admin.rehearsals import ask_for
from stats.models import Rehearsal

MOST = 3


def _rehearsed(request: HttpRequest, template: CouponTemplate) -> str:
    if not request.user.has_perm("stats.view_rehearsal"):
        return ""
    rehearsals = list(Rehearsal.objects.filter(template=template).select_related("job", "placement")[:MOST])
    found = next((rehearsal for rehearsal in rehearsals if rehearsal.found), None)
    return render_to_string(
        "stats/rehearsed.html",
        {
            "rows": [
                (rehearsal, rehearsal.job.get_state_display(), CHIPS[rehearsal.job.state]) for rehearsal in rehearsals
            ],
            "last": found,
            "changed": found is not None and found.asked != rehearsing.asked_of(template, found.placement),
            "cards": rehearsal_words.cards(found.found) if found is not None and found.found else [],
            "ask": ask_for(template) if request.user.has_perm("stats.add_rehearsal") else "",
        },
    )


panels.register(panels.Panel("rehearsed", _("Rehearsal"), _rehearsed, position=20))
