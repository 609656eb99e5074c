"""What a coupon is, in rows."""

from coupons.models.callers import Answer, ApiKey
from coupons.models.coupons import Coupon, CouponEvent, CustomerCounter, UncountedEvent
from coupons.models.customers import Activity, Band, Customer, CustomerDay, CustomerLine, Fact
from coupons.models.days import Custom, CustomDay, ToldDay
from coupons.models.drafts import TemplateDraft
from coupons.models.jobs import Job, RowFault
from coupons.models.places import Area, Catalogue, Category, City, Merchant, Weather
from coupons.models.refusals import RefusalCount, RefusalDay
from coupons.models.sights import Sight, UncountedSight
from coupons.models.templates import Audience, Budget, CouponTemplate, Supply
from coupons.models.webhooks import Delivery, DeliveryAttempt, Subscription, UntoldEvent

__all__ = [
    "Activity",
    "Answer",
    "ApiKey",
    "Area",
    "Audience",
    "Band",
    "Budget",
    "Catalogue",
    "Category",
    "City",
    "Coupon",
    "CouponEvent",
    "CouponTemplate",
    "Custom",
    "CustomDay",
    "Customer",
    "CustomerCounter",
    "CustomerDay",
    "CustomerLine",
    "Delivery",
    "DeliveryAttempt",
    "Fact",
    "Job",
    "Merchant",
    "RefusalCount",
    "RefusalDay",
    "RowFault",
    "Sight",
    "Subscription",
    "Supply",
    "TemplateDraft",
    "ToldDay",
    "UncountedEvent",
    "UncountedSight",
    "UntoldEvent",
    "Weather",
]
