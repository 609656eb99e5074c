"""What the counter's script says: handed to it by the page, in the language of the page."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

WORDS = {
    "no_camera": _("The camera cannot be used here. Type the code instead."),
    "aim": _("Hold the coupon's QR code before the camera."),
    "looking": _("Looking it up …"),
    "unusable": _("It cannot be used here and now:"),
    "until": pgettext_lazy("counter", "Valid until %s"),
    "wrong_amount": _("An amount such as 20 or 20.50, at most two decimals."),
    "off": pgettext_lazy("counter", "%s off"),
    "to_pay": _("The customer pays %s"),
    "sending": _("Sending … Do not scan again."),
    "asking": _("No answer. Asking whether it went through …"),
    "still_asking": _("The line is down. Whether it went through is not known yet; this page keeps asking."),
    "done": _("Redeemed: it went through"),
    "never": _("It did NOT go through. Nothing was redeemed; try again."),
    "refused": _("Not redeemed"),
    "undone": pgettext_lazy("counter", "undone"),
    "returned": pgettext_lazy("counter", "refunded"),
    "undo": _("Undo"),
    "undo_sure": _("Undo this redemption? The coupon goes back to the customer."),
    "undo_sure_gone": _("Undo this redemption? By its rules the coupon does NOT go back to the customer."),
    "undone_back": _("Undone. The customer has the coupon again."),
    "undone_gone": _("Undone. The coupon did not go back to the customer."),
    "undo_failed": _("It was not undone."),
    "offline": _("The line is down. Try again."),
    "none_today": _("Nothing redeemed today yet."),
    "sums": _("%1 redeemed, %2 off"),
    "bill": pgettext_lazy("counter", "Bill %s"),
}
