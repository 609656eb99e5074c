from django.urls import path

from redemption.api.orders import Orders
from redemption.api.redemptions import Capture, Quotes, Redemptions, Release, Rollbacks

urlpatterns = [
    path("quotes/", Quotes.as_view()),
    path("redemptions/", Redemptions.as_view()),
    path("redemptions/<str:id>/capture/", Capture.as_view()),
    path("redemptions/<str:id>/release/", Release.as_view()),
    path("redemptions/<str:id>/rollbacks/", Rollbacks.as_view()),
    path("orders/", Orders.as_view()),
]
