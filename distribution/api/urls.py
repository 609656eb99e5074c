from django.urls import path

from distribution.api.claims import Claims, OnOffer

urlpatterns = [
    path("placements/", OnOffer.as_view()),
    path("placements/<str:key>/claims/", Claims.as_view()),
]
