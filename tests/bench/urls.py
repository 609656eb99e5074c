from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
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


def empty_page(request: HttpRequest) -> HttpResponse:
    """The floor of every page: a template with nothing in it, through all that pages go through."""
    return render(request, "bench/empty.html")


urlpatterns = [path("api/v1/empty/", Empty.as_view()), path("empty/", empty_page), *served]
