"""A file about customers: sent, looked at, taken in the background, and what was wrong with it given back."""

import csv
import io
import re

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from coupons import importing, jobs, sheets
from coupons.models import Customer, Job, RowFault
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = """用户ID,手机号,城市,优惠敏感度,流失概率,竞对,标签,注册时间
C1,138 0013 8000,上海,0.85,12.5%,是,"会员,白领",2026-05-01
C2,,110000,,unknown,否,,2026/5/2 08:30
C3,123,上海,0.5,0.5,是,,
C1,,,0.1,,,,
C4,,火星,1.5,x,maybe,,yesterday
=bad,,,0.1,,,,
C5
"""


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.CELERY_TASK_ALWAYS_EAGER = True


def sent(client, content, name="facts.csv"):
    content = content.encode() if isinstance(content, str) else content
    return client.post("/admin/coupons/customer/import/", {"file": SimpleUploadedFile(name, content)}, follow=True)


def taken(client, content, name="facts.csv", **more):
    """The job, run to its end with the columns that were guessed."""
    response = sent(client, content, name)
    form = response.context["form"]
    assert not form.errors, form.errors
    columns = {field.html_name: field.value() or "" for field in form}
    client.post(response.redirect_chain[-1][0], {**columns, **more, "begin": "1"})
    job = Job.objects.latest("pk")
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def rows():
    return list(Customer.objects.order_by("key").values())


def test_an_operator_sends_a_file_sees_its_first_rows_and_takes_it():
    """I8: columns guessed, wrong rows shown before and given back after, the others known with their source."""
    client = desk(somebody("运营"))
    response = sent(client, ROWS)
    html = response.content.decode()
    assert [field.value() for field in response.context["form"]] == [
        "key", "phone", "city", "sensitivity", "churn_probability", "rival_app", "tags_added", "registered_at",
    ]  # fmt: skip
    assert html.count("small-form-errors") == 8  # of rows 4, 5, 6 and 7
    assert not Customer.objects.exists()
    job = taken(client, ROWS)
    assert (job.state, job.done_count, job.total_count) == ("done", 7, 7)
    assert {name: job.outcome[name] for name in ("created", "updated", "unchanged", "error")} == {
        "created": 3, "updated": 0, "unchanged": 0, "error": 4,
    }  # fmt: skip
    one, two, five = Customer.objects.order_by("key")
    assert (one.phone, one.city_id, one.tags) == ("+8613800138000", "310000", ["会员", "白领"])
    assert (str(one.sensitivity), str(one.churn_probability), one.rival_app) == ("0.8500", "0.1250", True)
    assert (one.sensitivity_source, one.tags_source) == (f"file:{job.pk}", f"file:{job.pk}")
    assert timezone.localtime(one.registered_at).isoformat() == "2026-05-01T00:00:00+08:00"
    assert (two.city_id, two.sensitivity, two.churn_probability, two.rival_app) == ("110000", None, None, False)
    assert five.sensitivity_at is None
    page = client.get(f"/admin/coupons/job/{job.pk}/change/").content.decode()
    assert "rows-at-fault" not in page
    result = b"".join(client.get(f"/admin/coupons/job/{job.pk}/result/")).decode("utf-8-sig")
    heading, *faults = csv.reader(io.StringIO(result))
    assert heading[:2] == ["用户ID", "手机号"]
    assert [(fault[0], fault[-2]) for fault in faults] == [("C3", "4"), ("C1", "5"), ("C4", "6"), ("'=bad", "7")]
    assert all(fault[-1] for fault in faults)
    assert not RowFault.objects.exists()
    assert not job.source, "it is about people: what is taken is not kept"


def test_the_same_file_twice_changes_nothing(clock):
    client = desk(somebody("运营"))
    taken(client, ROWS)
    before = rows()
    clock.forward(days=3)
    job = taken(desk(somebody("运营", "another")), ROWS)
    assert (job.outcome["unchanged"], job.outcome["updated"]) == (3, 0)
    assert rows() == before
    page = desk(User.objects.get(username="another")).get(f"/admin/coupons/job/{job.pk}/change/").content.decode()
    assert "已于 2026-06-03 12:00 导入过" in page


def test_what_was_told_later_does_not_give_way_to_an_older_file(system, clock):
    client = desk(somebody("运营"))
    taken(client, "key,sensitivity\nC1,0.1\n")
    clock.forward(hours=1)
    system("profile").post("customers/", {"customers": [{"key": "C1", "facts": {"sensitivity": 0.9}}]})
    taken(client, "key,sensitivity\nC1,0.1\n")
    assert str(Customer.objects.get().sensitivity) == "0.9000"


@pytest.mark.parametrize("write", [sheets.excel_file, lambda *table: io.BytesIO(b"".join(sheets.csv_lines(*table)))])
def test_excel_and_csv_say_the_same(write):
    table = ["key", "sensitivity", "rival_app"], [["C1", 0.25, True], ["C2", None, False]]
    job = taken(desk(somebody("运营")), write(*table).read(), "by-name.anything")
    assert (job.state, job.outcome["created"]) == ("done", 2)
    assert str(Customer.objects.get(key="C1").sensitivity) == "0.2500"


