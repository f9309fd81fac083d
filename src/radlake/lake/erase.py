"""Erasing rows for good: out of every table, its history, and the objects that only they referred to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from radlake.core.place import Place
from radlake.lake import delta
from radlake.lake.delta import DataFile, Edit
from radlake.lake.errors import storage_errors
from radlake.lake.maintain import sweep
from radlake.lake.parts import Part, write_part
from radlake.lake.store import Lake

# Columns that name a person or a thing of one.
ID_COLUMNS = (
    "owner", "patient_id", "file_id", "series_id", "study_id", "image_id", "mask_id", "instance_id", "unit_id",
    "accession_id", "referenced_series_id", "frame_of_reference_id",
)  # fmt: skip


def erase(lake: Lake, ids: Collection[str], *, last: Sequence[str] = ()) -> dict[str, int]:
    """Remove every row that names one of the ids, then all replaced files and all objects without a row.

    May be stopped at any moment and done again. Call it with the lake's lock held.

    Parameters
    ----------
    lake : Lake
    ids : collection of str
        Pseudonyms.
    last : sequence of str
        Tables from which the ids were found: they go last, so that a killed erasure finds the same ids again.

    Returns
    -------
    dict
        Rows that were removed, by table.

    Raises
    ------
    LakeError
        When the disk fails.
    """
    with lake.lock(), storage_errors():
        lake.recover()
        folders = lake.folders()
        order = [name for name in folders if name not in last] + [name for name in last if name in folders]
        wanted = pa.array(sorted(ids), pa.string())
        removed = {name: _erase_rows(lake, name, folders[name], wanted) for name in order}
        for name in order:
            if delta.open_table(folders[name]) is not None:
                delta.drop_replaced(folders[name], keep_hours=0)
        sweep(lake)
        return {name: count for name, count in removed.items() if count}


def _erase_rows(lake: Lake, table: str, folder: Place, ids: pa.Array) -> int:
    """Remove rows of one table in one commit; return how many."""
    found = delta.open_table(folder)
    if found is None:
        return 0
    touched: list[DataFile] = []
    parts: list[Part] = []
    count = 0
    for number, file in enumerate(delta.data_files(found, folder)):
        hits = sum(int(pc.sum(_named(batch, ids)).as_py() or 0) for batch in _batches(file))
        if not hits:
            continue
        count += hits
        touched.append(file)
        if rest := [kept for batch in _batches(file) if (kept := batch.filter(pc.invert(_named(batch, ids)))).num_rows]:
            name = f"erased-{found.version()}-{number}"
            parts.append(write_part(lake.root, lake.private, table, iter(rest), name=name))
    if touched:
        edit = Edit(tuple(touched), tuple(parts))
        delta.commit(found, folder, edit, app=f"erase/{table}", sequence=found.version())
    return count


def _batches(file: DataFile) -> Iterator[pa.RecordBatch]:
    """Rows of a file."""
    with file.path.open("rb") as stream, pq.ParquetFile(stream) as parquet:
        yield from parquet.iter_batches()


def _named(batch: pa.RecordBatch, ids: pa.Array) -> pa.Array:
    """Which rows name one of the ids."""
    hit = pa.array([False] * batch.num_rows)
    for name in ID_COLUMNS:
        if name in batch.schema.names:
            hit = pc.or_(hit, pc.is_in(batch.column(name), ids))
    return hit
