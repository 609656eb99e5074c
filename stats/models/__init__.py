from stats.models.effects import EffectReading
from stats.models.rehearsals import Rehearsal
from stats.models.rollups import DayRollup

__all__ = ["DayRollup", "EffectReading", "Rehearsal"]
