"""Cleaning of a folder, or of the files behind a lake, into a new folder by an engine, resumable at any moment.

One bad file, dead worker or memory shortage costs that file, never the folder. Names and paths of inputs stay in the
private part.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from radlake.core import pool
from radlake.core.errors import RadlakeError, UsageError
from radlake.core.fault import Fault, ItemError, Term
from radlake.core.ids import keyed_id
from radlake.core.stage import Row
from radlake.deid import ledger
from radlake.deid.files import FACES_CLEANED, VERSION, Cleaned, Input, Settings, clean
from radlake.deid.keys import fingerprint
from radlake.deid.rules import rulebook
from radlake.deid.series import by_series, write_list
from radlake.engine.chain import Piece
from radlake.engine.cleaned import PART, Destination
from radlake.engine.inputs import LAKE_MARK, Found, require, walk
from radlake.engine.local import Load, Local, batches
from radlake.engine.options import Engine, Progress, Silent, lost
from radlake.lake.errors import KeyMismatchError, storage_errors
from radlake.lake.lock import exclusive
from radlake.lake.private import make_private
from radlake.lake.store import Lake

_ITEMS_A_BATCH = 100
_GATHER_SECONDS = 300.0  # a killed run's parts are not lost; this only keeps them few
_VERSIONS = ("radlake", "pydicom", "numpy", "imagecodecs", "rapidocr", "onnxruntime")  # the last two only if installed
_PERCENT = "file://"


@dataclass(frozen=True)
class Options:
    """Choices that do not decide the result.

    Parameters
    ----------
    engine : Engine
        `Local`, or `radlake.engine.spark.Spark`: then source, destination and private part lie where every worker has
        them under the same path.
    private : Path or None
        The private part; beside the destination by default.
    strict : bool
        Raise at the first unforeseen exception.
    progress : Progress
    key_file : Path or None
        Where Spark's workers find the key; in their user's configuration by default.
    """

    engine: Engine = field(default_factory=Local)
    private: Path | None = None
    strict: bool = False
    progress: Progress = field(default_factory=Silent)
    key_file: Path | None = None


@dataclass(frozen=True)
class Summary:
    """How a cleaning ended.

    Parameters
    ----------
    files : dict
        Number of inputs by status: done, quarantined, ignored.
    worked : int
        Inputs that this run took up; 0 when nothing had changed.
    seconds : float
        Wall time.
    unreadable_folders : int
        Folders that may not be listed: what lies in them was left out.
    """

    files: dict[str, int]
    worked: int
    seconds: float
    unreadable_folders: int = 0


def deidentify(source: str | Path, dest: str | Path, settings: Settings, options: Options | None = None) -> Summary:
    """Clean every file of a folder into another folder; run again, it goes on where it was.

    Parameters
    ----------
    source : path
        A folder, a file, or a lake: then the files that it was made from.
    dest : path
        Absent, empty, or made by an earlier cleaning with equal settings; outside the source.
    settings : Settings
    options : Options, optional

    Raises
    ------
    UsageError
        Before anything is written: when a place or a setting does not fit.
    KeyMismatchError
        When the lake, or the earlier cleaning, was made with another key.
    RadlakeError
        When the disk fails; what is done stays done.
    """
    options = options or Options()
    source, dest = Path(source), Path(dest).absolute()
    private = (options.private or ledger.default_private(dest)).absolute()
    settings = replace(settings, review=private / "review", series=private / "series")
    run = _checked(source, dest, private, settings)
    started = time.perf_counter()
    with storage_errors():
        make_private(private)
        with exclusive(private / ".lock"):
            place = Destination(dest, private)
            place.sweep()
            place.gather()
            found = _Inputs(source, settings.key)
            heads = found.heads() if FACES_CLEANED in run.options else {}
            loads = found.pieces(place.done(), heads)
            if loads or not ledger.is_cleaned(dest):
                run = replace(run, wall_clock={**run.wall_clock, "workers": options.engine.workers})
                ledger.write_run(dest, run)
                with _listed(private / "series", heads, loads):
                    _work(_spec(place, settings, options), loads, options)
                ended = {**run.wall_clock, "ended": _now(), "seconds": round(time.perf_counter() - started, 3)}
                ledger.write_run(dest, replace(run, wall_clock=ended))
            return Summary(place.counts(), len(loads), time.perf_counter() - started, found.unreadable)


def _checked(source: Path, dest: Path, private: Path, settings: Settings) -> ledger.Run:
    """What run.json will say, once it is certain that the places and settings fit."""
    require([source])
    run = ledger.Run(
        rulebook(settings.profile).name,
        settings.all_options,
        settings.names,
        settings.pixels,
        fingerprint(settings.key),
        {"cleaner": str(VERSION), "python": platform.python_version(), **_versions()},
        wall_clock={"started": _now(), "ended": None, "seconds": None, "workers": None},
    )
    inner, outer = dest.resolve(), source.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise UsageError("source and destination lie one inside the other; name a destination elsewhere")
    if private.resolve().is_relative_to(inner):
        raise UsageError("the private part lies inside the destination, which is to be shared; name another place")
    if ledger.is_cleaned(dest):
        _check_same(ledger.read_run(dest), run)
        return run
    if Destination(dest, private).is_used():
        raise UsageError("the private part belongs to another cleaned folder; name another with --private")
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise UsageError("the destination is in use and was not made by radlake deidentify; name a new folder")
    return run


def _check_same(before: ledger.Run, now: ledger.Run) -> None:
    """Refuse to mix files cleaned in different ways."""
    if before.key_fingerprint != now.key_fingerprint:
        raise KeyMismatchError("the destination was cleaned with another key; name that key, or a new folder")
    if before.settings != now.settings:
        raise UsageError("the destination was cleaned with another profile, options or names; name a new folder")


def _versions() -> dict[str, str]:
    """Versions of what does the work; of them only the cleaner's own number has files cleaned again."""
    found = {}
    for name in _VERSIONS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


