"""Pictures from outside become photos of one make: nothing of the file we were sent is kept.

The size is read from the head before anything is unpacked, and what is stored is drawn anew: no
position, no camera, no second file behind the picture.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Final

from flask_babel import gettext as _
from PIL import Image, ImageFile, ImageOps

from app.core.ids import is_student_code
from app.people.cards.errors import PictureRefused, TooManyPictures

MAX_BYTES: Final = 10 * 2**20
MAX_PIXELS: Final = 24_000_000
SIZE: Final = (480, 640)
SMALLEST: Final = (240, 320)
MAX_STORED: Final = 100_000
#: a JPEG may be drawn in passes; honest ones have about ten
_MOST_PASSES: Final = 100
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
#: A face sits above the middle.
_CENTRE: Final = (0.5, 0.4)

#: pictures of one sending: a large class
MOST_AT_ONCE: Final = 60
#: all pictures of one sending together, packed and unpacked
MAX_SENDING: Final = 200 * 2**20
_JUNK: Final = re.compile(r"(^|/)(__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)", re.I)
_CODE: Final = re.compile(r"(?<![0-9])[1-9](?:[ ._-]?[0-9]){8}(?![0-9])", re.ASCII)


def photo_of(data: bytes) -> bytes:
    """A JPEG of 480 × 640, at most 100 kB, out of a JPEG, PNG or WebP. Raises PictureRefused."""
    if not data:
        raise PictureRefused("missing")
    if len(data) > MAX_BYTES:
        raise PictureRefused("large")
    with warnings.catch_warnings(), _whole_files_only():
        # Warned-of sizes are refused below by our own, lower limit.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(BytesIO(data), formats=_FORMATS)
        except Image.DecompressionBombError as error:
            raise PictureRefused("pixels") from error
        except Exception as error:  # decoders raise whatever their format makes them trip over
            raise PictureRefused("kind") from error
        with image:
            _check(image, data)
            try:
                return _encode(_upright(image))
            except Exception as error:  # see above
                raise PictureRefused("damaged") from error


@contextmanager
def _whole_files_only() -> Iterator[None]:
    """The press switches on, for the whole process, that half a picture is drawn as it is."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _check(image: Image.Image, data: bytes) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureRefused("pixels")
    if min(image.size) < SMALLEST[0] or max(image.size) < SMALLEST[1]:
        raise PictureRefused("small")
    # Phones put a depth map or a second view behind the photo; the first one is the photo.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise PictureRefused("moving")
    if image.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > _MOST_PASSES:
        raise PictureRefused("damaged")


def _upright(image: Image.Image) -> Image.Image:
    """The picture as a person sees it: turned, on white, in plain colours."""
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB", (1000, 1000))
    image.load()
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):
        turned = turned.convert("I").point(lambda value: value / 256).convert("L")
    if turned.has_transparency_data:
        seen = turned.convert("RGBA")
        turned = Image.new("RGB", seen.size, "white")
        turned.paste(seen, mask=seen.getchannel("A"))
    return ImageOps.fit(turned.convert("RGB"), SIZE, Image.Resampling.LANCZOS, centering=_CENTRE)


def _encode(image: Image.Image) -> bytes:
    # A fresh picture: nothing hangs on to it that the encoder would write along.
    plain = Image.frombytes("RGB", SIZE, image.tobytes())
    for quality in (88, 82, 76, 70, 60, 50, 40, 30, 20):
        out = BytesIO()
        plain.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MAX_STORED:
            break
    return out.getvalue()


def smaller(photo: bytes) -> bytes:
    """The photo at the size a card printer can show, for files of many cards."""
    with Image.open(BytesIO(photo), formats=("JPEG",)) as image:
        image.thumbnail((360, 480), Image.Resampling.LANCZOS)
        out = BytesIO()
        image.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


# Many at once


@dataclass(frozen=True, slots=True)
class Sent:
    """One picture of a sending by the name of its file; `code` is the pupil code in it."""

    name: str
    code: str | None
    data: bytes


def code_in(name: str) -> str | None:
    """The pupil code in a file name such as `384-102-556 Nguyen Van An.jpg`."""
    for found in _CODE.findall(name.rpartition("/")[2]):
        digits = re.sub(r"[^0-9]", "", found)
        if is_student_code(digits):
            return digits
    return None


def unpack(files: list[tuple[str, IO[bytes]]]) -> Iterator[Sent]:
    """The pictures of a sending one by one; zip files are looked into, never written to a disk.

    Raises PictureRefused for a zip that cannot be read, TooManyPictures for too many.
    """
    count = total = 0
    for name, stream in files:
        for inner, data in _parts(name, stream):
            count += 1
            total += len(data)
            if count > MOST_AT_ONCE or total > MAX_SENDING:
                raise TooManyPictures(_too_many())
            yield Sent(inner, code_in(inner), data)


def _too_many() -> str:
    return _("At most %(count)s pictures at once. Send one class at a time.", count=MOST_AT_ONCE)


def _parts(name: str, stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    head = stream.read(4)
    stream.seek(0)
    if head[:2] != b"PK":
        yield name, stream.read(MAX_BYTES + 1)
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = [
                entry
                for entry in archive.infolist()
                if not entry.is_dir() and not _JUNK.search(entry.filename)
            ]
            if len(entries) > MOST_AT_ONCE:
                raise TooManyPictures(_too_many())
            for entry in entries:
                # Never more than the limit, whatever size the archive claims.
                with archive.open(entry) as packed:
                    yield entry.filename.rpartition("/")[2], packed.read(MAX_BYTES + 1)
    except TooManyPictures:
        raise
    except Exception as error:  # a broken archive fails in a dozen ways, all with one advice
        raise PictureRefused("zip") from error
