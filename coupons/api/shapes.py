"""What bodies are made of. Strict: nothing is converted in silence, and what is not named is refused.

Doors describe their body as a :class:`Shape` and read it with :func:`read`, which says every fault at once, each by
its path in the body and a code that never changes.
"""

import math
import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from coupons import geodesy
from coupons.models.keys import KEY_LENGTH
from coupons.refused import Invalid

MAX_FEN = 10**12
MAX_COUNT = 10**12
MOST_ROWS = 1000
MOST_LINES = 500
MOST_JSON = 10_000
DEEPEST_JSON = 8

#: Codes of faults and their sentences. ``%(…)s`` are filled from the limits that were broken.
SENTENCES: dict[str, str | Promise] = {
    "malformed": _("This is not JSON in UTF-8."),
    "required": _("This field is required."),
    "unknown_field": _("There is no such field."),
    "wrong_type": _("This is of the wrong type."),
    "not_whole": _("A whole number."),
    "not_a_number": _("A number."),
    "too_small": _("At least %(limit)s."),
    "too_large": _("At most %(limit)s."),
    "too_long": _("At most %(limit)s characters."),
    "too_short": _("At least %(limit)s characters."),
    "too_many": _("At most %(limit)s of them."),
    "too_few": _("At least %(limit)s of them."),
    "invalid_text": _("Without control characters."),
    "invalid_format": _("This does not have the right form."),
    "invalid_key": _("Letters, digits and _ . : @ - only, at most 64, beginning with a letter or digit."),
    "invalid_choice": _("One of %(limit)s."),
    "invalid_moment": _("A date and time with an offset, as in 2026-06-01T00:00:00+08:00."),
    "too_many_decimals": _("At most %(limit)s decimals."),
    "not_a_decimal": _("A whole number, or a string with at most two decimals."),
    "too_deep": _("Nested more than %(limit)s deep."),
    "ends_before_start": _("The end must be after the start."),
    "duplicate": _("This stands here twice."),
    "sum_too_large": _("Taken together, this is more than %(limit)s."),
    "invalid_area": _("This is not an area: %(limit)s"),
    "zero_has_no_dates": _("Who has no orders has no first or last one."),
    "invalid": _("This is not valid."),
}

#: What pydantic finds, in our words; the second is the name of the limit in its context.
_CODES = {
    "json_invalid": ("malformed", ""),
    "missing": ("required", ""),
    "extra_forbidden": ("unknown_field", ""),
    "int_type": ("not_whole", ""),
    "int_from_float": ("not_whole", ""),
    "int_parsing_size": ("too_large", ""),
    "float_type": ("not_a_number", ""),
    "finite_number": ("not_a_number", ""),
    "greater_than_equal": ("too_small", "ge"),
    "greater_than": ("too_small", "gt"),
    "less_than_equal": ("too_large", "le"),
    "less_than": ("too_large", "lt"),
    "string_too_long": ("too_long", "max_length"),
    "string_too_short": ("too_short", "min_length"),
    "too_long": ("too_many", "max_length"),
    "too_short": ("too_few", "min_length"),
    "literal_error": ("invalid_choice", "expected"),
    "enum": ("invalid_choice", "expected"),
}
#: Patterns that are used below, and what is said when they do not match.
_NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]*$"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KEY = r"^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,63}$"
_CITY = r"^[0-9]{6}$"
_PATTERNS = {_NO_CONTROL: "invalid_text", _KEY: "invalid_key"}


