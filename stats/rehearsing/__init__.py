"""Rehearsing a template before it is launched: the draft is tried on the orders that were told of the last days.

Read in this order: ``assumptions`` (what the operator believes), ``planning`` (the draft, its dates laid on those
days), ``replaying`` (each order with its customer as they were then), ``expecting`` (claims, uses and limits day by
day), ``running`` (all of it as a job).
"""

from stats.rehearsing.assumptions import Assumptions
from stats.rehearsing.running import asked_of, start

__all__ = ["Assumptions", "asked_of", "start"]
