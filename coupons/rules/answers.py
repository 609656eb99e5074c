"""The fields that conditions ask with. One form reads both what an operator posted and what a document says.

A posted form knows only text. JSON knows types, and there a number in quotes, ``true`` for 1 or a word for a list
is a mistake. What comes out is stored as it is: JSON types, domain words.
"""

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.rules.schedule import clean_windows

#: Places after the point in shares, as the database keeps them.
SHARE_PLACES = 4
MOST_DAYS = 3660
MOST_COUNT = 1_000_000
MOST_WORDS = 1000
WORD_LENGTH = 64
_PLAIN_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Answers(forms.Form):
    """A condition's form. ``initial`` takes stored answers; ``data`` what was posted, or answers from JSON."""

    use_required_attribute = False

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(data, *args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, Typed):
                field.from_text = isinstance(data, MultiValueDict)

    def is_left_blank(self) -> bool:
        """Nothing was answered: the condition is off."""
        return all(field.data in (None, "", [], [""]) for field in self)

    def needs_one_of(self, names: Iterable[str]) -> None:
        """For ``clean``: at least one of these answers. An answer that is wrong has been complained of already."""
        if not any(name in self.errors or self.cleaned_data.get(name) not in (None, []) for name in names):
            self.add_error(None, ValidationError(_("Answer at least one of these."), "required"))


class Typed:
    """What every field here is: told whether the answers come as text or with JSON's own types."""

    from_text = False

    def listed(self, value: Any, kind: type) -> None:
        """A list of this kind; None passes."""
        if value is None:
            return
        if not isinstance(value, list | tuple):
            raise wrong_type(_("A list."))
        kind = str if self.from_text else kind
        if any(type(one) is not kind for one in value):
            raise wrong_type(_("A list of words.") if kind is str else _("A list of whole numbers."))


def number(value: Decimal) -> int | float:
    """As it stands in JSON: the shortest number that means exactly this."""
    return int(value) if value == value.to_integral_value() else float(value)


def wrong_type(sentence: str) -> ValidationError:
    return ValidationError(sentence, "wrong_type")


class WholeNumber(Typed, forms.IntegerField):
    """From 0 (or more) to ``most``."""

    def __init__(self, *, least: int = 0, most: int = MOST_COUNT, **kwargs: Any) -> None:
        super().__init__(required=False, min_value=least, max_value=most, **kwargs)

    def to_python(self, value: Any) -> int | None:
        if value is None or (self.from_text and not value.strip()):
            return None
        if isinstance(value, str) and self.from_text:
            if not _PLAIN_NUMBER.fullmatch(value.strip()):
                raise wrong_type(_("A whole number."))
            return int(value)
        if type(value) is not int:
            raise wrong_type(_("A whole number."))
        return value


class Share(Typed, forms.DecimalField):
    """From 0 to 1, up to four places; kept as a JSON number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, min_value=0, max_value=1, decimal_places=SHARE_PLACES, **kwargs)

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if value is None or (self.from_text and not value.strip()):
            return None
        if isinstance(value, str) and _PLAIN_DECIMAL.fullmatch(value.strip()):
            return Decimal(value.strip())
        if type(value) is int or (type(value) is float and math.isfinite(value)):
            return Decimal(repr(value))
        raise wrong_type(_("A number between 0 and 1."))

    def clean(self, value: Any) -> int | float | None:
        cleaned = super().clean(value)
        return None if cleaned is None else number(cleaned)


class Several(Typed, forms.TypedMultipleChoiceField):
    """One or more of a list; kept in the order in which they were given."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, kind: type[str] | type[int] = str, **kwargs: Any) -> None:
        sentence = gettext_lazy("Not one of the choices.")
        super().__init__(coerce=kind, error_messages={"invalid_choice": sentence}, **kwargs)
        self.kind = kind

    def to_python(self, value: Any) -> list[str]:
        self.listed(value, self.kind)
        return super().to_python(value)

    def clean(self, value: Any) -> list[Any]:
        return list(dict.fromkeys(super().clean(value)))


class YesOrNo(Typed, forms.ChoiceField):
    """Yes or no; neither is no answer."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", "---------"), ("true", gettext_lazy("yes")), ("false", gettext_lazy("no"))]
        super().__init__(choices=choices, **kwargs)

    def to_python(self, value: Any) -> bool | None:
        if type(value) is bool or value is None:
            return value
        if self.from_text and value in ("true", "false", ""):
            return {"true": True, "false": False}.get(value)
        raise wrong_type(_("True or false."))

    def validate(self, value: Any) -> None:
        if value is None and self.required:
            raise ValidationError(self.error_messages["required"], "required")

    def prepare_value(self, value: Any) -> Any:
        return str(value).lower() if isinstance(value, bool) else value


class Word(Typed, forms.CharField):
    """One word."""

    def to_python(self, value: Any) -> str:
        if value is not None and not isinstance(value, str):
            raise wrong_type(_("A word."))
        return super().to_python(value) or ""


class Words(Typed, forms.Field):
    """A list of free words; operators separate them by commas."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> list[str]:
        if self.from_text:
            value = re.split(r"[,，、;；\n]", value or "")
            value = [word for word in map(str.strip, value) if word]
        if value is None:
            return []
        self.listed(value, str)
        if len(value) > MOST_WORDS:
            raise ValidationError(_("Too many."), "too_long")
        for word in value:
            if not (0 < len(word) <= WORD_LENGTH and word.isprintable() and word == word.strip()):
                raise ValidationError(_("Each of 1 to 64 characters, without spaces around it."), "invalid")
        return list(dict.fromkeys(value))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value


class Windows(Typed, forms.Field):
    """Windows of hours; operators write ``07:00-09:00, 22:00-06:00``."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> list[list[str]]:
        if self.from_text:
            value = [
                [clock.strip() for clock in re.split(r"[-–—~～至]", window)]
                for window in re.split(r"[,，、;；\n]", (value or "").replace("：", ":"))
                if window.strip()
            ]
        if value is None:
            return []
        try:
            return clean_windows(value)
        except ValueError as problem:
            raise ValidationError(str(problem), "invalid_format") from None

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return ", ".join(f"{start}-{end}" for start, end in value)
        return value


class Keys(Typed, forms.ModelMultipleChoiceField):
    """Rows by their key; one that is not known is an error."""

    def __init__(self, queryset: QuerySet[Model], **kwargs: Any) -> None:
        super().__init__(queryset, **kwargs)

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        self.listed(value, str)
        if not value:
            if self.required:
                raise ValidationError(self.error_messages["required"], "required")
            return []
        keys = list(dict.fromkeys(value))
        plain = [key for key in keys if key.isprintable() and len(key) <= WORD_LENGTH]
        known = set(cast("QuerySet[Model]", self.queryset).filter(pk__in=plain).values_list("pk", flat=True))
        unknown = sorted(set(keys) - known)
        if unknown:
            shown = ", ".join((key if key.isprintable() else ascii(key))[:WORD_LENGTH] for key in unknown[:10])
            raise ValidationError(_("Unknown: %(keys)s.") % {"keys": shown}, "unknown_key")
        return keys
