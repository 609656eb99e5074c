"""What a CSV or Excel file says about customers, up to a million rows, taken in the background.

Rows are told as the API tells them, two thousand at a time; each piece and its progress are one transaction, so that a
killed import goes on where it stopped. A row that makes no sense is put aside with its reason, and the others count.
"""

import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from hashlib import blake2b, file_digest
from itertools import islice
from typing import IO, Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons import jobs, sheets
from coupons.models import City, Job, RowFault
from coupons.models.keys import KEY_LENGTH, KEY_PATTERN
from coupons.rules.answers import SHARE_PLACES, WORD_LENGTH
from coupons.telling import Told, phone_of, tell

KIND = "customers_file"
CHUNK = 2000
#: What a column may say, and how headings call it.
COLUMNS: dict[str, tuple[str | Promise, tuple[str, ...]]] = {
    "key": (
        gettext_lazy("customer's key"),
        ("key", "customer", "customer_key", "user_id", "uid", "用户", "用户id", "用户编号"),
    ),
    "phone": (gettext_lazy("phone"), ("phone", "mobile", "手机", "手机号", "手机号码", "电话")),
    "nickname": (gettext_lazy("nickname"), ("nickname", "name", "昵称")),
    "city": (gettext_lazy("city, by code or name"), ("city", "city_code", "城市", "城市代码")),
    "registered_at": (gettext_lazy("registered at"), ("registered_at", "registered", "注册时间", "注册日期")),
    "sensitivity": (gettext_lazy("coupon sensitivity"), ("sensitivity", "优惠敏感度", "敏感度")),
    "churn_probability": (gettext_lazy("churn probability"), ("churn_probability", "churn", "流失概率")),
    "rival_app": (gettext_lazy("has a rival app"), ("rival_app", "是否安装竞对", "竞对", "竞品")),
    "tags_added": (gettext_lazy("tags to add"), ("tags", "tag", "标签", "新增标签")),
    "tags_removed": (gettext_lazy("tags to take away"), ("tags_removed", "移除标签", "删除标签")),
}
#: A cell that says that nobody knows; a blank cell says nothing, and what was known stays.
_UNKNOWN = frozenset({"unknown", "null", "none", "n/a", "#n/a", "未知", "-"})
_YES, _NO = frozenset({"true", "yes", "y", "1", "是", "有"}), frozenset({"false", "no", "n", "0", "否", "无"})
_SMALLEST = Decimal(1).scaleb(-SHARE_PLACES)


# --- by hand -----------------------------------------------------------------------------------------------------


@transaction.atomic
def receive(file: IO[bytes], name: str, *, by: User) -> Job:
    """Keeps the file as a job that waits for its columns to be named.  :raises Refused: ``file_unreadable``"""
    sheets.table(file)
    file.seek(0)
    job = jobs.start(
        KIND,
        title=_("Customers from %(file)s") % {"file": name},
        by=by,
        source=file,
        name="source",
        answers={"file": name},
    )
    return jobs.move(job, "pause")


@transaction.atomic
def begin(job: Job, columns: Mapping[str, str], now: datetime) -> Job:
    """Lets it go; the door starts the task. ``columns``: what each says, by its place ("0" is the first).

    A file that was taken before keeps the moment for which it was told then, so that it changes nothing again.

    :raises Refused: "state_forbids"
    """
    with job.source.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    same = {"digest": digest, "columns": dict(columns)}
    before = Job.objects.filter(kind=KIND, answers__contains=same).exclude(pk=job.pk).order_by("id").first()
    known_at = before.answers["known_at"] if before else now.isoformat()
    job.answers = {**job.answers, **same, "known_at": known_at}
    job.save(update_fields=["answers"])
    return jobs.move(job, "resume")


def wants_columns(job: Job) -> bool:
    """Whether it is a file that was sent and of which nobody has said yet what its columns are."""
    return job.kind == KIND and "columns" not in job.answers and jobs.possible(job, "resume")


def taken_before(job: Job) -> datetime | None:
    """When the same was taken for the first time, of a file that is taken again."""
    told = job.answers.get("known_at") if job.kind == KIND else None
    known_at = datetime.fromisoformat(told) if told else None
    return known_at if known_at is not None and known_at < job.created_at else None