class _Inputs:
    """The files to clean, with keyed ids; counts folders that may not be listed."""

    def __init__(self, source: Path, key: bytes):
        self.source, self.key, self.unreadable = source, key, 0
        self.lake = Lake.open(source) if (source / LAKE_MARK).is_file() else None
        if self.lake:
            self.lake.require_key(fingerprint(key))
        self.root = source if source.is_dir() else source.parent

    def found(self) -> Iterator[Found]:
        """Every file once."""
        if self.lake:
            rows = self.lake.sql("SELECT uri, bytes, mtime_ns FROM private.sources ORDER BY uri").to_pylist()
            yield from (Found(r["uri"], r["bytes"], r["mtime_ns"]) for r in rows)
            return

        def unreadable() -> None:
            self.unreadable += 1

        yield from walk([self.source], unreadable)

    def heads(self) -> dict[str, list[Path]]:
        """Files of CT and MR by series, each under a name that changes when one of them does."""
        return by_series({path_of(file.uri): file.input_key for file in self.found()})

    def pieces(self, known: dict[str, str], heads: Mapping[str, Sequence[Path]]) -> list[Load]:
        """What is new or changed; a series' slices with it when one of them is, and one after the other."""
        names = {path: name for name, paths in heads.items() for path in paths}
        found = []
        for file in self.found():
            file_id, name = keyed_id(self.key, "file", file.uri), names.get(path_of(file.uri), "")
            input_key = f"{file.input_key}:{VERSION}" + (f":{name}" if name else "")
            if known.get(file_id) != input_key:
                row = {**vars(file), "relative": self._relative(file.uri), "series": name}
                found.append(Load(Piece(file_id, input_key, row), work=file.bytes))
        return sorted(found, key=lambda load: load.piece.row["series"]) if heads else found

    def _relative(self, uri: str) -> str:
        """Path below the folder; below the root of the file system for what lies elsewhere."""
        path = path_of(uri)
        root = self.root.resolve() if ".." in self.root.parts else self.root.absolute()
        if not self.lake and path.is_relative_to(root):
            return path.relative_to(root).as_posix()
        return path.relative_to(path.anchor).as_posix()


@contextmanager
def _listed(folder: Path, heads: Mapping[str, Sequence[Path]], loads: Sequence[Load]) -> Iterator[None]:
    """Lists of the files of each series that is worked on, as long as it is."""
    for name in dict.fromkeys(load.piece.row["series"] for load in loads if load.piece.row["series"]):
        write_list(folder, name, heads[name])
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Spec:
    """What a worker must know."""

    place: Destination
    settings: Settings
    strict: bool
    memory_mib: int
    run_id: str
    key_file: str

    @property
    def key(self) -> bytes:
        """The owner's secret."""
        return self.settings.key

    def with_key(self, key: bytes) -> _Spec:
        """The same with another key."""
        return replace(self, settings=replace(self.settings, key=key))


