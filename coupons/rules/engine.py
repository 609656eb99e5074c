"""One condition, four faces: the operator's form, the whole population in SQL, one customer, a sentence.

A few words more tell the checker which fact it reads and which of its values are worth trying.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

from django import forms
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from coupons.rules.situation import Profile, Situation

Deed = Literal["use", "claim"]
EVERYONE, NOBODY = Q(pk__isnull=False), Q(pk__in=[])


class Verdict(NamedTuple):
    """``holds``: True, False, or None when the fact is unknown. ``had``: what there was, as JSON-able data.

    ``missing``: codes of the conditions inside an unknown one that would be known if more were told of the moment;
    empty where that would not be enough.
    """

    holds: bool | None
    had: Any = None
    missing: tuple[str, ...] = ()


class Past(NamedTuple):
    """One sort of past that fulfils a condition about orders.

    ``counts``: (days, at least, at most) each: so many orders in the last days, today among them; None: ever, no end.
    ``lines``: business lines in which there are orders, or none.
    """

    counts: tuple[tuple[int | None, int, int | None], ...] = ()
    lines: Mapping[str, bool] = {}


class InvalidRules(Exception):
    """``errors``: (path below the rules, code, sentence) each."""

    def __init__(self, errors: list[tuple[str, str, str]]) -> None:
        super().__init__(errors)
        self.errors = errors


class Condition:
    """A rule of the menu with an operator's answers.

    ``answers`` are stored as cleaned by ``Form``: domain words, JSON types, nothing left blank.
    Subclasses read them in ``prepare`` once, so that ``check`` is quick.
    """

    code: ClassVar[str]
    label: ClassVar[str | Promise]
    #: Whether a coupon's use may ask for it, too.
    for_use: ClassVar[bool] = True
    #: Facts beyond the customer's own row that ``check`` reads with these answers: "lines", "days".
    needs: frozenset[str] = frozenset()
    #: How many days, today among them, ``check`` looks back in the customer's days.
    days_back: int = 0
    #: The one fact that ``check`` reads, of Profile or Situation; "moment": day and time; "orders": the past.
    #: Empty: the checker cannot see through it, and says so.
    fact: ClassVar[str] = ""
    #: What operators should know of it beside its sentence.
    edge: ClassVar[str | Promise] = ""

    Form: ClassVar[type[forms.Form]] = forms.Form

    def __init__(self, answers: Mapping[str, Any], deed: Deed = "use") -> None:
        self.answers = answers
        self.deed = deed
        self.prepare()

    def prepare(self) -> None:
        """Turn the answers into what ``check`` and ``q`` compare with."""

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        raise NotImplementedError

    def population(self, situation: Situation) -> tuple[Q, Q]:
        """In SQL: customers for whom it holds in this situation, and those for whom it is known whether it does."""
        holds = self.check(Profile(None, ""), situation).holds
        return (EVERYONE if holds else NOBODY), (NOBODY if holds is None else EVERYONE)

    def wording(self) -> str:
        """A sentence for customers, in the active language, without a full stop."""
        raise NotImplementedError

    def for_operators(self) -> str:
        """The same for operators, with what customers need not know."""
        return (
            _("%(sentence)s (%(more)s)") % {"sentence": self.wording(), "more": self.edge}
            if self.edge
            else self.wording()
        )

    def tries(self) -> Iterable[Any]:
        """Values of the fact such that, if any value fits this and other conditions, one of all their tries does.

        Of a fact that is a set: what the set may hold. Of the moment: minutes of the day at which the answer may turn.
        """
        return ()

    def shuns(self) -> Iterable[Any]:
        """What a fact that is a set must not hold."""
        return ()

    def pasts(self) -> Iterable[Past]:
        """For a condition about orders: every sort of past that fulfils it."""
        return ()

    def parts(self) -> Iterable["Condition"]:
        """For a condition made of others: all of those, however deep."""
        return ()

    def ways(self) -> Iterable[Sequence["Condition"]]:
        """For a condition made of others: lists of them, of which one is to hold as a whole. What else it asks for, the
        checker asks of the witness alone."""
        return ((),)

    def fails(self) -> Iterable[Sequence["Condition"]]:
        """Lists of conditions of which one holds as a whole whenever this one surely does not; none: it always holds.
        An empty list says nothing, where other conditions cannot say it."""
        return ((),)

    def short(self) -> str:
        """A few words for the coupon's face; empty if it is not worth a place there."""
        return ""

    def remedy(self, verdict: Verdict) -> str:
        """What the customer can do about it, without a full stop; empty if nothing."""
        return ""

    def reason(self, verdict: Verdict) -> dict[str, Any]:
        """Why not: what was wanted, what there was, and what helps (``remedy``) where something does."""
        wanted = self.wording()
        if verdict.holds is None:
            detail = _("Not known, so not fulfilled: %(wanted)s.") % {"wanted": wanted}
        else:
            detail = _("Not fulfilled: %(wanted)s.") % {"wanted": wanted}
        reason = {
            "code": self.code,
            "detail": detail,
            "wanted": dict(self.answers),
            "had": verdict.had,
            "unknown": verdict.holds is None,
        }
        if verdict.missing:
            reason["missing"] = list(verdict.missing)
        remedy = self.remedy(verdict)
        if remedy:
            reason["remedy"] = remedy
        if remedy and remedy not in detail:
            reason["detail"] = _("%(sentence)s %(remedy)s.") % {"sentence": detail, "remedy": remedy}
        return reason


