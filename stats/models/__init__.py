from stats.models.effects import EffectReading
from stats.models.rehearsals import Rehearsal
from stats.models.reports import Report, ReportSending
from stats.models.rollups import (
    Activity,
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
    "Activity",
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
