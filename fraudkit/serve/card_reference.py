"""What may be kept of a card token: a reference that is the same for the same card, and leads back to none.

It is an HMAC under a secret key. A plain digest would not do: there are so few card numbers that all of them can be
tried. Cut to 128 bits, since it stands in every decision: of ten thousand million cards two share a reference with a
probability below 10^-18. It is written in groups of eight, so that it never looks like a card number itself.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from fraudkit.core.errors import InvalidInput

References = Callable[[str], str | None]

MIN_KEY_BYTES = 32  # as many as the digest has: a shorter key is easier to guess than a reference
_KEPT_HEX, _GROUP = 32, 8
_SEPARATORS = str.maketrans("", "", " -")


def card_references(key: bytes) -> References:
    """A function from card tokens to references under `key`; None for an empty token.

    A number gets the same reference however its digits are grouped; every other token counts as it is.

    Raises
    ------
    InvalidInput
        The key has fewer than MIN_KEY_BYTES bytes.
    """
    if len(key) < MIN_KEY_BYTES:
        raise InvalidInput(
            f"the key for card references has {len(key)} bytes, {MIN_KEY_BYTES} are needed; make one with "
            "`openssl rand -hex 32` and set it as FRAUDKIT_CARD_KEY, or the path of its file as FRAUDKIT_CARD_KEY_FILE"
        )

    def reference(token: str) -> str | None:
        bare = token.translate(_SEPARATORS)
        if not bare:
            return None
        text = bare if bare.isascii() and bare.isdigit() else token
        found = hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:_KEPT_HEX]
        return "-".join(found[start : start + _GROUP] for start in range(0, _KEPT_HEX, _GROUP))

    return reference


def read_card_references(env: Mapping[str, str] | None = None) -> References | None:
    """The references under the key that `env` (default: this process's environment) sets; None where it sets none.

    White space around the key counts in neither, because editors end a file with a line feed.

    Raises
    ------
    InvalidInput
        The key is too short, its file cannot be read, or both variables are set.
    """
    env = os.environ if env is None else env
    key, path = env.get("FRAUDKIT_CARD_KEY"), env.get("FRAUDKIT_CARD_KEY_FILE")
    if key and path:
        raise InvalidInput("FRAUDKIT_CARD_KEY and FRAUDKIT_CARD_KEY_FILE are both set; leave one of them out")
    if path:
        try:
            return card_references(Path(path).read_bytes().strip())
        except OSError as error:
            raise InvalidInput(
                f"FRAUDKIT_CARD_KEY_FILE={path!r} cannot be read ({error.strerror}); give the path of a file with the "
                "key, or leave it out: then card tokens are dropped"
            ) from error
    return card_references(key.strip().encode()) if key else None
