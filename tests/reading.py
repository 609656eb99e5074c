"""A strict reader of the terms: what a customer reads on a coupon, back to the rules that it was made of.

Written by hand for both languages and apart from the catalogues, so that a translation that says something else is
found out. Every sentence must be understood in exactly one way.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: A fact's name, and what was read of it; conditions are ("condition", code, answers).
Read = tuple[Any, ...]
#: By kind and code, what each thing is called.
Vocabulary = dict[str, dict[Any, str]]

MONTHS = ["Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."]
WEEKDAYS = {
    "zh": ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}
NUMBER = r"(\d+(?:\.\d+)?)"
WINDOW = r"\d\d:\d\d–\d\d:\d\d"


class Unclear(AssertionError):
    """A sentence that says nothing, or two things."""


class Reader:
    def __init__(self, language: str, names: Vocabulary) -> None:
        self.language = language
        self.names = {**names, "weekdays": dict(enumerate(WEEKDAYS[language], 1))}
        self.patterns = [(re.compile(pattern), say) for pattern, say in (CHINESE if language == "zh" else ENGLISH)]

    def read(self, sentence: str) -> Read:
        found = []
        for pattern, say in self.patterns:
            match = pattern.fullmatch(sentence)
            if match and (said := say(self, match)) is not None:
                found.append(said)
        if len(found) != 1:
            raise Unclear(f"{sentence!r} is read as {found}")
        return found[0]

    def listed(self, kind: str, text: str) -> frozenset[Any] | None:
        """Things of one kind, joined by commas and the last by "or" or "and"; None: they are not of this kind."""
        codes = {name: code for code, name in self.names.get(kind, {}).items()}
        one = "(" + "|".join(re.escape(name) for name in sorted(codes, key=len, reverse=True)) + ")"
        between = "、" if self.language == "zh" else "(?:, | or | and )"
        if not codes or not re.fullmatch(f"{one}(?:{between}{one})*", text):  # names may hold commas themselves
            return None
        found = [match[1] for match in re.finditer(f"{one}(?:{between}|$)", text)]
        return frozenset(codes[name] for name in found)

    def any_of(self, kind: str, text: str) -> Read | None:
        codes = self.listed(kind, text)
        return None if codes is None else ("condition", kind, codes)

    def range(self, text: str, scale: int = 1) -> tuple[Decimal | None, Decimal | None]:
        words = {"zh": ("至少", "至多", "正好", "–"), "en": ("at least ", "at most ", "exactly ", " to ")}
        least, most, exactly, to = words[self.language]

        def number(part: str) -> Decimal:
            return Decimal(part.rstrip("%")) / scale

        if text.startswith(least):
            return number(text.removeprefix(least)), None
        if text.startswith(most):
            return None, number(text.removeprefix(most))
        if text.startswith(exactly):
            return number(text.removeprefix(exactly)), number(text.removeprefix(exactly))
        low, high = text.split(to)
        return number(low), number(high)

    def moment(self, text: str) -> tuple[datetime, bool]:
        """The moment, and whether only its day was told."""
        if self.language == "zh":
            match = re.fullmatch(r"(\d+)年(\d+)月(\d+)日(?: (\d\d):(\d\d))?", text)
            assert match, text
            year, month, day, hour, minute = (int(part) if part else 0 for part in match.groups())
            return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI), match[4] is None
        match = re.fullmatch(r"(\S+) (\d+), (\d+)(?:, (?:(midnight)|(noon)|(\d+)(?::(\d\d))? ([ap])\.m\.))?", text)
        assert match, text
        month, day, year = MONTHS.index(match[1]) + 1, int(match[2]), int(match[3])
        hour = 12 if match[5] else (int(match[6]) % 12 + (12 if match[8] == "p" else 0)) if match[6] else 0
        whole = not (match[4] or match[5] or match[6])
        return datetime(year, month, day, hour, int(match[7] or 0), tzinfo=SHANGHAI), whole

    def period(self, text: str) -> tuple[datetime | None, datetime | None] | None:
        """Half-open; a last day ends at its midnight."""
        if self.language == "zh":
            match = re.fullmatch(r"(?:截至(?P<until>.+)|(?P<since>.+)起|(?P<a>.+)至(?P<b>.+)|(?P<day>[^至起]+))", text)
        else:
            match = re.fullmatch(
                r"(?:until (?P<until>.+)|from (?P<a>.+) to (?P<b>.+)|from (?P<since>(?:(?! to ).)+)|(?P<day>\w.*\d))",
                text,
            )
        if match is None:
            return None
        said = {name: self.moment(words) for name, words in match.groupdict().items() if words}
        start = said.get("since") or said.get("a") or said.get("day")
        end = said.get("until") or said.get("b") or said.get("day")
        return start and start[0], end and (end[0] + timedelta(days=1) if end[1] else end[0])


def fen(text: str) -> int:
    return int(Decimal(text) * 100)


def windows(text: str) -> tuple[tuple[str, ...], ...] | None:
    parts = re.split("、|, | or | and ", text)
    return (
        tuple(tuple(part.split("–")) for part in parts) if all(re.fullmatch(WINDOW, part) for part in parts) else None
    )


def money(amount: str | None = None, threshold: str | None = None, off: Any = None, cap: str | None = None) -> Read:
    return ("money", *(None if part is None else fen(part) for part in (amount, threshold)), off, cap and fen(cap))


def of_shipping(*read: Any) -> Read:
    """Held against the shipping fee, not against the goods."""
    return (*money(*read), "shipping")


def days(read: Reader, text: str | None) -> int | None:
    return int(text) if text else None


def ranged(code: str, scale: int = 1) -> Callable[[Reader, re.Match[str]], Read]:
    """``range`` and perhaps ``days`` of the match."""

    def say(read: Reader, match: re.Match[str]) -> Read:
        parts = match.groupdict()
        last = parts.get("days")
        within = None if last is None else int(re.search(r"\d+", last)[0]) if re.search(r"\d+", last) else 1  # type: ignore[index]
        return ("condition", code, *read.range(parts["range"], scale), within)

    return say


def always(*said: Any) -> Callable[[Reader, re.Match[str]], Read]:
    return lambda read, match: said


def tags(read: Reader, match: re.Match[str]) -> Read:
    parts = match.groupdict()
    sides = (read.listed("tags", parts[side]) if parts.get(side) else frozenset() for side in ("any", "none"))
    return ("condition", "tags", *sides)


def hours(side: str) -> Callable[[Reader, re.Match[str]], Read | None]:
    def say(read: Reader, match: re.Match[str]) -> Read | None:
        found = windows(match[1])
        return None if found is None else ("condition", "hours", side, found)

    return say


def named(*kinds: str) -> Callable[[Reader, re.Match[str]], Read | None]:
    def say(read: Reader, match: re.Match[str]) -> Read | None:
        found = [said for kind in kinds if (said := read.any_of(kind, match[1])) is not None]
        return found[0] if len(found) == 1 else None

    return say


def scope(kind: str) -> Callable[[Reader, re.Match[str]], Read | None]:
    def say(read: Reader, match: re.Match[str]) -> Read | None:
        codes = read.listed(kind, match[1])
        return None if codes is None else ("scope", kind, codes)

    return say


def valid(read: Reader, match: re.Match[str]) -> Read | None:
    period = read.period(match[1])
    return None if period is None else ("validity", *period)


def given(read: Reader, match: re.Match[str]) -> Read | None:
    period = read.period(match[1])
    return None if period is None else ("release period", *period)


def standing(read: Reader, match: re.Match[str]) -> Read | None:
    """Each customer that is meant, and the line that all speak of."""
    any_of, lines = set(), set()
    if read.language == "zh":
        known = {
            r"新用户（首单）": "platform_new",
            r"老用户": "returning",
            r"(.+)业务的新用户": "business_new",
            r"(.+)业务的老用户": "returning",
        }
        parts = re.split("、|或", match[1])
    else:
        known = {
            r"new customers \(first order\)": "platform_new",
            r"returning customers": "returning",
            r"customers new to (.+)": "business_new",
            r"returning customers of (.+)": "returning",
        }
        parts = re.split(", | or ", match[1])
    for part in parts:
        meant = [(code, found) for words, code in known.items() if (found := re.fullmatch(words, part))]
        if len(meant) != 1:
            return None
        any_of.add(meant[0][0])
        lines |= read.listed("lines", meant[0][1][1]) or set() if meant[0][1].groups() else set()  # type: ignore[arg-type]
    return ("condition", "standing", frozenset(any_of), lines.pop() if lines else None)


def month_days(read: Reader, match: re.Match[str]) -> Read:
    parts = re.split("、|, | and ", match[1])
    last = {"zh": "最后一天", "en": "the last day"}[read.language]
    return (
        "release month_days",
        frozenset(-1 if part == last else int(re.search(r"\d+", part)[0]) for part in parts),  # type: ignore[index]
    )


def release_weekdays(read: Reader, match: re.Match[str]) -> Read | None:
    codes = read.listed("weekdays", match[1])
    return None if codes is None else ("release weekdays", codes)


def limit(name: str, read_number: Callable[[str], int] = int) -> Callable[[Reader, re.Match[str]], Read]:
    return lambda read, match: ("limit", name, read_number(match[1]))


def tenths(text: str) -> Decimal:
    """8折 is 20 % off."""
    return 100 - Decimal(text) * 10


def later(read: Reader, match: re.Match[str]) -> Read:
    return ("validity", int(match[2]), int(match[1]))


def returns(outcome: str) -> Callable[[Reader, re.Match[str]], Read | None]:
    """The cases of the reversal table, and the days of grace."""

    def say(read: Reader, match: re.Match[str]) -> Read | None:
        cases = read.listed("cases", match[1])
        return None if cases is None else ("returns", outcome, cases, int(match[2]) if outcome == "grace" else None)

    return say


CHINESE: list[tuple[str, Any]] = [
    (rf"满{NUMBER}元减{NUMBER}元", lambda r, m: money(m[2], m[1])),
    (rf"无门槛，立减{NUMBER}元", lambda r, m: money(m[1])),
    (rf"(?:满{NUMBER}元)?享{NUMBER}折(?:，最高减{NUMBER}元)?", lambda r, m: money(None, m[1], tenths(m[2]), m[3])),
    (rf"运费满{NUMBER}元减{NUMBER}元", lambda r, m: of_shipping(m[2], m[1])),
    (rf"运费满{NUMBER}元享{NUMBER}折(?:，最高减{NUMBER}元)?", lambda r, m: of_shipping(None, m[1], tenths(m[2]), m[3])),
    (r"领取当天有效", always("validity", 1, 0)),
    (r"领取后(\d+)天内有效（含领取当天）", lambda r, m: ("validity", int(m[1]), 0)),
    (r"领取(\d+)天后生效，有效期(\d+)天", later),
    (r"有效期：(.+)", valid),
    (r"仅可抵扣运费", always("scope", "shipping", True)),
    (r"限(.+)品类使用", scope("categories")),
    (r"限在(.+)使用", scope("merchants")),
    (r"限指定商品：(.+)", scope("skus")),
    (r"需为(.+)", standing),
    (r"限带有“(?P<any>[^”]+)”标签的用户", tags),
    (r"带有“(?P<none>[^”]+)”标签的用户除外", tags),
    (r"限带有“(?P<any>[^”]+)”标签的用户，带有“(?P<none>[^”]+)”标签的除外", tags),
    (r"限优惠敏感度(?P<range>[^的]+)的用户", ranged("sensitivity")),
    (r"限流失概率(?P<range>[^的]+)的用户", ranged("churn_probability", 100)),
    (r"限(?P<days>近\d+天)?补贴率(?P<range>[^的]+)的用户", ranged("subsidy_rate", 100)),
    (r"限已安装其他同类App的用户", always("condition", "rival_app", True)),
    (r"限未安装其他同类App的用户", always("condition", "rival_app", False)),
    (r"限(?:累计|(?P<days>近\d+天)内)完成(?P<range>[^单]+)单的用户", ranged("order_count")),
    (r"限从未下单的用户", always("condition", "order_count", None, Decimal(0), None)),
    (r"限近(\d+)天内未下单的用户", lambda r, m: ("condition", "order_count", None, Decimal(0), int(m[1]))),
    (r"限上次下单距今(?P<range>[^天]+)天的用户", ranged("last_order_days")),
    (r"限(.+)(?:使用|领取)", hours("inside")),
    (r"(.+) 不可(?:用|领取)", hours("outside")),
    (r"限(.+)(?:使用|领取)", named("cities", "areas", "clients", "weekdays", "festivals")),
    (r"限(.+)天气(?:使用|领取)", named("weather")),
    (r"限(.+)订单(?:使用|领取)", named("business_modes")),
    (r"不可与其他优惠券同时使用", always("stack", "exclusive")),
    (r"每单限用一张运费券", always("stack", "shipping")),
    (r"每单限用一张同类优惠券", always("stack", "one of its kind")),
    (r"每个账户同时只能持有一张新客券", always("newcomer", True)),
    (r"持有此券期间，不可领取同一互斥组的其他券", always("exclusive", True)),
    (r"整单退款后，有效期内的券会退回", always("returns", True)),
    (r"订单退款后，券不退回", always("returns", False)),
    (r"订单(.+)时，有效期内的券会退回", returns("returns")),
    (r"订单(.+)时券会退回，且至少再有(\d+)天有效期", returns("grace")),
    (r"订单(.+)时券不退回", returns("stays")),
    (r"部分退款后不满足门槛时，券会退回，已享优惠一并收回", always("returns partly", "returns", None)),
    (
        r"部分退款后不满足门槛时，券会退回且至少再有(\d+)天有效期，已享优惠一并收回",
        lambda r, m: ("returns partly", "grace", int(m[1])),
    ),
    (r"若券已过期，退回后再有(\d+)天有效期", lambda r, m: ("returns late", "grace", int(m[1]))),
    (r"若券已过期则不退回", always("returns late", "stays", None)),
    (r"发放时间：(.+)", given),
    (r"每((?:周.、?)+)发放", release_weekdays),
    (r"每月(.+)发放", month_days),
    (r"发放时段：(.+)", lambda r, m: ("release hours", windows(m[1]))),
    (r"每人限领(\d+)张", limit("customer_count")),
    (r"每人每天限领(\d+)张", limit("customer_daily_count")),
    (rf"每人最多领{NUMBER}元", limit("customer_fen", fen)),
    (rf"每人每天最多领{NUMBER}元", limit("customer_daily_fen", fen)),
]
SPEND, CUSTOMERS = rf"(?: when you spend ¥{NUMBER} or more)?", "Only for customers with"
FEE = rf" a shipping fee of ¥{NUMBER} or more"
BOUND = "(?:at least |at most |exactly )?"
LAST = r"(?: in the last (?P<days>day|\d+ days))?"
ENGLISH: list[tuple[str, Any]] = [
    (rf"¥{NUMBER} off when you spend ¥{NUMBER} or more", lambda r, m: money(m[1], m[2])),
    (rf"¥{NUMBER} off, no minimum spend", lambda r, m: money(m[1])),
    (rf"{NUMBER}% off{SPEND}(?:, up to ¥{NUMBER} off)?", lambda r, m: money(None, m[2], Decimal(m[1]), m[3])),
    (rf"¥{NUMBER} off{FEE}", lambda r, m: of_shipping(m[1], m[2])),
    (rf"{NUMBER}% off{FEE}(?:, up to ¥{NUMBER} off)?", lambda r, m: of_shipping(None, m[2], Decimal(m[1]), m[3])),
    (r"Valid on the day you get it", always("validity", 1, 0)),
    (r"Valid for (\d+) days, the day you get it included", lambda r, m: ("validity", int(m[1]), 0)),
    (r"Starts (\d+) days? after you get it, valid for (\d+) days?", later),
    (r"Valid ((?:from )?\w+\.? \d.+)", valid),
    (r"Only for the shipping fee", always("scope", "shipping", True)),
    (r"Only for (.+)", scope("categories")),
    (r"Only at (.+)", scope("merchants")),
    (r"Only for certain goods: (.+)", scope("skus")),
    (r"Only for (.+)", standing),
    (r"Only for customers tagged (?P<any>(?:(?!, but not ).)+)", tags),
    (r"Not for customers tagged (?P<none>.+)", tags),
    (r"Only for customers tagged (?P<any>.+), but not (?P<none>.+)", tags),
    (rf"{CUSTOMERS} a coupon sensitivity of (?P<range>.+)", ranged("sensitivity")),
    (rf"{CUSTOMERS} a churn probability of (?P<range>.+)", ranged("churn_probability", 100)),
    (
        rf"{CUSTOMERS} a subsidy rate of (?P<range>{BOUND}[\d.]+%|[\d.]+% to [\d.]+%){LAST}",
        ranged("subsidy_rate", 100),
    ),
    (r"Only for customers who have a similar app of another company", always("condition", "rival_app", True)),
    (r"Only for customers who have no similar app of another company", always("condition", "rival_app", False)),
    (rf"{CUSTOMERS} (?P<range>{BOUND}\d+|\d+ to \d+) orders?{LAST}", ranged("order_count")),
    (r"Only for customers without an order", always("condition", "order_count", None, Decimal(0), None)),
    (
        r"Only for customers without an order in the last (day|\d+ days)",
        lambda r, m: ("condition", "order_count", None, Decimal(0), 1 if m[1] == "day" else int(m[1].split()[0])),
    ),
    (r"Only for customers whose last order was (?P<range>.+) days? ago", ranged("last_order_days")),
    (r"(?:Only|Can be claimed only) (\d\d:.+)", hours("inside")),
    (r"(?:Not usable|Cannot be claimed) (.+)", hours("outside")),
    (r"(?:Only|Can be claimed only) in (.+)", named("cities", "areas")),
    (r"(?:Only|Can be claimed only) by (.+)", named("clients")),
    (r"(?:Only|Can be claimed only) on (.+)", named("weekdays")),
    (r"(?:Only|Can be claimed only) on these days: (.+)", named("festivals")),
    (r"(?:Only|Can be claimed only) in this weather: (.+)", named("weather")),
    (r"(?:Only|Can be claimed only) for (.+) orders", named("business_modes")),
    (r"Cannot be used together with other coupons", always("stack", "exclusive")),
    (r"One shipping coupon per order", always("stack", "shipping")),
    (r"One coupon of this kind per order", always("stack", "one of its kind")),
    (r"One newcomer coupon at a time per account", always("newcomer", True)),
    (r"While you hold it, others of its group cannot be claimed", always("exclusive", True)),
    (r"Comes back if the whole order is refunded, for as long as it is valid", always("returns", True)),
    (r"Does not come back if the order is refunded", always("returns", False)),
    (r"Comes back if the order is (.+), for as long as it is valid", returns("returns")),
    (r"Comes back if the order is (.+), and is then valid for at least (\d+) days", returns("grace")),
    (r"Does not come back if the order is (.+)", returns("stays")),
    (
        r"If a partial refund leaves less than it needs, it comes back, and its discount is taken back",
        always("returns partly", "returns", None),
    ),
    (
        r"If a partial refund leaves less than it needs, it comes back for at least (\d+) days, and its discount is"
        r" taken back",
        lambda r, m: ("returns partly", "grace", int(m[1])),
    ),
    (
        r"If it has expired meanwhile, it comes back for (\d+) days",
        lambda r, m: ("returns late", "grace", int(m[1])),
    ),
    (r"If it has expired meanwhile, it does not come back", always("returns late", "stays", None)),
    (r"Given out ((?:from |until )?\w+\.? \d.+)", given),
    (r"Given out on (.+)", release_weekdays),
    (r"Given out every month on (.+)", month_days),
    (r"Given out (\d\d:.+)", lambda r, m: ("release hours", windows(m[1]))),
    (r"(\d+) per customer", limit("customer_count")),
    (r"(\d+) per customer and day", limit("customer_daily_count")),
    (rf"Up to ¥{NUMBER} per customer", limit("customer_fen", fen)),
    (rf"Up to ¥{NUMBER} per customer and day", limit("customer_daily_fen", fen)),
]
