"""Every address of the house."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from couponsite import health, metrics, schema

api: list[URLPattern | URLResolver] = [
    path("health/", health.Health.as_view(), name="health"),
    path("schema/", schema.Schema.as_view(), name="schema"),
    path("schema/ui/", schema.Page.as_view(), name="schema-ui"),
    path("", include("coupons.api.urls")),
    path("", include("distribution.api.urls")),
    path("", include("redemption.api.urls")),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("language/", include("django.conf.urls.i18n")),
    path("metrics/", metrics.page),
]
