"""The walk that the READMEs invite newcomers to, line by line as it stands there: what is shown is what is answered."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coupons.models import Merchant
from couponsite.management.commands import demo

ROOT = Path(__file__).parents[2]
#: Between what one block of commands says and what the next does.
END = "\x1e"


def walk(readme: str) -> list[tuple[str, list[Any]]]:
    """Each block of commands, with the answers that are shown below it."""
    text = (ROOT / readme).read_text()
    steps: list[tuple[str, list[Any]]] = []
    for kind, inside in re.findall(r"^```(bash|json)\n(.*?)^```", text, re.M | re.S):
        if kind == "json":
            steps[-1][1].extend(values(inside))
        elif "API" in inside:
            steps.append((inside, []))
    return steps


def values(text: str) -> list[Any]:
    """The JSON objects in it, one after the other; a field that was cut out alone counts as an object."""
    text = text.strip()
    if text.startswith('"'):
        text = "{" + text.removesuffix("}" * (text.count("}") - text.count("{"))) + "}"
    found, decoder, at = [], json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def shown(expected: Any, told: Any) -> bool:
    """Whether this is what was told, as far as it is written out: … stands for whatever is there."""
    match expected:
        case dict():
            return all(name in told and shown(one, told[name]) for name, one in expected.items() if name != "…")
        case list():
            written = [one for one in expected if one != "…"]
            cut = len(written) < len(expected)
            return (len(told) >= len(written) if cut else len(told) == len(written)) and all(map(shown, written, told))
        case str() if "…" in expected:
            return isinstance(told, str)
    return bool(expected == told)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_walk_of_the_readme_goes_as_it_says(socket, system, customer, ledger, settings, readme):
    """P4 U8 U9: in the demo, where what costs much has two approvers."""
    settings.SECOND_APPROVAL_ABOVE_FEN = demo.SECOND_APPROVAL_ABOVE_FEN
    Merchant.objects.create(key="laowang", name="老王牛肉面")
    steps = walk(readme)
    assert len(steps) > 8
    script = f"\nprintf '{END}'\n".join(commands for commands, _answers in steps)
    script = script.replace("http://127.0.0.1:8000", socket).replace(".venv/bin/python manage.py check_ledger", "")
    for caller in (system("redeem", "manage", "approve"), customer("C00001")):
        credential = caller.headers["Authorization"]
        script = script.replace(f"{credential.split()[0]} …", credential)
    done = subprocess.run(
        ["bash", "-u"], input=script, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for (commands, answers), said in zip(steps, done.stdout.split(END), strict=True):
        told = values(said)
        for expected, answer in zip(answers, told[-len(answers) :] if answers else [], strict=True):
            assert shown(expected, answer), f"{commands}\n{answer}"
    ledger()
