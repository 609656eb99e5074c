"""投放: campaigns, the places where they are offered, what is offered there in which order; messages to customers."""

from distribution.models.campaigns import Campaign, Offer, Placement
from distribution.models.messages import Message, MessageTemplate
from distribution.models.triggers import InboundEvent, Rest, TriggerRule

__all__ = ["Campaign", "InboundEvent", "Message", "MessageTemplate", "Offer", "Placement", "Rest", "TriggerRule"]
