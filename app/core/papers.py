"""Papers people hand in as files: what they are by their content, and how large they may be."""

from __future__ import annotations

from typing import Final

#: bytes
MOST: Final = 5 * 2**20
_KINDS: Final = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
)


def kind_of(content: bytes) -> str | None:
    """The media type of a PDF, JPEG or PNG that is not too large, else None."""
    if len(content) > MOST:
        return None
    return next((kind for head, kind, _ending in _KINDS if content.startswith(head)), None)


def ending_of(kind: str) -> str:
    """What a file of a media type is called at its end."""
    return next(ending for _head, known, ending in _KINDS if known == kind)


def headers(name: str, kind: str) -> dict[str, str]:
    """To save a paper, never to open it in the page."""
    return {
        "Content-Disposition": f'attachment; filename="{name}.{ending_of(kind)}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
