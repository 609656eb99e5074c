"""The draw of the control group: the database and Python say the same, shares are kept, members stay members."""

from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distribution.queries.control import Draw

percents = st.integers(0, 1000).map(lambda parts: Decimal(parts) / 10)
keys = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), min_size=1, max_size=64)


@pytest.mark.django_db
@settings(max_examples=150, deadline=None)
@given(st.uuids(), percents, keys)
@example(UUID(int=0), Decimal("99.9"), "客户:a@b-c")
def test_the_database_draws_as_python_does(secret, percent, customer):
    """I13: statistics ask whole populations in SQL, doors ask one customer in Python."""
    draw = Draw.of(secret, percent)
    with connection.cursor() as db:
        db.execute("SELECT distribution_in_control_group(%s, %s, %s)", [secret, percent, customer])
        assert db.fetchone()[0] is (draw is not None and draw.holds(customer))


@settings(max_examples=100, deadline=None)
@given(st.uuids(), percents, percents, keys)
def test_a_larger_share_keeps_whoever_was_in(secret, one, other, customer):
    """I13: nobody changes sides but those whom the change of the share moves."""
    small, large = (Draw.of(secret, percent) for percent in sorted([one, other]))
    if small is not None and small.holds(customer):
        assert large is not None
        assert large.holds(customer)


@settings(max_examples=10, deadline=None)
@given(st.uuids(), st.uuids(), st.sampled_from([Decimal("0.1"), Decimal(5), Decimal("33.3")]))
def test_the_share_is_kept_and_campaigns_draw_independently(secret, other, percent):
    """I13: in steps of 0.1 %; to be in one campaign's group says nothing of another's."""
    people = [f"u{number}" for number in range(20_000)]
    inside = {person for person in people if Draw.of(secret, percent).holds(person)}
    expected = float(percent) / 100 * len(people)
    assert abs(len(inside) - expected) <= 6 * expected**0.5 + 1
    if secret != other:
        both = [person for person in inside if Draw.of(other, percent).holds(person)]
        expected = len(inside) * float(percent) / 100
        assert abs(len(both) - expected) <= 6 * expected**0.5 + 2