def _spec(place: Destination, settings: Settings, options: Options) -> _Spec:
    """All of it."""
    key_file = str(options.key_file.absolute()) if options.key_file else ""
    memory = options.engine.memory_bytes >> 20
    return _Spec(place, settings, options.strict, memory, secrets.token_hex(8), key_file)


def _work(spec: _Spec, loads: Sequence[Load], options: Options) -> None:
    """Clean what is to do."""
    options.progress.begin("cleaning", len(loads))
    gathered = time.monotonic()
    for outcome in options.engine.spread(make_work, spec, batches(loads, _ITEMS_A_BATCH)):
        if isinstance(outcome, pool.Lost):
            spec.place.write_part([_fault_row(outcome.item, lost(outcome.code, options.engine).fault("deidentify"))])
            options.progress.advance(1, 1)
        else:
            options.progress.advance(len(outcome.items), outcome.result)
        if time.monotonic() - gathered > _GATHER_SECONDS:
            spec.place.gather()
            gathered = time.monotonic()
    spec.place.gather()
    options.progress.end()


def make_work(spec: Any) -> pool.Work:
    """Build a worker's work: pieces to a part of rows, and the number of faults; libraries use one thread."""
    import cv2

    cv2.setNumThreads(1)

    def work(pieces: Sequence[Piece], tick: Callable[[int], None]) -> int:
        rows = []
        for index, piece in enumerate(pieces):
            tick(index)
            rows.append(_row(piece, spec))
        with storage_errors():
            spec.place.write_part(rows)
        return sum(r["status"] == "quarantined" for r in rows)

    return work


def _row(piece: Piece, spec: _Spec) -> Row:
    """Clean one file; whatever it does, the folder goes on. A full disk ends the run."""
    source = Input(path_of(piece.row["uri"]), piece.row["relative"], piece.id, piece.row["series"])
    try:
        return _done_row(piece, clean(source, spec.place.dest, spec.settings))
    except RadlakeError:
        raise
    except ItemError as error:
        return _fault_row(piece, error.fault("deidentify"))
    except MemoryError:
        return _fault_row(piece, ItemError("out_of_memory", limit_mib=spec.memory_mib).fault("deidentify"))
    except Exception as error:
        if spec.strict:
            raise
        kind = Term(type(error).__name__)
        return _fault_row(piece, ItemError("unexpected", kind=kind, stage=Term("deidentify")).fault("deidentify"))


def _done_row(piece: Piece, cleaned: Cleaned) -> Row:
    """The row of a part for a cleaned file."""
    return _input_row(piece) | {
        "status": "done",
        "name": cleaned.name,
        "format": cleaned.format,
        "pixel_text": cleaned.pixel_text,
        "faces": cleaned.faces,
        "site_id": cleaned.site_id,
        "device_id": cleaned.device_id,
        "audit": [{"path": a.path, "action": a.action, "count": a.count} for a in cleaned.audit],
    }


def _fault_row(piece: Piece, fault: Fault) -> Row:
    """The row of a part for a file that was set aside."""
    return _input_row(piece) | {
        "status": "ignored" if fault.ignored else "quarantined",
        "fault_code": fault.code,
        "fault_message": fault.message,
        "fault_hint": fault.hint,
        "audit": [],
    }


def _input_row(piece: Piece) -> Row:
    """The columns that say which input it is."""
    row = {name: piece.row[name] for name in ("uri", "bytes", "mtime_ns")}
    return {**dict.fromkeys(PART.names), "file_id": piece.id, "input_key": piece.input_key, **row}


def path_of(uri: str) -> Path:
    """A local path from a row; names that are no valid text stand percent-encoded."""
    return Path(os.fsdecode(unquote_to_bytes(uri[len(_PERCENT) :])) if uri.startswith(_PERCENT) else uri)


def _now() -> str:
    """The time by the clock."""
    return datetime.now(UTC).isoformat(timespec="seconds")
