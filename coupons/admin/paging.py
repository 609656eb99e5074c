"""Pages of big tables, without counting millions of rows for each of them."""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

#: Beyond this nobody turns pages; they search.
MOST_ROWS = 10_000


class BoundedPaginator(Paginator):
    """Counts no further than ``MOST_ROWS``, so that a page costs the same however big the table is."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not hasattr(rows, "query"):
            return len(rows)
        return rows.order_by().values("pk")[: MOST_ROWS + 1].count()

    @property
    def most_rows(self) -> str:
        return f"{MOST_ROWS:,}"

    @property
    def is_bounded(self) -> bool:
        return self.count > MOST_ROWS