def test_what_chinese_input_methods_and_calendars_write_is_understood():
    """I8: full-width digits, letters and signs; days with their characters."""
    taken(
        desk(somebody("运营")),
        "用户,优惠敏感度,流失概率,竞对,注册时间\nC1,０．５,８５％,Ｙ,2025年1月2日\nC2,1,0,否,2025.1.2 08:30\n",
    )
    one, two = Customer.objects.order_by("key")
    assert (str(one.sensitivity), str(one.churn_probability), one.rival_app) == ("0.5000", "0.8500", True)
    assert [f"{timezone.localtime(who.registered_at):%Y-%m-%d %H:%M}" for who in (one, two)] == [
        "2025-01-02 00:00",
        "2025-01-02 08:30",
    ]


def test_a_row_with_a_comma_too_many_is_put_aside():
    """I8: what follows it would be taken for something else; blank cells at the end of a row are nothing."""
    job = taken(desk(somebody("运营")), "key,nickname,sensitivity\nC1,Lin, Li,0.5\nC2,Wu,0.5,,\n")
    assert (job.outcome["created"], job.outcome["error"]) == (1, 1)
    assert Customer.objects.get().key == "C2"


def test_a_file_that_was_sent_and_left_is_taken_up_where_its_columns_are_named():
    """I8: it cannot go on before, and is no dead end; a job that failed so is none either."""
    client = desk(somebody("运营"))
    address = sent(client, ROWS).redirect_chain[-1][0]
    job = Job.objects.get()
    for state in ("paused", "failed"):
        Job.objects.update(state=state)
        page = client.get(f"/admin/coupons/job/{job.pk}/change/").content.decode()
        assert (address in page, f"/job/{job.pk}/move/resume/" in page) == (True, False)
        client.post(f"/admin/coupons/job/{job.pk}/move/resume/")
        assert Job.objects.get().state == state
        assert client.get(address).status_code == 200
    client.post(address, {"column-0": "key", "column-3": "sensitivity", "begin": "1"})
    assert Job.objects.get().state == "done"
    assert client.get(address).status_code == 302


def test_a_killed_import_goes_on_where_it_stopped(monkeypatch):
    """Killed in the fourth piece of ten: nothing is lost, nothing done twice."""
    monkeypatch.setattr(importing, "CHUNK", 5)
    lines = [f"C{n},{'0.5' if n % 7 else 'x'}" for n in range(50)]
    client = desk(somebody("运营"))
    tell, told = importing.tell, []

    def killed(rows, **more):
        if len(told) == 3:
            told.append(None)
            raise KeyboardInterrupt
        told.append(len(rows))
        return tell(rows, **more)

    monkeypatch.setattr(importing, "tell", killed)
    with pytest.raises(KeyboardInterrupt):
        taken(client, "\n".join(["key,sensitivity", *lines, "C0,0.3"]))
    job = Job.objects.get()
    assert (job.state, job.done_count, Customer.objects.count()) == ("running", 15, 12)
    assert jobs.run(job.pk) == "done"
    job.refresh_from_db()
    assert (job.done_count, job.outcome["created"], job.outcome["error"]) == (51, 43, 8)
    assert sum(number or 0 for number in told) == 43
    assert len(job.result.read().splitlines()) == 9


def test_what_is_no_table_is_refused_in_words_and_kept_nowhere():
    client = desk(somebody("运营"))
    for content in (b"", b"%PDF-1.4 \0", b"PK\x03\x04 nothing"):
        response = sent(client, content)
        assert re.search("文件", str(response.context["form"].errors))
    assert not Job.objects.exists()


def test_columns_must_make_sense_before_anything_begins():
    client = desk(somebody("运营"))
    response = sent(client, "who,share\nC1,0.5\n")
    address = response.redirect_chain[-1][0]
    for columns in ({}, {"column-0": "key"}, {"column-0": "key", "column-1": "key"}, {"column-1": "sensitivity"}):
        answer = client.post(address, {**columns, "begin": "1"})
        assert answer.context["form"].non_field_errors()
    assert Job.objects.get().state == "paused"
    assert client.post(address, {"column-0": "key", "column-1": "sensitivity"}).context["rows"][0][2] == []
    assert not Customer.objects.exists()


def test_only_who_may_and_only_their_own():
    client = desk(somebody("运营"))
    address = sent(client, ROWS).redirect_chain[-1][0]
    other = desk(somebody("运营", "another"))
    assert other.get(address).status_code == 404
    for role in ("客服", "财务", "审核"):
        assert desk(somebody(role)).get("/admin/coupons/customer/import/").status_code == 403
        assert desk(somebody(role, f"{role}2")).get(address).status_code == 403
