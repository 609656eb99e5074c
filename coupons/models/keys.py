"""What names may look like at the doors: keys of the company's other systems, names for people."""

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

KEY_LENGTH = 64
KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,63}\Z"

key_validator = RegexValidator(
    KEY_PATTERN, _("Letters, digits and _ . : @ - only, at most 64, beginning with a letter or digit."), "invalid_key"
)
