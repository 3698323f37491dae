"""API keys: who may ask for what, how often, and how a key is told from a wrong one.

A key has 256 random bits, so a plain salted hash is enough at rest: what makes password hashes slow is
meant against guessing, and nobody guesses 256 bits. The key itself is shown once and stored nowhere.
The file is read again when it changes, so that adding and revoking need no restart.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fraudkit.core.errors import CorruptArtefact, InvalidInput
from fraudkit.core.files import locked, replace_file

SCOPES = ("score", "feedback", "review", "admin")
KEYS_FILE = "keys.json"  # in the folder of running processes' files
LOOK_S = 0.5  # between two looks whether the file changed
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MOST_PER_S = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the key's name and scopes; `per_second` requests, None without a limit."""

    name: str
    scopes: frozenset[str]
    per_second: float | None = None

    def may(self, scope: str) -> bool:
        """Whether the caller has this scope."""
        return scope in self.scopes


EVERYTHING = frozenset(SCOPES)
NOBODY = Caller("nobody", EVERYTHING)  # who asks where no keys are set
ENVIRONMENT = Caller("environment", EVERYTHING)  # who asks with FRAUDKIT_API_KEY
EVERYBODY = frozenset({NOBODY.name, ENVIRONMENT.name})  # names that do not say who it is


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept; `salt` and `digest` in hexadecimal."""

    name: str
    scopes: tuple[str, ...]
    per_second: float | None
    salt: str
    digest: str

    def caller(self) -> Caller:
        """Whom the key belongs to."""
        return Caller(self.name, frozenset(self.scopes), self.per_second)


class KeyFile:
    """The keys of one home. Changing it is safe from several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, StoredKey]:
        """The keys by name.

        Raises
        ------
        CorruptArtefact
            The file cannot be read as keys.
        """
        try:
            content = json.loads(self.path.read_bytes())
            return {name: StoredKey(name, tuple(c.pop("scopes")), **c) for name, c in content.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CorruptArtefact(
                f"{self.path} cannot be read as keys ({error}); restore it, or add keys anew"
            ) from error

    def add(self, name: str, scopes: Iterable[str], per_second: float | None = None) -> str:
        """Make a key; it is returned here and never again.

        Raises
        ------
        InvalidInput
            The name is taken or no name, a scope is unknown, or the rate is out of range.
        """
        chosen = tuple(scope for scope in SCOPES if scope in set(scopes))
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"key name {name!r} is not 1 to 32 of a-z 0-9 -, beginning with a letter or digit")
        if not chosen or set(scopes) - set(SCOPES):
            raise InvalidInput(f"scopes {sorted(set(scopes))} are not some of {', '.join(SCOPES)}")
        if per_second is not None and not 0.0 < per_second <= _MOST_PER_S:
            raise InvalidInput(f"a rate of {per_second:g} a second cannot be; give more than 0, at most a million")
        secret, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
        key = f"fk.{name}.{secret}"
        with self._locked():
            keys = self.read()
            if name in keys:
                raise InvalidInput(f"there is a key {name!r} already; revoke it first, or choose another name")
            keys[name] = StoredKey(name, chosen, per_second, salt, digest_of(key, salt))
            self._write(keys)
        return key

    def revoke(self, name: str) -> None:
        """Forget a key.

        Raises
        ------
        InvalidInput
            There is no such key.
        """
        with self._locked():
            keys = self.read()
            if keys.pop(name, None) is None:
                raise InvalidInput(f"there is no key {name!r}; there are {', '.join(sorted(keys)) or 'none'}")
            self._write(keys)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.with_suffix(".lock")):
            yield

    def _write(self, keys: dict[str, StoredKey]) -> None:
        content = {name: {k: v for k, v in asdict(key).items() if k != "name"} for name, key in keys.items()}
        replace_file(self.path, json.dumps(content, indent=2).encode(), mode=0o600)


def digest_of(key: str, salt: str) -> str:
    """What is kept of a key, in hexadecimal."""
    return hashlib.blake2b(key.encode(), key=bytes.fromhex(salt), digest_size=32).hexdigest()


@dataclass(slots=True)
class Bucket:
    """A token bucket that holds what comes in during one second."""

    per_second: float
    tokens: float = field(init=False)
    filled_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.tokens = max(self.per_second, 1.0)

    def take(self, now_s: float) -> float:
        """Take a token: 0, or the seconds until there is one."""
        room = max(self.per_second, 1.0)
        self.tokens = min(room, self.tokens + (now_s - self.filled_s) * self.per_second)
        self.filled_s = now_s
        if self.tokens < 1.0:
            return (1.0 - self.tokens) / self.per_second
        self.tokens -= 1.0
        return 0.0


class KeyRing:
    """Tells callers by their keys, in the service; used on the event loop alone.

    Parameters
    ----------
    file : the keys
    everything : one key more, with all scopes (FRAUDKIT_API_KEY), or None
    """

    def __init__(
        self, file: KeyFile, everything: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = file
        self._everything = None if everything is None else everything.encode()
        self._clock = clock
        self._keys: dict[str, StoredKey] = file.read()
        self._stamp = self._stamp_of_file()
        self._looked_s = clock()
        self._buckets: dict[str, Bucket] = {}

    @property
    def is_open(self) -> bool:
        """Whether nobody needs a key."""
        return self._everything is None and not self._keys

    def caller(self, key: str) -> Caller | None:
        """Whose key this is, None where it is nobody's. Takes as long for a wrong key as for a right one."""
        self._look()
        if self._everything is not None and hmac.compare_digest(key.encode("latin-1", "replace"), self._everything):
            return ENVIRONMENT
        name = key.split(".")[1] if key.count(".") == 2 else ""
        stored = self._keys.get(name)
        salt = stored.salt if stored else "00"
        digest = digest_of(key, salt)
        if stored is not None and hmac.compare_digest(digest, stored.digest):
            return stored.caller()
        return None

    def wait_s(self, caller: Caller) -> float:
        """0 where the caller may ask now, else the seconds to wait."""
        if caller.per_second is None:
            return 0.0
        bucket = self._buckets.get(caller.name)
        if bucket is None or bucket.per_second != caller.per_second:
            bucket = self._buckets[caller.name] = Bucket(caller.per_second)
            bucket.filled_s = self._clock()
        return bucket.take(self._clock())

    def _look(self) -> None:
        """Read the file again where it changed; one that cannot be read changes nothing."""
        now = self._clock()
        if now - self._looked_s < LOOK_S:
            return
        self._looked_s = now
        stamp = self._stamp_of_file()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._keys = self._file.read()
            except CorruptArtefact:
                return

    def _stamp_of_file(self) -> tuple[int, int]:
        try:
            found = self._file.path.stat()
        except OSError:
            return (0, 0)
        return found.st_mtime_ns, found.st_ino
