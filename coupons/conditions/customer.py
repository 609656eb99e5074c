"""Who the customer is: conditions with all four faces."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from coupons.conditions.names import line_called, one_of
from coupons.conditions.ranges import SMALLEST_SHARE, Ranged, Shares
from coupons.conditions.told import Told
from coupons.models import Band, CustomerLine
from coupons.models.keys import KEY_LENGTH, KEY_PATTERN
from coupons.rules import EVERYONE, NOBODY, Condition, CustomerCondition, Past, Profile, Situation, Verdict, register
from coupons.rules.answers import (
    Answers,
    Several,
    Word,
    Words,
    YesOrNo,
    number,
)

STANDINGS = [
    ("platform_new", gettext_lazy("new to the platform: no orders at all")),
    ("business_new", gettext_lazy("new to the business line: orders, but none in it")),
    ("returning", gettext_lazy("returning: has orders, in the business line if one is named")),
]


@register
class Standing(CustomerCondition):
    """New to the platform, new to a business line, or returning."""

    code, label, fact = "standing", gettext_lazy("Standing"), "orders"
    edge = gettext_lazy(
        "Counted from finished orders that were told; an order placed and not finished does not count yet."
    )

    class Form(Answers):
        any_of = Several(choices=STANDINGS, label=gettext_lazy("Any of these"))
        business_line = Word(
            required=False,
            max_length=KEY_LENGTH,
            validators=[RegexValidator(KEY_PATTERN, code="invalid_key")],
            label=gettext_lazy("Business line"),
            help_text=gettext_lazy("Its key, such as ride or food."),
        )

        def clean(self) -> None:
            wanted = self.cleaned_data.get("any_of") or []
            if "business_new" in wanted and not self.cleaned_data.get("business_line") and not self.errors:
                self.add_error("business_line", ValidationError(_("Say new to which business line."), "required"))

    def prepare(self) -> None:
        self.any_of = frozenset(self.answers["any_of"])
        self.line: str | None = self.answers.get("business_line")
        if self.line:
            self.needs = frozenset({"lines"})

    def q(self, now: datetime) -> Q:
        standings = {"platform_new": Q(order_count=0), "business_new": Q(order_count__gt=0)}
        if self.line:
            lines = CustomerLine.objects.filter(customer=OuterRef("pk"), business_line=self.line, order_count__gt=0)
            returning = Q(Exists(lines))
        else:
            returning = standings.pop("business_new")
        news = [q for standing, q in standings.items() if standing in self.any_of]
        new = EVERYONE if len(news) == 2 else news[0] if news else NOBODY
        return returning | new if "returning" in self.any_of else new & ~returning

    def pasts(self) -> Iterable[Past]:
        if "platform_new" in self.any_of:
            yield Past(((None, 0, 0),))
        if self.line and "business_new" in self.any_of:
            yield Past(((None, 1, None),), {self.line: False})
        if "returning" in self.any_of:
            yield Past(((None, 1, None),), {self.line: True} if self.line else {})

    def fails(self) -> Iterable[Sequence[Condition]]:
        others = [
            standing
            for standing, _label in STANDINGS
            if standing not in self.any_of and (self.line or standing != "business_new")
        ]
        return [(type(self)({**self.answers, "any_of": others}, self.deed),)] if others else []

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        if self.line:
            line = customer.lines.get(self.line)
            if line is not None and line.order_count > 0:
                standing = "returning"
            else:
                standing = "business_new" if customer.order_count else "platform_new"
        else:
            standing = "returning" if customer.order_count else "platform_new"
        return Verdict(standing in self.any_of, standing)

    def wording(self) -> str:
        if self.line:
            line = {"line": line_called(self.line)}
            words = {
                "business_new": _("customers new to %(line)s") % line,
                "returning": _("returning customers of %(line)s") % line,
            }
        else:
            words = {"returning": _("returning customers")}
        words["platform_new"] = _("new customers (first order)")
        names = [words[standing] for standing, _label in STANDINGS if standing in self.any_of]
        return pgettext("customers", "Only for %(who)s") % {"who": one_of(names, pgettext("customers", " or "))}

    def short(self) -> str:
        if "returning" not in self.any_of:
            return _("New customers only")
        return _("Returning customers only") if len(self.any_of) == 1 else ""

    def remedy(self, verdict: Verdict) -> str:
        if verdict.had == "returning":
            return _("Only for a first order")
        return _("Possible after a first order") if "returning" in self.any_of else ""


@register
class Tags(Told):
    """Tags that the company's tag system gave the customer."""

    code, label, fact = "tags", gettext_lazy("Tags"), "tags"
    edge = gettext_lazy("Whoever has no tags at all has none of these. Tags are spelt exactly as the tag system does.")

    class Form(Answers):
        any_of = Words(required=False, label=gettext_lazy("Has any of"), help_text=gettext_lazy("Separated by commas."))
        none_of = Words(
            required=False, label=gettext_lazy("Has none of"), help_text=gettext_lazy("Separated by commas.")
        )

        def clean(self) -> None:
            self.needs_one_of(("any_of", "none_of"))

    def prepare(self) -> None:
        super().prepare()
        self.any_of = frozenset(self.answers.get("any_of") or ())
        self.none_of = frozenset(self.answers.get("none_of") or ())

    def tries(self) -> Iterable[str]:
        return self.any_of

    def shuns(self) -> Iterable[str]:
        return self.none_of

    def fails(self) -> Iterable[Sequence[Condition]]:
        swapped = (("none_of", self.any_of), ("any_of", self.none_of))
        return [(type(self)({side: sorted(tags)}, self.deed),) for side, tags in swapped if tags]

    def q(self, now: datetime) -> Q:
        wanted = self.believed(now)
        if self.any_of:
            wanted &= Q(tags__overlap=sorted(self.any_of))
        return wanted & ~Q(tags__overlap=sorted(self.none_of)) if self.none_of else wanted

    def known(self, now: datetime) -> Q:
        return self.believed(now)

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        if not self.believes(customer, situation):
            return Verdict(None)
        tags = customer.tags
        holds = (not self.any_of or not self.any_of.isdisjoint(tags)) and self.none_of.isdisjoint(tags)
        return Verdict(holds, sorted((self.any_of | self.none_of) & tags))

    def wording(self) -> str:
        any_of = {"tags": one_of(self.answers.get("any_of") or ())}
        none_of = {"others": one_of(self.answers.get("none_of") or ())}
        if not self.none_of:
            return _("Only for customers tagged %(tags)s") % any_of
        if not self.any_of:
            return _("Not for customers tagged %(others)s") % none_of
        return _("Only for customers tagged %(tags)s, but not %(others)s") % {**any_of, **none_of}