class CustomerCondition(Condition):
    """A condition about the customer alone, so that the whole population can be asked in SQL."""

    def q(self, now: Any) -> Q:
        """Customers for whom it holds; unknown facts never match."""
        raise NotImplementedError

    def known(self, now: Any) -> Q:
        """Customers of whom it is known whether it holds."""
        return EVERYONE

    def population(self, situation: Situation) -> tuple[Q, Q]:
        return self.q(situation.now), self.known(situation.now)


ConditionClass = TypeVar("ConditionClass", bound=type[Condition])

#: Every condition by its code, in the order in which operators see them.
menu: dict[str, type[Condition]] = {}


def register(condition: ConditionClass) -> ConditionClass:
    if condition.code in menu:
        raise ValueError(f"two conditions are called {condition.code}")
    menu[condition.code] = condition
    return condition


def clean(rules: Any) -> dict[str, dict[str, Any]]:
    """The rules as they are stored: known codes, clean answers, nothing else.

    :raises InvalidRules: naming each path that is wrong.
    """
    if not isinstance(rules, Mapping):
        raise InvalidRules([("", "wrong_type", _("An object of conditions."))])
    errors: list[tuple[str, str, str]] = []
    cleaned: dict[str, dict[str, Any]] = {}
    for code, answers in rules.items():
        condition = menu.get(code)
        if condition is None:
            errors.append((str(code)[:64], "unknown_condition", _("There is no such condition.")))
            continue
        if not isinstance(answers, Mapping):
            errors.append((code, "wrong_type", _("An object of answers.")))
            continue
        form = condition.Form(data=dict(answers))
        for name in answers:
            if name not in form.fields:
                errors.append((f"{code}.{str(name)[:64]}", "unknown_field", _("There is no such answer.")))
        if not form.is_valid():
            for field, problems in form.errors.as_data().items():
                path = code if field == "__all__" else f"{code}.{field}"
                for problem in problems:
                    for sentence in problem.messages:
                        errors.append((path, problem.code or "invalid", sentence))
            continue
        kept = {name: value for name, value in form.cleaned_data.items() if value not in (None, "", [])}
        cleaned[code] = kept
    if errors:
        raise InvalidRules(errors)
    return {code: cleaned[code] for code in menu if code in cleaned}


def compile_rules(rules: Mapping[str, Mapping[str, Any]], deed: Deed = "use") -> tuple[Condition, ...]:
    """Stored rules as conditions ready to be asked. An unknown code is an error, never a pass.

    ``deed``: what they are asked for, so that their sentences say it.
    """
    return tuple(menu[code](answers, deed) for code, answers in rules.items())


def unmet(conditions: Iterable[Condition], customer: Profile, situation: Situation) -> list[tuple[Condition, Verdict]]:
    """Those that do not hold, or are unknown; empty means all hold."""
    failed = []
    for condition in conditions:
        verdict = condition.check(customer, situation)
        if verdict.holds is not True:
            failed.append((condition, verdict))
    return failed