def guess(heading: Sequence[str]) -> dict[str, str]:
    """What each column seems to say, by its place."""
    found: dict[str, str] = {}
    for place, words in enumerate(heading):
        plain = re.sub(r"[\s_-]+", "_", words.strip().lower())
        for name, (_label, known) in COLUMNS.items():
            if (plain in known or plain == name) and name not in found.values():
                found[str(place)] = name
    return found


def column_faults(columns: Mapping[str, str]) -> list[str]:
    """What is wrong with the choice of columns."""
    named = list(columns.values())
    faults = [] if "key" in named else [_("One column must be the customer's key.")]
    if len(set(named)) < len(named):
        faults.append(_("Two columns say the same."))
    if len(named) == 1 and not faults:
        faults.append(_("Besides the key, at least one column must say something."))
    return faults


def preview(
    job: Job, columns: Mapping[str, str], most: int = 20
) -> tuple[list[str], list[tuple[sheets.Row, list[str]]]]:
    """The heading, and the first rows with what is wrong with them."""
    with job.source.open("rb") as file:
        heading, rows = sheets.table(file)
        reader = _Rows(columns, len(heading))
        return heading, [(row, reader.read(row)[1]) for row in islice(rows, most)]


# --- a row -------------------------------------------------------------------------------------------------------


class _Rows:
    """Rows of a file as what is told, with what is wrong in words. A key counts once, where it stands first."""

    def __init__(self, columns: Mapping[str, str], width: int) -> None:
        self.width = width
        self.columns = sorted((int(place), name) for place, name in columns.items())
        self.seen: set[bytes] = set()
        self.cities: dict[str, str] = {}
        for key, name, english in City.objects.values_list("key", "name", "name_en"):
            self.cities |= dict.fromkeys((key, name, name.removesuffix("市"), english.lower()), key)
        self.readers: dict[str, Callable[[str], Any]] = {
            "key": self._key,
            "phone": self._phone,
            "nickname": self._nickname,
            "city": self._city,
            "registered_at": _moment,
            "sensitivity": _share,
            "churn_probability": _share,
            "rival_app": _yes_or_no,
            "tags_added": _tags,
            "tags_removed": _tags,
        }

    def read(self, row: sheets.Row) -> tuple[Told, list[str]]:
        told: dict[str, Any] = {}
        faults = []
        for place, name in self.columns:
            cell = row.cells[place] if place < len(row.cells) else ""
            if not cell and name != "key":
                continue
            if name not in ("key", "tags_added", "tags_removed") and cell.lower() in _UNKNOWN:
                told[name] = None
                continue
            try:
                told[name] = self.readers[name](cell)
            except ValueError as problem:
                faults.append(f"{COLUMNS[name][0]}: {problem}")
        if any(row.cells[self.width :]):  # a comma too many, and everything after it says something else
            faults.append(_("more cells than there are columns"))
        if not faults and "key" in told and not self._first(told["key"]):
            faults.append(_("This customer stands further up already."))
        return told, faults  # type: ignore[return-value]

    def _first(self, key: str) -> bool:
        """By a digest: a million of them are small."""
        digest = blake2b(key.encode(), digest_size=12).digest()
        if digest in self.seen:
            return False
        self.seen.add(digest)
        return True

    @staticmethod
    def _key(cell: str) -> str:
        if not re.match(KEY_PATTERN, cell):
            raise ValueError(_("letters, digits and _ . : @ - only, at most %(most)d") % {"most": KEY_LENGTH})
        return cell

    @staticmethod
    def _phone(cell: str) -> str:
        if phone_of(cell) is None:
            raise ValueError(_("no phone number"))
        return cell

    @staticmethod
    def _nickname(cell: str) -> str:
        if len(cell) > 60 or not cell.isprintable():
            raise ValueError(_("at most 60 characters, none of them invisible"))
        return cell

    def _city(self, cell: str) -> str:
        key = self.cities.get(cell) or self.cities.get(cell.lower())
        if key is None:
            raise ValueError(_("there is no such city"))
        return key


def _plain(cell: str) -> str:
    """Full-width digits, letters and signs as everybody else's."""
    return unicodedata.normalize("NFKC", cell)


