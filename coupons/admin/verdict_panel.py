"""What the checker says of a template, as the page shows it: what contradicts what, and somebody for whom it works."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons import checking
from coupons.admin import panels
from coupons.admin.money import yuan
from coupons.conditions.names import called
from coupons.models import City, CouponTemplate
from coupons.queries.wording import moment_words
from coupons.rules import Client


def drawn(
    template: CouponTemplate,
    limits: dict[str, int | None] | None = None,
    verdict: checking.Verdict | None = None,
    *,
    linked: bool = False,
) -> str:
    """Of a template as it stands, saved or not. ``limits`` go before those that are stored.

    ``linked``: the page has the fields, so each finding leads to its own.
    """
    verdict = verdict or checking.verdict(template, limits=limits)
    accepted = template.accepted_warnings or {}
    findings = [
        {
            "finding": finding,
            "field": finding.fields[0].split(".")[0] if finding.fields else "",
            "accepted": accepted.get(finding.code) if finding.severity == "warning" else None,
        }
        for finding in verdict.findings
    ]
    witness = verdict.witness and _told(verdict.witness)
    said = {"findings": findings, "witness": witness, "linked": linked}
    return render_to_string("coupons/admin/verdict.html", said)


def _told(witness: checking.Witness) -> list[str]:
    """In words: when, where and on what order."""
    return [
        _("Claimed %(moment)s") % {"moment": _moment(witness.claim)},
        _("Used %(moment)s, on an order of %(price)s")
        % {"moment": _moment(witness.use), "price": yuan(witness.price_fen or witness.shipping_fen)},
    ]


def _moment(moment: Any) -> str:
    words = [moment_words(moment.at)]
    words += called(City, [moment.city]) if moment.city else []
    words += [str(dict(Client.choices).get(moment.client, moment.client))] if moment.client else []
    return " · ".join(words)


def _shown(request: HttpRequest, template: CouponTemplate) -> str:
    return drawn(template)


panels.register(panels.Panel("verdict", gettext_lazy("The checker"), _shown, (panels.APPROVAL,), position=10))
