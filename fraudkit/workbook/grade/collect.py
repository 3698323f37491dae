"""What was handed in: which notebook belongs to which learner and topic.

Takes a folder with one sub-folder a learner, a folder of notebooks, or a zip of either. Only reads,
never extracts, and never opens what is no notebook; a name that cannot be decoded is shown with
replacement characters.
"""

from __future__ import annotations

import json
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fraudkit.core.errors import InvalidInput
from fraudkit.core.files import sha256

MAX_NOTEBOOK_BYTES = 32 * 1024 * 1024
MAX_ZIP_BYTES = 2 * 1024 * 1024 * 1024  # of all notebooks together, unpacked
MAX_ZIP_ENTRIES = 100_000
SKIPPED_FOLDERS = {".ipynb_checkpoints", "__MACOSX", "__pycache__"}


@dataclass(frozen=True)
class Found:
    """One notebook as it lies in the folder or the zip: `parts` are its shown path, `data` its bytes."""

    parts: tuple[str, ...]
    data: bytes
    problem: str = ""


@dataclass(frozen=True)
class Submission:
    """One notebook that will be graded.

    Attributes
    ----------
    learner, topic : whose, and of which topic ("01_metrics")
    file : its path as handed in, fit to be shown
    data : its bytes
    problem : why it cannot be read at all, or ""
    """

    learner: str
    topic: str
    file: str
    data: bytes = field(repr=False)
    problem: str = ""

    @property
    def digest(self) -> str:
        """What tells whether the notebook has changed."""
        return sha256(self.data + self.problem.encode())


@dataclass(frozen=True)
class Collection:
    """Everything that was handed in: submissions by learner and topic, all learners, notes about what was left out."""

    submissions: tuple[Submission, ...]
    learners: tuple[str, ...]
    notes: tuple[str, ...]


def collect(path: Path, topics: Sequence[str], exercise_ids: dict[str, list[str]] | None = None) -> Collection:
    """The notebooks below `path`, each with its learner and topic.

    Parameters
    ----------
    path : folder or zip
    topics : names of the topics, such as 01_metrics
    exercise_ids : topic -> its exercises, to tell the topic of a notebook whose name does not say it

    Raises
    ------
    InvalidInput
        There is no such folder or zip, it holds no notebook, or the zip is unsafe to read.
    """
    if path.is_dir():
        found, notes = _in_folder(path)
        whole = shown(path.resolve().name)
    elif path.is_file():
        found, notes = _in_zip(path)
        whole = shown(path.stem)
    else:
        raise InvalidInput(f"{shown(str(path))} is no folder or zip; give the folder that holds the submissions")
    if not found:
        raise InvalidInput(f"{shown(str(path))} holds no notebook (*.ipynb); is it the right folder?")
    found = _without_wrapper(found)
    chosen: dict[tuple[str, str], Submission] = {}
    learners: set[str] = set()
    for notebook in sorted(found, key=lambda item: _preference(item, topics)):
        learner, topic = _whose(notebook, whole, topics, exercise_ids or {})
        file = "/".join(notebook.parts)
        if topic or len(notebook.parts) > 1:
            learners.add(learner)
        if not topic:
            notes.append(f"{file}: its name tells no topic and it holds no exercise; left out")
        elif (learner, topic) in chosen:
            notes.append(f"{file}: left out, {chosen[learner, topic].file} counts for {topic}")
        else:
            chosen[learner, topic] = Submission(learner, topic, file, notebook.data, notebook.problem)
    ordered = sorted(chosen.values(), key=lambda one: (one.learner.casefold(), one.learner, one.topic))
    return Collection(tuple(ordered), tuple(sorted(learners, key=lambda name: (name.casefold(), name))), tuple(notes))


