from django.urls import path

from coupons.api.customers import Customers
from coupons.api.wallet import OneCoupon, Wallet

urlpatterns = [
    path("customers/", Customers.as_view()),
    path("coupons/", Wallet.as_view()),
    path("coupons/<str:id>/", OneCoupon.as_view()),
]
