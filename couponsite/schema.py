"""OpenAPI, and Swagger UI from our own server."""

from typing import Any, ClassVar

from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response

from coupons.api.outgoing import Problem
from couponsite.problems import PROBLEM


@extend_schema(exclude=True)
class Schema(SpectacularAPIView):
    """Made once per process and language: it costs a fifth of a second, and anybody may ask."""

    _made: ClassVar[dict[str | None, Any]] = {}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        language = get_language()
        if language not in self._made:
            self._made[language] = super().get(request, *args, **kwargs).data
        return Response(self._made[language])


@extend_schema(exclude=True)
class Page(SpectacularSwaggerView):
    url_name = "schema"


def say_no_everywhere(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Every door may answer with a problem instead; and a problem has a media type of its own."""
    shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = result["components"].setdefault("schemas", {})
    schemas.update({**shape.pop("$defs", {}), "Problem": shape})
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", {"description": "No", "content": problem})
            for response in operation["responses"].values():
                told = response.get("content", {}).get("application/json", {}).get("schema", {})
                if told.get("$ref", "").endswith("/Problem"):
                    response["content"] = problem
    return result
