"""From nursery to primary to lower secondary: sent, claimed, admitted, each with its code."""

from __future__ import annotations

import io
from datetime import date

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook

from app.core import scope
from app.core.db import DAY, rows, transaction
from app.journeys.merging import services as merging
from app.journeys.year_end import errors, handover_queries, handover_services
from app.journeys.year_end.plan import Outcome
from app.journeys.year_end.workbooks import handover_workbook
from app.people.schools import Level, SchoolInfo, school_info
from tests.factories.schools import ACCOUNTANT, NOON
from tests.year_end.conftest import NEXT_DAY, SUMMER, Year

pytestmark = pytest.mark.usefixtures("all_holds")


@pytest.fixture
def nursery(context: Flask) -> Year:
    made = Year(Level.NURSERY)
    made.add("Lớn 1", 0, 3, born=2021)
    made.add("Nhỡ 1", -1, 2, born=2022)
    return made


@pytest.fixture
def primary(context: Flask) -> Year:
    made = Year()
    made.add("1/1", 1, 1, born=2020)
    made.add("1/2", 1, 1, born=2020)
    return made


def info(year: Year) -> SchoolInfo:
    with scope.opened(scope.EVERY_SCHOOL):
        return school_info(year.id, SUMMER)


def assign(nursery: Year, primary: Year) -> int:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return handover_services.assign_from(
            nursery.id,
            info(primary),
            readable={nursery.id, primary.id},
            pair=nursery.pair(),
            actor=ACCOUNTANT,
            now=NOON,
        )


def assign_list(text: str, *schools: Year) -> int:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return handover_services.assign_list(
            handover_services.read_lines(text),
            {info(s).code: info(s) for s in schools},
            pair=schools[0].pair(),
            actor=ACCOUNTANT,
            now=NOON,
        )


def arriving(primary: Year) -> list[handover_queries.Going]:
    with scope.opened(scope.one_school(primary.id)):
        return handover_queries.arriving_at(primary.id, primary.pair())


def admit(primary: Year, ids: list[int], classes: list[int]) -> int:
    with scope.opened(scope.one_school(primary.id)), transaction():
        return handover_services.admit(
            primary.id, ids, classes, pair=primary.pair(), actor=ACCOUNTANT, now=NOON
        )


def claim(primary: Year, code: str, born: date) -> str:
    with scope.opened(scope.one_school(primary.id)), transaction():
        return handover_services.claim(
            primary.id,
            Level.PRIMARY,
            code,
            born,
            pair=primary.pair(),
            actor=ACCOUNTANT,
            now=NOON,
        )


def new_classes(primary: Year) -> list[int]:
    with scope.opened(scope.one_school(primary.id)):
        return [
            c.id
            for c in rows(
                "select c.id from classes c join school_years y on y.id = c.school_year_id"
                " where c.school_id = :school_id and y.code = '2027-2028' and c.grade = 1"
                " order by c.name",
                school_id=primary.id,
            )
        ]


def test_children_go_over_with_their_code_and_are_dealt_out_evenly(
    nursery: Year, primary: Year
) -> None:
    assert assign(nursery, primary) == 3  # the officer need not wait for the turn
    assert [c.ready for c in arriving(primary)] == [False] * 3
    for year in (nursery, primary):
        year.take_usual()
        year.turn()
    children = arriving(primary)
    assert [(c.code, c.class_name, c.ready) for c in children] == [
        (made.code, "Lớn 1", True) for made in nursery.children["Lớn 1"]
    ]

    assert admit(primary, [c.enrolment_id for c in children], new_classes(primary)) == 3

    with scope.opened(scope.one_school(primary.id)):
        seats = rows(
            "select s.code, e.starts_on, c.name from enrolments e"
            " join students s on s.id = e.student_id"
            " join placements p on p.enrolment_id = e.id and p.school_id = e.school_id"
            " join classes c on c.id = p.class_id where e.school_id = :school_id"
            " and e.student_id in :ids order by s.sort_key",
            types={"starts_on": DAY},
            school_id=primary.id,
            ids=[c.student_id for c in children],
        )
    assert [tuple(s) for s in seats] == [
        (made.code, NEXT_DAY, name)
        for made, name in zip(nursery.children["Lớn 1"], ("1/1", "1/2", "1/1"), strict=True)
    ]
    for made in nursery.children["Lớn 1"]:
        assert nursery.stay(made) == (NEXT_DAY, "finished")
    assert all(c.admitted for c in arriving(primary))
    with pytest.raises(errors.NotOnTheList):
        admit(primary, [children[0].enrolment_id], [])


def test_children_may_be_admitted_without_a_class(nursery: Year, primary: Year) -> None:
    nursery.take_usual()
    nursery.turn()
    assign(nursery, primary)
    primary.take_usual()

    admit(primary, [c.enrolment_id for c in arriving(primary)], [])

    assert [h.kind for h in primary.rehearsal().blockers] == []  # they belong to the new year
    primary.turn()


