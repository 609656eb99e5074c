"""The rule engine: conditions, their verdicts, and how a set of them is cleaned, compiled and asked.

Pure: it knows neither models nor requests. The menu itself is in ``coupons.conditions``.
"""

from coupons.rules.engine import (
    EVERYONE,
    NOBODY,
    Condition,
    CustomerCondition,
    InvalidRules,
    Past,
    Verdict,
    clean,
    compile_rules,
    menu,
    register,
    unmet,
)
from coupons.rules.situation import BusinessMode, Client, Profile, Situation

__all__ = [
    "EVERYONE",
    "NOBODY",
    "BusinessMode",
    "Client",
    "Condition",
    "CustomerCondition",
    "InvalidRules",
    "Past",
    "Profile",
    "Situation",
    "Verdict",
    "clean",
    "compile_rules",
    "menu",
    "register",
    "unmet",
]
