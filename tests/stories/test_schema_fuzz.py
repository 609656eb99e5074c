"""Bodies and queries that nobody thought of, made from our own OpenAPI: answered as it says, and never by a 500."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks

from couponsite.wsgi import application
from tests.stories.doors import DOORS, SCOPES, open_all

pytestmark = pytest.mark.django_db

#: Of each door: well formed ones, and such as break a rule of their schema.
EXAMPLES = 8
#: What the file says of statuses, media types and answers holds.
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


@contextmanager
def connection_stays() -> Iterator[None]:
    """As for Django's own test client: a request's end does not close the test's connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@cache
def _schema() -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/schema/", application)


@pytest.mark.parametrize(("method", "address"), DOORS)
def test_a_door_answers_as_its_schema_says_whatever_is_sent(system, clock, method, address):
    caller = system(*SCOPES)
    there = open_all(caller)
    named = {"key": "campaign" if "campaign" in address else "placement"}
    named["id"] = "coupon" if "coupon" in address else "redemption"
    path = "/api/v1/" + address.replace("{placement}", "{key}").replace("{campaign}", "{key}")
    with connection_stays():
        operation = _schema()[path.replace("{coupon}", "{id}").replace("{redemption}", "{id}")][method]

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        def answers(case: Any) -> None:
            for name, value in case.path_parameters.items():
                if len(str(value)) % 2:  # what is there as often as what is not
                    case.path_parameters[name] = there[named[name]]
            response = case.call(headers=caller.headers)
            case.validate_response(response, checks=CHECKS)

        answers()
