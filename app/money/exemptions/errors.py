"""What the exemptions' room refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class ApplicationNotFound(NotFound):
    """No such application in this school."""

    code = "exemption_application_not_found"


class ProofNotFound(NotFound):
    """No such proof in this school."""

    code = "exemption_proof_not_found"


class ApplicationMoved(Refused):
    """The application is not where this step begins."""

    code = "exemption_application_moved"

    def default_message(self) -> str:
        return _("The application has moved on meanwhile. Open it again to see where it stands.")


class AlreadyApplied(Refused):
    """One running application of a child and a ground at a time."""

    code = "exemption_already_applied"

    def default_message(self) -> str:
        return _("An application of this pupil on this ground is running already.")


class CheckerDecides(Refused):
    """Who checked does not decide."""

    code = "exemption_checker_decides"

    def default_message(self) -> str:
        return _("Another person decides: you received or checked this application yourself.")


class ApplicationWordsMissing(Invalid):
    """A step that needs words has none, or too many."""

    code = "exemption_words_missing"

    def default_message(self) -> str:
        return _("Say why, in at most 200 letters; the family may read it.")


class ProofRefused(Invalid):
    """The file is no paper we keep."""

    code = "exemption_proof_refused"

    def default_message(self) -> str:
        return _("Hand in a PDF, JPEG or PNG of at most 5 MB.")


class BadApplication(Invalid):
    """Something of the application cannot be."""

    code = "exemption_bad_application"
