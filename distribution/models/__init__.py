"""投放: campaigns, the places where they are offered, and what is offered there in which order."""

from distribution.models.campaigns import Campaign, Offer, Placement

__all__ = ["Campaign", "Offer", "Placement"]
