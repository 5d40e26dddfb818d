"""Vietnamese first, English complete: catalogues are read from .po files at start-up.

English is the text in the code; each room keeps its Vietnamese in one file of its own under
`app/translations/vi/`. No compile step, so a fresh checkout is never untranslated.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any, cast

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context, request, session
from flask_babel import Babel, Domain, get_locale, lazy_gettext

FOLDER = Path(__file__).resolve().parent.parent / "translations" / "vi"
LOCALES = ("vi", "en")


@cache
def vietnamese() -> Translations:
    """All catalogues merged; the same message may stand in several files with the same words."""
    merged = Catalog(locale="vi")
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="vi"):
                if message.id and message.string:
                    merged.add(message.id, message.string)
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return Translations(compiled)


class _Words(Domain):
    """Messages from our .po files instead of compiled catalogues in folders."""

    def get_translations(self) -> NullTranslations:
        locale = get_locale()
        if locale is not None and locale.language == "vi":
            return vietnamese()
        return NullTranslations()


class _SoThuBabel(Babel):
    """Babel whose one domain is ours."""

    _words = _Words()

    @property
    def domain_instance(self) -> Any:
        return self._words


babel = _SoThuBabel()


def choose_locale() -> str:
    """The language a person chose, else Vietnamese. Nothing is guessed from the browser."""
    if not has_request_context():
        return "vi"
    asked = request.args.get("lang") or session.get("lang")
    return asked if asked in LOCALES else "vi"


def lazy(text: str) -> str:
    """A message translated when it is shown; for labels made at import. Use it as `_l`."""
    return cast(str, lazy_gettext(text))


def language() -> str:
    """`vi` or `en` for the text being written now."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "vi"


def bind(app: Flask) -> None:
    """Attach the languages to the app."""
    babel.init_app(
        app,
        default_locale="vi",
        default_timezone="Asia/Ho_Chi_Minh",
        locale_selector=choose_locale,
    )
