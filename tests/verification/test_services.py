"""Files out, answers in, and what becomes of an identity meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.core import scope
from app.core.db import execute, row, rows, scalar, transaction
from app.core.sheets import Column, SheetRefused, write_workbook
from app.people import students, verification
from app.people.access import Role, add_user, grant_membership
from app.people.students import IdentityField, Scheme, Sex, Verification
from app.people.students.errors import IdentifierTaken
from app.people.verification import Decision, Kind, Source, queries, results
from app.people.verification.errors import (
    AlreadyTaken,
    BadDocument,
    BatchClosed,
    CannotProve,
    ForeignResults,
    NothingDiffers,
    NothingToSend,
    PersonNotFound,
    StaffNumberTaken,
    UnreadableResults,
)
from app.people.verification.results import Doubt, Standing
from tests.factories.schools import ACCOUNTANT, NOON, OPENING, MadeSchool, make_school
from tests.verification.desk import (
    TODAY,
    breaches,
    bring,
    fake_pin,
    file_of,
    here,
    marked,
    rehearse,
    rename,
    school_with,
    send,
    state,
)

THEIRS = ("Họ tên theo dân cư", "Ngày sinh theo dân cư", "Giới tính theo dân cư")
AN, BINH, CHI, DUNG = "Lê Hoài An", "Trần Văn Bình", "Phạm Thị Chi", "Võ Minh Dũng"


@pytest.fixture(autouse=True)
def _context(context: Flask) -> Iterator[None]:
    yield
    assert breaches() == []


def decide(
    school: MadeSchool, ids: list[int], decision: Decision, reason: str = ""
) -> verification.services.Decided:
    with here(school), transaction():
        return verification.decide(
            school.id, Kind.PUPILS, ids, decision, reason=reason, actor=ACCOUNTANT, now=NOON
        )


def test_a_batch_goes_out_comes_back_and_settles_everybody() -> None:
    school, (an, binh, chi, dung) = school_with(AN, BINH, CHI, DUNG)
    batch = send(school)
    table = file_of(school, batch)

    assert table[0] == [
        "STT",
        "Mã đối chiếu",
        "Số định danh",
        "Họ và tên",
        "Ngày sinh",
        "Giới tính",
    ]
    assert sorted(str(line[3]) for line in table[1:]) == sorted((AN, BINH, CHI, DUNG))
    assert {line[4] for line in table[1:]} == {"14/03/2018"}
    assert state(an.student_id) == Verification.WAITING

    taken = bring(
        school,
        marked(
            table,
            {
                AN: ("Khớp",),
                BINH: ("Sai lệch ngày sinh", "", "15/03/2018", ""),
                CHI: ("Không tìm thấy",),
                DUNG: ("Trùng số",),
            },
            extra=THEIRS,
        ),
    )

    assert (taken.matched, taken.differs, taken.not_found, taken.double) == (1, 1, 1, 1)
    assert (taken.doubtful, taken.unanswered) == (0, 0)
    assert [state(c.student_id) for c in (an, binh, chi, dung)] == [
        Verification.MATCHED,
        Verification.DIFFERS,
        Verification.NOT_FOUND,
        Verification.DOUBLE,
    ]
    with here(school):
        (difference,) = queries.differing(school.id, Kind.PUPILS, [binh.student_id])
        (field,) = difference.fields
        assert (field.field, field.ours, field.theirs) == (
            IdentityField.BIRTH_DATE,
            "2018-03-14",
            "2018-03-15",
        )
        found = queries.get_batch(school.id, batch)
    assert (found.count, found.answered, found.is_open) == (4, 4, False)


def test_the_same_results_again_change_nothing() -> None:
    school, (an, binh) = school_with(AN, BINH)
    answers = {AN: ("Khớp",), BINH: ("Không khớp", "TRẦN VĂN BÍNH", "14/03/2018", "Nam")}
    body = marked(file_of(school, send(school)), answers, extra=THEIRS)
    bring(school, body)
    decide(school, [binh.student_id], Decision.ACCEPT)
    before = _everything(school)

    again = bring(school, body)

    assert (again.unchanged, again.matched, again.differs) == (2, 0, 0)
    assert _everything(school) == before
    assert state(an.student_id) == state(binh.student_id) == Verification.MATCHED


def _everything(school: MadeSchool) -> object:
    with scope.opened(scope.EVERY_SCHOOL):
        return (
            rows("select id, full_name, verification from students order by id"),
            scalar("select count(*) from verification_results"),
            scalar("select count(*) from identity_changes"),
        )


def test_an_answer_about_old_values_leaves_the_edited_child_unsent() -> None:
    school, (an, _binh) = school_with(AN, BINH)
    table = file_of(school, send(school))
    rename(school, an.student_id, "Lê Hoài Ân")
    body = marked(table, {AN: ("Khớp",), BINH: ("Khớp",)})

    taken = bring(school, body)

    assert (taken.matched, taken.old_values) == (1, 1)
    assert state(an.student_id) == Verification.NOT_SENT
    assert bring(school, body).unchanged == 2
    # Edited back, the same answer is about what holds again.
    rename(school, an.student_id, AN)
    assert bring(school, body).matched == 1
    assert state(an.student_id) == Verification.MATCHED


def test_a_proved_child_that_is_edited_goes_into_the_next_batch() -> None:
    school, (an,) = school_with(AN)
    first = send(school)
    bring(school, marked(file_of(school, first), {AN: ("Khớp",)}))
    rename(school, an.student_id, "Lê Hoài Ân")

    second = send(school)

    assert [str(line[3]) for line in file_of(school, second)[1:]] == ["Lê Hoài Ân"]
    # The first file stays what it was.
    assert [str(line[3]) for line in file_of(school, first)[1:]] == [AN]
    late = bring(school, marked(file_of(school, first), {AN: ("Không tìm thấy",)}))
    assert (late.old_values, state(an.student_id)) == (1, Verification.WAITING)


def test_an_answer_to_an_older_question_changes_nobody() -> None:
    school, (an,) = school_with(AN)
    first = file_of(school, send(school))
    bring(school, marked(first, {AN: ("Không tìm thấy",)}))
    send(school, chosen=[an.student_id])

    late = bring(school, marked(first, {AN: ("Khớp",)}))

    assert (late.late, state(an.student_id)) == (1, Verification.WAITING)


@pytest.mark.parametrize(
    ("answer", "doubt"),
    [
        (("Đang chờ công an phường",), Doubt.WORDS),
        (("Khớp", "Lê Hoài Ân", "", ""), Doubt.CONTRADICTION),
        (("Sai ngày sinh", "", "khoảng 2018", ""), Doubt.BAD_VALUE),
    ],
)
def test_what_is_not_understood_is_left_to_a_person(answer: tuple[str, ...], doubt: Doubt) -> None:
    school, (an, _binh) = school_with(AN, BINH)
    body = marked(file_of(school, send(school)), {AN: answer, BINH: ("Khớp",)}, extra=THEIRS)

    plan = rehearse(school, body)
    taken = bring(school, body)

    assert [line.doubt for line in plan.of(Standing.DOUBTFUL)] == [doubt]
    assert (taken.doubtful, taken.matched, state(an.student_id)) == (1, 1, Verification.WAITING)
    with here(school):
        kept = results.list_uploads(school.id, Kind.PUPILS)[0]
        left = results.answers_of(results.get_upload(school.id, kept.id))
    assert [one.text for one in left] == [answer[0]]


def test_slipped_rows_and_two_answers_are_doubtful() -> None:
    school, _children = school_with(AN, BINH, CHI)
    head, first, second, third = file_of(school, send(school))
    first[2], second[2] = second[2], first[2]
    lines = [[*line, "Khớp"] for line in (first, second, third)] + [[*third, "Không tìm thấy"]]
    body = write_workbook([Column(str(text)) for text in (*head, "Kết quả")], lines)

    plan = rehearse(school, body)

    assert [line.doubt for line in plan.lines] == [
        Doubt.OTHER_NUMBER,
        Doubt.OTHER_NUMBER,
        Doubt.TWICE,
        Doubt.TWICE,
    ]


def test_an_office_s_own_csv_is_matched_by_number_with_its_zeros_lost() -> None:
    school, (an, _binh) = school_with(AN, BINH)
    batch = send(school)
    table = file_of(school, batch)
    pin = next(str(line[2]) for line in table if line[3] == AN).lstrip("0")
    text = f"Sở GDĐT\nCCCD;Họ tên;Trạng thái xác thực\n{pin};{AN.upper()};Khớp\n"

    taken = bring(school, text.encode("utf-8-sig"), "tra-ve.csv")

    assert (taken.matched, taken.unanswered) == (1, 1)
    assert state(an.student_id) == Verification.MATCHED


def test_files_of_others_and_files_without_results_are_refused() -> None:
    school, _children = school_with(AN)
    send(school)
    other, _others = school_with(BINH)
    theirs = marked(file_of(other, send(other)), {BINH: ("Khớp",)})

    with pytest.raises(ForeignResults):
        bring(school, theirs)
    with pytest.raises(UnreadableResults):
        bring(school, write_workbook([Column("Họ tên"), Column("Lớp")], [("An", "2/3")]))
    with pytest.raises(SheetRefused):
        bring(school, b"%PDF-1.7 not a table")


def test_results_are_taken_once() -> None:
    school, _children = school_with(AN)
    bring(school, marked(file_of(school, send(school)), {AN: ("Khớp",)}))
    with here(school):
        upload = results.list_uploads(school.id, Kind.PUPILS)[0].id

    with pytest.raises(AlreadyTaken), here(school), transaction():
        verification.take(school.id, upload, actor=ACCOUNTANT, now=NOON)


def test_accepted_values_are_proved_and_the_history_says_where_from() -> None:
    school, (an, _binh) = school_with(AN, BINH)
    answers = {AN: ("Sai lệch họ tên, giới tính", "LÊ HOÀI ÂN", "", "Nữ"), BINH: ("Khớp",)}
    bring(school, marked(file_of(school, send(school)), answers, extra=THEIRS))

    done = decide(school, [an.student_id], Decision.ACCEPT)

    assert (done.done, done.proved) == (1, 1)
    assert state(an.student_id) == Verification.MATCHED
    with scope.opened(scope.EVERY_SCHOOL):
        child = row("select full_name, sex from students where id = :id", id=an.student_id)
        origins = rows(
            "select field, origin from identity_changes where student_id = :id order by field",
            id=an.student_id,
        )
    assert child is not None
    assert (child.full_name, child.sex) == ("Lê Hoài Ân", Sex.FEMALE)
    assert [tuple(origin) for origin in origins] == [("full_name", "check"), ("sex", "check")]
    with pytest.raises(NothingDiffers):
        decide(school, [an.student_id], Decision.ACCEPT)


def test_a_difference_that_may_hide_others_is_corrected_but_not_proved() -> None:
    school, (an,) = school_with(AN)
    answers = {AN: ("Không khớp", "", "15/03/2018", "")}
    bring(school, marked(file_of(school, send(school)), answers, extra=THEIRS))

    done = decide(school, [an.student_id], Decision.ACCEPT)

    assert (done.done, done.proved) == (1, 0)
    assert state(an.student_id) == Verification.NOT_SENT


def test_in_bulk_values_entered_by_hand_and_missing_values_are_left_for_a_look() -> None:
    school, (an, binh, chi) = school_with(AN, BINH, CHI)
    rename(school, an.student_id, "Lê Hoài Ân")
    answers = {
        "Lê Hoài Ân": ("Sai lệch họ tên", "Lê Hoài An", "", ""),
        BINH: ("Sai lệch họ tên", "Trần Văn Bính", "", ""),
        CHI: ("Sai lệch họ tên",),
    }
    bring(school, marked(file_of(school, send(school)), answers, extra=THEIRS))
    everybody = [an.student_id, binh.student_id, chi.student_id]

    done = decide(school, everybody, Decision.ACCEPT)

    assert (done.done, done.by_hand, done.without_value) == (1, 1, 1)
    assert decide(school, [an.student_id], Decision.ACCEPT).done == 1


def test_ours_is_kept_with_a_reason_and_asked_again() -> None:
    school, (an, binh) = school_with(AN, BINH)
    wrong = ("Sai lệch họ tên", "Lê Hoài Ân", "", "")
    answers = {AN: wrong, BINH: wrong}
    bring(school, marked(file_of(school, send(school)), answers, extra=THEIRS))

    with pytest.raises(BadDocument):
        decide(school, [an.student_id], Decision.KEEP)
    decide(school, [an.student_id], Decision.KEEP, "đúng theo giấy khai sinh số 12")
    decide(school, [binh.student_id], Decision.PAPERS, "gia đình đi sửa hộ tịch")

    assert state(an.student_id) == Verification.NOT_SENT
    assert state(binh.student_id) == Verification.DIFFERS
    with here(school):
        (waiting,) = queries.differing(school.id, Kind.PUPILS, [binh.student_id])
    assert waiting.waits_for == "gia đình đi sửa hộ tịch"
    next_one = file_of(school, send(school))
    assert [str(line[3]) for line in next_one[1:]] == [AN]


def test_another_number_is_taken_over_one_by_one_and_never_anothers() -> None:
    school, (an, _binh) = school_with(AN, BINH)
    table = file_of(school, send(school))
    taken_number = next(str(line[2]) for line in table if line[3] == BINH)
    extra = ("Số định danh theo dân cư",)
    answers = {AN: ("Không khớp", taken_number), BINH: ("Khớp",)}
    bring(school, marked(table, answers, extra=extra))

    with pytest.raises(IdentifierTaken):
        decide(school, [an.student_id], Decision.ACCEPT)

    fresh = fake_pin()
    bring(school, marked(table, {AN: ("Không khớp", fresh)}, extra=extra))
    assert decide(school, [an.student_id], Decision.ACCEPT).done == 1
    with scope.opened(scope.EVERY_SCHOOL):
        numbers = rows(
            "select value, valid_to from student_identifiers where student_id = :id order by id",
            id=an.student_id,
        )
    assert numbers[-1].value == fresh and numbers[0].valid_to is not None
    assert state(an.student_id) == Verification.NOT_SENT


def test_a_paper_seen_proves_and_an_edit_unproves() -> None:
    school, (an,) = school_with(AN)
    prove = {"source": Source.BIRTH_CERTIFICATE, "actor": ACCOUNTANT, "now": NOON}

    with pytest.raises(BadDocument), here(school), transaction():
        verification.prove(school.id, Kind.PUPILS, an.student_id, document=" ", **prove)  # type: ignore[arg-type]
    with here(school), transaction():
        verification.prove(
            school.id,
            Kind.PUPILS,
            an.student_id,
            document="GKS 12/2018",
            **prove,  # type: ignore[arg-type]
        )
    assert state(an.student_id) == Verification.MATCHED
    with pytest.raises(CannotProve), here(school), transaction():
        verification.prove(school.id, Kind.PUPILS, an.student_id, document="GKS 12", **prove)  # type: ignore[arg-type]
    rename(school, an.student_id, "Lê Hoài Ân")
    assert state(an.student_id) == Verification.NOT_SENT


def test_a_proof_by_paper_stands_when_an_older_batch_is_answered() -> None:
    school, (an,) = school_with(AN)
    table = file_of(school, send(school))
    with here(school), transaction():
        verification.prove(
            school.id,
            Kind.PUPILS,
            an.student_id,
            source=Source.VNEID,
            document="VNeID của mẹ, 20/11/2026",
            actor=ACCOUNTANT,
            now=NOON,
        )

    late = bring(school, marked(table, {AN: ("Không tìm thấy",)}))

    assert (late.late, state(an.student_id)) == (1, Verification.MATCHED)


def test_a_child_of_another_school_is_out_of_reach() -> None:
    school, _children = school_with(AN)
    _other, (binh,) = school_with(BINH)

    with pytest.raises(PersonNotFound), here(school), transaction():
        verification.prove(
            school.id,
            Kind.PUPILS,
            binh.student_id,
            source=Source.VNEID,
            document="VNeID",
            actor=ACCOUNTANT,
            now=NOON,
        )
    with pytest.raises(NothingToSend):
        send(school, chosen=[binh.student_id])


def test_nobody_is_sent_twice_and_a_closed_batch_frees_the_unanswered() -> None:
    school, (an, binh) = school_with(AN, BINH)
    batch = send(school)
    with pytest.raises(NothingToSend):
        send(school)
    table = file_of(school, batch)
    bring(school, marked(table, {AN: ("Khớp",)}))

    with here(school), transaction():
        assert verification.close_batch(school.id, batch, actor=ACCOUNTANT, now=NOON) == 1
    with pytest.raises(BatchClosed), here(school), transaction():
        verification.close_batch(school.id, batch, actor=ACCOUNTANT, now=NOON)

    assert (state(an.student_id), state(binh.student_id)) == (
        Verification.MATCHED,
        Verification.NOT_SENT,
    )
    # An answer that comes after all is still an answer.
    assert bring(school, marked(table, {BINH: ("Khớp",)})).matched == 1


def test_a_child_without_a_number_is_not_sent() -> None:
    school, (an,) = school_with(AN, numbered=False)
    with pytest.raises(NothingToSend):
        send(school)
    assert state(an.student_id) == Verification.NO_NUMBER


def test_a_number_given_while_waiting_is_about_new_values() -> None:
    school, (an,) = school_with(AN)
    table = file_of(school, send(school))
    with here(school), transaction():
        students.record_identifiers(
            [students.NewIdentifier(an.student_id, Scheme.PIN, fake_pin(), "CCCD", TODAY)],
            origin=students.Origin.HAND,
            reason="số được lập lại",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=school.id,
        )

    taken = bring(school, marked(table, {AN: ("Khớp",)}))

    assert (taken.old_values, state(an.student_id)) == (1, Verification.NOT_SENT)


def test_results_cannot_be_changed_or_deleted() -> None:
    school, _children = school_with(AN)
    bring(school, marked(file_of(school, send(school)), {AN: ("Khớp",)}))
    for statement in (
        "update verification_results set state = 'KHOP'",
        "delete from verification_results",
    ):
        with pytest.raises(DBAPIError, match="append-only"), here(school), transaction():
            execute(statement)


def test_what_was_read_is_forgotten_and_no_number_reaches_the_trail() -> None:
    school, _children = school_with(AN, BINH)
    table = file_of(school, send(school))
    numbers = [str(line[2]) for line in table[1:]]
    bring(school, marked(table, {AN: ("Khớp",), BINH: ("gì đó",)}))
    with scope.opened(scope.EVERY_SCHOOL):
        trail = " ".join(
            f"{deed.subject} {deed.cause}"
            for deed in rows(
                "select subject, cause from audit_rows where school_id = :school_id",
                school_id=school.id,
            )
        )
        kept = scalar(
            "select answers from verification_uploads where school_id = :school_id",
            school_id=school.id,
        )
    assert not any(number in trail for number in numbers)
    assert sum(number in kept for number in numbers) == 1


def test_what_was_asked_about_a_forgotten_child_is_blanked() -> None:
    school, (an,) = school_with(AN)
    answers = {AN: ("Sai lệch họ tên", "Lê Hoài Ân", "", "")}
    bring(school, marked(file_of(school, send(school)), answers, extra=THEIRS))
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute(
            "update students set anonymised_at = :now where id = :id", now=NOON, id=an.student_id
        )
        verification.forget([an.student_id])
    with scope.opened(scope.EVERY_SCHOOL):
        (item,) = rows(
            "select full_name, pin from verification_items where student_id = :id",
            id=an.student_id,
        )
        (result,) = rows(
            "select r.state, d.given_value from verification_results r"
            " join verification_differences d on d.result_id = r.id where r.student_id = :id",
            id=an.student_id,
        )
    assert tuple(item) == ("", "")
    assert tuple(result) == (Verification.DIFFERS, None)


def test_a_number_in_the_office_s_words_is_masked() -> None:
    school, _children = school_with(AN)
    table = file_of(school, send(school))
    plan = rehearse(school, marked(table, {AN: ("Trùng với 001099123456",)}))

    assert [line.text for line in plan.lines] == ["Trùng với 001*****3456"]


def member(school: MadeSchool, name: str, username: str) -> int:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        user = add_user(username, name, password_hash="none", totp_secret=None, now=NOON)
        grant_membership(
            user, school.unit_id, Role.TEACHER, starts_on=OPENING, actor=ACCOUNTANT, now=NOON
        )
    return user


def save(school: MadeSchool, user: int, name: str, pin: str = "") -> bool:
    with here(school), transaction():
        return verification.save_staff(
            school.id,
            user,
            full_name=name,
            birth_date=date(1988, 4, 2),
            sex=Sex.FEMALE,
            pin=pin,
            moet="GV-01" if pin else "",
            actor=ACCOUNTANT,
            now=NOON,
        )


def staff_state(school: MadeSchool, user: int) -> Verification:
    with here(school):
        return queries.staff_member(school.id, user, TODAY).verification


def test_staff_go_through_the_same_batches() -> None:
    school = make_school()
    mai, lan = (
        member(school, "Cô Mai", f"mai-{school.code}"),
        member(school, "Cô Lan", f"lan-{school.code}"),
    )
    assert staff_state(school, mai) is Verification.NO_NUMBER
    number = fake_pin()
    assert save(school, mai, "Ngô Thị Mai", number)
    assert not save(school, mai, "Ngô Thị Mai", number)
    save(school, lan, "Đỗ Thị Lan", fake_pin())
    with pytest.raises(StaffNumberTaken):
        save(school, lan, "Đỗ Thị Lan", number)

    table = file_of(school, send(school, Kind.STAFF))
    answers = {"Ngô Thị Mai": ("Khớp",), "Đỗ Thị Lan": ("Sai lệch họ tên", "ĐỖ THỊ LÀNH", "", "")}
    taken = bring(school, marked(table, answers, extra=THEIRS), kind=Kind.STAFF)

    assert (taken.matched, taken.differs) == (1, 1)
    assert staff_state(school, mai) is Verification.MATCHED
    with here(school), transaction():
        done = verification.decide(
            school.id, Kind.STAFF, [lan], Decision.ACCEPT, actor=ACCOUNTANT, now=NOON
        )
    assert (done.proved, staff_state(school, lan)) == (1, Verification.MATCHED)
    save(school, mai, "Ngô Thị Mai Anh", number)
    assert staff_state(school, mai) is Verification.NOT_SENT


def test_staff_of_another_school_are_out_of_reach() -> None:
    school, other = make_school(), make_school()
    user = member(other, "Cô Hoa", f"hoa-{other.code}")
    with pytest.raises(PersonNotFound):
        save(school, user, "Hoa", "")


def test_the_area_sees_counts_school_by_school() -> None:
    school, _children = school_with(AN, BINH)
    bring(school, marked(file_of(school, send(school)), {AN: ("Khớp",)}))
    empty = make_school()
    with scope.opened(scope.EVERY_SCHOOL):
        first, last = queries.area_counts(
            [(empty.id, empty.code, "Trống"), (school.id, school.code, "Có")], TODAY
        )
    assert (first.code, first.proved, first.total) == (school.code, 1, 2)
    assert (last.code, last.total) == (empty.code, 0)
