"""Drawing many cards while the page can be left and found again."""

from __future__ import annotations

from typing import Any, Final

from app.core import clock, jobs
from app.core.db import transaction
from app.people.cards import pdf, queries, services
from app.people.cards.services.printing import KIND

#: so many cards are drawn at once; then the progress is told
CHUNK: Final = 50
#: how often a file is drawn anew because a photo in it was withdrawn meanwhile
_TRIES: Final = 3


@jobs.handles(KIND)
def print_cards(payload: dict[str, Any]) -> None:
    """Draw a printing that was asked for; run a second time it changes nothing."""
    school_id, print_id = int(payload["school_id"]), int(payload["print_id"])
    asked = queries.get_print(school_id, print_id)
    if asked.finished_at is not None:
        return
    for _try in range(_TRIES):
        parts, hashes = [], set[str]()
        for start in range(0, len(payload["card_ids"]), CHUNK):
            drawn = pdf.draw(
                school_id,
                payload["card_ids"][start : start + CHUNK],
                year_id=int(payload["year_id"]),
                layout=asked.layout,
                today=clock.today(),
                is_small=True,
            )
            parts.append(drawn.file)
            hashes |= drawn.photos
            done = min(start + CHUNK, asked.total)
            with transaction():
                jobs.progress(int(payload["job_id"]), done, asked.total)
        if finish(school_id, print_id, payload, pdf.join(parts), hashes):
            return
    raise RuntimeError("photos were withdrawn again and again while the cards were drawn")


def finish(
    school_id: int, print_id: int, payload: dict[str, Any], file: bytes, hashes: set[str]
) -> bool:
    """Keep the file, unless a photo in it was deleted while it was drawn."""
    with transaction():
        services.hold(school_id)
        if not queries.all_still_shown(school_id, hashes):
            return False
        services.finish_print(
            school_id,
            print_id,
            payload["card_ids"],
            file,
            year_id=int(payload["year_id"]),
            now=clock.now(),
        )
    return True
