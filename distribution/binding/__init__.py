"""绑券: a list or an audience is looked over, confirmed, and given its coupons by a job that may be called back.

The list stands in rows from the start. The job goes through it in chunks; what a chunk gives, what it says of each
account and how far it has come are one transaction, so a killed worker's successor gives nobody two.
"""

from distribution.binding import giving, looking_over, moving, telling

# Kinds of work register themselves when they are imported.
__all__ = ["giving", "looking_over", "moving", "telling"]
