"""What the process holds from its start on is left out of every later search for garbage."""

from __future__ import annotations

import gc
from typing import Final

#: objects made between two searches; thousands of rows are read at once, and none is a circle
BETWEEN_SEARCHES: Final = 50_000


def settle() -> None:
    """Call once when the application stands: pages then do not wait for a search of all of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(BETWEEN_SEARCHES, 20, 50)
