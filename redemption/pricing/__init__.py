"""What coupons take off an order: pure arithmetic in whole fen, no database, no floats.

Read in this order: ``bill`` (what goes in), ``spreading`` (over lines), ``taking`` (one coupon), ``sharing`` (who
pays), ``stacking`` (several coupons), ``choosing`` (the best of a wallet), ``returning`` (a part comes back).
"""

from .bill import Bill, Candidate, Kind, Line, Terms, Why, hundredths
from .choosing import best_set, choose
from .returning import rollback_parts
from .sharing import Part
from .spreading import spread
from .stacking import EXCLUSIVE, PricedSet, price_set
from .taking import Priced, amount_one, price_one

__all__ = [
    "EXCLUSIVE",
    "Bill",
    "Candidate",
    "Kind",
    "Line",
    "Part",
    "Priced",
    "PricedSet",
    "Terms",
    "Why",
    "amount_one",
    "best_set",
    "choose",
    "hundredths",
    "price_one",
    "price_set",
    "rollback_parts",
    "spread",
]
