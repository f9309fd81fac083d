"""Generated headers of a large archive as rows: series, their images and instances, spread as hospitals have them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from radlake.core.schema import schema_of
from radlake.lake.journal import Change
from radlake.lake.parts import write_part
from radlake.lake.store import Lake

BATCH = 20_000  # series a commit
MODALITIES = ("CT", "MR", "US", "CR", "PT")
SHARES = (0.3, 0.3, 0.2, 0.15, 0.05)
SPACINGS = (0.5, 0.625, 1.0, 1.25, 2.5, 3.0, 5.0)


def catalogue(lake: Lake, series: int) -> None:
    """Commit so many series with an image each."""
    for start in range(0, series, BATCH):
        count = min(BATCH, series - start)
        changes = []
        for table, rows in _tables(start, count):
            part = write_part(lake.root, lake.private, table, rows, name=f"batch{start}")
            changes.append(Change(table, (part,)))
        lake.commit("catalogue", start // BATCH, changes)


def _tables(start: int, count: int) -> Iterator[tuple[str, pa.Table]]:
    """Rows of `series` and `images`: four series a study, two studies a patient."""
    rng = np.random.default_rng(start)
    numbers = np.arange(start, start + count)
    ids = {
        "series_id": [f"se-{n:012d}" for n in numbers],
        "study_id": [f"st-{n // 4:012d}" for n in numbers],
        "patient_id": [f"pt-{n // 8:012d}" for n in numbers],
        "owner": [f"se-{n:012d}" for n in numbers],
        "modality": rng.choice(MODALITIES, count, p=SHARES).tolist(),
    }
    slices = rng.integers(1, 400, count)
    yield "series", _table("series", ids | {"images": np.ones(count, np.int64), "instances": slices})
    images = {
        "image_id": [f"im-{n:012d}" for n in numbers],
        "rows": np.full(count, 512),
        "columns": np.full(count, 512),
        "slices": slices,
        "spacing_z": rng.choice(SPACINGS, count),
    }
    yield "images", _table("images", ids | images)


def _table(name: str, columns: dict[str, object]) -> pa.Table:
    """Columns with a table's schema; the others are null."""
    schema = schema_of(name)
    count = len(columns["owner"])  # type: ignore[arg-type]
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(count, f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


QUERIES = {
    "count by modality": "SELECT modality, count(*) AS n FROM series GROUP BY modality ORDER BY modality",
    "a patient's studies": (
        "SELECT study_id, count(*) AS n FROM series WHERE patient_id = 'pt-000000000777' GROUP BY study_id "
        "ORDER BY study_id"
    ),
    "95th percentile of spacing": "SELECT quantile_cont(spacing_z, 0.95) AS z FROM images WHERE modality = 'CT'",
}
