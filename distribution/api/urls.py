from django.urls import path

from distribution.api.campaigns import Campaigns, OneCampaign
from distribution.api.claims import Claims, OnOffer
from distribution.api.events import Events
from distribution.api.exchanges import Exchanges
from distribution.api.optouts import OptOuts
from distribution.api.reports import told
from distribution.api.shares import OneShare, ShareClaims, Shares

urlpatterns = [
    path("placements/<str:key>/claims/", Claims.as_view()),
    path("exchanges/", Exchanges.as_view()),
    path("placements/", OnOffer.as_view()),
    path("shares/", Shares.as_view()),
    path("shares/<str:token>/", OneShare.as_view()),
    path("shares/<str:token>/claims/", ShareClaims.as_view()),
    path("events/", Events.as_view()),
    path("opt-outs/", OptOuts.as_view()),
    path("reports/<slug:gateway>/<str:token>/", told),
    path("campaigns/", Campaigns.as_view()),
    path("campaigns/<str:key>/", OneCampaign.as_view()),
]
