"""Tables as people, spreadsheets and programs read them."""

from __future__ import annotations

import csv
import io
import json
import math
from decimal import Decimal

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from radlake.engine.run import Summary
from radlake.engine.show import as_csv, as_json, as_text, ending

TABLE = pa.table({"place": ["/in/病人", None], "n": [1, 22]})


def test_wide_characters_keep_columns_in_line() -> None:
    assert as_text(TABLE).splitlines() == ["place     n", "--------  --", "/in/病人  1", "          22"]


def test_a_narrow_terminal_gets_one_value_a_line_and_no_nulls() -> None:
    assert as_text(TABLE, width=12).splitlines() == as_text(TABLE).splitlines()
    assert as_text(TABLE, width=11).splitlines() == ["place  /in/病人", "n      1", "", "n      22"]


def test_characters_that_steer_a_terminal_are_escaped() -> None:
    text = as_text(pa.table({"a": ["\x1b[2J\nx"]}))
    assert "\x1b" not in text
    assert text.splitlines()[2] == "\\x1b[2J\\nx"


def test_two_columns_of_one_name_are_both_shown() -> None:
    twice = pa.table([[1], [2]], names=["a", "a"])
    assert as_text(twice).splitlines()[2] == "1  2"
    assert as_csv(twice) == "a,a\n1,2\n"


def test_an_empty_result_shows_its_columns() -> None:
    empty = TABLE.slice(0, 0)
    assert as_text(empty).splitlines() == ["place  n", "-----  -"]
    assert (as_csv(empty), as_json(empty)) == ("place,n\n", "[]")


def test_json_has_numbers_where_duckdb_has_decimals_and_null_where_json_has_no_number() -> None:
    table = pa.table(
        {
            "sum": [Decimal(10**20)],
            "mean": [Decimal("1.5")],
            "bad": [math.inf],
            "inside": [[1.0, math.nan]],
            "struct": [{"x": b"\x01"}],
        }
    )
    assert json.loads(as_json(table)) == [
        {"sum": 10**20, "mean": 1.5, "bad": None, "inside": [1.0, None], "struct": {"x": "01"}}
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), min_size=1), min_size=1))
def test_csv_and_json_lead_back_to_any_text(texts: list[str]) -> None:
    table = pa.table({"text": texts, "n": range(len(texts))})
    assert [row[0] for row in csv.reader(io.StringIO(as_csv(table), newline=""))][1:] == texts
    assert [row["text"] for row in json.loads(as_json(table))] == texts
    assert len(as_text(table).splitlines()) == len(texts) + 2


def test_the_ending_names_the_command_that_tells_why() -> None:
    lines = list(ending(Summary({"done": 1200, "quarantined": 3}, {"files": 0}, 1.0), "my lake"))
    assert lines == [
        "1,203 files: 1,200 done, 3 set aside, 0 with nothing to keep",
        "nothing had changed",
        "why they were set aside: radlake quarantine list 'my lake'",
    ]
