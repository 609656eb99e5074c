"""The checker's word on a template: can somebody claim it and use it, and what else should be looked at."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.checking.cases import Case, Placed, Rule, limits_of
from coupons.checking.orders import Unproven
from coupons.checking.solving import Sky, Solver, Witness, asks_calendar, core
from coupons.models import CouponTemplate
from coupons.queries import catalogue

Severity = Literal["error", "warning"]

#: So many contradictions of one offer are told; each is told once the rules of those before are left out.
MOST_CORES = 5


class Finding(NamedTuple):
    """``fields``: paths in the form that it is about. ``rules``: what contradicts each other, in words.

    ``offer``: the key of the placement that it is about; empty: the template itself, wherever it is offered.
    """

    code: str
    severity: Severity
    sentence: str
    fields: tuple[str, ...]
    rules: tuple[str, ...] = ()
    offer: str = ""

    def as_reason(self) -> dict[str, Any]:
        """Of a refusal."""
        more = {"placement": self.offer} if self.offer else {}
        said = {"code": self.code, "detail": self.sentence, "severity": self.severity}
        return {**said, "fields": list(self.fields), "rules": list(self.rules), **more}


@dataclass(frozen=True)
class Verdict:
    """``possible``: somebody can claim it and use it, and ``witness`` is one who can; None: not proven either way."""

    possible: bool | None
    witness: Witness | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "warning"]


#: Looks at one case and says what it finds; the witness is None where nobody can use it.
Check = Callable[[Case, Witness | None], Iterable[Finding]]
#: Says how a template is offered, by whoever knows of placements.
Source = Callable[[CouponTemplate], Iterable[Placed]]

checks: list[Check] = []
sources: list[Source] = []


def register(check: Check) -> Check:
    """For whoever knows of something else that can go wrong; upper floors register when their app is ready."""
    checks.append(check)
    return check


def register_source(source: Source) -> Source:
    sources.append(source)
    return source


def verdict(
    template: CouponTemplate,
    placed: Placed | None = None,
    *,
    limits: Mapping[str, int | None] | None = None,
) -> Verdict:
    """On the template as ``placed``; left out: by itself, in its campaign, and in every placement that offers it.

    Sentences are in the active language. ``limits`` go before those that are stored.
    """
    now = catalogue.business_now()
    limits = {**limits_of(template), **(limits or {})}
    sky = Sky()
    if placed is not None:
        return _on(Case.of(template, placed, now, limits), sky)
    first = _on(Case.of(template, alone(template), now, limits), sky)
    findings = list(first.findings)
    known = {(finding.code, finding.rules) for finding in findings}
    if template.pk is not None:
        for source in sources:
            for offered in source(template):
                for finding in _on(Case.of(template, offered, now, limits), sky).findings:
                    if (finding.code, finding.rules) not in known:
                        findings.append(finding._replace(offer=offered.key))
    return Verdict(first.possible, first.witness, tuple(findings))


def alone(template: CouponTemplate) -> Placed:
    """By itself, in its campaign."""
    campaign = getattr(getattr(template, "budget", None), "campaign", None)
    return Placed() if campaign is None else Placed(starts_at=campaign.starts_at, ends_at=campaign.ends_at)


def _on(case: Case, sky: Sky) -> Verdict:
    solver = Solver(case, sky)
    found: list[Finding] = []
    witness, possible = None, None
    try:
        witness = solver.witness(case.rules)
        possible = witness is not None
        if witness is None:
            found += _contradictions(solver, case)
    except Unproven:
        found.append(_unproven(case))
    for check in checks:
        found += check(case, witness)
    found.sort(key=lambda finding: finding.severity)
    return Verdict(possible, witness, tuple(found))


def _unproven(case: Case) -> Finding:
    rules = [rule for rule in case.rules if rule.condition is not None and rule.condition.fact in ("", "orders")]
    sentence = _("The checker found nobody who fulfils these rules, and no contradiction either.")
    codes, words = zip(*((rule.code, rule.words()) for rule in rules), strict=True)
    return Finding("not_proven", "warning", sentence, codes, words)


def _contradictions(solver: Solver, case: Case) -> Iterator[Finding]:
    rules = list(case.rules)
    for _number in range(MOST_CORES):
        contradicting = core(solver, rules)
        yield _told(solver, contradicting)
        rules = [rule for rule in rules if rule not in contradicting]
        if not _in_vain(solver, rules):
            return


def _in_vain(solver: Solver, rules: list[Rule], *, to_use: bool = True) -> bool:
    """Whether it is proven that nobody fulfils these rules."""
    try:
        return solver.witness(rules, to_use=to_use) is None
    except Unproven:
        return False


def _told(solver: Solver, contradicting: list[Rule]) -> Finding:
    words = tuple(rule.words() for rule in contradicting)
    claimable = not _in_vain(solver, contradicting, to_use=False)
    harmless = not claimable and any(rule.sort != "promise" for rule in contradicting)
    if any(rule.condition is not None and asks_calendar(rule.condition) for rule in contradicting):
        code, said, harmless = "not_in_calendar", NOT_IN_CALENDAR, True
    elif claimable:
        code, said = "never_usable", NEVER_USABLE
    elif harmless:
        code, said = "not_given_out", NOT_GIVEN_OUT
    else:
        code, said = "never_claimable", NEVER_CLAIMABLE
    severity: Severity = "warning" if harmless else "error"
    sentence = said % {"rules": _(" — ").join(f"“{one}”" for one in words)}
    return Finding(code, severity, sentence, tuple(rule.code for rule in contradicting), words)


NOT_IN_CALENDAR = gettext_lazy("As the calendar stands, nobody can claim it and use it: %(rules)s.")
NEVER_USABLE = gettext_lazy("It can be claimed but never used: %(rules)s.")
NEVER_CLAIMABLE = gettext_lazy("Nobody can ever claim it: %(rules)s.")
NOT_GIVEN_OUT = gettext_lazy("As it stands, none is given out: %(rules)s.")
