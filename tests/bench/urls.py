from django.http import HttpRequest
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from couponsite.urls import urlpatterns as served


class Empty(APIView):
    """The floor of every door: REST framework with nothing in it."""

    def get(self, request: HttpRequest) -> Response:
        return Response({})

    def post(self, request: HttpRequest) -> Response:
        return Response({})


urlpatterns = [path("api/v1/empty/", Empty.as_view()), *served]
