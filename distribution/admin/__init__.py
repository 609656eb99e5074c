"""The operators' pages of campaigns, of where they are placed, what sets them off, what is written to customers,
and who gets nothing."""

from distribution.admin import campaigns, code_batches, messages, placements, risk, triggers

__all__ = ["campaigns", "code_batches", "messages", "placements", "risk", "triggers"]
