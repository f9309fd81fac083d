"""A copy of a lake that may leave the house: shareable tables without history, objects, models and the report.

The private part, the journal and whatever else lies in the folder stay behind; tables are written anew, so that
neither replaced rows nor this machine's paths go along.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from radlake.core.place import Place, is_remote
from radlake.core.schema import PRIVATE_TABLES, schema_of
from radlake.lake import delta, manifest, query
from radlake.lake.durable import TEMPORARY
from radlake.lake.errors import ReleaseError, storage_errors
from radlake.lake.maintain import references
from radlake.lake.manifest import Manifest
from radlake.lake.objects import ObjectStore
from radlake.lake.parts import table_folder, write_part
from radlake.lake.snapshot import State
from radlake.lake.store import Lake

# Made from path, size and time of the input: no reader of the copy needs it, and guesses could be tested on it.
_EMPTIED = {"work": ("input_key",)}


@dataclass(frozen=True)
class Released:
    """What was copied.

    Parameters
    ----------
    tables, rows, objects : int
    """

    tables: int
    rows: int
    objects: int


def release(
    lake: Lake, dest: str | Path, *, allow_rows: bool = False, check: Callable[[Path], None] | None = None
) -> Released:
    """Copy what may be shared; the destination appears whole or not at all.

    Parameters
    ----------
    lake : Lake
    dest : path
        Absent or an empty folder, outside the lake.
    allow_rows : bool
        Also copy models that hold rows of training cases (nearest neighbours, machines with a kernel).
    check : function, optional
        Looks at the whole copy before it gets its name, and raises to refuse it.

    Raises
    ------
    ReleaseError
        When the lake keeps identities, the destination is in use or inside the lake, an object is lost, or a model
        holds rows of training cases and that was not allowed.
    LakeError
        When the disk fails.
    """
    if is_remote(str(dest)):
        raise ReleaseError("a lake is released into a local folder: name one, and copy it from there")
    dest = Path(dest)
    with storage_errors():
        _check(lake, dest)
        if not allow_rows and (held := _models_with_rows(lake.models)):
            raise ReleaseError(
                f"{len(held)} models hold rows of training cases ({', '.join(held)}): allow it (--allow-rows), or"
                " remove their folders first"
            )
        dest.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=dest.parent) as folder:
            copy = Path(folder) / "copy"
            released = _copy(lake, copy)
            if check is not None:
                check(copy)
            copy.rename(dest)  # replaces an empty folder, fails on any other
    return released


def _check(lake: Lake, dest: Path) -> None:
    """Refuse what must not be released, or where it must not go."""
    if not lake.facts.deidentified:
        raise ReleaseError("this lake keeps identities: only a de-identified one may be released")
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise ReleaseError("the destination is in use: name a new folder")
    inside = [lake.root, *([lake.private] if lake.has_private else [])]
    if any(isinstance(folder, Path) and dest.resolve().is_relative_to(folder.resolve()) for folder in inside):
        raise ReleaseError("the destination lies inside the lake: name a folder elsewhere")


def _models_with_rows(folder: Place) -> list[str]:
    """Ids of models that hold training cases, or do not say that they hold none."""
    return sorted(model.name for model in folder.glob("*") if model.is_dir() and _holds_rows(model))


def _holds_rows(model: Place) -> bool:
    """What a bundle's evidence says; True where it says nothing."""
    try:
        return bool(json.loads((model / "evidence.json").read_bytes()).get("holds_rows", True))
    except (OSError, ValueError, AttributeError):
        return True


def _copy(lake: Lake, copy: Path) -> Released:
    """Fill a new folder."""
    copy.mkdir()
    manifest.write(copy, Manifest(lake.facts.key_fingerprint))
    states = [s for s in lake.snapshot().values() if s.table not in PRIVATE_TABLES and s.version >= 0]
    rows = sum(_copy_table(state, copy) for state in states)
    known = sorted(references(Lake.open(copy)))
    for reference in known:
        _copy_object(lake.objects, copy / "objects", reference)
    for folder in (lake.models, lake.report):
        _copy_files(folder, copy / folder.name)
    return Released(len(states), rows, len(known))


def _copy_table(state: State, copy: Path) -> int:
    """Write a table's rows as a new table; return how many."""
    folder = table_folder(copy, copy, state.table)
    found = delta.open_or_create(folder, state.table)
    part = write_part(copy, copy, state.table, _rows(state), name="released")
    delta.commit(found, folder, delta.Edit(added=(part,)), app="release", sequence=0)
    return part.rows


def _rows(state: State) -> Iterator[pa.RecordBatch]:
    """A table's rows, without the columns that stay behind."""
    schema = schema_of(state.table)
    emptied = _EMPTIED.get(state.table, ())
    for batch in query.dataset(state.view).to_batches():
        columns = [pa.nulls(len(batch), f.type) if f.name in emptied else batch.column(f.name) for f in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _copy_object(source: ObjectStore, target: Path, reference: str) -> None:
    """Copy one object."""
    try:
        _copy_file(source.path(reference), target / reference)
    except FileNotFoundError:
        raise ReleaseError("an object that a row refers to is lost: run the pipeline again") from None


def _copy_files(source: Place, target: Path) -> None:
    """Copy the plain files of a folder; links could lead to the private part, so they stay behind."""
    files: list[Place] = [*source.rglob("*")]
    for path in sorted(files, key=str):
        link = isinstance(path, Path) and path.is_symlink()
        if path.is_file() and not link and not path.name.startswith(TEMPORARY):
            _copy_file(path, target / str(path)[len(str(source)) + 1 :])


def _copy_file(source: Place, target: Path) -> None:
    """Copy one file to this machine."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as stream, target.open("wb") as copy:
        shutil.copyfileobj(stream, copy)