def test_an_admitted_child_stays_where_it_is_when_the_old_school_takes_its_turn_back(
    nursery: Year, primary: Year
) -> None:
    assign(nursery, primary)
    nursery.take_usual()
    nursery.turn()
    admit(primary, [arriving(primary)[0].enrolment_id], [])
    first, second = nursery.children["Lớn 1"][:2]

    nursery.undo()

    assert nursery.stay(first) == (NEXT_DAY, "finished")
    assert nursery.stay(second) == (None, None)
    # Sent by the area, so it stays on the list until the school turns again.
    assert [c.ready for c in arriving(primary)] == [True, False, False]


def test_a_school_takes_a_child_over_by_code_and_birth_date_only(
    nursery: Year, primary: Year
) -> None:
    child = nursery.children["Lớn 1"][0]
    with pytest.raises(errors.NotFinishing):
        claim(primary, child.code, date(2021, 1, 1))  # not turned yet
    nursery.take_usual()
    nursery.turn()

    with pytest.raises(errors.NotFinishing):
        claim(primary, child.code, date(2021, 1, 2))
    with pytest.raises(errors.NotFinishing):
        claim(primary, nursery.children["Nhỡ 1"][0].code, date(2022, 1, 1))
    claim(primary, child.code, date(2021, 1, 1))

    assert [c.code for c in arriving(primary)] == [child.code]
    other = Year()
    with pytest.raises(errors.AssignedElsewhere):
        claim(other, child.code, date(2021, 1, 1))


def test_an_assignment_list_is_taken_whole_or_not_at_all(nursery: Year, primary: Year) -> None:
    codes = [child.code for child in nursery.children["Lớn 1"]]
    target = info(primary).code
    with pytest.raises(errors.BadAssignment, match="2"):
        assign_list(f"{codes[0]}\t{target}\n123456789\t{target}", nursery, primary)
    with pytest.raises(errors.BadAssignment):
        assign_list(f"{codes[0]}\t{info(nursery).code}", nursery, primary)
    assert arriving(primary) == []

    text = f"Mã học sinh\tTrường\n{codes[0]}\t{target}\n\n{codes[1]};{target.lower()}\n"
    assert assign_list(text, nursery, primary) == 2
    assert assign_list(text, nursery, primary) == 0  # again changes nothing
    assert [c.code for c in arriving(primary)] == codes[:2]


def test_hand_over_totals_are_the_finishing_children(nursery: Year, primary: Year) -> None:
    nursery.enter("Lớn 1", c0=Outcome.MOVES, c1=Outcome.RETEST)
    nursery.take_usual()
    with scope.opened(scope.EVERY_SCHOOL):
        before = handover_queries.routes_between([nursery.id, primary.id], nursery.pair())
    nursery.turn()
    nursery.decide(nursery.children["Lớn 1"][1], passed=True)

    with scope.opened(scope.EVERY_SCHOOL):
        after = handover_queries.routes_between([nursery.id, primary.id], nursery.pair())
    assert [(r.from_school_id, r.children, r.ready) for r in before] == [(nursery.id, 1, 0)]
    assert [(r.from_school_id, r.children, r.ready) for r in after] == [(nursery.id, 2, 2)]


def test_a_child_recorded_twice_is_admitted_under_the_record_that_stays(
    nursery: Year, primary: Year
) -> None:
    elsewhere = Year(Level.NURSERY)
    twin = elsewhere.add("Bé 1", -2, 1, born=2021)[0]
    child = nursery.children["Lớn 1"][0]
    assign(nursery, primary)
    nursery.take_usual()
    nursery.turn()
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        merging.merge(
            twin.student_id,
            child.student_id,
            take_over=(),
            reason="Cùng một em, cùng giấy khai sinh",
            allowed=None,
            actor=ACCOUNTANT,
            now=NOON,
        )

    codes = [c.code for c in arriving(primary)]
    assert twin.code in codes
    assert child.code not in codes
    admit(primary, [c.enrolment_id for c in arriving(primary)], [])


def test_the_workbook_keeps_class_names_as_words(context: Flask) -> None:
    primary = Year()
    primary.add("5/4", 5, 1, born=2016)
    with scope.opened(scope.one_school(primary.id)):
        children = handover_queries.finishing_of(primary.id, primary.pair())
    with context.test_request_context():
        file = handover_workbook("Học sinh", ["TH Mẫu"], children)

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(file)).get_sheet_by_index(0).to_python()
    assert sheet[4][:5] == [
        primary.children["5/4"][0].code,
        "Nguyễn Thị Mẫu A",
        "01/01/2016",
        sheet[4][3],
        "5/4",
    ]
