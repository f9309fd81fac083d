"""Tables to files."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from radlake.engine.tabled import UnknownSuffix, write_table

TABLE = pa.table({"name": ["a,b", None], "value": [0.1, None]})


def test_both_formats_hold_the_table(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t.csv")
    write_table(TABLE, tmp_path / "t.PARQUET")
    assert pq.read_table(tmp_path / "t.PARQUET").equals(TABLE)
    with (tmp_path / "t.csv").open(newline="") as lines:
        assert [*csv.reader(lines)] == [["name", "value"], ["a,b", "0.1"], ["", ""]]


def test_other_suffixes_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(UnknownSuffix, match=r"\.csv or \.parquet, got '\.xlsx'"):
        write_table(TABLE, tmp_path / "t.xlsx")
    with pytest.raises(UnknownSuffix, match="no suffix"):
        write_table(TABLE, tmp_path / "t")
    assert not [*tmp_path.iterdir()]
