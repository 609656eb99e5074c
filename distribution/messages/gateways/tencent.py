"""腾讯云短信: ``SendSms`` of 2021-01-11, signed with TC3-HMAC-SHA256.

cloud.tencent.com/document/product/382/55981 · …/382/52067
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

from coupons import calling
from distribution.messages.gateways.answers import told
from distribution.messages.gateways.protocol import Declined, Letter

ADDRESS = "https://sms.tencentcloudapi.com"
VERSION = "2021-01-11"
JSON = "application/json; charset=utf-8"
#: Their words for "not now".
LATER = ("LimitExceeded", "RequestLimitExceeded", "InternalError", "FailedOperation.InsufficientBalance", "ResourceUn")


class Tencent:
    name = "tencent"

    def __init__(
        self, key: str, secret: str, sign_name: str, address: str = "", app_id: str = "", region: str = "ap-guangzhou"
    ) -> None:
        self.key, self.secret, self.sign_name = key, secret, sign_name
        self.app_id, self.region = app_id, region
        self.address = (address or ADDRESS).rstrip("/")

    def send(self, letter: Letter) -> str:
        body = json.dumps(
            {
                "PhoneNumberSet": [letter.to],
                "SmsSdkAppId": self.app_id,
                "SignName": self.sign_name,
                "TemplateId": letter.template,
                "TemplateParamSet": [value for _name, value in letter.variables],
                "SessionContext": letter.reference,
            },
            ensure_ascii=False,
        ).encode()
        now = datetime.now(UTC)
        headers = {
            "Authorization": authorization(self.key, self.secret, urlsplit(self.address).netloc, "sms", body, now),
            "Content-Type": JSON,
            "X-TC-Action": "SendSms",
            "X-TC-Timestamp": str(int(now.timestamp())),
            "X-TC-Version": VERSION,
            "X-TC-Region": self.region,
        }
        answer = told(calling.ask("POST", f"{self.address}/", content=body, headers=headers)).get("Response") or {}
        if error := answer.get("Error"):
            code = str(error.get("Code", ""))
            raise Declined(code, str(error.get("Message", "")), again=code.startswith(LATER))
        sent = (answer.get("SendStatusSet") or [{}])[0]
        code = str(sent.get("Code", ""))
        if code == "Ok":
            return str(sent.get("SerialNo", ""))
        raise Declined(code, str(sent.get("Message", "")), again=code.startswith(LATER))


def authorization(key: str, secret: str, host: str, service: str, body: bytes, now: datetime) -> str:
    """The header of a POST to ``/`` with this JSON."""
    names, day = "content-type;host", f"{now:%Y-%m-%d}"
    request = "\n".join(
        ["POST", "/", "", f"content-type:{JSON}\nhost:{host}\n", names, hashlib.sha256(body).hexdigest()]
    )
    scope = f"{day}/{service}/tc3_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{int(now.timestamp())}\n{scope}\n{digest}"
    signing = f"TC3{secret}".encode()
    for part in (day, service, "tc3_request"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
