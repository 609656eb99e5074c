"""微信网页授权: who opens the page in WeChat, and under which nickname.

developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
"""

from urllib.parse import urlencode

import orjson
from django.conf import settings

from coupons import calling
from coupons.refused import Refused
from distribution.signing_in import Stranger


def is_set_up() -> bool:
    return bool(settings.WECHAT_APP_ID and settings.WECHAT_SECRET)


def door(back: str, state: str) -> str:
    """The address at which WeChat asks the customer; ``back`` is ours, to which it returns with a code."""
    query = urlencode(
        {
            "appid": settings.WECHAT_APP_ID,
            "redirect_uri": back,
            "response_type": "code",
            "scope": "snsapi_userinfo",
            "state": state,
        }
    )
    return f"{settings.WECHAT_OPEN_URL}/connect/oauth2/authorize?{query}#wechat_redirect"


def who(code: str) -> Stranger:
    """Whom the code stands for.  :raises Refused: ``wechat_failed``."""
    token = _ask(
        "/sns/oauth2/access_token",
        appid=settings.WECHAT_APP_ID,
        secret=settings.WECHAT_SECRET,
        code=code,
        grant_type="authorization_code",
    )
    openid = str(token.get("openid") or "")
    person = _ask("/sns/userinfo", access_token=str(token.get("access_token", "")), openid=openid, lang="zh_CN")
    if not openid or len(openid) > 64 or person.get("openid") != openid:
        raise Refused("wechat_failed")
    nickname = "".join(sign for sign in str(person.get("nickname") or "") if sign.isprintable())[:60]
    return Stranger(openid, str(person.get("unionid") or token.get("unionid") or "")[:64], nickname)


def _ask(path: str, **query: str) -> dict[str, object]:
    """WeChat calls its JSON text/plain and leaves the encoding out: it is read as UTF-8."""
    try:
        answer = calling.ask("GET", f"{settings.WECHAT_API_URL}{path}?{urlencode(query)}")
        said = orjson.loads(answer.content)
    except (calling.Unreachable, orjson.JSONDecodeError):
        raise Refused("wechat_failed") from None
    if not isinstance(said, dict) or said.get("errcode"):
        raise Refused("wechat_failed")
    return said
