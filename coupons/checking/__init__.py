"""The checker (C11): proves that an offer can be claimed and used, or says which rules contradict each other.

Errors are promises that could not be kept; warnings are what an operator may well mean, and says so with a reason.
"""

from coupons.checking import advice
from coupons.checking.cases import Case, Placed
from coupons.checking.solving import Moment, Solver, Witness, core
from coupons.checking.verdicts import Finding, Verdict, alone, register, register_source, verdict

__all__ = [
    "Case",
    "Finding",
    "Moment",
    "Placed",
    "Solver",
    "Verdict",
    "Witness",
    "advice",
    "alone",
    "core",
    "register",
    "register_source",
    "verdict",
]
