from django.urls import path

from coupons.api.wallet import OneCoupon, Wallet

urlpatterns = [
    path("coupons/", Wallet.as_view()),
    path("coupons/<str:id>/", OneCoupon.as_view()),
]