class KnownShare(Told, Ranged):
    """A share between 0 and 1 that data work told us of; unknown until then."""

    edge = gettext_lazy("Both ends are inside. Told by data work; whoever has none told is refused.")

    class Form(Shares):
        pass

    def prepare(self) -> None:
        super().prepare()
        self.low, self.high = (None if end is None else Decimal(str(end)) for end in (self.low, self.high))

    def tries(self) -> Iterable[Decimal]:
        return [end for end in (self.low, self.high) if end is not None]

    def fails(self) -> Iterable[Sequence[Condition]]:
        return self.beyond(SMALLEST_SHARE, most=1)

    def q(self, now: datetime) -> Q:
        wanted = self.known(now)
        if self.low is not None:
            wanted &= Q(**{f"{self.code}__gte": self.low})
        if self.high is not None:
            wanted &= Q(**{f"{self.code}__lte": self.high})
        return wanted

    def known(self, now: datetime) -> Q:
        return Q(**{f"{self.code}__isnull": False}) & self.believed(now)

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        share = getattr(customer, self.code)
        return (
            Verdict(None)
            if share is None or not self.believes(customer, situation)
            else Verdict(self.fits(share), float(share))
        )


@register
class Sensitivity(KnownShare):
    """优惠敏感度: how strongly the customer answers to coupons."""

    code, label, fact = "sensitivity", gettext_lazy("Coupon sensitivity"), "sensitivity"

    class Form(Shares):
        band = forms.ModelChoiceField(
            Band.objects.all(),
            to_field_name="name",
            required=False,
            label=gettext_lazy("Band"),
            empty_label=gettext_lazy("none, the range below"),
            help_text=gettext_lazy("Its range is taken over as it is now."),
        )
        field_order = ("band", "min", "max")

        def clean(self) -> None:
            band = self.cleaned_data.pop("band", None)
            if band is not None:
                if any(self.cleaned_data.get(end) is not None for end in ("min", "max")):
                    self.add_error("band", ValidationError(_("A band or a range, not both."), "contradiction"))
                self.cleaned_data |= {"min": number(band.low), "max": number(band.high)}
            super().clean()

    def wording(self) -> str:
        return _("Only for customers with a coupon sensitivity of %(range)s") % {"range": self.range_words()}


@register
class ChurnProbability(KnownShare):
    """流失概率: how likely the customer is to leave."""

    code, label, fact = "churn_probability", gettext_lazy("Churn probability"), "churn_probability"

    def wording(self) -> str:
        return _("Only for customers with a churn probability of %(range)s") % {"range": self.range_words(share=True)}


@register
class RivalApp(Told):
    """是否安装竞对: whether a rival's app is on the customer's phone."""

    code, label, fact = "rival_app", gettext_lazy("Has a rival app"), "rival_app"
    edge = gettext_lazy("Whoever it is not known of is refused, also where it asks for customers without such an app.")

    # "is" cannot be written as an attribute
    Form: ClassVar[type[forms.Form]] = type("Form", (Answers,), {"is": YesOrNo(label=gettext_lazy("Has one"))})

    def prepare(self) -> None:
        super().prepare()
        self.wanted: bool = self.answers["is"]

    def tries(self) -> Iterable[Any]:
        return [self.wanted]

    def fails(self) -> Iterable[Sequence[Condition]]:
        return [(type(self)({"is": not self.wanted}, self.deed),)]

    def q(self, now: datetime) -> Q:
        return Q(rival_app=self.wanted) & self.believed(now)

    def known(self, now: datetime) -> Q:
        return Q(rival_app__isnull=False) & self.believed(now)

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        if customer.rival_app is None or not self.believes(customer, situation):
            return Verdict(None)
        return Verdict(customer.rival_app is self.wanted, customer.rival_app)

    def wording(self) -> str:
        if self.wanted:
            return _("Only for customers who have a similar app of another company")
        return _("Only for customers who have no similar app of another company")
