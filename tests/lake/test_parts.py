from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from radlake.core.schema import FEATURES, INSTANCES
from radlake.lake.errors import DamagedPartError, PrivatePartError
from radlake.lake.parts import Part, check_part, table_folder, write_part

ROWS = [{"owner": "im-a", "value": 1.5}, {"owner": "im-b", "value": math.nan}, {"owner": "im-c", "value": None}]


def test_a_part_holds_the_rows_with_the_whole_schema(tmp_path: Path) -> None:
    part = write_part(tmp_path, tmp_path, "features", ROWS, name="x")
    table = pq.read_table(tmp_path / "tables" / "features" / part.name)
    assert table.schema.equals(FEATURES)
    assert table["owner"].to_pylist() == ["im-a", "im-b", "im-c"]
    assert (part.rows, part.bytes) == (3, (tmp_path / "tables" / "features" / part.name).stat().st_size)


def test_equal_rows_give_the_same_name_and_other_rows_another(tmp_path: Path) -> None:
    first = write_part(tmp_path, tmp_path, "features", ROWS, name="x")
    assert write_part(tmp_path, tmp_path, "features", ROWS, name="x") == first
    assert write_part(tmp_path, tmp_path, "features", ROWS[:1], name="x").name != first.name
    assert write_part(tmp_path, tmp_path, "features", ROWS, name="y").name != first.name
    assert len(list((tmp_path / "tables" / "features").iterdir())) == 3


def test_rows_tables_and_batches_are_written_alike(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS, schema=FEATURES)
    parts = {
        write_part(tmp_path, tmp_path, "features", data, name="x")
        for data in (ROWS, table, iter(table.to_batches(max_chunksize=1)))
    }
    assert len(parts) == 1


def test_small_batches_share_a_row_group(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS * 10, schema=FEATURES)
    part = write_part(tmp_path, tmp_path, "features", iter(table.to_batches(max_chunksize=2)), name="x")
    assert pq.read_metadata(tmp_path / "tables" / "features" / part.name).num_row_groups == 1


def test_private_tables_go_to_the_private_root(tmp_path: Path) -> None:
    rows = [{"owner": "fi-a", "uri": "/scan"}]
    with pytest.raises(PrivatePartError):
        write_part(tmp_path / "l", tmp_path / "p", "sources", rows, name="x")
    (tmp_path / "p").mkdir(mode=0o700)
    part = write_part(tmp_path / "l", tmp_path / "p", "sources", rows, name="x")
    assert (tmp_path / "p" / "tables" / "sources" / part.name).is_file()
    assert not (tmp_path / "l").exists()


def test_a_column_that_the_table_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="PatientName"):
        write_part(tmp_path, tmp_path, "features", [{"owner": "a", "PatientName": "X"}], name="x")
    assert not any(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "_delta_log", "a b", "x" * 200])
def test_names_that_a_log_would_have_to_escape_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name of a part"):
        write_part(tmp_path, tmp_path, "features", ROWS, name=name)


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> object:
        yield pa.Table.from_pylist(ROWS, schema=FEATURES).to_batches()[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_part(tmp_path, tmp_path, "features", broken(), name="x")  # type: ignore[arg-type]
    assert list((tmp_path / "tables" / "features").iterdir()) == []


def test_damaged_parts_are_found_before_they_are_committed(tmp_path: Path) -> None:
    part = write_part(tmp_path, tmp_path, "features", ROWS, name="x")
    folder = table_folder(tmp_path, tmp_path, "features")
    check_part(folder, part)
    other = write_part(tmp_path, tmp_path, "instances", [{"owner": "a"}], name="x")
    (folder / other.name).write_bytes((tmp_path / "tables" / "instances" / other.name).read_bytes())
    damaged = [
        Part("features", "absent.parquet", 1, 1),
        Part("features", part.name, part.bytes, 4),
        Part("features", other.name, other.bytes, other.rows),
    ]
    for wrong in damaged:
        with pytest.raises(DamagedPartError):
            check_part(folder, wrong)
    path = folder / part.name
    path.write_bytes(b"x" * part.bytes)
    with pytest.raises(DamagedPartError, match="not Parquet"):
        check_part(folder, part)
    path.write_bytes(b"x")
    with pytest.raises(DamagedPartError, match="cut short"):
        check_part(folder, part)


def test_batches_of_an_older_schema_get_nulls(tmp_path: Path) -> None:
    old = pa.record_batch({"owner": ["a"], "rows": pa.array([3], pa.int64())})
    part = write_part(tmp_path, tmp_path, "instances", iter([old]), name="x")
    table = pq.read_table(tmp_path / "tables" / "instances" / part.name)
    assert table.schema.equals(INSTANCES)
    assert (table["rows"].to_pylist(), table["columns"].to_pylist()) == ([3], [None])


def test_workers_that_write_parts_load_no_database() -> None:
    script = "import sys, radlake.lake.parts, radlake.lake.objects; print({'deltalake', 'duckdb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"set()\n"
