"""Money as operators see it: 元 with two decimals, typed and shown; whole fen everywhere else. No floats on the way."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from coupons.models.templates import MAX_FEN

#: 1234 · 1,234.5 · 1234.50 — full-width digits and signs are made narrow before.
_AMOUNT = re.compile(r"(?:\d{1,13}|\d{1,3}(?:,\d{3}){1,4})(?:\.\d{1,2})?", re.ASCII)
_NARROW = str.maketrans("０１２３４５６７８９．，￥", "0123456789.,¥")


def yuan(fen: int | None, empty: str = "–") -> str:
    """``123456`` as ``¥1,234.56``."""
    if fen is None:
        return empty
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}¥{fen // 100:,}.{fen % 100:02}"


def plain_yuan(fen: int) -> str:
    """As it stands in an input: ``1234.56``."""
    return f"{fen // 100}.{fen % 100:02}"


def fen_of(text: str) -> int:
    """:raises ValueError: it is not an amount with at most two decimals."""
    text = text.translate(_NARROW).strip().removeprefix("¥").removesuffix("元").strip()
    if not _AMOUNT.fullmatch(text):
        raise ValueError(text)
    return int(Decimal(text.replace(",", "")) * 100)


def fold(percent_off: Decimal | None) -> str:
    """20 % off is 8折, 15 % off is 8.5折."""
    if percent_off is None:
        return ""
    return _("%(tenths)s/10 of the price") % {"tenths": f"{((100 - percent_off) / 10).normalize():f}"}


class YuanInput(UnfoldAdminTextInputWidget):
    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(
            {"inputmode": "decimal", "autocomplete": "off", "suffix": gettext_lazy("yuan"), **(attrs or {})}
        )


class YuanField(forms.Field):
    """Typed in 元, at most two decimals; cleaned to whole fen. ``least`` and ``most`` in fen."""

    widget = YuanInput

    def __init__(self, *, least: int = 0, most: int = MAX_FEN, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def prepare_value(self, value: Any) -> Any:
        return plain_yuan(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def to_python(self, value: Any) -> int | None:
        if type(value) is int:
            return value  # fen already: what a disabled field was shown with
        if value is None or not str(value).strip():
            return None
        try:
            return fen_of(str(value))
        except ValueError:
            raise ValidationError(_("An amount such as 20 or 20.50, at most two decimals."), "invalid") from None

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is None:
            return
        if value < self.least:
            raise ValidationError(_("At least %(amount)s.") % {"amount": yuan(self.least)}, "min_value")
        if value > self.most:
            raise ValidationError(_("At most %(amount)s.") % {"amount": yuan(self.most)}, "max_value")

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return initial != self.to_python(data)
        except ValidationError:
            return True
