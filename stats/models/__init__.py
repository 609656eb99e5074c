from stats.models.rehearsals import Rehearsal
from stats.models.rollups import DayRollup

__all__ = ["DayRollup", "Rehearsal"]
