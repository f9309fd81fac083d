from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as example_count
from hypothesis import strategies as st

from radlake.core.schema import AUDIT, FEATURES, TABLES
from radlake.lake import query
from radlake.lake.errors import DamagedPartError, SqlError
from radlake.lake.parts import write_part
from radlake.lake.query import View


@pytest.fixture
def features(tmp_path: Path) -> View:
    root = tmp_path / "it's a 湖"
    rows = [{"owner": f"im-{i}", "value": float(i)} for i in range(5)] + [{"owner": "im-x", "value": math.nan}]
    part = write_part(root, root, "features", rows, name="x")
    return View("features", FEATURES, (root / "tables" / "features" / part.name,))


def ask(view: View, text: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = query.select([view], text, memory_mib=256).to_pylist()
    return found


def test_sums_are_as_by_hand(features: View) -> None:
    assert ask(features, "SELECT sum(value) AS s FROM features WHERE owner <> 'im-x'") == [{"s": 10.0}]


def test_a_condition_does_not_depend_on_the_rows_beside_a_nan(tmp_path: Path) -> None:
    # Statistics of a row group leave NaN out, so a reader that skips groups by them loses the NaN that DuckDB takes for
    # larger than every number.
    rows = [{"owner": "im-a", "value": 1.0}, {"owner": "im-b", "value": math.nan}]
    together = write_part(tmp_path, tmp_path, "features", rows, name="x")
    view = View("features", FEATURES, (tmp_path / "tables" / "features" / together.name,))
    assert ask(view, "SELECT owner FROM features WHERE value > 5") == [{"owner": "im-b"}]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM features_table",
        "COPY features TO 'x.csv'",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW features",
        "EXPLAIN ANALYZE COPY features TO 'x.csv'",
        "SELECT 1; SELECT 2",
        "",
        "SELEC 1",
        "SELECT CAST(owner AS INTEGER) FROM features",
    ],
)
def test_what_is_not_a_reading_query_of_the_tables_is_refused(features: View, text: str) -> None:
    features_table = pa.table({"a": [1]})  # a Python variable is no table
    assert features_table.num_rows == 1
    with pytest.raises(SqlError):
        ask(features, text)
    assert ask(features, "SELECT count(*) AS n FROM features") == [{"n": 6}]


def test_the_files_of_the_tables_cannot_be_written(features: View) -> None:
    path = features.files[0]
    before = path.read_bytes()
    text = f"COPY (SELECT 1) TO '{str(path).replace(chr(39), chr(39) * 2)}' (USE_TMP_FILE false)"
    for wrong in (text, f"EXPLAIN ANALYZE {text}"):
        with pytest.raises(SqlError):
            ask(features, wrong)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["SHOW TABLES", "DESCRIBE features", "SUMMARIZE features", "FROM features LIMIT 1"])
def test_short_forms_that_only_read_are_allowed(features: View, text: str) -> None:
    assert ask(features, text)


def test_empty_tables_have_their_columns_and_types() -> None:
    views = [View(name, schema, ()) for name, schema in TABLES.items()]
    for name, schema in TABLES.items():
        found = query.select(views, f"SELECT * FROM {name}", memory_mib=256)
        assert found.num_rows == 0
        assert found.cast(schema).schema.equals(schema)


def test_files_that_lack_a_column_show_nulls(features: View) -> None:
    newer = FEATURES.append(pa.field("reviewed", pa.bool_()))
    view = View("features", newer, features.files, mixed=True)
    assert ask(view, "SELECT DISTINCT reviewed FROM features") == [{"reviewed": None}]
    assert ask(view, "SELECT sum(value) AS s FROM features WHERE owner <> 'im-x'") == [{"s": 10.0}]


def test_batches_together_are_the_whole(features: View) -> None:
    batches = list(query.stream([features], "SELECT i FROM range(10000) t(i)", 4096, memory_mib=256))
    assert len(batches) > 1
    assert [i for b in batches for i in b.column(0).to_pylist()] == list(range(10000))


def test_errors_in_a_stream_are_named_too(features: View) -> None:
    with pytest.raises(SqlError):
        list(query.stream([features], "SELECT error('stop') FROM features", 10, memory_mib=256))


def test_a_large_sort_spills_instead_of_taking_memory() -> None:
    text = "SELECT count(*) AS n FROM (SELECT hash(i) AS h FROM range(3000000) t(i) ORDER BY h OFFSET 1)"
    assert query.select([], text, memory_mib=64)["n"].to_pylist() == [2_999_999]


VALUES = st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.floats(width=16))), max_size=12)


@example_count(max_examples=25)
@given(values=VALUES, order=st.randoms(use_true_random=False))
def test_the_order_depends_on_the_rows_alone(values: list[tuple[str, float | None]], order: object) -> None:
    rows = [{"owner": o, "value": None if v is None else v + 0.0} for o, v in values]
    mixed = list(rows)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    first, second = (
        query.ordered(pa.Table.from_pylist(r, schema=FEATURES), memory_mib=256).to_pylist() for r in (rows, mixed)
    )
    assert str(first) == str(second)  # as text, because NaN differs from itself
    assert len(first) == len(rows)


def test_same_rows_ignores_order_counts_repeats_and_takes_nan_for_nan(features: View) -> None:
    rows = pq.read_table(features.files[0])
    assert query.same_rows(features, rows.take(list(reversed(range(rows.num_rows)))), memory_mib=256)
    assert not query.same_rows(features, rows.slice(1), memory_mib=256)
    assert not query.same_rows(features, pa.concat_tables([rows.slice(1), rows.slice(1, 1)]), memory_mib=256)


@pytest.mark.parametrize("damage", ["missing", "cut short", "another format"])
def test_files_that_are_gone_or_damaged_are_told_by_their_table(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "part.parquet"
    if damage != "missing":
        pq.write_table(AUDIT.empty_table(), path)
        path.write_bytes(path.read_bytes()[:40] if damage == "cut short" else b"no parquet at all")
    with pytest.raises(DamagedPartError, match="table audit are missing or damaged"):
        query.select([View("audit", AUDIT, (path,))], "SELECT 1", memory_mib=256)
