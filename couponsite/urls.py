"""Every address of the house."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from coupons.api import pictures
from coupons.api import urls as coupons
from couponsite import health, metrics, schema
from distribution.api import urls as distribution
from redemption.api import urls as redemption
from stats.admin import overview

# One flat list, the hot doors first: resolving an address costs as much as a small statement.
api: list[URLPattern | URLResolver] = [
    *distribution.urlpatterns,
    *redemption.urlpatterns,
    *coupons.urlpatterns,
    path("health/", health.Health.as_view(), name="health"),
    path("schema/", schema.Schema.as_view(), name="schema"),
    path("schema/ui/", schema.Page.as_view(), name="schema-ui"),
]

handler400, handler404 = "couponsite.strays.bad_request", "couponsite.strays.not_found"
urlpatterns = [
    path("api/v1/", include(api)),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.admin_view(overview.first_page)),
    path("admin/", admin.site.urls),
    path("pictures/<str:name>", pictures.picture, name="picture"),
    path("counter/", include("redemption.counter.urls")),
    path("h5/", include("distribution.h5.urls")),
    path("language/", include("django.conf.urls.i18n")),
    path("metrics/", metrics.page),
]
if settings.STAND_INS:
    urlpatterns.append(path("stand-in/", include("couponsite.demo.stand_ins")))
