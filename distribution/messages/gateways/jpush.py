"""极光推送, and who speaks like it: ``POST /v3/push`` with key and secret as Basic. The customer's key is the alias.

docs.jiguang.cn/jpush/server/push/rest_api_v3_push
"""

from coupons import calling
from distribution.messages.gateways.answers import told
from distribution.messages.gateways.protocol import Declined, Letter

ADDRESS = "https://api.jpush.cn"
#: Their numbers for "not now": timeout within, system error, too often.
LATER = {1000, 1030, 2002}


class JPush:
    name = "jpush"

    def __init__(self, key: str, secret: str, address: str = "") -> None:
        self.key, self.secret = key, secret
        self.address = (address or ADDRESS).rstrip("/")

    def send(self, letter: Letter) -> str:
        notification = {
            "alert": letter.text,
            "android": {"alert": letter.text, "title": letter.title},
            "ios": {"alert": {"title": letter.title, "body": letter.text}},
        }
        body = {
            "platform": "all",
            "audience": {"alias": [letter.to]},
            "notification": notification,
            "options": {"apns_production": True, "time_to_live": 86400},
        }
        answer = told(calling.ask("POST", f"{self.address}/v3/push", json=body, auth=(self.key, self.secret)))
        if error := answer.get("error"):
            code = error.get("code", 0)
            raise Declined(str(code), str(error.get("message", "")), again=code in LATER)
        return str(answer.get("msg_id", ""))