def shown(name: str) -> str:
    """A file name fit for every screen: undecodable bytes and control characters become a replacement character."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    text = "".join("\ufffd" if unicodedata.category(sign) in ("Cc", "Cf", "Cs") else sign for sign in text)
    return unicodedata.normalize("NFC", text)


def _in_folder(folder: Path) -> tuple[list[Found], list[str]]:
    """Notebooks below a folder; links are not followed, since they may lead anywhere."""
    notes: list[str] = []
    paths = list(_walk(folder, notes))
    names = _unique([path.relative_to(folder).parts for path in paths])
    return [Found(parts, *_read(path)) for path, parts in zip(paths, names, strict=True)], notes


def _unique(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Shown paths; two folders whose names differ only in what cannot be shown stay two."""
    chosen: dict[tuple[str, ...], str] = {}
    used: set[tuple[str, ...]] = set()
    result = []
    for path in paths:
        parts: tuple[str, ...] = ()
        for depth in range(1, len(path) + 1):
            if path[:depth] not in chosen:
                name = shown(path[depth - 1])
                stem, dot, ending = name.partition(".ipynb")
                number = 2
                while (*parts, name) in used:
                    name = f"{stem}~{number}{dot}{ending}"
                    number += 1
                used.add((*parts, name))
                chosen[path[:depth]] = name
            parts = (*parts, chosen[path[:depth]])
        result.append(parts)
    return result


def _walk(folder: Path, notes: list[str]) -> Iterator[Path]:
    """Notebook files in order, without hidden ones and links."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        notes.append(f"{shown(folder.name)}: cannot be read ({error.strerror})")
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in SKIPPED_FOLDERS:
            continue
        try:
            mode = entry.lstat().st_mode
        except OSError:
            continue
        if stat.S_ISLNK(mode):
            notes.append(f"{shown(entry.name)}: a link, not followed")
        elif stat.S_ISDIR(mode):
            yield from _walk(entry, notes)
        elif stat.S_ISREG(mode) and entry.name.lower().endswith(".ipynb"):
            yield entry


def _read(path: Path) -> tuple[bytes, str]:
    """The bytes of a notebook and why they cannot be used, if so."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NOTEBOOK_BYTES + 1)
    except OSError as error:
        return b"", f"cannot be read ({error.strerror})"
    return (data, "") if len(data) <= MAX_NOTEBOOK_BYTES else (b"", _too_large())


def _too_large() -> str:
    return f"is larger than {MAX_NOTEBOOK_BYTES // 2**20} MB; clear its outputs and save it again"


def _in_zip(path: Path) -> tuple[list[Found], list[str]]:
    """Notebooks of a zip, read in memory under limits; nothing is written by a name that the zip gives."""
    found: list[Found] = []
    notes: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ZIP_ENTRIES:
                raise InvalidInput(f"{shown(path.name)} has {len(entries):,} entries; unpack it and give the folder")
            left = MAX_ZIP_BYTES
            for entry in entries:
                parts = _zip_parts(entry, path)
                if entry.is_dir() or not parts or not parts[-1].lower().endswith(".ipynb"):
                    continue
                if any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts):
                    continue
                notebook = Found(parts, *_read_entry(archive, entry, path))
                left -= len(notebook.data)
                if left < 0:
                    raise InvalidInput(
                        f"{shown(path.name)} unpacks to more than {MAX_ZIP_BYTES // 2**30} GB of notebooks; "
                        "unpack it and give the folder"
                    )
                found.append(notebook)
    except (zipfile.BadZipFile, UnicodeDecodeError, OSError, EOFError, NotImplementedError) as error:
        raise InvalidInput(f"{shown(path.name)} is no readable zip ({error}); unpack it and give the folder") from error
    return found, notes


