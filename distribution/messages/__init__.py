"""触达: SMS and push. Steps put messages into the outbox within their own transaction; workers send what is due.

    messages.put("reminder:12:3d", "expiring", customer, {"coupon": name, "days": "3"}, now=now, by="reminder:expiring")

The same key again does nothing. What became of each message stands in its row (:class:`distribution.models.Message`).
"""

from distribution.messages.outbox import Draft, again, put, put_all, template_of
from distribution.messages.sending import send, send_due

__all__ = ["Draft", "again", "put", "put_all", "send", "send_due", "template_of"]
