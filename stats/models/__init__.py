from stats.models.effects import EffectReading
from stats.models.rehearsals import Rehearsal
from stats.models.reports import Report, ReportSending
from stats.models.rollups import (
    CountedEvent,
    CountedSight,
    CustomerRollup,
    CustomerSpan,
    DayRollup,
    FacetRollup,
    HourRollup,
)
from stats.models.warnings import BudgetWarning

__all__ = [
    "BudgetWarning",
    "CountedEvent",
    "CountedSight",
    "CustomerRollup",
    "CustomerSpan",
    "DayRollup",
    "EffectReading",
    "FacetRollup",
    "HourRollup",
    "Rehearsal",
    "Report",
    "ReportSending",
]
