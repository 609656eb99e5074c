from typing import Any

import httpx
import orjson

from coupons.calling import Unreachable


def told(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer, whatever the answer calls itself.  :raises Unreachable: it is none."""
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Unreachable(f"status {answer.status_code} without JSON", sent=True, status=answer.status_code)
    return body
