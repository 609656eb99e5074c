"""效果: coupon group against control group, each number with its doubt.

Who is in the control group was drawn by lot, so the two groups differ by nothing but the coupons; what is compared is
everybody who could have had one, not only who took one. Means with 95 % intervals (Welch, normal: groups are large);
the return on the subsidy is a quotient of two differences, its interval by the delta method.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil, sqrt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from coupons import jobs
from coupons.models import Job
from coupons.refused import Refused
from distribution.models import Campaign
from stats.models import EffectReading
from stats.queries import arms as groups

Z = 1.959964  #: 95 % of a normal lie within so many standard errors.
POWER = 0.841621  #: … and 80 % below so many.
#: Fewer customers than this on one side are not compared.
LEAST = 30
KIND = "read_effect"


@dataclass(frozen=True)
class Arm:
    """One group. Sums, and sums of squares, over its customers; money in fen."""

    customers: int
    orders: float = 0.0
    orders_sq: float = 0.0
    gmv: float = 0.0
    gmv_sq: float = 0.0
    subsidy: float = 0.0
    subsidy_sq: float = 0.0
    gmv_subsidy: float = 0.0

    def mean(self, name: str) -> float:
        return getattr(self, name) / self.customers if self.customers else 0.0

    def variance(self, name: str) -> float:
        """Of one customer; unbiased."""
        n = self.customers
        return max(getattr(self, f"{name}_sq") - n * self.mean(name) ** 2, 0.0) / (n - 1) if n > 1 else 0.0

    @property
    def covariance(self) -> float:
        n = self.customers
        return (self.gmv_subsidy - n * self.mean("gmv") * self.mean("subsidy")) / (n - 1) if n > 1 else 0.0


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def shows(self) -> bool:
        """Whether it is told apart from nothing."""
        return self.low > 0 or self.high < 0


def difference(coupon: Arm, control: Arm, name: str) -> Interval | None:
    """Per customer, coupon group less control group; None: too few to say."""
    if min(coupon.customers, control.customers) < LEAST:
        return None
    gap = coupon.mean(name) - control.mean(name)
    error = Z * sqrt(coupon.variance(name) / coupon.customers + control.variance(name) / control.customers)
    return Interval(gap, gap - error, gap + error)


def margin_per_yuan(coupon: Arm, control: Arm, margin: float) -> Interval | None:
    """Additional margin per ¥1 of additional subsidy; above 1 it pays. None: too few, or no subsidy to divide by.

    ``margin``: share of the GMV that is left before the subsidy, 0 to 1.
    """
    gmv, subsidy = difference(coupon, control, "gmv"), difference(coupon, control, "subsidy")
    if gmv is None or subsidy is None or subsidy.low <= 0:
        return None
    ratio = gmv.value / subsidy.value
    between = coupon.covariance / coupon.customers + control.covariance / control.customers
    spread = (
        ((gmv.high - gmv.value) / Z) ** 2 - 2 * ratio * between + ratio**2 * ((subsidy.high - subsidy.value) / Z) ** 2
    )
    error = Z * sqrt(max(spread, 0.0)) / subsidy.value
    return Interval(margin * ratio, margin * (ratio - error), margin * (ratio + error))


def customers_needed(control: Arm, share: float, effect: float) -> int | None:
    """In both groups together, to show with 80 % certainty a change of GMV per customer by ``effect`` (0.05: 5 %), if
    ``share`` of them are in the control group. None: nothing to reckon from.
    """
    mean = control.mean("gmv")
    if not (0 < share < 1) or mean <= 0 or effect <= 0 or control.customers < LEAST:
        return None
    return ceil((Z + POWER) ** 2 * control.variance("gmv") * (1 / share + 1 / (1 - share)) / (effect * mean) ** 2)


# --- a reading ---------------------------------------------------------------------------------------------------


@transaction.atomic
def start(
    campaign: Campaign, population: str, margin_percent: Decimal, *, now: datetime, by: User | None
) -> EffectReading:
    """A reading that waits for its job.  :raises Refused: ``no_control_group``; ``not_started``: no whole day yet."""
    if not campaign.control_percent:
        raise Refused("no_control_group")
    first, last = groups.days_of(campaign, now)
    if last < first:
        raise Refused("not_started", detail=_("No whole day of the campaign is over yet."))
    job = jobs.start(KIND, title=_("Effect of %(campaign)s") % {"campaign": campaign}, by=by, total=1)
    reading = EffectReading.objects.create(
        campaign=campaign,
        population=population,
        margin_percent=margin_percent,
        first_day=first,
        last_day=last,
        job=job,
        made_by=by,
    )
    job.answers = {"reading": reading.pk}
    job.save(update_fields=["answers"])
    return reading


@jobs.work(KIND)
def read(job: Job) -> Iterator[jobs.Step]:
    reading = EffectReading.objects.select_related("campaign").get(pk=job.answers["reading"])
    found = groups.arms(reading)
    reading.found = {
        "arms": found,
        "control_percent": str(reading.campaign.control_percent),
        "share_changed": groups.share_changed(reading.campaign),
    }
    reading.save(update_fields=["found"])
    yield jobs.Step(done=1, total=1)


def arms_of(reading: EffectReading) -> tuple[Arm, Arm]:
    """Coupon group and control group of a reading that was made."""
    found = (reading.found or {}).get("arms", {})

    def arm(name: str) -> Arm:
        numbers = found.get(name, [0])
        return Arm(int(numbers[0]), *numbers[1:])

    return arm("coupon"), arm("control")
