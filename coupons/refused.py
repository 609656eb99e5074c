"""The only ways to say no.

A step raises :class:`Refused` (the rules forbid it) or :class:`Invalid` (what was sent makes no sense).
Doors let both pass; the wiring gives them their shape. Codes never change; sentences are for people.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    # Claim
    "not_started": _("This offer has not started yet."),
    "ended": _("This offer has ended."),
    "paused": _("This offer is paused."),
    "outside_release": _("This coupon is not given out at this time."),
    "sold_out": _("All coupons have been given out."),
    "budget_spent": _("The budget of this campaign is used up."),
    "daily_limit": _("Today's coupons have all been given out."),
    "customer_limit": _("You have had as many of these coupons as one customer may have."),
    "customer_daily_limit": _("You have had as many of these coupons as one customer may have in a day."),
    "conditions_unmet": _("Not all conditions are met."),
    "exclusive_coupon_held": _("You hold a coupon that excludes this one."),
    "newcomer_coupon_held": _("You already hold a newcomer coupon."),
    "risk_refused": _("This request could not be accepted."),
    "in_control_group": _("This offer is not available."),
    "code_invalid": _("This code is not valid."),
    "too_many_attempts": _("Too many attempts. Wait a while, then try again."),
    "unknown_account": _("There is no such account."),
    "listed_twice": _("This account stands in the list already."),
    "nothing_on_offer": _("There is nothing on offer here."),
    "no_control_group": _("The campaign has no control group, so there is nothing to compare with."),
    "own_share": _("What one shares is for one's friends."),
    "not_your_order": _("This order is somebody else's."),
    "share_impossible": _("The coupons on offer cannot be cut into such a packet."),
    "event_too_old": _("This event was told too late."),
    "event_unfit": _("The event does not say what the rule wants."),
    "resting": _("The rule gave this customer something a little while ago."),
    # Use
    "not_available": _("This coupon is not available."),
    "already_redeemed": _("This coupon has been redeemed already."),
    "held_by_other_order": _("This coupon is held by another order."),
    "expired": _("This coupon has expired."),
    "not_yet_valid": _("This coupon is not valid yet."),
    "below_threshold": _("The order is below the coupon's threshold."),
    "nothing_in_scope": _("Nothing in the order is within the coupon's scope."),
    "cannot_stack": _("These coupons cannot be used together."),
    "order_already_redeemed": _("Coupons have been redeemed for this order already."),
    "order_finished": _("This order is finished already."),
    "rollback_exceeds": _("More would be given back than is left."),
    "not_held": _("This redemption is not held."),
    "hold_expired": _("The hold has run out."),
    "not_redeemed": _("This redemption has not been redeemed."),
    "month_not_over": _("This month can be closed half an hour after its end."),
    "month_not_next": _("Months are closed one after the other; another one is next."),
    "month_closed": _("This month is closed."),
    "undo_too_late": _("This can be undone only within ten minutes."),
    "ticket_stale": _("This took too long. Scan the coupon once more."),
    "showing_stale": _("This picture of the coupon is too old. Ask the customer to open it anew."),
    # Signing in on H5 pages
    "code_too_soon": _("Too many codes were asked for with this number. Wait a little."),
    "codes_spent": _("No more codes can be sent today."),
    "code_unsent": _("The code could not be sent. Try again in a minute."),
    "code_wrong": _("This code is wrong or no longer valid."),
    "wechat_failed": _("WeChat did not answer. Sign in with your phone number."),
    "wechat_stale": _("This sign-in was begun elsewhere or too long ago. Try again."),
    # Making
    "terms_frozen": _("Coupons are out: their terms stay as they are."),
    "limit_below_issued": _("A limit cannot be lower than what has been given out."),
    "budget_below_used": _("The budget cannot be lower than what is spent and committed."),
    "approval_needed": _("Going live needs the right to approve."),
    "second_approval_needed": _("What it may cost needs two approvers, each in the back office."),
    "edited_meanwhile": _("Somebody else changed this meanwhile."),
    "state_forbids": _("Its state does not allow this."),
    "file_unreadable": _("This file cannot be read."),
    "check_failed": _("The checker found what no customer should meet."),
    "warnings_not_accepted": _("The checker warns: accept each warning with a reason."),
    # Reports
    "report_outdated": _("This report asks for something that is not counted any more."),
    "no_recipients": _("Say who is to get it."),
    "recipient_unfit": _("A recipient may not see this report or has no address."),
    # Callers
    "not_authenticated": _("Sign in first."),
    "sign_in_wrong": _("The sign-in name or the password is wrong."),
    "sign_in_locked": _("Too many wrong passwords. Wait a quarter of an hour."),
    "token_invalid": _("The token is not valid."),
    "scope_missing": _("This key may not do this."),
    "not_your_customer": _("A customer may only speak for themselves."),
    "customer_missing": _("Say which customer this is for."),
    "not_found": _("There is nothing here, or it is not yours."),
    "idempotency_key_reused": _("This idempotency key was used for another request."),
    "idempotency_key_invalid": _("An idempotency key has 1 to 255 printable ASCII characters."),
    "invalid": _("The request is not valid."),
    "busy": _("Too much is going on at once; try again."),
}

#: What is not a plain refusal by the rules (409).
STATUS = {
    "not_authenticated": 401,
    "token_invalid": 401,
    "scope_missing": 403,
    "not_your_customer": 403,
    "approval_needed": 403,
    "second_approval_needed": 403,
    "not_found": 404,
    "customer_missing": 400,
    "idempotency_key_invalid": 400,
    "idempotency_key_reused": 422,
    "too_many_attempts": 429,
    "code_too_soon": 429,
    "codes_spent": 429,
    "code_unsent": 503,
    "busy": 503,
}


class Refused(Exception):
    """No, by the rules.

    ``code`` is one of SENTENCES; ``reasons`` are dicts with at least ``code`` and ``detail``, and what else
    helps a client (``short_by_fen``, ``wanted``, ``had``, ``coupon``, ``template``). ``template_id`` and ``cause`` are
    for the record and are never told.
    """

    def __init__(
        self,
        code: str,
        reasons: Sequence[Mapping[str, Any]] = (),
        *,
        detail: str | Promise | None = None,
        headers: Mapping[str, str] | None = None,
        template_id: int = 0,
        cause: str = "",
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS.get(code, 409)
        self.detail: str | Promise = detail or SENTENCES[code]
        self.reasons = list(reasons) or [{"code": code, "detail": self.detail, **more}]
        self.headers = dict(headers or {})
        self.template_id, self.cause = template_id, cause
        #: How it was counted, by :mod:`coupons.refusals`.
        self.noted: Any = None


class Invalid(Exception):
    """What was sent makes no sense; always 400, named field by field.

    ``errors``: ``{"field": "templates.0.amount_fen", "code": "too_small", "detail": sentence}``.
    """

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("invalid")
        self.code = "invalid"
        self.status = 400
        self.errors = list(errors)

    @classmethod
    def of(cls, field: str, code: str, detail: str | Promise) -> "Invalid":
        return cls([{"field": field, "code": code, "detail": detail}])
