from __future__ import annotations

import csv
import datetime
import io
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.formats.tabular import read_table

CELLS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=1)


def written(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def code_of(source: str, query: str | None = None) -> str:
    with pytest.raises(ItemError) as caught:
        read_table(source, query=query)
    return caught.value.code


def test_keys_keep_their_zeros_and_numbers_become_numbers(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.csv", "id,age,size,note\n007,63,1.50,a\n012,,2.25,NA\n"))
    assert table.to_pydict() == {
        "id": ["007", "012"],
        "age": [63, None],
        "size": [1.5, 2.25],
        "note": ["a", None],
    }
    assert table.schema.field("id").type == pa.string()


@pytest.mark.parametrize(
    "cell", ["1e400x", "0x10", "1_000", "+5", "12345678901234567890", "١٢", "1,5", "Infinity", "00"]
)
def test_what_would_not_print_back_stays_text(tmp_path: Path, cell: str) -> None:
    assert read_table(written(tmp_path / "a.csv", f'k;v\n"{cell}";1\n'))["k"].to_pylist() == [cell]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_found(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = ["größe,x;y", 'a"b', "5"], ["hoch, niedrig", "é", "6"]
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows([["Maß", "Büro", "n"], *lines])
    table = read_table(written(tmp_path / "a.csv", stream.getvalue().encode(encoding)))
    assert table.column_names == ["Maß", "Büro", "n"]
    assert table["Maß"].to_pylist() == ["größe,x;y", "hoch, niedrig"]


@settings(max_examples=50)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_cells_come_back_as_they_were_written(rows: list[tuple[str, str]]) -> None:
    import tempfile

    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("first", "second"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        table = read_table(written(Path(folder) / "a.csv", stream.getvalue()))
    for name, column in (("first", 0), ("second", 1)):
        missing = {"", "na", "n/a", "nan", "null", "none", "."}
        expected = [None if row[column].strip().lower() in missing else row[column].strip() for row in rows]
        if table.schema.field(name).type == pa.string():
            assert table[name].to_pylist() == expected
        else:
            assert table[name].to_pylist() == [None if v is None else float(v) for v in expected]


@pytest.mark.parametrize("text", ["", "\n\n", "a,a\n1,2\n", "a,b\n1,2,3\n", 'a,b\n"' + "x" * 200_000, "\0\1\2,\0"])
def test_text_that_is_no_table_is_bad(tmp_path: Path, text: str) -> None:
    assert code_of(written(tmp_path / "a.csv", text)) == ("bad_table" if text else "empty_file")


def test_parquet_comes_as_it_is(tmp_path: Path) -> None:
    table = pa.table({"id": ["007"], "n": pa.array([1], pa.int8())})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_table(str(tmp_path / "a.parquet")).equals(table)
    assert code_of(written(tmp_path / "b.parquet", "PAR1 no more")) == "bad_table"


def test_the_first_sheet_of_a_workbook_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["id", "n", "mixed", "day", None],
        ["007", 1, "x", datetime.datetime(2020, 1, 2)],
        ["008", 2.5, 3, None],
    ):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert read_table(str(tmp_path / "a.xlsx")).to_pydict() == {
        "id": ["007", "008"],
        "n": [1.0, 2.5],
        "mixed": ["x", "3"],
        "day": ["2020-01-02T00:00:00", None],
    }


def test_a_damaged_workbook_is_bad(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as file:
        file.writestr("xl/workbook.xml", "<broken")
    assert code_of(str(tmp_path / "a.xlsx")) == "bad_table"
    assert code_of(written(tmp_path / "b.xlsx", "no zip")) == "damaged_archive"


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "a b ä.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table t (id text, n integer, x real)")
        connection.executemany("insert into t values (?, ?, ?)", [("007", 1, 0.5), ("008", None, 2)])
        connection.commit()
    return str(path)


@pytest.mark.parametrize("url", [False, True])
def test_a_query_gives_a_table(database: str, url: bool) -> None:
    source = f"sqlite:///{database}" if url else database
    table = read_table(source, query="select * from t order by id")
    assert table.to_pydict() == {"id": ["007", "008"], "n": [1, None], "x": [0.5, 2.0]}


def test_a_query_cannot_write_or_fail_with_the_library_s_words(database: str) -> None:
    assert code_of(database, "delete from t") == "bad_table"
    assert code_of(database, "select secret from t") == "bad_table"
    assert code_of(database) == "bad_table"
    assert code_of("postgresql://user:secret@localhost:1/x", "select 1") == "bad_table"
    assert read_table(database, query="select count(*) as n from t")["n"].to_pylist() == [2]


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    for name in ("a.csv", "a.xlsx", "a.parquet", "a.sqlite"):
        query = "select 1" if name.endswith("sqlite") else None
        assert code_of(str(tmp_path / name), query) == "unreadable_file"
