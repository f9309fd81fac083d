"""What the command line prints: a table as plain text, CSV or JSON, and how a run ended."""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
from rich.cells import cell_len

from radlake.engine.run import Summary


def as_text(table: pa.Table, *, width: int | None = None) -> str:
    """Columns side by side; where a terminal is too narrow for them, one value a line.

    Parameters
    ----------
    table : pyarrow.Table
    width : int, optional
        Cells of the terminal; None: as wide as it takes.

    Examples
    --------
    >>> print(as_text(pa.table({"modality": ["CT", None], "n": [12, 3]})))
    modality  n
    --------  --
    CT        12
              3
    """
    names = [_visible(n) for n in table.column_names]
    rows = [["" if v is None else _visible(str(v)) for v in row] for row in _rows(table)]
    widths = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        return _one_value_a_line(names, rows)
    return "\n".join(_line(cells, widths) for cells in [names, ["-" * w for w in widths], *rows])


def as_csv(table: pa.Table) -> str:
    """RFC 4180 with a header row; null is an empty cell.

    Examples
    --------
    >>> print(as_csv(pa.table({"modality": ["CT", None], "n": [12, 3]})), end="")
    modality,n
    CT,12
    ,3
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(_rows(table))
    return stream.getvalue()


def as_json(table: pa.Table) -> str:
    """A list of objects, one a row; numbers that JSON lacks (NaN, infinity) become null.

    Examples
    --------
    >>> as_json(pa.table({"n": [Decimal(7)], "x": [float("nan")]}))
    '[{"n": 7, "x": null}]'
    """
    return json.dumps([dict(zip(table.column_names, map(_plain, row), strict=True)) for row in _rows(table)])


def ending(summary: Summary, lake: str) -> Iterator[str]:
    """How a run ended, in words.

    Examples
    --------
    >>> print(*ending(Summary({"done": 3, "ignored": 1}, {"files": 4}, 1.0), "my lake"), sep=" / ")
    4 files: 3 done, 0 set aside, 1 with nothing to keep
    """
    done, aside, ignored = (summary.files.get(s, 0) for s in ("done", "quarantined", "ignored"))
    total = done + aside + ignored
    yield f"{total:,} file{'s' * (total != 1)}: {done:,} done, {aside:,} set aside, {ignored:,} with nothing to keep"
    if not any(summary.worked.values()):
        yield "nothing had changed"
    if aside:
        yield f"why they were set aside: radlake quarantine list {shlex.quote(lake)}"


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows as tuples: two columns of a query may have one name."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _line(cells: list[str], widths: list[int]) -> str:
    """Cells padded to their columns; characters of East Asian scripts take two cells of a terminal."""
    return "  ".join(c + " " * (w - cell_len(c)) for c, w in zip(cells, widths, strict=True)).rstrip()


def _one_value_a_line(names: list[str], rows: list[list[str]]) -> str:
    """Records below each other, null left out."""
    widest = max(map(cell_len, names))
    records = [
        "\n".join(_line([n, v], [widest, cell_len(v)]) for n, v in zip(names, row, strict=True) if v) for row in rows
    ]
    return "\n\n".join(records)


def _visible(text: str) -> str:
    """Text without characters that would steer a terminal; they stand escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _plain(value: Any) -> Any:
    """A value of a query in types that JSON has."""
    if isinstance(value, dict):
        return {name: _plain(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, Decimal):  # DuckDB's type for sums of whole numbers
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)
