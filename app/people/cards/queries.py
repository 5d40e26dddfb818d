"""Who has a card, a photo and the consents; what a card shows; what a scan finds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from app.core import clock
from app.core.db import DAY, MOMENT, in_chunks, is_sqlite, row, rows
from app.people.cards import tokens
from app.people.cards.errors import CardNotFound, PrintGone
from app.people.cards.models import EndReason, Layout, Method, Party
from app.people.schools import Year, year_of, years
from app.people.students.queries import natural

#: from this birthday on a child is asked itself (Law 91/2025/QH15, Article 24)
ASKED_AT: Final = 7

_STANDING = (
    "exists (select 1 from photo_consents y where y.school_id = e.school_id"
    " and y.enrolment_id = e.id and y.party = '{party}' and not exists"
    " (select 1 from photo_withdrawals w where w.school_id = y.school_id"
    "  and w.consent_id = y.id))"
)
_GUARDIAN = _STANDING.format(party=Party.GUARDIAN.value)
_CHILD = _STANDING.format(party=Party.CHILD.value)
#: the one rule: a guardian has agreed, and so has a child of seven or more
_HOLDS = f"{_GUARDIAN} and (s.birth_date > :seven or {_CHILD})"


def seven_years_before(day: date) -> date:
    """Children born on this day or earlier are seven or more on the day asked for."""
    return clock.years_on(day, -ASKED_AT)


def consented(school_id: int, enrolment_ids: Collection[int], day: date) -> set[int]:
    """The stays whose consents, none of them taken back, are enough for the age on a day."""
    return {
        stay.id
        for chunk in in_chunks(enrolment_ids)
        for stay in rows(
            "select e.id from enrolments e join students s on s.id = e.student_id"
            f" where e.school_id = :school_id and e.id in :ids and {_HOLDS}",
            school_id=school_id,
            ids=chunk,
            seven=seven_years_before(day),
        )
    }


@dataclass(frozen=True, slots=True)
class ChildCard:
    """A child in a class of a year with what its card needs."""

    enrolment_id: int
    student_id: int
    code: str
    full_name: str
    birth_date: date
    class_id: int
    class_name: str
    grade: int
    card_id: int | None
    number: int | None
    printed: int | None
    printed_year_id: int | None
    #: of the photo, if one is kept
    sha256: str | None
    taken_on: date | None
    guardian_agreed: bool
    child_agreed: bool
    year_id: int
    #: whether the child is asked itself
    is_asked: bool

    @property
    def lacks(self) -> tuple[str, ...]:
        """Whose consent is missing: `guardian`, `child`, both or nobody."""
        needed = (("guardian", self.guardian_agreed), ("child", self.child_agreed))
        return tuple(
            party for party, said in needed if not said and (party == "guardian" or self.is_asked)
        )

    @property
    def shows_photo(self) -> bool:
        """Whether there is a photo that may be seen."""
        return self.sha256 is not None and not self.lacks

    @property
    def state(self) -> str:
        """`valid`, `old` (printed for an earlier year), `unprinted` or `none`."""
        if self.card_id is None:
            return "none"
        if not self.printed:
            return "unprinted"
        return "valid" if self.printed_year_id == self.year_id else "old"


# Each child once, in the class it is in or will be in last in that year.
_CHILDREN = f"""
select e.id as enrolment_id, s.id as student_id, s.code, s.full_name, s.birth_date,
  c.id as class_id, c.name as class_name, c.grade, k.id as card_id, k.number, k.printed,
  k.printed_year_id, f.sha256, f.taken_on,
  case when {_GUARDIAN} then 1 else 0 end as guardian_agreed,
  case when {_CHILD} then 1 else 0 end as child_agreed
from classes c
join placements p on p.school_id = c.school_id and p.class_id = c.id
  and (p.ends_on is null or p.ends_on > :today)
join enrolments e on e.school_id = p.school_id and e.id = p.enrolment_id
  and (e.ends_on is null or e.ends_on > :today)
join students s on s.id = e.student_id
left join cards k on k.school_id = e.school_id and k.enrolment_id = e.id and k.ended_at is null
left join student_photos f on f.school_id = e.school_id and f.enrolment_id = e.id
where c.school_id = :school_id and c.school_year_id = :year and not exists
  (select 1 from placements q join classes d on d.school_id = q.school_id and d.id = q.class_id
    and d.school_year_id = :year where q.school_id = p.school_id
    and q.enrolment_id = p.enrolment_id and q.starts_on > p.starts_on)
