"""An operator makes codes, takes them away once, and closes what is left; everything as the page does it."""

import io
from zipfile import ZipFile

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from coupons.models import Job
from distribution import codes, handing, importing, minting
from distribution.models import CodeBatch, CodeDownload, RedemptionCode
from tests import coding
from tests.coding import whole
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "/admin/distribution/codebatch/add/"


def page(batch, more="change/"):
    return f"/admin/distribution/codebatch/{batch.pk}/{more}"


def made(client, placement, **said):
    said = {"placement": placement.pk, "name": "地推卡", "kind": "latin", "code_count": 3, **said}
    response = client.post(ADD, said)
    assert response.status_code == 302, response.context["adminform"].form.errors
    return CodeBatch.objects.latest("pk")


@pytest.fixture
def operator():
    return desk(somebody("运营", "xiaolin"))


def test_a_batch_is_made_taken_away_once_and_masked_after(operator, customer, clock, ledger, settings, tmp_path):
    """P5"""
    settings.MEDIA_ROOT = tmp_path
    batch = made(operator, coding.placement())
    assert (batch.state, batch.length, batch.bits >= 40) == ("ready", 10, True)
    operator.post(page(batch, "move/file/"))
    asked = operator.get(page(batch, "file/"))
    assert "仅此一次" in asked.content.decode()
    expected = whole(batch)
    answer = operator.post(page(batch, "file/"))
    book = load_workbook(io.BytesIO(b"".join(answer)))
    answer.close()
    terms, sheet = book.worksheets
    assert terms["B1"].value == "地推卡"
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == expected
    record = CodeDownload.objects.get()
    assert (record.by.username, record.whole, record.completed_at is not None) == ("xiaolin", True, True)

    # From now on nothing that is kept can be read back, by whatever way.
    batch.refresh_from_db()
    assert (batch.sheets.count(), batch.file.name, list(tmp_path.rglob("*.xlsx"))) == (0, "", [])
    assert operator.post(page(batch, "file/")).status_code == 302
    for address in (page(batch), "/admin/distribution/redemptioncode/", page(batch, "history/")):
        words = operator.get(address).content.decode()
        assert not any(code in words or code.replace("-", "") in words for code in expected)
    assert customer("alice").post("exchanges/", {"code": expected[0]}).status == 201
    operator.post(page(batch, "move/file/"))
    book = load_workbook(io.BytesIO(b"".join(operator.post(page(batch, "file/")))))
    assert [cell.value for cell in book.worksheets[1][2]][:2] == [f"••••{expected[0][-2:]}", "alice"]
    assert not CodeDownload.objects.latest("pk").whole
    ledger()


def test_the_list_names_each_batch(operator, clock):
    made(operator, coding.placement(title="书店"), name="开业卡")
    words = operator.get("/admin/distribution/codebatch/").content.decode()
    assert "开业卡" in words
    assert "指定用户" not in words


