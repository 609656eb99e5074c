"""The ways out: one protocol, a recording default, and the providers' own. Which one, the settings say."""

from distribution.messages.gateways.choosing import gateway_of
from distribution.messages.gateways.protocol import Declined, Gateway, Letter

__all__ = ["Declined", "Gateway", "Letter", "gateway_of"]