"""


def children(
    school_id: int, year_id: int, today: date, *, class_id: int | None = None
) -> list[ChildCard]:
    """The children of a year's classes, by class and name."""
    narrowed = " and c.id = :class_id" if class_id is not None else ""
    values: dict[str, Any] = {"class_id": class_id} if class_id is not None else {}
    return _children(school_id, year_id, today, narrowed, values)


def children_of_stays(
    school_id: int, year_id: int, enrolment_ids: Collection[int], today: date
) -> list[ChildCard]:
    """Some children, by class and name; those without a class that year are left out."""
    return [
        child
        for chunk in in_chunks(enrolment_ids)
        for child in _children(school_id, year_id, today, " and e.id in :ids", {"ids": chunk})
    ]


def _children(
    school_id: int, year_id: int, today: date, narrowed: str, values: dict[str, Any]
) -> list[ChildCard]:
    order = "s.sort_key" if is_sqlite() else 's.sort_key collate "C"'
    seven = seven_years_before(today)
    found = [
        ChildCard(
            **child._asdict()
            | {
                "guardian_agreed": bool(child.guardian_agreed),
                "child_agreed": bool(child.child_agreed),
                "year_id": year_id,
                "is_asked": child.birth_date <= seven,
            }
        )
        for child in rows(
            f"{_CHILDREN}{narrowed} order by {order}, s.code",
            types={"birth_date": DAY, "taken_on": DAY},
            school_id=school_id,
            year=year_id,
            today=today,
            **values,
        )
    ]
    return sorted(found, key=lambda child: (child.grade, natural(child.class_name)))


def child_card(school_id: int, enrolment_id: int, today: date) -> ChildCard | None:
    """One child in its newest class; None while it has no class."""
    found = rows(
        "select c.school_year_id from placements p join classes c"
        " on c.school_id = p.school_id and c.id = p.class_id"
        " where p.school_id = :school_id and p.enrolment_id = :enrolment"
        " and (p.ends_on is null or p.ends_on > :today) order by p.starts_on desc limit 1",
        school_id=school_id,
        enrolment=enrolment_id,
        today=today,
    )
    if not found:
        return None
    here = children_of_stays(school_id, found[0].school_year_id, [enrolment_id], today)
    return here[0] if here else None


@dataclass(slots=True)
class ClassCards:
    """A class counted: children, and of them those with a valid card, photo, consents."""

    id: int
    name: str
    grade: int
    children: int = 0
    valid: int = 0
    photos: int = 0
    consents: int = 0

    @property
    def missing(self) -> int:
        """Cards to print so that everybody has a valid one."""
        return self.children - self.valid


def by_class(found: Sequence[ChildCard]) -> list[ClassCards]:
    """Classes with children, in the order of the children given."""
    classes: dict[int, ClassCards] = {}
    for child in found:
        here = classes.setdefault(
            child.class_id, ClassCards(child.class_id, child.class_name, child.grade)
        )
        here.children += 1
        here.valid += child.state == "valid"
        here.photos += child.shows_photo
        here.consents += not child.lacks
    return list(classes.values())


def years_to_print(school_id: int, today: date) -> list[Year]:
    """Years whose classes have children now or from a coming day on; the first is the usual one.

    In the summer that is the year to come, once its classes are filled.
    """
    used = {
        found.school_year_id
        for found in rows(
            "select distinct c.school_year_id from placements p join classes c"
            " on c.school_id = p.school_id and c.id = p.class_id"
            " where p.school_id = :school_id and (p.ends_on is null or p.ends_on > :today)",
            school_id=school_id,
            today=today,
        )
    }
    current = year_of(today)
    found = [year for year in years() if year.id in used]
    is_over = current is not None and today > current.ends_on
    return sorted(
        found,
        key=lambda year: (
            (year.starts_on <= today) if is_over else (current is None or year.id != current.id),
            year.starts_on,
        ),
    )


# One child


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A consent with its end, for the child's page."""

    id: int
    party: Party
    guardian: str | None
    method: Method
    form_no: str | None
    given_on: date
    recorded_by: str
    withdrawn_on: date | None


