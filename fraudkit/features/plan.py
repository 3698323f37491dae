"""The commands of one round trip to the store. Knows keys and lengths, and no connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudkit.core.errors import CorruptArtefact
from fraudkit.features.catalog import HORIZON_S
from fraudkit.features.cluster import AWAY, Command
from fraudkit.features.marks import slot_of


@dataclass(frozen=True, slots=True)
class Kind:
    """How the histories of one kind of entity are kept."""

    suffix: str
    dtype: np.dtype
    bound: int

    def key(self, entity: str) -> str:
        return f"{{{entity}}}:{self.suffix}"


SHA = object()  # stands for the script's digest, which is known only once it is loaded


class Plan:
    """The commands of one round trip, and how their replies become one list a question.

    Parameters
    ----------
    marks : of a cluster, the key of each slot's mark, which every command asks for besides; None on one server
    """

    def __init__(self, marks: Sequence[str] | None) -> None:
        self._marks = marks
        self._questions: list[tuple[list[str], int, int]] = []  # keys, bytes of a record, commands
        self.commands: list[Command] = []

    @property
    def keys(self) -> list[str]:
        """The key of each command, of a plan for a cluster."""
        return [command[3] if command[0] == "EVALSHA" else command[1] for command in self.commands]

    def append(self, kind: Kind, entities: Sequence[Any], records: np.ndarray, known_at: np.ndarray) -> None:
        """Ask for histories and append `records` to them."""
        keys = [kind.key(entity) for entity in entities]
        size = kind.dtype.itemsize
        step = max(len(keys), 1) if self._marks is None else 1
        for start in range(0, len(keys), step):
            part = slice(start, start + step)
            named = keys[part] if self._marks is None else [keys[start], self._marks[slot_of(keys[start])]]
            self.commands.append((
                "EVALSHA", SHA, len(named), *named, size, kind.bound, HORIZON_S,
                records[part].tobytes(), known_at[part].tobytes(),
            ))  # fmt: skip
        self._questions.append((keys, size, len(range(0, len(keys), step))))

    def get(self, keys: list[str], size: int) -> None:
        """Ask for plain values; `size` is the length of each, 0 for any."""
        commands: list[Command]
        if self._marks is None:
            commands = [("MGET", *keys)] if keys else []
        else:
            commands = [("MGET", key, self._marks[slot_of(key)]) for key in keys]
        self.commands += commands
        self._questions.append((keys, -size, len(commands)))

    def sort_out(self, replies: list[Any]) -> list[list[Any]]:
        """One list of values a question, in order.

        Raises
        ------
        CorruptArtefact
            A value has an impossible length.
        """
        answers: list[list[Any]] = []
        position = 0
        for keys, size, n_commands in self._questions:
            part = replies[position : position + n_commands]
            position += n_commands
            values = [value for reply in part for value in (reply if isinstance(reply, list) else [reply])]
            for key, value in zip(keys, values, strict=True):
                if (
                    value is not None
                    and value is not AWAY
                    and size
                    and (len(value) % size if size > 0 else len(value) != -size)
                ):
                    raise CorruptArtefact(
                        f"key {key} holds {len(value)} bytes, which is not made of {abs(size)}-byte records; delete it"
                    )
            answers.append(values)
        return answers


def apart(command: Command) -> tuple[Command, Command]:
    """A command of a cluster's plan as two of one key each, whose replies joined are its reply.

    While a slot moves to another node, a command with two keys of it is refused until both are there.
    """
    if command[0] == "EVALSHA":
        name, sha, _, key, mark, *rest = command
        return (name, sha, 1, key, *rest), ("MGET", mark)
    name, key, mark = command
    return (name, key), (name, mark)
