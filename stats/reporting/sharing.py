"""Who sees a report: its owner, the roles that it is shared with, and who oversees all of them."""

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from stats.models import Report

READS, OVERSEES, SEES_MONEY = "stats.view_report", "stats.oversee_report", "coupons.view_budget"


def visible(reports: QuerySet[Report], user: User) -> QuerySet[Report]:
    if user.has_perm(OVERSEES):
        return reports
    return reports.filter(Q(owner=user) | Q(shared_with__in=user.groups.all())).distinct()


def sees(user: User, report: Report) -> bool:
    if not (user.is_active and user.has_perm(READS)):
        return False
    return (
        report.owner_id == user.pk
        or user.has_perm(OVERSEES)
        or report.shared_with.filter(pk__in=user.groups.values("pk")).exists()
    )