def consents_of(school_id: int, enrolment_id: int) -> list[ConsentRow]:
    """All consents of a stay, newest first."""
    found = rows(
        "select c.id, c.party, g.full_name as guardian, c.method, c.form_no, c.given_on,"
        " c.recorded_by, w.withdrawn_on from photo_consents c"
        " left join guardians g on g.id = c.guardian_id"
        " left join photo_withdrawals w on w.school_id = c.school_id and w.consent_id = c.id"
        " where c.school_id = :school_id and c.enrolment_id = :enrolment order by c.id desc",
        types={"given_on": DAY, "withdrawn_on": DAY},
        school_id=school_id,
        enrolment=enrolment_id,
    )
    return [
        ConsentRow(c.id, Party(c.party), c.guardian, Method(c.method), *tuple(c)[4:]) for c in found
    ]


def guardians_of(
    school_id: int, enrolment_ids: Collection[int], today: date
) -> dict[int, list[tuple[int, str]]]:
    """Per stay the guardians who answer for the child, as (id, name), the first to ask first."""
    found: dict[int, list[tuple[int, str]]] = {}
    for chunk in in_chunks(enrolment_ids):
        for tie in rows(
            "select e.id, g.id as guardian_id, g.full_name from enrolments e"
            " join guardianships t on t.student_id = e.student_id"
            " and (t.ends_on is null or t.ends_on > :today)"
            " join guardians g on g.id = t.guardian_id"
            " where e.school_id = :school_id and e.id in :ids order by t.is_primary desc, t.id",
            school_id=school_id,
            ids=chunk,
            today=today,
        ):
            found.setdefault(tie.id, []).append((tie.guardian_id, tie.full_name))
    return found


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card of a stay, live or ended."""

    id: int
    number: int
    issued_at: datetime
    printed: int
    ended_at: datetime | None
    end_reason: EndReason | None


def cards_of(school_id: int, enrolment_id: int) -> list[CardRow]:
    """All cards of a stay, newest first."""
    found = rows(
        "select id, number, issued_at, printed, ended_at, end_reason from cards"
        " where school_id = :school_id and enrolment_id = :enrolment order by number desc",
        types={"issued_at": MOMENT, "ended_at": MOMENT},
        school_id=school_id,
        enrolment=enrolment_id,
    )
    return [
        CardRow(
            id=card.id,
            number=card.number,
            issued_at=card.issued_at,
            printed=card.printed,
            ended_at=card.ended_at,
            end_reason=EndReason(card.end_reason) if card.end_reason else None,
        )
        for card in found
    ]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that may be seen today."""

    picture: bytes
    sha256: str


def photos_of(school_id: int, enrolment_ids: Collection[int], today: date) -> dict[int, Photo]:
    """The photos by stay, while the stay lasts and consent holds."""
    return {
        photo.enrolment_id: Photo(bytes(photo.picture), photo.sha256)
        for chunk in in_chunks(enrolment_ids)
        for photo in rows(
            "select f.enrolment_id, f.picture, f.sha256 from student_photos f join enrolments e"
            " on e.school_id = f.school_id and e.id = f.enrolment_id"
            " join students s on s.id = e.student_id where f.school_id = :school_id"
            f" and e.id in :ids and (e.ends_on is null or e.ends_on > :today) and {_HOLDS}",
            school_id=school_id,
            ids=chunk,
            today=today,
            seven=seven_years_before(today),
        )
    }


def all_still_shown(school_id: int, hashes: Collection[str]) -> bool:
    """Whether none of these photos was deleted meanwhile."""
    kept = {
        photo.sha256
        for chunk in in_chunks(hashes)
        for photo in rows(
            "select sha256 from student_photos where school_id = :school_id and sha256 in :hashes",
            school_id=school_id,
            hashes=chunk,
        )
    }
    return kept == set(hashes)


def stays_of_codes(school_id: int, codes: Collection[str], today: date) -> dict[str, int]:
    """The stay at the school behind each pupil code, also of a merged record; others are absent."""
    return {
        found.code: found.id
        for chunk in in_chunks(codes)
        for found in rows(
            "select o.code, e.id from students o"
            " join enrolments e on e.student_id = coalesce(o.merged_into_id, o.id)"
            " where e.school_id = :school_id and o.code in :codes"
            " and (e.ends_on is null or e.ends_on > :today)",
            school_id=school_id,
            codes=chunk,
            today=today,
        )
    }


# Printing


@dataclass(frozen=True, slots=True)
class PrintedCard:
    """What one card shows, apart from its photo."""

    card_id: int
    enrolment_id: int
    number: int
    token: str
    code: str
    full_name: str
    class_name: str
    year: str


