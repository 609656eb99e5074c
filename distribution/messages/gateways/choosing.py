from functools import lru_cache

from django.conf import settings

from distribution.messages.gateways.aliyun import Aliyun
from distribution.messages.gateways.jpush import JPush
from distribution.messages.gateways.protocol import Gateway
from distribution.messages.gateways.recording import Recording
from distribution.messages.gateways.tencent import Tencent
from distribution.models import MessageTemplate


def gateway_of(channel: str) -> Gateway:
    """:raises ValueError: the settings name none that there is."""
    if channel == MessageTemplate.Channel.SMS:
        return _made(
            settings.SMS_GATEWAY,
            settings.SMS_KEY,
            settings.SMS_SECRET,
            settings.SMS_BASE_URL,
            settings.SMS_SIGN_NAME,
            settings.SMS_APP_ID,
            settings.SMS_REGION,
        )
    return _made(settings.PUSH_GATEWAY, settings.PUSH_KEY, settings.PUSH_SECRET, settings.PUSH_BASE_URL)


@lru_cache(maxsize=8)
def _made(
    name: str, key: str, secret: str, address: str, sign_name: str = "", app_id: str = "", region: str = ""
) -> Gateway:
    match name:
        case "recording":
            return Recording()
        case "aliyun":
            return Aliyun(key, secret, sign_name, address)
        case "tencent":
            return Tencent(key, secret, sign_name, address, app_id, region)
        case "jpush":
            return JPush(key, secret, address)
    raise ValueError(f"There is no way to send messages called {name!r}.")
