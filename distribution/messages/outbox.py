"""What is to be said is written down with the change that it is about, in one transaction."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from coupons.models import Customer
from coupons.refused import Refused
from distribution.messages import quiet
from distribution.models import Message, MessageTemplate
from distribution.models.messages import PLACE, parts_of

SMS = MessageTemplate.Channel.SMS
Status = Message.Status
#: A message may be asked for again while its provider may be asked again.
AGAIN = (Status.FAILED, Status.UNCLEAR, Status.LATE)


class Draft(NamedTuple):
    """A message to be. ``key``: what it is about, the same for ever; ``to``: a customer, or a phone number alone.

    ``by``: as in the ledger, ``trigger:late``, ``reminder:7d``. ``until``: said later it is of no use.
    """

    key: str
    template: MessageTemplate
    to: Customer | str
    variables: Mapping[str, str]
    by: str
    not_before: datetime | None = None
    until: datetime | None = None


def template_of(key: str) -> MessageTemplate:
    """:raises Refused: ``not_found``: there is none of this key, or it is out of use."""
    found = MessageTemplate.objects.filter(key=key, is_active=True).first()
    if found is None:
        raise Refused("not_found", detail=_("There is no message template %(key)s in use.") % {"key": key})
    return found


def put(
    key: str,
    template: MessageTemplate | str,
    to: Customer | str,
    variables: Mapping[str, str],
    *,
    now: datetime,
    by: str,
    not_before: datetime | None = None,
    until: datetime | None = None,
) -> Message:
    """The message of this key, put into the outbox unless it is there already. See :class:`Draft`.

    :raises Refused: ``not_found``, if the template is not in use.
    """
    if isinstance(template, str):
        template = template_of(template)
    put_all([Draft(key, template, to, variables, by, not_before, until)], now=now)
    return Message.objects.get(key=key)


def put_all(drafts: Iterable[Draft], *, now: datetime) -> int:
    """How many were new. For thousands: two statements, whatever their number."""
    made = [_message(draft, now) for draft in drafts]
    with transaction.atomic():
        known = set(Message.objects.filter(key__in=[one.key for one in made]).values_list("key", flat=True))
        fresh = {one.key: one for one in made if one.key not in known}
        Message.objects.bulk_create(fresh.values(), batch_size=2000, ignore_conflicts=True)
    return len(fresh)


def again(message: Message, *, now: datetime) -> None:
    """An operator has it sent once more, knowing what became of the last time.  :raises Refused: ``state_forbids``."""
    resting = Message.objects.filter(pk=message.pk, status__in=AGAIN).exclude(to="")
    resting = resting.exclude(template__occasion=MessageTemplate.Occasion.SIGN_IN)  # its code is gone
    if not resting.update(status=Status.WAITING, due_at=now, expires_at=None, why=""):
        raise Refused("state_forbids", state=message.status)


def _message(draft: Draft, now: datetime) -> Message:
    template, customer = draft.template, draft.to if isinstance(draft.to, Customer) else None
    to = str(draft.to) if customer is None else customer.phone if template.channel == SMS else customer.key
    said = {name: _plain(draft.variables.get(name, "")) for name in template.variables}
    hidden = {name: said.pop(name) for name in list(said) if name in MessageTemplate.SECRET}
    text = fill(template.text, said)
    due_at = max(now, draft.not_before or now)
    message = Message(
        key=draft.key,
        template=template,
        channel=template.channel,
        customer=customer,
        to=to,
        title=fill(template.title, said)[:120],
        text=text,
        variables=said,
        sealed=seal(hidden) if hidden else None,
        is_urgent=template.is_urgent,
        due_at=due_at if template.is_urgent else quiet.until(due_at),
        expires_at=draft.until,
        cost_fen=cost_of(template.channel, fill(text, hidden)),
        by=draft.by,
        created_at=now,
    )
    if not to:  # on record, so that nobody wonders
        message.status, message.why, message.cost_fen = Status.FAILED, "no_phone", 0
    return message


def cost_of(channel: str, text: str) -> int:
    """In fen, as the provider will charge it."""
    return parts_of(f"【{settings.SMS_SIGN_NAME}】{text}") * settings.SMS_PRICE_FEN if channel == SMS else 0


def fill(words: str, values: Mapping[str, str]) -> str:
    """Places without a value stay as they are."""
    return PLACE.sub(lambda place: values.get(place[1], place[0]), words)


def _plain(value: object) -> str:
    """Without braces, so that no value is taken for a place; on one line."""
    return " ".join(str(value).translate({ord("{"): "(", ord("}"): ")"}).split())


def _sealer() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"messages:{settings.SECRET_KEY}".encode()).digest()))


def seal(hidden: Mapping[str, str]) -> bytes:
    return _sealer().encrypt(orjson.dumps(hidden))


def unseal(sealed: "bytes | memoryview[int] | None") -> dict[str, str]:
    """:raises cryptography.fernet.InvalidToken: sealed under another SECRET_KEY."""
    return orjson.loads(_sealer().decrypt(bytes(sealed))) if sealed else {}


def wording(message: Message, variables: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Title and text with everything filled in."""
    values = dict(variables)
    return fill(message.title, values), fill(message.text, values)
