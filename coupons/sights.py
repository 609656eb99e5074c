"""Which coupons their holders have been shown, once each, without a statement on the way of any call.

A process gathers what it shows for the first time; what it remembers to have shown costs a look into a set. Two
processes that show a coupon within the same ``SIGHTS_SECONDS`` write one sight, the earlier writer's.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from coupons.gathering import Gathering
from coupons.queries.direct import rows

#: So many are gathered at most: while the database is away, what is more is seen when it is shown again.
MOST_GATHERED = 200_000
#: What is remembered, in two halves of about so many; the older half is forgotten for a new one.
MOST_KNOWN = 50_000

_WRITE = """
WITH fresh AS (
    INSERT INTO coupons_sight (coupon_id, at) SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])
    ON CONFLICT (coupon_id) DO NOTHING RETURNING coupon_id
), uncounted AS (INSERT INTO coupons_uncountedsight (sight_id) SELECT coupon_id FROM fresh)
SELECT count(*) FROM fresh
"""

_known: set[int] = set()
_older: set[int] = set()


def shown(coupons: Iterable[int], now: datetime) -> None:
    """Coupons, as the ``int`` of their ids, that a door is about to show to their own holder."""
    global _known, _older
    known, older = _known, _older
    fresh = [id for id in coupons if id not in known and id not in older]
    if not fresh:
        return
    with _gathered.open() as sights:
        for id in fresh[: max(MOST_GATHERED - len(sights), 0)]:
            sights.setdefault(id, now)
            _known.add(id)
        if len(_known) >= MOST_KNOWN:
            _known, _older = set(), _known


def _write(sights: dict[int, datetime]) -> None:
    ids = sorted(sights)  # processes write in one order
    rows(_WRITE, ([str(UUID(int=id)) for id in ids], [sights[id] for id in ids]))


def forget() -> None:
    """Nothing was shown; for tests, which begin with no coupons."""
    _known.clear()
    _older.clear()


_gathered: Gathering[dict[int, datetime]] = Gathering("sights", "SIGHTS_SECONDS", dict, _write, dict.update)
flush = _gathered.flush
