"""What the codes of this room are called on screens."""

from __future__ import annotations

from flask_babel import gettext as _

from app.people.students.models import IdentityField, NoNumber, Origin, Scheme, Sex, Verification


def sexes() -> dict[Sex, str]:
    """Girl, boy."""
    return {Sex.FEMALE: _("Girl"), Sex.MALE: _("Boy")}


def schemes() -> dict[Scheme, str]:
    """The numbers others give a child."""
    return {
        Scheme.PIN: _("Personal number"),
        Scheme.MOET: _("Ministry code"),
        Scheme.LLR: _("Lifelong learning record"),
        Scheme.SCHOOL: _("School's own number"),
        Scheme.BHXH: _("Health insurance number"),
        Scheme.PASSPORT: _("Passport"),
    }


def fields() -> dict[IdentityField, str]:
    """What makes a child this child."""
    return {
        IdentityField.FULL_NAME: _("Full name"),
        IdentityField.BIRTH_DATE: _("Birth date"),
        IdentityField.SEX: _("Sex"),
        **{IdentityField(scheme): word for scheme, word in schemes().items()},
    }


def relations() -> dict[str, str]:
    """Who a guardian is to the child."""
    return {
        "mother": _("mother"),
        "father": _("father"),
        "grandmother": _("grandmother"),
        "grandfather": _("grandfather"),
        "aunt": _("aunt"),
        "uncle": _("uncle"),
        "guardian": _("guardian"),
    }


def leave_reasons() -> dict[str, str]:
    """Why a stay ends."""
    return {
        "moved": _("moved to another school"),
        "finished": _("finished the school"),
        "stopped": _("stopped school"),
        "abroad": _("moved abroad"),
        "mistake": _("was admitted by mistake"),
        "other": _("another reason"),
    }


def no_number() -> dict[NoNumber, str]:
    """Why a child has no personal number."""
    return {
        NoNumber.NOT_REGISTERED: _("the birth is not registered yet"),
        NoNumber.BEING_MADE: _("the number is being made"),
        NoNumber.FOREIGN: _("foreign child, with a passport"),
        NoNumber.NOT_HANDED_IN: _("the family has not handed it in yet"),
    }


def origins() -> dict[Origin, str]:
    """Where a change came from."""
    return {
        Origin.HAND: _("typed by hand"),
        Origin.LIST: _("from a list"),
        Origin.CHECK: _("from the population check"),
        Origin.MERGE: _("when two records were joined"),
    }


def verification() -> dict[Verification, tuple[str, str]]:
    """How far an identity is proved: the look of its tag, and the words."""
    return {
        Verification.NO_NUMBER: ("plain", _("No personal number yet")),
        Verification.NOT_SENT: ("plain", _("Not sent for the population check yet")),
        Verification.WAITING: ("info", _("Waiting for the population check")),
        Verification.MATCHED: ("ok", _("Agrees with the population register")),
        Verification.DIFFERS: ("warn", _("Differs from the population register")),
        Verification.NOT_FOUND: ("warn", _("Not found in the population register")),
        Verification.DOUBLE: ("warn", _("The number belongs to two people in the register")),
    }


def grade(number: int) -> str:
    """Grade 3, or the age group of a nursery."""
    nursery = {-3: _("Crèche"), -2: _("Age 3-4"), -1: _("Age 4-5"), 0: _("Age 5-6")}
    return nursery.get(number) or _("Grade %(n)s", n=number)