def cards_to_print(school_id: int, card_ids: Sequence[int], year_id: int) -> list[PrintedCard]:
    """The live ones of these cards in the order given, with the class of a year."""
    found: dict[int, PrintedCard] = {}
    for chunk in in_chunks(card_ids):
        for card in rows(
            "select k.id, k.enrolment_id, k.number, k.nonce, s.code, s.full_name, y.code as year,"
            " (select c.name from placements p join classes c on c.school_id = p.school_id"
            "   and c.id = p.class_id and c.school_year_id = :year"
            "   where p.school_id = k.school_id and p.enrolment_id = k.enrolment_id"
            "   order by p.starts_on desc limit 1) as class_name"
            " from cards k join enrolments e on e.school_id = k.school_id and e.id = k.enrolment_id"
            " join students s on s.id = e.student_id join school_years y on y.id = :year"
            " where k.school_id = :school_id and k.id in :ids and k.ended_at is null",
            school_id=school_id,
            ids=chunk,
            year=year_id,
        ):
            found[card.id] = PrintedCard(
                card_id=card.id,
                enrolment_id=card.enrolment_id,
                number=card.number,
                token=tokens.token_of(card.nonce),
                code=card.code,
                full_name=card.full_name,
                class_name=card.class_name or "",
                year=card.year,
            )
    return [found[card_id] for card_id in card_ids if card_id in found]


@dataclass(frozen=True, slots=True)
class PrintRow:
    """A printing; `has_file` while its file is kept, `job_state` where the worker draws it."""

    id: int
    layout: Layout
    title: str
    total: int
    job_id: int | None
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None
    has_file: bool
    job_state: str | None
    done: int


_PRINTS = (
    "select p.id, p.layout, p.title, p.total, p.job_id, p.requested_by, p.requested_at,"
    " p.finished_at, case when p.file is null then 0 else 1 end as has_file,"
    " j.state as job_state, coalesce(j.done, 0) as done"
    " from card_prints p left join jobs j on j.id = p.job_id where p.school_id = :school_id"
)
_PRINT_TYPES: Final = {"requested_at": MOMENT, "finished_at": MOMENT}


def _print(found: Any) -> PrintRow:
    return PrintRow(
        **found._asdict() | {"layout": Layout(found.layout), "has_file": bool(found.has_file)}
    )


def get_print(school_id: int, print_id: int) -> PrintRow:
    """One printing of the school, or CardNotFound."""
    found = row(f"{_PRINTS} and p.id = :id", types=_PRINT_TYPES, school_id=school_id, id=print_id)
    if found is None:
        raise CardNotFound
    return _print(found)


def newest_prints(school_id: int, count: int = 5) -> list[PrintRow]:
    """The last printings, newest first."""
    found = rows(
        f"{_PRINTS} order by p.id desc limit :count",
        types=_PRINT_TYPES,
        school_id=school_id,
        count=count,
    )
    return [_print(one) for one in found]


def print_file(school_id: int, print_id: int) -> bytes:
    """The file of a printing, or PrintGone."""
    found = row(
        "select file from card_prints where school_id = :school_id and id = :id",
        school_id=school_id,
        id=print_id,
    )
    if found is None or found.file is None:
        raise PrintGone
    return bytes(found.file)


# Scanning


@dataclass(frozen=True, slots=True)
class Scanned:
    """The card behind a token: of a child that is here, or ended, and then why."""

    code: str
    number: int
    #: `live`, or why the card is no longer good
    state: str
    ended_on: datetime | date | None


def find_by_token(school_id: int, token: str, today: date) -> Scanned | None:
    """The school's card with this token; None for every other school's and for nobody's."""
    found = row(
        "select s.code, k.number, k.ended_at, k.end_reason, e.ends_on from cards k"
        " join enrolments e on e.school_id = k.school_id and e.id = k.enrolment_id"
        " join students s on s.id = e.student_id"
        " where k.school_id = :school_id and k.token_hash = :hash",
        types={"ended_at": MOMENT, "ends_on": DAY},
        school_id=school_id,
        hash=tokens.token_hash(token),
    )
    if found is None:
        return None
    if found.ended_at is not None:
        return Scanned(found.code, found.number, found.end_reason, found.ended_at)
    if found.ends_on is not None and found.ends_on <= today:
        return Scanned(found.code, found.number, EndReason.LEFT.value, found.ends_on)
    return Scanned(found.code, found.number, "live", None)
