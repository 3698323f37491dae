"""The HTTP server, which tells at once when it is asked to stop. Knows nothing of what it serves."""

from __future__ import annotations

import gc
import sys
from types import FrameType
from typing import Any

import uvicorn

from fraudkit.serve.ending import Ending

# While scoring holds the interpreter, the event loop should get its turn sooner than after 5 ms.
_SWITCH_S = 0.0005


def settle() -> None:
    """Make the process fit for answering, once everything is loaded."""
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()  # a full collection would look through every compiled function, for a tenth of a second


class StoppingServer(uvicorn.Server):
    """Notes it in `ending` on the signal itself: requests under way are answered only after it."""

    def __init__(self, app: Any, ending: Ending) -> None:
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, ws="none", server_header=False, proxy_headers=False
        )
        super().__init__(config)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As the server's own, and note it."""
        self._ending.asked = True
        super().handle_exit(sig, frame)
