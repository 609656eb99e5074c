"""Every word of the sources stands in the catalogues, and has its Chinese."""

import re
import shutil
import subprocess
import sys

import polib
import pytest

from couponsite import catalogues

HOLES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A copy of the sources, into whose catalogues the words were collected anew."""
    copy = tmp_path_factory.mktemp("sources")
    for app in catalogues.APPS:
        shutil.copytree(catalogues.ROOT / app, copy / app, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copytree(catalogues.ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(catalogues.ROOT / "manage.py", copy)
    subprocess.run([sys.executable, "manage.py", "messages", "--settings=tests.settings"], cwd=copy, check=True)
    return copy


@pytest.mark.parametrize("po", catalogues.sources(), ids=lambda po: po.relative_to(catalogues.ROOT).parts[0:2])
def test_no_word_wants_its_chinese(po):
    catalogue = polib.pofile(str(po))
    assert [entry.msgid for entry in catalogue.untranslated_entries() + catalogue.fuzzy_entries()] == []


@pytest.mark.parametrize("po", catalogues.sources(), ids=lambda po: po.relative_to(catalogues.ROOT).parts[0:2])
def test_what_is_filled_in_stays_filled_in(po):
    """`%(limit)s` and `{}` of the sentence are those of its Chinese."""
    for entry in polib.pofile(str(po)).translated_entries():
        for chinese in [entry.msgstr] if entry.msgstr else entry.msgstr_plural.values():
            assert set(HOLES.findall(chinese)) == set(HOLES.findall(entry.msgid_plural or entry.msgid)), entry.msgid


def test_the_catalogues_are_in_step_with_the_sources(fresh):
    behind = {}
    for po in catalogues.sources():
        now = {entry.msgid for entry in polib.pofile(str(po))}
        wanted = {entry.msgid for entry in polib.pofile(str(fresh / po.relative_to(catalogues.ROOT)))}
        if now != wanted:
            behind[str(po.relative_to(catalogues.ROOT))] = sorted(now ^ wanted)
    assert behind == {}, "make messages"


def test_a_word_of_several_apps_has_one_chinese():
    """Django lays the catalogues over each other: of two Chinese words for one English word only one is ever seen."""
    chinese: dict[tuple[str | None, str], set[str]] = {}
    for po in catalogues.sources():
        for entry in polib.pofile(str(po)).translated_entries():
            chinese.setdefault((entry.msgctxt, entry.msgid), set()).add(entry.msgstr)
    assert {word: seen for word, seen in chinese.items() if len(seen) > 1} == {}, "one of them needs a context"


def test_no_word_hides_from_the_collector():
    """It knows the functions by Django's names and by ``_`` alone."""
    alias = re.compile(r"import (?:n|p|np)?gettext(?:_lazy)? as (?!_$)\w+", re.MULTILINE)
    sources = (path for app in catalogues.APPS for path in (catalogues.ROOT / app).rglob("*.py"))
    assert [str(path) for path in sources if alias.search(path.read_text())] == []