def _share(cell: str) -> Decimal:
    """0.85 or 85 %."""
    cell = _plain(cell)
    percent = cell.endswith("%")
    try:
        share = Decimal(cell[:-1].strip() if percent else cell)
        if not share.is_finite() or abs(share) > 1000:
            raise ValueError
    except (InvalidOperation, ValueError):
        raise ValueError(_("a number between 0 and 1")) from None
    share = (share / 100 if percent else share).quantize(_SMALLEST, ROUND_HALF_UP)
    if not 0 <= share <= 1:
        raise ValueError(_("a number between 0 and 1"))
    return share


def _yes_or_no(cell: str) -> bool:
    word = _plain(cell).lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(_("yes or no"))


def _moment(cell: str) -> datetime:
    """Without an offset: in the business time zone."""
    try:
        moment = datetime.fromisoformat(re.sub(r"^(\d{4})[/年.](\d{1,2})[/月.](\d{1,2})日?", _dashed, _plain(cell)))
        aware = moment if moment.tzinfo else timezone.make_aware(moment, timezone.get_default_timezone())
        if not 1970 <= aware.year <= 9000:
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(_("a date and time, such as 2026-06-01 12:00")) from None
    return aware


def _dashed(found: re.Match[str]) -> str:
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"


def _tags(cell: str) -> list[str]:
    tags = list(dict.fromkeys(tag for tag in map(str.strip, re.split(r"[,，、;；|]", cell)) if tag))
    if any(len(tag) > WORD_LENGTH or not tag.isprintable() for tag in tags):
        raise ValueError(_("each of at most 64 characters, none of them invisible"))
    return tags


# --- in the background -------------------------------------------------------------------------------------------


@jobs.work(KIND)
def take(job: Job) -> Iterator[jobs.Step]:
    """``cursor``: the number of the last row that was taken."""
    known_at = datetime.fromisoformat(job.answers["known_at"])
    counts = {name: job.outcome.get(name, 0) for name in ("created", "updated", "unchanged", "error")}
    done, last = job.done_count, job.cursor or 0
    with job.source.open("rb") as file:
        if job.total_count is None:
            yield jobs.Step(done=0, cursor=0, total=sum(1 for _row in sheets.table(file).rows))
        heading, rows = sheets.table(file)
        reader = _Rows(job.answers["columns"], len(heading))
        while chunk := list(islice(rows, CHUNK)):
            read = [(row, *reader.read(row)) for row in chunk]
            fresh = [one for one in read if one[0].number > last]
            if not fresh:
                continue
            _tell(job, fresh, known_at, counts)
            done, last = done + len(fresh), fresh[-1][0].number
            yield jobs.Step(done=done, cursor=last, outcome=counts)
    if counts["error"]:
        _write_faults(job, heading)
        yield jobs.Step(done=done, cursor=last, outcome=counts)
    # What it said is known now; nobody needs the file any more, and it is about people.
    Job.objects.filter(pk=job.pk).update(source="")
    transaction.on_commit(lambda: job.source.delete(save=False))


def _tell(job: Job, read: list[tuple[sheets.Row, Told, list[str]]], known_at: datetime, counts: dict[str, int]) -> None:
    faults = {row.number: words for row, _told, words in read if words}
    good = [(row, told) for row, told, words in read if not words]
    heard = tell([told for _row, told in good], now=timezone.now(), by=f"file:{job.pk}", known_at=known_at)
    for (row, _told), one in zip(good, heard, strict=True):
        counts[one.status] += 1
        if one.errors:
            faults[row.number] = [error["detail"] for error in one.errors]
    counts["error"] += sum(1 for _row, _told, words in read if words)
    RowFault.objects.bulk_create(
        RowFault(job=job, number=row.number, cells=row.cells, words="; ".join(faults[row.number]))
        for row, _told, _words in read
        if row.number in faults
    )


def _write_faults(job: Job, heading: list[str]) -> None:
    """The rows that were put aside, as they stood, to be mended and sent again."""
    faults = RowFault.objects.filter(job=job).order_by("number")
    wide = len(heading)
    lines = sheets.csv_lines(
        [*heading, _("Row"), _("What is wrong")],
        (
            [*(fault.cells + [""] * wide)[:wide], fault.number, fault.words]
            for fault in faults.iterator(chunk_size=CHUNK)
        ),
    )
    with tempfile.TemporaryFile() as file:
        file.writelines(lines)
        file.seek(0)
        jobs.attach(job, "rows-at-fault.csv", file)
    faults.delete()
