"""投放: campaigns, where they are offered, what and in which order; codes; what sets them off; messages."""

from distribution.models.bindings import Binding, BindingLine
from distribution.models.campaigns import Campaign, Offer, Placement
from distribution.models.codes import (
    CodeAttempts,
    CodeBatch,
    CodeDownload,
    CodeExchange,
    CodeSheet,
    RedemptionCode,
)
from distribution.models.messages import Message, MessageTemplate
from distribution.models.pages import ClaimLink, ClaimPage
from distribution.models.reminders import OptOut, Reminder, ReminderDay, ReminderRule
from distribution.models.risk import Block, RiskRule, Velocity
from distribution.models.shares import SharePacket, SharePlan, ShareTake
from distribution.models.signing_in import AddressHour, PhoneProof, SmsDay, WechatAccount
from distribution.models.triggers import InboundEvent, Rest, TriggerRule

__all__ = [
    "AddressHour",
    "Binding",
    "BindingLine",
    "Block",
    "Campaign",
    "ClaimLink",
    "ClaimPage",
    "CodeAttempts",
    "CodeBatch",
    "CodeDownload",
    "CodeExchange",
    "CodeSheet",
    "InboundEvent",
    "Message",
    "MessageTemplate",
    "Offer",
    "OptOut",
    "PhoneProof",
    "Placement",
    "RedemptionCode",
    "Reminder",
    "ReminderDay",
    "ReminderRule",
    "Rest",
    "RiskRule",
    "SharePacket",
    "SharePlan",
    "ShareTake",
    "SmsDay",
    "TriggerRule",
    "Velocity",
    "WechatAccount",
]
