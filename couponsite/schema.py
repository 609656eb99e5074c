"""OpenAPI, and Swagger UI from our own server."""

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView


@extend_schema(exclude=True)
class Schema(SpectacularAPIView):
    pass


@extend_schema(exclude=True)
class Page(SpectacularSwaggerView):
    url_name = "schema"
