"""Below ``/h5/``. What has a name of its own comes before the pages, whose addresses never take such a name."""

from django.urls import path

from distribution.h5 import exchange, looks, pages, shares, signing_in, wallet

urlpatterns = [
    path("wallet/", wallet.show, name="h5-wallet"),
    path("wallet/code/", exchange.show, name="h5-exchange"),
    path("wallet/<uuid:id>/", wallet.one, name="h5-coupon"),
    path("wallet/<uuid:id>/qr.svg", wallet.picture, name="h5-qr"),
    path("sign-in/", signing_in.sign_in, name="h5-sign-in"),
    path("sign-out/", signing_in.sign_out, name="h5-sign-out"),
    path("looks.css", looks.sheet, name="h5-looks"),
    path("wechat/", signing_in.to_wechat, name="h5-wechat"),
    path("wechat/back/", signing_in.from_wechat, name="h5-wechat-back"),
    path("<slug:slug>/", pages.show, name="h5-page"),
    path("<slug:slug>/claim/", pages.take, name="h5-claim"),
    path("share/<str:token>/", shares.show, name="h5-share"),
    path("share/<str:token>/take/", shares.take, name="h5-share-take"),
]
