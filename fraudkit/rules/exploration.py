"""A small random share of payments that would be declined is approved, so that somebody learns what they were.

No chargeback follows a declined payment, so a policy never hears that it was wrong. Letting a known share pass, drawn
by chance, is what the estimates of fraudkit.evaluate.selective rest on. The draw is a keyed hash of the
transaction's id: a retry and a replay draw the same, and whoever chooses the id cannot choose the draw.

Off unless FRAUDKIT_EXPLORE is set. It costs money: every fraud that passes. Never let pass: what a rule declines that
is not named in SOFT_RULES (a sanctioned or blocked card would have such a rule), what is above the cap, what was
judged without all parts.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fraudkit.core.errors import InvalidInput

# Guesses about behaviour, which may be wrong. A list of countries and a burst of payments are not up for trial.
SOFT_RULES = frozenset({"impossible_travel", "amount_anomaly"})
MAX_SHARE = 0.1
_RANGE = 2.0**64


@dataclass(frozen=True, slots=True)
class Exploration:
    """What may be let pass, and how often.

    Attributes
    ----------
    share : of the eligible declines that are approved, 0 (never) to MAX_SHARE
    cap_usd : the largest amount that is ever let pass
    key : of the hash; a secret

    Raises
    ------
    InvalidInput
        The share or the cap is out of range, or the key is shorter than 16 characters.
    """

    share: float
    cap_usd: float
    key: str = field(repr=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= MAX_SHARE:
            raise InvalidInput(
                f"a share of {self.share} is outside 0..{MAX_SHARE}; FRAUDKIT_EXPLORE=0 explores nothing"
            )
        if not (math.isfinite(self.cap_usd) and self.cap_usd >= 0.0):
            raise InvalidInput(f"FRAUDKIT_EXPLORE_CAP={self.cap_usd} is not an amount in US dollars; give 0 or more")
        if not 16 <= len(self.key.encode()) <= 64:
            raise InvalidInput("FRAUDKIT_EXPLORE_KEY has no 16 to 64 characters; make one with `openssl rand -hex 16`")

    def is_eligible(self, amount_usd: float, decisive: Iterable[str]) -> bool:
        """Whether a decline may be let pass at all; an unknown amount (NaN) may not.

        Parameters
        ----------
        decisive : ids of the decisive rules that fired
        """
        return amount_usd <= self.cap_usd and SOFT_RULES.issuperset(decisive)

    def lets_pass(self, transaction_id: str) -> bool:
        """The draw of an eligible decline."""
        draw = hashlib.blake2b(transaction_id.encode(), key=self.key.encode(), digest_size=8).digest()
        return int.from_bytes(draw, "big") < self.share * _RANGE

    def joined(self, policy_digest: str) -> str:
        """The digest of a policy with this exploration, for the record of a decision; tells nothing of the key."""
        keyed = hashlib.blake2b(b"exploration", key=self.key.encode(), digest_size=16).hexdigest()
        content = f"{policy_digest}|{self.share!r}|{self.cap_usd!r}|{sorted(SOFT_RULES)}|{keyed}"
        return hashlib.sha256(content.encode()).hexdigest()


def read_exploration(env: Mapping[str, str] | None = None) -> Exploration | None:
    """What the environment asks for (default: this process's); None where that is nothing.

    FRAUDKIT_EXPLORE is the share, FRAUDKIT_EXPLORE_CAP the cap in US dollars (100), FRAUDKIT_EXPLORE_KEY the secret.

    Raises
    ------
    InvalidInput
        A value cannot be, or there is a share and no key.
    """
    env = os.environ if env is None else env
    share = _number("FRAUDKIT_EXPLORE", env.get("FRAUDKIT_EXPLORE") or "0")
    if share == 0.0:
        return None
    cap = _number("FRAUDKIT_EXPLORE_CAP", env.get("FRAUDKIT_EXPLORE_CAP") or "100")
    return Exploration(share, cap, env.get("FRAUDKIT_EXPLORE_KEY") or "")


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidInput(f"{name}={text!r} is not a number; unset it to explore nothing") from error