def test_a_download_that_broke_off_may_be_tried_again(operator, clock, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    batch = made(operator, coding.placement())
    operator.post(page(batch, "move/file/"))
    batch.refresh_from_db()
    user = batch.made_by
    first = handing.hand(batch, by=user)
    second = operator.post(page(batch, "file/"), follow=True)
    assert "有人正在下载" in second.content.decode()
    first.close()
    assert b"".join(handing.hand(batch, by=user))
    batch.refresh_from_db()
    assert batch.handed_at is not None
    assert [record.completed_at is None for record in CodeDownload.objects.order_by("pk")] == [True, False]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"length": 9}, "length"),
        ({"length": 30}, "length"),
        ({"code_count": ""}, "code_count"),
        ({"code_count": 1_000_001}, "code_count"),
        ({"kind": "chinese", "length": 3}, "length"),
        ({"kind": "shared", "shared_code": "A-1", "use_limit": 5}, "shared_code"),
        ({"kind": "shared", "shared_code": "", "use_limit": ""}, "use_limit"),
        ({"customers": "alice\nno key!\n"}, "customers"),
        ({"customers": "alice\nalice"}, "customers"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field_and_nothing_is_made(operator, clock, said, field):
    placement = coding.placement()
    said = {"placement": placement.pk, "name": "地推卡", "kind": "latin", "code_count": 30, **said}
    response = operator.post(ADD, said)
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not CodeBatch.objects.exists()
    assert not Job.objects.exists()


def test_what_the_page_does_not_ask_is_not_held_against_it(operator, clock):
    """P5: typed for one kind, before another was chosen."""
    unasked = {"code_count": 0, "length": 99, "customers": "no key!", "upload": SimpleUploadedFile("c.csv", b"\0\1")}
    batch = made(operator, coding.placement(), kind="shared", shared_code="SUMMER", use_limit=5, **unasked)
    assert (batch.state, batch.code_count, batch.length) == ("ready", 1, None)


def test_named_customers_come_from_a_file_too(operator, clock):
    """P5: a key that is none, or stands there twice, is said with its row, and nothing is made."""
    placement = coding.placement()
    for bad in ("key\nalice\nno key!\n", "key\nalice\nalice\n", "\n"):
        said = {"placement": placement.pk, "name": "x", "kind": "latin", "code_count": 30}
        response = operator.post(ADD, {**said, "customers_file": SimpleUploadedFile("list.csv", bad.encode())})
        assert "customers_file" in response.context["adminform"].form.errors
        assert not CodeBatch.objects.exists()
    file = SimpleUploadedFile("list.csv", b"key\nalice\n\nbob\n")
    batch = made(operator, placement, kind="chinese", code_count="", customers_file=file)
    assert (batch.code_count, batch.named) == (2, True)
    assert [line.split("\t")[1] for line in whole(batch)] == ["alice", "bob"]


def test_one_code_is_voided_by_who_makes_codes_and_nobody_else(operator, clock, customer):
    """P5: void what is unused: of a shared code what is left, and what was given out stays."""
    code, other, *_ = whole(coding.batch())
    coding.batch(kind="shared", shared_code="SUMMER", use_limit=5)
    assert customer("alice").post("exchanges/", {"code": "summer"}).status == 201
    service = desk(somebody("客服"))
    for text in (code, "SUMMER"):
        kept = minting.find(text)
        address = f"/admin/distribution/redemptioncode/{kept.pk}"
        assert service.post(f"{address}/move/void/").status_code in (302, 403, 404)
        kept.refresh_from_db()
        assert kept.used_count < kept.use_limit
        assert operator.get(f"{address}/move/void/").status_code == 200
        operator.post(f"{address}/move/void/")
        assert customer("bob").post("exchanges/", {"code": text}).code == "code_invalid"
        assert "其余已作废" in operator.get(f"{address}/change/").content.decode()
    assert LogEntry.objects.filter(user__username="xiaolin").count() == 2
    assert customer("bob").post("exchanges/", {"code": other}).status == 201
    [coupon] = customer("alice").get("coupons/").body["results"]
    assert coupon["status"] == "available"


def test_a_shared_code_has_no_progress_to_watch(operator, clock):
    assert (
        operator.get(page(coding.batch(kind="shared", shared_code="SUMMER", use_limit=5), "progress/")).status_code
        == 404
    )


def test_a_shared_code_that_is_taken_is_refused(operator, clock):
    placement = coding.placement()
    made(operator, placement, kind="shared", shared_code="SUMMER", use_limit=5)
    response = operator.post(
        ADD, {"placement": placement.pk, "name": "x", "kind": "shared", "shared_code": "sum-mer", "use_limit": 5}
    )
    assert "shared_code" in response.context["adminform"].form.errors
    assert CodeBatch.objects.count() == RedemptionCode.objects.count() == 1


def test_customer_service_looks_up_what_a_customer_typed(clock, customer):
    batch = coding.batch()
    code = whole(batch)[1]
    customer("alice").post("exchanges/", {"code": code})
    client = desk(somebody("客服"))
    found = client.get("/admin/distribution/redemptioncode/", {"q": code.lower()}).context["cl"].result_list
    assert [one.digest for one in found] == [codes.digest(codes.normal(code))]
    words = client.get(f"/admin/distribution/redemptioncode/{found[0].pk}/change/").content.decode()
    assert "alice" in words
    assert client.get(page(batch, "file/")).status_code == 403
    assert client.post(page(batch, "move/close/")).status_code == 403


def test_closing_voids_what_is_unused_and_nobody_can_read_it_any_more(operator, customer, clock, ledger):
    batch = coding.batch()
    one, two, _three = whole(batch)
    assert customer("alice").post("exchanges/", {"code": one}).status == 201
    assert "剩余 2 次" in operator.get(page(batch, "move/close/")).content.decode()
    operator.post(page(batch, "move/close/"))
    batch.refresh_from_db()
    assert (batch.state, batch.sheets.count()) == ("closed", 0)
    assert customer("bob").post("exchanges/", {"code": two}).code == "code_invalid"
    assert operator.post(page(batch, "move/close/")).status_code == 302
    ledger()


def test_a_sheet_that_is_full_goes_on_to_the_next(clock, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(handing, "MOST_ROWS", 5)
    batch = coding.batch(code_count=9)
    from coupons.tasks import run_job

    run_job(handing.prepare(batch, by=None).pk)
    batch.refresh_from_db()
    with batch.file.open("rb") as file, ZipFile(file) as archive:
        assert "xl/worksheets/sheet4.xml" in archive.namelist()
        file.seek(0)
        sheets = load_workbook(file).worksheets
    assert [sheet.max_row for sheet in sheets[1:]] == [5, 5, 2]
    assert sorted(sheet["A2"].value for sheet in sheets[1:]) == sorted(whole(batch)[0::4])


def test_codes_of_another_house_are_read_in_row_by_row(operator, customer, clock, settings, tmp_path, ledger):
    """P5: each row told what became of it; the file with the whole codes is gone afterwards."""
    settings.MEDIA_ROOT = tmp_path
    placement = coding.placement()
    there = whole(coding.batch(placement))[0]
    rows = ["code,customer", "QWERTY-UIOP-1234,", "qwertyuiop1234,", "1234,", "ASDFGH-JKLZ-5678,no key!"]
    rows += ["ZXCVBN-MASD-9876,alice", f"{there},", ",bob", "=CMD()AAAABBBBCCCC,"]
    file = SimpleUploadedFile("codes.csv", "\n".join(rows).encode())
    batch = made(operator, placement, kind="imported", upload=file)
    assert (batch.state, batch.code_count, batch.named) == ("ready", 3, True)
    report = operator.get(page(batch, "rows/"))
    sheet = load_workbook(io.BytesIO(b"".join(report))).active
    outcomes = [row[2].value for row in sheet.iter_rows(min_row=2)]
    assert outcomes == ["taken", "exists", "too_easy", "no_customer", "taken", "exists", "empty", "taken"]
    assert not any("QWERTY" in str(cell.value) for row in sheet.iter_rows() for cell in row)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["codes.xlsx"]
    assert customer("carol").post("exchanges/", {"code": "zxcvbnmasd9876"}).code == "code_invalid"
    assert customer("alice").post("exchanges/", {"code": "zxcvbnmasd9876"}).status == 201
    assert customer("bob").post("exchanges/", {"code": "qwerty uiop 1234"}).status == 201
    bad = {"placement": placement.pk, "name": "x", "kind": "imported", "upload": SimpleUploadedFile("c.csv", b"\0\1")}
    assert operator.post(ADD, bad).context["adminform"].form.errors["upload"]
    assert operator.post(ADD, {**bad, "upload": ""}).context["adminform"].form.errors["upload"]
    ledger()


def test_whole_codes_of_another_house_are_gone_once_their_batch_is_closed(operator, clock, settings, tmp_path):
    """P5: also where their reading in came to no end."""
    settings.MEDIA_ROOT = tmp_path
    batch = CodeBatch(placement=coding.placement(), name="外部码")
    importing.begin(batch, io.BytesIO(b"code\nQWERTY-UIOP-1234\n"), by=None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()]
    operator.post(page(batch, "move/close/"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert Job.objects.get().state == "cancelled"


def test_what_became_of_the_codes_can_be_taken_away_as_often_as_one_likes(
    operator, customer, clock, settings, tmp_path
):
    """P5: of a shared code, too."""
    settings.MEDIA_ROOT = tmp_path
    batch = made(operator, coding.placement(), kind="shared", shared_code="SUMMER", use_limit=5)
    for number, who in enumerate(("alice", "bob"), 1):
        assert customer(who).post("exchanges/", {"code": "summer"}).status == 201
        operator.post(page(batch, "move/file/"))
        book = load_workbook(io.BytesIO(b"".join(operator.post(page(batch, "file/")))))
        assert book.worksheets[1].max_row == 1 + number
    assert not CodeDownload.objects.filter(whole=True).exists()


def test_a_batch_whose_making_is_cancelled_says_so(operator, clock):
    from coupons import jobs
    from distribution import minting

    batch = minting.begin(CodeBatch(placement=coding.placement(), name="b", code_count=5), by=None)
    assert minting.move(batch, "pause").job.state == "paused"
    assert minting.move(batch, "resume").job.state == "waiting"
    jobs.move(batch.job, "cancel")
    assert "已取消" in operator.get(page(batch)).content.decode()
    operator.post(page(batch, "move/close/"))
    batch.refresh_from_db()
    assert batch.state == "closed"