class Shape(BaseModel):
    """Base of every body and of what is in it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


ShapeType = TypeVar("ShapeType", bound=BaseModel)


def read(shape: type[ShapeType], body: bytes | str) -> ShapeType:
    """The body as this shape; a mark of the byte order, as some editors put before, is read past.

    :raises Invalid: with every fault that was found.
    """
    try:
        return shape.model_validate_json(body.removeprefix(BOM_UTF8) if isinstance(body, bytes) else body)
    except ValidationError as problem:
        raise Invalid(faults(problem)) from None


def faults(problem: ValidationError) -> list[dict[str, Any]]:
    """What pydantic found, as errors by field: ``lines.0.quantity``. A fault of the whole body has the field ``""``."""
    found = problem.errors(include_url=False, include_input=False)
    if place := re.search(r"line (\d+) column (\d+)", str((found[0].get("ctx") or {}).get("error", ""))):
        error = fault("", "malformed")  # it was not read any further
        where = _("Look at line %(line)s, column %(column)s.") % {"line": place[1], "column": place[2]}
        return [{**error, "detail": f"{error['detail']} {where}"}]
    return [fault(".".join(str(part)[:KEY_LENGTH] for part in error["loc"]), *_code_of(error)) for error in found]


def fault(field: str, code: str, limit: object = None) -> dict[str, Any]:
    """One error with the sentence of its code."""
    sentence = SENTENCES[code]
    return {"field": field, "code": code, "detail": sentence if limit is None else str(sentence) % {"limit": limit}}


def _code_of(error: Mapping[str, Any]) -> tuple[str, object]:
    kind, context = error["type"], error.get("ctx") or {}
    if "code" in context:  # one of our own, from ``wrong``
        return context["code"], context.get("limit")
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], "invalid_format"), None
    if kind in _CODES:
        code, limit = _CODES[kind]
        value = context.get(limit) if limit else None
        if isinstance(value, str):  # as Python would write it
            value = value.removeprefix("Decimal(").removesuffix(")").replace(" or ", ", ").replace("'", "")
        return code, value
    return ("wrong_type" if kind.endswith("_type") else "invalid"), None


def wrong(code: str, limit: object = None) -> PydanticCustomError:
    """For validators: a fault with one of our codes."""
    return PydanticCustomError(code, "{code}", {"code": code, "limit": limit})


def wrong_at(title: str, found: Sequence[tuple[tuple[str | int, ...], str, object]]) -> ValidationError:
    """For validators of a whole shape: several faults below it, as (path, code, limit)."""
    details = [InitErrorDetails(type=wrong(code, limit), loc=path, input=None) for path, code, limit in found]
    return ValidationError.from_exception_data(title, details)


# --- money, numbers, words -----------------------------------------------------------------------------------------

Fen = Annotated[int, Field(strict=True, ge=0, le=MAX_FEN, description="Money in whole fen.")]
PositiveFen = Annotated[int, Field(strict=True, ge=1, le=MAX_FEN, description="Money in whole fen.")]
Count = Annotated[int, Field(strict=True, ge=0, le=MAX_COUNT)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]

Text = Annotated[str, StringConstraints(pattern=_NO_CONTROL)]
Text40 = Annotated[str, StringConstraints(pattern=_NO_CONTROL, max_length=40, min_length=1, strip_whitespace=True)]
Text60 = Annotated[str, StringConstraints(pattern=_NO_CONTROL, max_length=60, strip_whitespace=True)]
Text100 = Annotated[str, StringConstraints(pattern=_NO_CONTROL, max_length=100, min_length=1, strip_whitespace=True)]
Text200 = Annotated[str, StringConstraints(pattern=_NO_CONTROL, max_length=200, strip_whitespace=True)]
#: An id of another system that we only repeat: of an order, of a line, of goods.
Id = Annotated[str, StringConstraints(pattern=_NO_CONTROL, min_length=1, max_length=KEY_LENGTH)]
#: A name in rules and documents; never changes.
Key = Annotated[str, StringConstraints(pattern=_KEY)]
CityKey = Annotated[str, StringConstraints(pattern=_CITY), Field(description="GB/T 2260 code, as 310000.")]

Client = Literal["app", "wechat", "mini_program", "open_platform", "counter"]
BusinessMode = Literal["self_operated", "agent"]


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if type(value) is int and abs(value) < 10**6:
        return Decimal(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", value, re.ASCII):
        return Decimal(value)
    raise wrong("not_a_decimal")


def _share(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if type(value) not in (int, float) or math.isnan(value):
        raise wrong("not_a_number")
    if value < 0:
        raise wrong("too_small", 0)
    if value > 1:
        raise wrong("too_large", 1)
    number = Decimal(repr(value))
    if number != round(number, 4):
        raise wrong("too_many_decimals", 4)
    return number


def _json(value: dict[str, Any]) -> dict[str, Any]:
    """What PostgreSQL can keep and a form can read: no control characters, no endless numbers, not deep, not vast."""
    left = MOST_JSON

    def look(part: Any, path: tuple[str | int, ...]) -> None:
        nonlocal left
        left -= 1
        if len(path) > DEEPEST_JSON:
            raise wrong_at("json", [(path[:1], "too_deep", DEEPEST_JSON)])
        if left < 0:
            raise wrong_at("json", [((), "too_many", MOST_JSON)])
        match part:
            case dict():
                for name, inner in part.items():
                    look(name, (*path, name))
                    look(inner, (*path, name))
            case list():
                for place, inner in enumerate(part):
                    look(inner, (*path, place))
            case str():
                if len(part) > 200:
                    raise wrong_at("json", [(path, "too_long", 200)])
                if _CONTROL.search(part):
                    raise wrong_at("json", [(path, "invalid_text", None)])
            case float():
                if not math.isfinite(part):
                    raise wrong_at("json", [(path, "not_a_number", None)])
            case int():
                if abs(part) > MAX_COUNT:
                    raise wrong_at("json", [(path, "too_large", MAX_COUNT)])

    look(value, ())
    return value


#: A percentage: a whole number, or a string with up to two decimals; a float is refused.
Percent = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,2})?$"}]}),
]
#: A share from 0 to 1 as a JSON number with at most four decimals.
Share = Annotated[
    Decimal,
    BeforeValidator(_share),
    PlainSerializer(float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
#: An object whose inside others check: conditions, looks.
JsonObject = Annotated[dict[str, Any], AfterValidator(_json)]


# --- when and where ------------------------------------------------------------------------------------------------

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if isinstance(value, str) and len(value) <= 40 and _RFC3339.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value.upper().replace(" ", "T"))
        except ValueError:
            raise wrong("invalid_moment") from None
        if 1900 <= moment.year <= 2999:  # far from the ends of the calendar, where an offset would overflow
            return moment
    raise wrong("invalid_moment")


Moment = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation")
]


class Position(Shape):
    """Where somebody is. Chinese maps are shifted: say so with ``datum``."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lng: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    datum: Literal["wgs84", "gcj02", "bd09"] = "wgs84"

    @property
    def wgs84(self) -> tuple[float, float]:
        """``(lat, lng)`` in WGS-84."""
        match self.datum:
            case "gcj02":
                return geodesy.gcj02_to_wgs84(self.lat, self.lng)
            case "bd09":
                return geodesy.bd09_to_wgs84(self.lat, self.lng)
        return self.lat, self.lng


# --- orders --------------------------------------------------------------------------------------------------------


class LineIn(Shape):
    id: Id
    sku: Id | None = None
    category: Id | None = None
    merchant: Id | None = None
    unit_price_fen: Fen
    quantity: Quantity


class OrderIn(Shape):
    """An order as it stands in the shop. Its full price is at most 10^12 fen; ids of lines are told apart."""

    id: Id
    customer: Id | None = None
    placed_at: Moment | None = None
    client: Client
    business_mode: BusinessMode | None = None
    business_line: Key | None = None
    city: CityKey | None = None
    position: Position | None = None
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=MOST_LINES)]
    shipping_fen: Fen = 0

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if len({line.id for line in self.lines}) < len(self.lines):
            seen: set[str] = set()
            for place, line in enumerate(self.lines):
                if line.id in seen:
                    raise wrong_at("order", [(("lines", place, "id"), "duplicate", None)])
                seen.add(line.id)
        if sum(line.unit_price_fen * line.quantity for line in self.lines) + self.shipping_fen > MAX_FEN:
            raise wrong_at("order", [(("lines",), "sum_too_large", MAX_FEN)])
        return self
