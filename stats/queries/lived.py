"""What really came of a template, day by day since it began."""

import datetime as dt

from stats.queries.numbers import Numbers, numbers


def since_it_began(template_id: int, placement: str | None, *, not_before: dt.date) -> dict[dt.date, Numbers]:
    """By day, from the first on which coupons were issued; empty until then. Not before the day it was rehearsed."""
    only = {"template": template_id, **({"placement": placement} if placement else {})}
    found = {day: n for (day,), n in numbers(("day",), first=not_before, only=only)[0].items()}
    began = min((day for day, n in found.items() if n.issued_count), default=None)
    return {} if began is None else {day: n for day, n in found.items() if day >= began}
