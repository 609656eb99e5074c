"""What conditions have in common whose fact is told from outside: told too long ago, it is unknown again."""

from datetime import datetime, timedelta

from django.db.models import Q

from coupons.conditions import names
from coupons.models import Fact
from coupons.rules import EVERYONE, CustomerCondition, Profile, Situation


def _ages() -> dict[str, int | None]:
    return names.keep("ages of facts", lambda: dict(Fact.objects.values_list("code", "most_days")))


class Told(CustomerCondition):
    """Its fact is called as it is. Python and SQL hold the moment of the telling against the same one."""

    def prepare(self) -> None:
        super().prepare()
        days = _ages().get(self.code)
        self.age = None if days is None else timedelta(days=days)

    def believed(self, now: datetime) -> Q:
        return EVERYONE if self.age is None else Q(**{f"{self.code}_at__gte": now - self.age})

    def believes(self, customer: Profile, situation: Situation) -> bool:
        told_at = customer.told_at.get(self.code)
        return self.age is None or (told_at is not None and told_at >= situation.now - self.age)
