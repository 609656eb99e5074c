"""Who calls: a customer by the member centre's token, a system by its key. Verified once, remembered for 30 seconds."""

import re
from time import monotonic, time
from typing import Any, NamedTuple

import jwt
from django.conf import settings
from django.http import HttpRequest

from coupons.models import ApiKey
from coupons.models.keys import KEY_PATTERN, key_validator
from coupons.refused import SENTENCES, Invalid, Refused

REMEMBERED_SECONDS = 30.0
_REMEMBERED_AT_MOST = 20_000
KEY = re.compile(KEY_PATTERN)


class Caller(NamedTuple):
    """``name`` stands in the ledger and owns idempotency keys; ``customer`` is set on a customer's own call."""

    name: str
    customer: str | None
    scopes: frozenset[str]

    def customer_for(self, named: str | None, field: str = "customer") -> str:
        """Whose call this is.

        :raises Invalid: on ``field``: a customer names somebody else, a system nobody, or what is no key.
        """
        if self.customer is not None:
            if named is not None and named != self.customer:
                raise Invalid.of(field, "not_your_customer", SENTENCES["not_your_customer"])
            return self.customer
        if named is None:
            raise Invalid.of(field, "required", SENTENCES["customer_missing"])
        if not KEY.match(named):
            raise Invalid.of(field, "invalid_key", key_validator.message)
        return named

    def has(self, scope: str) -> bool:
        return scope in self.scopes


_remembered: dict[str, tuple[float, Caller]] = {}


def identify(request: HttpRequest) -> Caller:
    """:raises Refused: 401 "not_authenticated" or "token_invalid"."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    known = _remembered.get(header)
    if known is not None and known[0] > monotonic():
        return known[1]
    scheme, _space, credential = header.partition(" ")
    credential = credential.strip()
    match scheme.lower():
        case "bearer":
            caller, seconds = _customer(credential)
        case "api-key":
            caller, seconds = _system(credential), REMEMBERED_SECONDS
        case _:
            raise Refused("not_authenticated", headers={"WWW-Authenticate": "Bearer, Api-Key"})
    if len(_remembered) >= _REMEMBERED_AT_MOST:
        _remembered.clear()
    _remembered[header] = (monotonic() + seconds, caller)
    return caller


def address_of(request: HttpRequest) -> str:
    """Whence a call came. Behind a proxy, what the proxy that stands nearest the world wrote down; what else stands in
    ``X-Forwarded-For`` anybody may have written.
    """
    hops = settings.PROXY_HOPS
    said = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if hops and len(said) >= hops:
        return said[-hops][:45]
    return str(request.META.get("REMOTE_ADDR", ""))


def forget() -> None:
    """Verify everybody anew; for tests."""
    _remembered.clear()


def _system(key: str) -> Caller:
    found = ApiKey.objects.filter(digest=ApiKey.digest_of(key), is_active=True).first()
    if found is None:
        raise _invalid()
    return Caller(f"key:{found.pk}", None, frozenset(found.scopes))


def _customer(token: str) -> tuple[Caller, float]:
    """The caller, and for how many seconds it may be believed."""
    if not settings.CUSTOMER_JWT_KEY:
        raise _invalid()
    required = ["exp", "aud", "sub"] + (["iss"] if settings.CUSTOMER_JWT_ISSUER else [])
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            settings.CUSTOMER_JWT_KEY,
            algorithms=settings.CUSTOMER_JWT_ALGORITHMS,
            audience=settings.CUSTOMER_JWT_AUDIENCE,
            issuer=settings.CUSTOMER_JWT_ISSUER or None,
            options={"require": required},
        )
        key_validator(claims["sub"])
        seconds = min(REMEMBERED_SECONDS, float(claims["exp"]) - time())
    except Exception as wrong:  # whatever is wrong with a token, its bearer learns only that it is
        raise _invalid() from wrong
    return Caller(f"customer:{claims['sub']}", claims["sub"], frozenset({"customer"})), seconds


def _invalid() -> Refused:
    return Refused("token_invalid", headers={"WWW-Authenticate": "Bearer, Api-Key"})
