"""The printing press: HTML of our own to PDF, with nothing opened but our own files.

WeasyPrint needs libraries of the machine, so it is loaded only when a paper is printed.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from flask import current_app
from flask_babel import gettext as _

from app.core.errors import TryAgain

#: what to install where printing is refused
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
#: address of a picture handed over with the page, such as a QR
PICTURE = "picture:"
_TYPES = {".css": "text/css", ".ttf": "font/ttf", ".svg": "image/svg+xml", ".png": "image/png"}


class Document(Protocol):
    """Pages laid out, not yet written; with `pdf_version="1.4"` the file can be joined."""

    @property
    def pages(self) -> list[Any]:
        """One for each page."""

    def write_pdf(self, *, pdf_version: str) -> bytes:
        """The file."""


class PdfUnavailable(TryAgain):
    """The machine lacks the libraries that draw papers."""

    code = "pdf_unavailable"

    def default_message(self) -> str:
        return _("Printing needs libraries this machine lacks: %(packages)s", packages=PACKAGES)


class ForbiddenAddress(ValueError):
    """A paper asked for something that is not one of our own files."""


@cache
def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError) as lacking:
        raise PdfUnavailable from lacking
    return weasyprint


def why_unavailable() -> str | None:
    """What to install before papers can be printed, or None when they can."""
    try:
        _weasyprint()
    except PdfUnavailable:
        return PACKAGES
    return None


@contextmanager
def quiet_memory() -> Iterator[None]:
    """Collect cycles only when asked: laying out makes many, and searching the whole heap is slow.

    What lives already is left out of the search, so that `gc.collect()` inside is cheap.
    """
    collects = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if collects:
            gc.enable()


def version() -> str:
    """Changes with the printing libraries: what was learned of a layout holds for one version."""
    from weasyprint.text.ffi import pango

    return f"{_weasyprint().__version__}/{pango.pango_version()}"


def changed(template: str, sheets: tuple[str, ...]) -> tuple[float, ...]:
    """When a paper's template, style sheets and fonts were changed last."""
    root = static_folder()
    files = [root / sheet for sheet in sheets]
    files += sorted((root / "fonts" / "print").iterdir())
    files.append(Path(current_app.root_path) / (current_app.template_folder or "") / template)
    return tuple(file.stat().st_mtime for file in files)


def static_folder() -> Path:
    """Where the style sheets and fonts of papers lie."""
    return Path(current_app.static_folder or "").resolve()


def allowed_file(url: str, root: Path) -> Path:
    """The bundled file behind an address; refuses the network and every other file."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ForbiddenAddress(url)
    path = Path(unquote(parts.path)).resolve()
    if not path.is_relative_to(root) or path.suffix not in _TYPES or not path.is_file():
        raise ForbiddenAddress(url)
    return path


def _fetcher(root: Path, pictures: Mapping[str, bytes]) -> Any:
    urls = _weasyprint().urls

    class OwnFiles(urls.URLFetcher):  # type: ignore[misc,name-defined]
        """Opens bundled files and the pictures handed over; the rest is an error."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith(PICTURE):
                body = pictures.get(url.removeprefix(PICTURE))
                if body is None:
                    raise ForbiddenAddress(url)
                kind = "image/jpeg" if body.startswith(b"\xff\xd8") else "image/png"
                return urls.URLFetcherResponse(url, body, {"Content-Type": kind})
            path = allowed_file(url, root)
            headers = {"Content-Type": _TYPES[path.suffix]}
            return urls.URLFetcherResponse(url, path.read_bytes(), headers)

    return OwnFiles()


@cache
def _dress(root: Path, sheets: tuple[str, ...], _changed: tuple[float, ...]) -> tuple[Any, Any]:
    """Fonts and style sheets, read once a process: a third of the time of a single paper."""
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    fetcher = _fetcher(root, {})
    styles = [
        _weasyprint().CSS(
            string=(root / sheet).read_text(encoding="utf-8"),
            base_url=(root / sheet).as_uri(),
            url_fetcher=fetcher,
            font_config=fonts,
        )
        for sheet in sheets
    ]
    return fonts, styles


