"""Honest pictures become small photos of one make; all others are refused."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

import pytest
from PIL import Image

from app.core.ids import new_student_code
from app.people.cards.errors import PictureRefused, TooManyPictures
from app.people.cards.pictures import (
    MAX_BYTES,
    MAX_STORED,
    MOST_AT_ONCE,
    SIZE,
    code_in,
    photo_of,
    smaller,
    unpack,
)
from tests.factories.cards import drawn

pytestmark = pytest.mark.usefixtures("context")


def opened(photo: bytes) -> Image.Image:
    image = Image.open(BytesIO(photo))
    image.load()
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG that claims a size; what follows is whatever the test wants."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


# Honest pictures


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_a_small_upright_photo(kind: str) -> None:
    photo = photo_of(drawn((1600, 1200), kind=kind))

    image = opened(photo)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", SIZE)
    assert len(photo) <= MAX_STORED


def test_even_noise_stays_below_the_limit() -> None:
    noise = Image.effect_noise((1200, 1600), 120).convert("RGB")

    assert len(photo_of(saved(noise, "JPEG", quality=95))) <= MAX_STORED


def test_the_camera_and_the_place_are_forgotten() -> None:
    exif = Image.Exif()
    exif[0x010F] = "CAMERA-OF-SOMEBODY"
    exif.get_ifd(0x8825)[1] = "N"
    photo = photo_of(drawn(exif=exif, comment=b"SECRET-COMMENT"))

    assert b"CAMERA" not in photo
    assert b"SECRET" not in photo
    assert b"Exif" not in photo
    assert dict(opened(photo).getexif()) == {}


def test_a_picture_lying_on_its_side_is_set_upright() -> None:
    lying = Image.new("RGB", (1200, 900), "white")
    lying.paste("black", (0, 0, 600, 900))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise

    image = opened(photo_of(saved(lying, "JPEG", exif=exif))).convert("L")

    assert image.getpixel((240, 40)) < 60
    assert image.getpixel((240, 600)) > 200


def test_what_is_see_through_becomes_white() -> None:
    clear = Image.new("RGBA", (600, 800), (0, 0, 0, 0))

    assert opened(photo_of(saved(clear))).getpixel((240, 320)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "CMYK", "I;16", "1"])
def test_every_way_of_storing_colours_is_read(mode: str) -> None:
    image = Image.new(mode if mode != "P" else "RGB", (600, 800))
    kind = "JPEG" if mode == "CMYK" else "PNG"
    if mode == "P":
        image = image.quantize(4)

    assert opened(photo_of(saved(image, kind))).size == SIZE


def test_a_photo_with_a_second_view_behind_it_is_taken() -> None:
    first, second = (Image.new("RGB", (600, 800), colour) for colour in ("white", "black"))
    both = saved(first, "MPO", save_all=True, append_images=[second])

    assert opened(photo_of(both)).getpixel((240, 320)) == (255, 255, 255)


def test_a_printed_photo_is_smaller_but_of_the_same_shape() -> None:
    assert opened(smaller(photo_of(drawn()))).size == (360, 480)


# Hostile pictures


def _animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (600, 800), colour) for colour in ("white", "black")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def _bomb() -> bytes:
    """A small file that unpacks to 400 million pixels."""
    return png_of(20_000, 20_000, zlib.compress(bytes(1_000_000), 9))


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _passes() -> bytes:
    """A JPEG that asks to be drawn over and over."""
    whole = drawn(progressive=True)
    scan = whole[whole.index(b"\xff\xda") : whole.rindex(b"\xff\xd9")]
    return whole[:-2] + scan * 200 + b"\xff\xd9"


HOSTILE = {
    "nothing": (b"", "missing"),
    "a text": (b"hello", "kind"),
    "a web page named jpg": (b"<html><script>alert(1)</script></html>", "kind"),
    "a drawing with scripts": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "kind"),
    "a GIF": (saved(Image.new("RGB", (600, 800)), "GIF"), "kind"),
    "a BMP": (saved(Image.new("RGB", (600, 800)), "BMP"), "kind"),
    "a TIFF": (saved(Image.new("RGB", (600, 800)), "TIFF"), "kind"),
    "a PDF": (b"%PDF-1.7\n1 0 obj\n", "kind"),
    "a program": (b"MZ" + bytes(500), "kind"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 600 800\n", "kind"),
    "only the first bytes of a JPEG": (b"\xff\xd8\xff", "kind"),
    "65535 by 65535 in the head": (png_of(65_535, 65_535), "pixels"),
    "a PNG of two thousand million": (png_of(2_000_000_000, 2), "pixels"),
    "a bomb": (_bomb(), "pixels"),
    "one row too many": (png_of(6_000, 4_001), "pixels"),
    "a head without a picture": (png_of(600, 800), "damaged"),
    "rubbish in the picture": (png_of(600, 800, b"rubbish"), "damaged"),
    "a PNG cut short": (_cut(drawn(kind="PNG")), "damaged"),
    "a JPEG cut short": (_cut(drawn((3000, 4000), quality=95)), "damaged"),
    "a WebP cut short": (_cut(drawn(kind="WEBP")), "kind"),
    "a JPEG drawn two hundred times": (_passes(), "damaged"),
    "a moving PNG": (_animated("PNG"), "moving"),
    "a moving WebP": (_animated("WEBP"), "moving"),
    "a stamp": (saved(Image.new("RGB", (90, 120))), "small"),
    "eleven megabytes": (drawn() + bytes(MAX_BYTES), "large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_photo_is_refused(name: str) -> None:
    data, reason = HOSTILE[name]

    with pytest.raises(PictureRefused) as refusal:
        photo_of(data)

    assert refusal.value.reason == reason
    assert refusal.value.message


def test_what_hangs_behind_a_picture_is_not_kept() -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("evil.html", "<script>alert(1)</script>")
    both = drawn() + archive.getvalue()

    photo = photo_of(both)

    assert b"PK" not in photo[-200:]
    assert b"script" not in photo
    assert not zipfile.is_zipfile(BytesIO(photo))


def test_a_text_that_unpacks_to_much_is_refused() -> None:
    whole = drawn(kind="PNG")
    text = chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(80_000_000), 9))
    # Behind the head, where a reader meets it first.
    hostile = whole[:33] + text + whole[33:]

    with pytest.raises(PictureRefused):
        photo_of(hostile)


# Many at once


def zipped(**files: bytes) -> BytesIO:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    out.seek(0)
    return out


def test_pictures_are_known_by_the_code_in_their_name() -> None:
    code = new_student_code()
    spaced = f"{code[:3]}-{code[3:6]}-{code[6:]}"
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)

    assert code_in(f"{code}.jpg") == code
    assert code_in(f"lop 2/{spaced} Nguyen Van An.JPG") == code
    assert code_in(f"{wrong}.jpg") is None
    assert code_in("IMG_20261124_081405.jpg") is None


def test_a_zip_is_looked_into_and_junk_passed_over() -> None:
    archive = zipped(
        **{
            "lop/a.jpg": b"first",
            "/etc/passwd.jpg": b"second",
            "__MACOSX/lop/._a.jpg": b"junk",
            "lop/.DS_Store": b"junk",
            "Thumbs.db": b"junk",
        }
    )

    found = list(unpack([("anh.zip", archive), ("b.jpg", BytesIO(b"third"))]))

    assert [(sent.name, sent.data) for sent in found] == [
        ("a.jpg", b"first"),
        ("passwd.jpg", b"second"),
        ("b.jpg", b"third"),
    ]


def test_a_zip_that_lies_is_refused() -> None:
    whole = zipped(**{"a.jpg": drawn()}).getvalue()

    with pytest.raises(PictureRefused) as refusal:
        list(unpack([("anh.zip", BytesIO(whole[:-30]))]))
    assert refusal.value.reason == "zip"


def test_a_zip_with_a_password_is_refused() -> None:
    whole = bytearray(zipped(**{"a.jpg": b"x"}).getvalue())
    whole[6] |= 1  # the flag of the file
    whole[whole.index(b"PK\x01\x02") + 8] |= 1

    with pytest.raises(PictureRefused):
        list(unpack([("anh.zip", BytesIO(bytes(whole)))]))


def test_a_bomb_in_a_zip_is_read_only_to_the_limit() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.jpg", bytes(40_000_000))
    out.seek(0)

    (sent,) = unpack([("anh.zip", out)])

    assert len(sent.data) == MAX_BYTES + 1
    with pytest.raises(PictureRefused) as refusal:
        photo_of(sent.data)
    assert refusal.value.reason == "large"


def test_more_than_a_class_is_sent_in_parts() -> None:
    archive = zipped(**{f"{number}.jpg": b"x" for number in range(MOST_AT_ONCE + 1)})

    with pytest.raises(TooManyPictures):
        list(unpack([("anh.zip", archive)]))
    with pytest.raises(TooManyPictures):
        list(unpack([("a.jpg", BytesIO(b"x"))] * (MOST_AT_ONCE + 1)))
