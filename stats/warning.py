"""预算预警: the owner of a campaign is told by mail when 80 % and 95 % of its budget are spent and committed."""

from datetime import datetime

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from coupons.queries.wording import yuan
from distribution.models import Campaign
from stats.models import BudgetWarning
from stats.queries.budgets import ALARM_AT, WARN_AT

log = structlog.get_logger(__name__)
#: In percent, the highest first.
LEVELS = (round(ALARM_AT * 100), round(WARN_AT * 100))


def warn(now: datetime) -> int:
    """How many were told. Each limit and level once; a mail that could not go out is tried again the next time."""
    running = Campaign.objects.filter(ends_at__gt=now, budget__limit_fen__gt=0).select_related("budget", "owner")
    for campaign in running.filter(
        budget__limit_fen__lte=(F("budget__spent_fen") + F("budget__committed_fen")) * 100 / LEVELS[-1]
    ):
        budget = campaign.budget
        limit, used = budget.limit_fen or 0, budget.spent_fen + budget.committed_fen
        level = next((level for level in LEVELS if used * 100 >= limit * level), None)
        if level is not None:
            BudgetWarning.objects.get_or_create(
                campaign=campaign,
                level=level,
                limit_fen=limit,
                defaults={"used_fen": used, "to": campaign.owner.email if campaign.owner else "", "created_at": now},
            )
    told = 0
    for warning in BudgetWarning.objects.filter(sent_at=None).exclude(to="").select_related("campaign"):
        try:
            _letter(warning).send()
        except OSError as problem:  # as all that goes wrong with a mail server
            log.warning("budget_warning_unsent", campaign=warning.campaign.key, problem=str(problem))
            continue
        told += BudgetWarning.objects.filter(pk=warning.pk, sent_at=None).update(sent_at=now)
    return told


def _letter(warning: BudgetWarning) -> EmailMessage:
    with translation.override(settings.LANGUAGE_CODE):
        words = {
            "campaign": warning.campaign.name,
            "level": warning.level,
            "used": f"¥{yuan(warning.used_fen)}",
            "limit": f"¥{yuan(warning.limit_fen)}",
            "address": settings.PUBLIC_URL + reverse("admin:distribution_campaign_change", args=[warning.campaign_id]),
        }
        subject = _("%(campaign)s: %(level)d %% of the budget are used") % words
        body = _(
            "Of %(limit)s, %(used)s are spent or committed. When nothing is left, no more coupons are given out.\n"
            "%(address)s"
        )
        return EmailMessage(subject, body % words, to=[warning.to])