def lay_out(
    html: str, *, sheets: tuple[str, ...], pictures: Mapping[str, bytes] | None = None
) -> Document:
    """The pages of an HTML text; `sheets` are files under static, `pictures` PNG or JPEG by name.

    A picture is used as `<img src="picture:name">`. Raises PdfUnavailable.
    """
    weasyprint = _weasyprint()
    root = static_folder()
    fonts, styles = _dress(root, sheets, tuple((root / s).stat().st_mtime for s in sheets))
    page = weasyprint.HTML(
        string=html, base_url=root.as_uri() + "/", url_fetcher=_fetcher(root, pictures or {})
    )
    laid_out: Document = page.render(stylesheets=styles, font_config=fonts)
    return laid_out


# Joining files: a thousand papers held as pages take a gigabyte, as bytes a few megabytes.

_OBJECT = re.compile(rb"([0-9]+) 0 obj\n")
_REFERENCE = re.compile(rb"\b([0-9]+) 0 R\b")


def join(files: list[bytes]) -> bytes:
    """One PDF of several written by `lay_out`, in order; refuses a file of another make."""
    if len(files) == 1:
        return files[0]
    out = bytearray(b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n")
    offsets: dict[int, int] = {}
    next_number = 3  # 1 is the catalogue, 2 the root of all pages
    trees: list[int] = []
    count = 0
    for file in files:
        objects, catalogue = _objects(file)
        place = {old: next_number + i for i, old in enumerate(objects)}
        next_number += len(objects)
        tree = _number_after(objects[catalogue], b"/Pages")
        trees.append(place[tree])
        count += _count_of(objects[tree])
        for old, body in objects.items():
            moved = _renumber(body, place)
            if old == tree:
                moved = moved.replace(b"<<", b"<</Parent 2 0 R", 1)
            offsets[place[old]] = len(out)
            out += b"%d 0 obj\n%s\nendobj\n" % (place[old], moved)
    kids = b" ".join(b"%d 0 R" % tree for tree in trees)
    offsets[1] = len(out)
    out += b"1 0 obj\n<</Type /Catalog/Pages 2 0 R/Lang (vi)>>\nendobj\n"
    offsets[2] = len(out)
    out += b"2 0 obj\n<</Type /Pages/Kids [%s]/Count %d>>\nendobj\n" % (kids, count)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % next_number
    for number in range(1, next_number):
        out += b"%010d 00000 n \n" % offsets[number]
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (next_number, start)
    return bytes(out)


def _objects(file: bytes) -> tuple[dict[int, bytes], int]:
    """The objects of a file by number, from its table of offsets, and its catalogue's number."""
    start = int(file[file.rindex(b"startxref") + 9 :].split()[0])
    if not file.startswith(b"xref", start):
        raise ValueError("a PDF without a plain table of offsets cannot be joined")
    head, trailer = file[start:].split(b"trailer", 1)
    lines = head.split(b"\n")[2:]
    found: dict[int, bytes] = {}
    for number, line in enumerate(lines):
        if not line.endswith((b" n ", b" n", b"n\r")):
            continue
        at = int(line[:10])
        opening = _OBJECT.match(file, at)
        if opening is None or int(opening[1]) != number:
            raise ValueError(f"object {number} is not where the table says")
        found[number] = file[opening.end() : _end_of(file, opening.end())]
    return found, _number_after(trailer, b"/Root")


def _end_of(file: bytes, start: int) -> int:
    """Where an object ends; a stream is stepped over by its length, for it may hold any bytes."""
    stream = file.find(b"stream\n", start)
    end = file.find(b"\nendobj", start)
    if stream == -1 or stream > end:
        return end
    length = int(file[start:stream].split(b"/Length ")[1].split(b"/")[0].split(b">")[0])
    return file.index(b"\nendobj", stream + 7 + length)


def _renumber(body: bytes, place: Mapping[int, int]) -> bytes:
    head, mark, stream = body.partition(b"stream\n")
    head = _REFERENCE.sub(lambda hit: b"%d 0 R" % place[int(hit[1])], head)
    return head + mark + stream


def _number_after(text: bytes, key: bytes) -> int:
    found = re.search(re.escape(key) + rb"\s+([0-9]+) 0 R", text)
    if found is None:
        raise ValueError(f"a PDF without {key.decode()} cannot be joined")
    return int(found[1])


def _count_of(tree: bytes) -> int:
    found = re.search(rb"/Count ([0-9]+)", tree)
    if found is None:
        raise ValueError("a PDF whose pages are not counted cannot be joined")
    return int(found[1])
