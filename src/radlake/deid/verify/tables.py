"""What leaves the house as text: Parquet tables, JSON, HTML, CSV, of a lake's release or beside cleaned files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from radlake.deid.verify.leak import Leak
from radlake.deid.verify.needles import Needles
from radlake.deid.verify.text import in_bytes, in_text

# Columns whose texts the project itself writes: versions, settings, templates of messages. They have no shapes.
_OWN = frozenset({
    "versions", "steps", "pipeline", "settings", "engine", "started", "ended", "message", "hint", "fix",
    "fault_message", "fault_hint", "note", "reason", "run_id", "chain_key", "input_key", "settings_id",
})  # fmt: skip
_DAY = re.compile(r"\d{4}-\d\d-\d\d")  # a whole value: a day that was moved, as tables write it
_INLINE = re.compile(rb"data:[a-z/+-]{1,40};base64,[A-Za-z0-9+/=]+")
_CHUNK, _OVERLAP = 1 << 22, 512


def parquet(path: Path, needles: Needles) -> Iterator[Leak]:
    """Texts of a Parquet file, nested lists included, and what its footer says beside the schema."""
    try:
        with pq.ParquetFile(path) as file:
            for key, value in (file.metadata.metadata or {}).items():
                if key != b"ARROW:schema":
                    yield from in_bytes(value, "footer", needles)
            for batch in file.iter_batches():
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    yield from _in_column(name, column, needles)
    except (pa.ArrowException, OSError):
        yield Leak("unreadable", "whole file")


def _in_column(name: str, column: pa.Array, needles: Needles) -> Iterator[Leak]:
    """Distinct texts of a column."""
    while pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = column.flatten()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return
    for text in pc.unique(column).to_pylist():
        shaped = name not in _OWN and not (text and _DAY.fullmatch(text))
        yield from in_text(text or "", f"column {name}", needles, shaped=shaped)


def plain(path: Path, needles: Needles, *, shaped: bool = False) -> Iterator[Leak]:
    """A text file; pictures inside a page are left out, for they are rows of the tables as well."""
    tail = b""
    with path.open("rb") as stream:
        while data := stream.read(_CHUNK):
            yield from in_bytes(_INLINE.sub(b" ", tail + data), "text", needles, shaped=shaped)
            tail = data[-_OVERLAP:]
