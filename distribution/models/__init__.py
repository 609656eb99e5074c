"""投放: campaigns, the places where they are offered, what is offered there in which order; messages to customers."""

from distribution.models.campaigns import Campaign, Offer, Placement
from distribution.models.messages import Message, MessageTemplate

__all__ = ["Campaign", "Message", "MessageTemplate", "Offer", "Placement"]
