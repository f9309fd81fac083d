"""Replacing the rows of some owners: which files hold them, and what is left of those files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from radlake.core.place import Place
from radlake.lake.delta import DataFile, Edit, owner_column
from radlake.lake.journal import Change
from radlake.lake.parts import Part, parquet, write_part

_BATCH_ROWS = 1 << 17


def edit(change: Change, files: Sequence[DataFile], roots: tuple[Place, Place], *, name: str) -> Edit:
    """What a change does to a table's files.

    Parameters
    ----------
    change : Change
    files : sequence of DataFile
        What the table has now.
    roots : (lake root, private root)
    name : str
        Of the commit; parts that hold the rest of a file are called so, with the place of that file behind.

    Returns
    -------
    Edit
        The change's parts; and instead of each file with rows of a replaced owner, a part with its other rows.
    """
    if not change.replaces:
        return Edit(added=change.parts)
    column = owner_column(change.table)
    owners = pa.array(change.replaces, pa.string())
    coming = {part.name for part in change.parts}
    # A file that comes again with the very same rows is complete in the change itself: nothing of it is left over.
    removed = tuple(f for f in _files_with(files, column, owners) if f.path.name not in coming)
    rests = (_rest(f, column, owners, change.table, roots, f"{name}-{i}") for i, f in enumerate(removed))
    return Edit(removed, (*change.parts, *(part for part in rests if part is not None)))


def _files_with(files: Sequence[DataFile], column: str, values: pa.Array) -> Iterator[DataFile]:
    """Files with at least one row whose column is among the values; reads that column only."""
    for file in files:
        with parquet(file.path) as opened:
            batches = opened.iter_batches(_BATCH_ROWS, columns=[column])
            if any(pc.any(pc.is_in(batch.column(0), values)).as_py() for batch in batches):
                yield file


def _rest(
    file: DataFile, column: str, values: pa.Array, table: str, roots: tuple[Place, Place], name: str
) -> Part | None:
    """A part with the rows of a file whose column is not among the values; None when there are none."""
    rows = _rows_without(file, column, values)
    first = next(rows, None)
    return None if first is None else write_part(*roots, table, chain([first], rows), name=name)


def _rows_without(file: DataFile, column: str, values: pa.Array) -> Iterator[pa.RecordBatch]:
    """Rows of a file whose column is not among the values."""
    with parquet(file.path) as opened:
        for batch in opened.iter_batches(_BATCH_ROWS):
            kept = batch.filter(pc.invert(pc.is_in(batch.column(column), values)))
            if kept.num_rows:
                yield kept