def _zip_parts(entry: zipfile.ZipInfo, path: Path) -> tuple[str, ...]:
    """The shown path of an entry; a name that leads out of the zip refuses the whole of it."""
    name = entry.filename
    if not entry.flag_bits & 0x800:  # no UTF-8 mark: decoded as cp437, though most tools mean UTF-8
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    name = name.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name) or "\0" in entry.orig_filename:
        raise InvalidInput(
            f"{shown(path.name)} holds the entry {shown(entry.filename)!r}, which leads out of it; do not unpack it, "
            "ask its sender for a new one"
        )
    return tuple(shown(part) for part in parts)


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> tuple[bytes, str]:
    """The bytes of one entry, never more than the limit whatever its header says."""
    try:
        with archive.open(entry) as file:
            data = file.read(MAX_NOTEBOOK_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:  # damaged, or encrypted
        return b"", f"cannot be unpacked ({error})"
    if len(data) > MAX_NOTEBOOK_BYTES and max(len(data), entry.file_size) > 200 * entry.compress_size:
        raise InvalidInput(
            f"{shown(path.name)} holds {shown(entry.filename)!r}, which unpacks to more than 200 times its size; "
            "remove it and try again"
        )
    return (data, "") if len(data) <= MAX_NOTEBOOK_BYTES else (b"", _too_large())


def _without_wrapper(found: list[Found]) -> list[Found]:
    """Notebooks without the one folder that a zip tool wraps around everybody's."""
    while True:
        tops = {notebook.parts[0] for notebook in found}
        depths = [len(notebook.parts) for notebook in found]
        if len(tops) != 1 or min(depths) < 3 or len({notebook.parts[1] for notebook in found}) < 2:
            return found
        found = [Found(notebook.parts[1:], notebook.data, notebook.problem) for notebook in found]


def _whose(notebook: Found, whole: str, topics: Sequence[str], exercise_ids: dict[str, list[str]]) -> tuple[str, str]:
    """Learner and topic of one notebook, told from its path, or the topic from its content."""
    stem = notebook.parts[-1][: -len(".ipynb")]
    topic, rest = _topic_in_name(stem, topics)
    if not topic:
        topic = _topic_in_content(notebook.data, exercise_ids)
    return (notebook.parts[0] if len(notebook.parts) > 1 else rest or whole), topic


def _topic_in_name(stem: str, topics: Sequence[str]) -> tuple[str, str]:
    """The topic that a file name holds, and what else it holds: in a flat folder, the learner's name.

    >>> _topic_in_name("alice-01_metrics", ["01_metrics"])
    ('01_metrics', 'alice')
    >>> _topic_in_name("01_metrics (1)", ["01_metrics"])
    ('01_metrics', '')
    >>> _topic_in_name("homework", ["01_metrics"])
    ('', 'homework')
    """
    for topic in sorted(topics, key=len, reverse=True):
        loose = re.escape(topic).replace("_", r"[_\-\s]")
        if match := re.search(rf"(?<![0-9]){loose}(?![a-z])", stem, re.IGNORECASE):
            rest = stem[: match.start()] + " " + stem[match.end() :]
            rest = re.sub(r"(?i)[-_ ]*copy[-_ ]*\d*|\(\d+\)", " ", rest)
            return topic, rest.strip(" -_.")
    return "", stem


def _topic_in_content(data: bytes, exercise_ids: dict[str, list[str]]) -> str:
    """The topic most of whose exercises a notebook names in its headings or defines."""
    try:
        cells = json.loads(data)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    named = set(re.findall(r"^\s*(?:##|def|class)\s+(\w+)", text, re.MULTILINE))
    counts = {topic: len(named & set(ids)) for topic, ids in exercise_ids.items()}
    best = max(counts, key=lambda topic: counts[topic], default="")
    return best if best and counts[best] else ""


def _preference(notebook: Found, topics: Sequence[str]) -> tuple[bool, bool, int, str]:
    """Order of notebooks of one learner and topic: readable, named exactly, near the top, then by name."""
    stem = notebook.parts[-1][: -len(".ipynb")]
    return (bool(notebook.problem), stem not in topics, len(notebook.parts), "/".join(notebook.parts))
