"""Days on which customers were given something, each with the one before: how the rows of CustomerSpan come about."""

from stats.queries.counting import CUSTOMER_CELL

#: As :data:`stats.models.CustomerSpan.NEVER`.
NEVER = "DATE '0001-01-01'"
_CELL = ", ".join(CUSTOMER_CELL)

# Statements below are put together from names of our own columns.

#: Facts named ``counted`` go into the customers' rollup.
ADD_CUSTOMERS = f"""
INSERT INTO stats_customerrollup AS r ({_CELL}, issued_count)
SELECT {_CELL}, sum(c.issued_count) FROM counted c WHERE c.issued_count > 0 GROUP BY {_CELL} ORDER BY {_CELL}
ON CONFLICT ({_CELL}) DO UPDATE SET issued_count = r.issued_count + excluded.issued_count RETURNING 1
"""  # noqa: S608


def chain(days: str, by: int = 1) -> str:
    """Each of a customer's days with the one before. ``days``: distinct (customer_id, day); ``by``: what each is."""
    return f"""SELECT day, lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS before, {by} AS n
                 FROM ({days}) d"""  # noqa: S608


def spans(chains: str) -> str:
    return f"""
SELECT day, coalesce(before, {NEVER}) AS before, sum(n)::bigint AS customer_count
  FROM ({chains}) x GROUP BY 1, 2 HAVING sum(n) <> 0"""  # noqa: S608


ALL_DAYS = "SELECT DISTINCT c.customer_id, c.day FROM {} c WHERE c.issued_count > 0"
#: With ``counted``, what the rollup does not hold yet: days that are new to their customers take their places between
#: the days that were there. Whose days are all known is not looked at.
ADD_SPANS = f"""
INSERT INTO stats_customerspan AS s (day, before, customer_count)
WITH fresh AS MATERIALIZED (
    SELECT c.customer_id, c.day FROM ({ALL_DAYS.format("counted")}) c
      LEFT JOIN LATERAL (SELECT true AS known FROM stats_customerrollup r
                          WHERE r.customer_id = c.customer_id AND r.day = c.day LIMIT 1) k ON true
     WHERE k.known IS NULL
), had AS MATERIALIZED (
    SELECT f.customer_id, r.day FROM (SELECT DISTINCT customer_id FROM fresh) f
     CROSS JOIN LATERAL (SELECT DISTINCT day FROM stats_customerrollup r WHERE r.customer_id = f.customer_id) r
)
{
    spans(f'''{chain("SELECT * FROM had UNION ALL SELECT * FROM fresh")}
   UNION ALL {chain("SELECT * FROM had", -1)}''')
} ORDER BY 1, 2
ON CONFLICT (day, before) DO UPDATE SET customer_count = s.customer_count + excluded.customer_count RETURNING 1
"""  # noqa: S608
#: With ``counted``, all that there is, into empty rollups.
ALL_SPANS = f"""
INSERT INTO stats_customerspan (day, before, customer_count) {spans(chain(ALL_DAYS.format("counted")))} RETURNING 1
"""
