"""阿里云短信: ``SendSms`` of 2017-05-25, signed with ACS3-HMAC-SHA256.

help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms
help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from coupons import calling
from distribution.messages.gateways.answers import told
from distribution.messages.gateways.protocol import Declined, Letter

ADDRESS = "https://dysmsapi.aliyuncs.com"
VERSION = "2017-05-25"
#: Their words for "not now".
LATER = (
    "isv.BUSINESS_LIMIT_CONTROL",
    "isv.AMOUNT_NOT_ENOUGH",
    "isv.OUT_OF_SERVICE",
    "isp.SYSTEM_ERROR",
    "Throttling",
    "ServiceUnavailable",
)


class Aliyun:
    name = "aliyun"

    def __init__(self, key: str, secret: str, sign_name: str, address: str = "") -> None:
        self.key, self.secret, self.sign_name = key, secret, sign_name
        self.address = (address or ADDRESS).rstrip("/")

    def send(self, letter: Letter) -> str:
        query = {
            "PhoneNumbers": letter.to.removeprefix("+86").removeprefix("+"),
            "SignName": self.sign_name,
            "TemplateCode": letter.template,
            "TemplateParam": json.dumps(dict(letter.variables), ensure_ascii=False),
            "OutId": letter.reference,
        }
        told_with = headers(
            self.key, self.secret, urlsplit(self.address).netloc, "SendSms", VERSION, query, _now(), secrets.token_hex()
        )
        answer = told(calling.ask("POST", f"{self.address}/?{canonical(query)}", headers=told_with))
        code = str(answer.get("Code", ""))
        if code == "OK":
            return str(answer.get("BizId", ""))
        raise Declined(code, str(answer.get("Message", "")), again=code.startswith(LATER))


def _now() -> datetime:
    return datetime.now(UTC)


def canonical(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


def headers(
    key: str,
    secret: str,
    host: str,
    action: str,
    version: str,
    query: Mapping[str, str],
    now: datetime,
    nonce: str,
    method: str = "POST",
) -> dict[str, str]:
    """Of a call without a body, with its signature."""
    digest = hashlib.sha256(b"").hexdigest()
    signed = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": digest,
        "x-acs-date": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = "\n".join([method, "/", canonical(query), lines, names, digest])
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {
        **signed,
        "Authorization": f"ACS3-HMAC-SHA256 Credential={key},SignedHeaders={names},Signature={signature}",
    }
