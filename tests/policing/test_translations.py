"""English is in the code, Vietnamese beside it, and neither has a hole."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from tests.policing.source import APP, ROOT, TEMPLATES

CATALOGUES = sorted((APP / "translations" / "vi").glob("*.po"))
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")

#: a text, or singular and plural
Msgid = str | tuple[str, ...]


def _texts(entry: Message | Msgid) -> list[str]:
    """One text, or each of its plural forms."""
    text: object = entry.string if isinstance(entry, Message) else entry
    return [str(part) for part in text] if isinstance(text, list | tuple) else [str(text or "")]


@cache
def in_the_code() -> dict[Msgid, str]:
    """Every message that the code can show, with one place where it stands."""
    found: dict[Msgid, str] = {}
    for folder, method in ((APP, "python"), (TEMPLATES, "jinja2")):
        suffix = "py" if method == "python" else "html"
        for path, line, message, _comments, _context in extract_from_dir(
            str(folder),
            method_map=[(f"**.{suffix}", method)],
            keywords=KEYWORDS,
            options_map={"**": {"silent": "false"}},
            directory_filter=lambda _folder: True,  # Babel passes over names such as _layouts
        ):
            found[message] = f"{(folder / path).relative_to(ROOT)}:{line}"
    return found


@cache
def in_vietnamese() -> dict[Msgid, dict[str, Message]]:
    """Every message of the catalogues, by the file it stands in."""
    found: dict[Msgid, dict[str, Message]] = defaultdict(dict)
    for path in CATALOGUES:
        with path.open("rb") as file:
            for message in read_po(file, locale="vi", abort_invalid=True):
                if message.id:
                    key: Msgid = message.id if isinstance(message.id, str) else tuple(message.id)
                    found[key][path.name] = message
    return found


def test_every_message_is_in_vietnamese() -> None:
    missing = [
        f"{where}: {message!r}"
        for message, where in in_the_code().items()
        if message not in in_vietnamese()
    ]
    assert missing == []


def test_no_catalogue_keeps_a_message_that_is_gone() -> None:
    gone = [
        f"{', '.join(files)}: {message!r}"
        for message, files in in_vietnamese().items()
        if message not in in_the_code()
    ]
    assert gone == []


def test_translations_are_whole() -> None:
    for message, files in in_vietnamese().items():
        for name, entry in files.items():
            assert all(_texts(entry)), f"{name}: {message!r} is empty"
            assert not entry.fuzzy, f"{name}: {message!r} is marked fuzzy"


def test_translations_keep_the_placeholders() -> None:
    for message, files in in_vietnamese().items():
        wanted = set(PLACEHOLDER.findall(" ".join(_texts(message))))
        for name, entry in files.items():
            given = set(PLACEHOLDER.findall(" ".join(_texts(entry))))
            assert given == wanted, f"{name}: {message!r}"


def test_one_english_text_has_one_vietnamese_text() -> None:
    for message, files in in_vietnamese().items():
        texts = {str(entry.string) for entry in files.values()}
        assert len(texts) == 1, f"{message!r} differs between {', '.join(files)}"


@pytest.mark.parametrize("polite_noise", ["vui lòng", "quý khách", "hệ thống sẽ"])
def test_plain_words(polite_noise: str) -> None:
    for message, files in in_vietnamese().items():
        for name, entry in files.items():
            assert polite_noise not in str(entry.string).lower(), f"{name}: {message!r}"
