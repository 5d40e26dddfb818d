"""What opening partners and giving keys refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class BadPartner(Invalid):
    """A partner's short name or name cannot be used."""

    code = "bad_partner"

    def default_message(self) -> str:
        return _("The short name has 2 to 12 small letters or digits, the name 2 to 120 letters.")


class PartnerExists(Refused):
    """The short name is another partner's."""

    code = "partner_exists"

    def default_message(self) -> str:
        return _("A partner has this short name already. It is never used again: choose another.")


class PartnerNotFound(NotFound):
    """There is no such partner."""

    code = "partner_not_found"


class KeyNotFound(NotFound):
    """The partner has no such key that is alive."""

    code = "key_not_found"

    def default_message(self) -> str:
        return _("This partner has no such key that is alive.")


class PartnerClosed(Refused):
    """The partner collects no longer."""

    code = "partner_closed"

    def default_message(self) -> str:
        return _("This partner is closed. Open it under another short name.")
