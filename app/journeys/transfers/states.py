"""How far a transfer is, and what may follow; the newest step says it."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """The steps of a transfer between two schools of the area."""

    OPENED = "opened"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    HANDED_OVER = "handed_over"


#: What may follow a step.
NEXT: dict[State, frozenset[State]] = {
    State.OPENED: frozenset({State.ACCEPTED, State.DECLINED, State.WITHDRAWN}),
    State.ACCEPTED: frozenset({State.HANDED_OVER, State.WITHDRAWN}),
    State.DECLINED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.HANDED_OVER: frozenset(),
}
#: A child has at most one transfer in these.
RUNNING = (State.OPENED, State.ACCEPTED)


class PaperKind(StrEnum):
    """The dossier of a primary school (Circular 28/2020 Art. 36) and what is usual above it."""

    REQUEST = "request"
    RECORD = "record"
    PROGRESS = "progress"
    PLAN = "plan"
    INTRODUCTION = "introduction"


class Fact(StrEnum):
    """What happens to a departure; each at most once."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


#: A departure with one of these is over.
OVER = (Fact.CLOSED, Fact.WITHDRAWN)


class Duty(StrEnum):
    """What a school has to do, or to wait for, when a child leaves the area."""

    ANSWER = "answer"
    RECORD = "record"
    PROGRESS = "progress"
    PLAN = "plan"
    INTRODUCTION = "introduction"
    LETTER = "letter"
    LEAVE = "leave"
    BILLS = "bills"
    CREDIT = "credit"


class Mark(StrEnum):
    """How a person says a duty stands."""

    DONE = "done"
    NEEDLESS = "needless"
    OPEN = "open"
