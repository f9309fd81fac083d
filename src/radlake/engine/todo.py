"""What is still to be done for a chain: queries over the lake, streamed, in the order of the ids.

A piece is done when `work` holds its id with this chain's key and this input's key. The key of a file's input is its
size and time, of a series' the files and members in it, of an image's its series and the masks that refer to it.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import IO

from radlake.core.stage import Row
from radlake.engine.chain import Chain, Piece
from radlake.engine.inputs import Found
from radlake.engine.local import Load
from radlake.engine.size import peak_bytes
from radlake.lake.store import Lake

# Image members that can be read, as far as is known: what `load` found broken is left out when a series is built again.
USABLE = """(
    SELECT i.* FROM instances i
    ANTI JOIN (SELECT unit_id FROM faults WHERE unit = 'member' AND stage = 'load') b
        ON b.unit_id = i.file_id || '#' || i.member
    WHERE i.role = 'image' AND i.series_id IS NOT NULL
)"""

_AHEAD = 50_000  # files that wait in memory: 600 bytes each
_OPENING = 1 << 16  # opening a file takes as long as working through so many bytes of pixels

_SERIES = f"""
WITH wanted AS (
    SELECT i.series_id AS id,
           md5(string_agg(i.file_id || ':' || i.member || ':' || s.input_key, ',' ORDER BY i.file_id, i.member))
               AS input_key
    FROM {USABLE} i JOIN private.sources s USING (file_id)
    GROUP BY i.series_id
), todo AS (
    SELECT * FROM wanted ANTI JOIN
    (SELECT owner AS id, input_key FROM work WHERE unit = 'series' AND chain_key = '{{chain}}') USING (id, input_key)
)"""

# A mask that refers to a series belongs to the series' largest image.
_IMAGES = """
WITH largest AS (
    SELECT series_id, arg_max(image_id, (coalesce(slices, 1) * coalesce(rows, 1), image_id)) AS image_id
    FROM images GROUP BY series_id
), refs AS (
    SELECT l.image_id, i.*, s.uri, s.input_key, s.members[i.member + 1] AS member_name
    FROM instances i JOIN largest l ON i.referenced_series_id = l.series_id JOIN private.sources s USING (file_id)
    WHERE i.role IN ('segmentation', 'structures', 'label')
), wanted AS (
    SELECT m.image_id AS id, md5(w.input_key || coalesce(
        (SELECT string_agg(file_id || ':' || member || ':' || input_key, ',' ORDER BY file_id, member)
         FROM refs r WHERE r.image_id = m.image_id), '')) AS input_key
    FROM images m JOIN (SELECT owner, input_key FROM work WHERE unit = 'series') w ON w.owner = m.series_id
), todo AS (
    SELECT * FROM wanted ANTI JOIN
    (SELECT owner AS id, input_key FROM work WHERE unit = 'image' AND chain_key = '{chain}') USING (id, input_key)
)"""

# An image whose masks are measured again by another chain: the work on the image itself decides whether it is stale.
_MEASURES = """
WITH wanted AS (
    SELECT m.image_id AS id, w.chain_key || ':' || w.input_key AS input_key
    FROM images m JOIN (SELECT * FROM work WHERE unit = 'image') w ON w.owner = m.image_id
    SEMI JOIN (SELECT image_id FROM masks WHERE source = '{source}') k ON k.image_id = m.image_id
), refs AS (
    SELECT *, 0 AS member FROM masks WHERE source = '{source}'
), todo AS (
    SELECT * FROM wanted ANTI JOIN
    (SELECT split_part(owner, '+', 1) AS id, input_key FROM work WHERE unit = 'measure' AND chain_key = '{chain}')
    USING (id, input_key)
)"""
MEASURED = """
    SELECT m.owner FROM work m JOIN work i
    ON i.unit = 'image' AND i.owner = split_part(m.owner, '+', 1) AND i.chain_key || ':' || i.input_key = m.input_key
    WHERE m.unit = 'measure'"""


@dataclass(frozen=True)
class Todo:
    """How many pieces there are to do, and the pieces, streamed."""

    total: int
    loads: Iterator[Load]


def files(lake: Lake, chain: Chain, found: Iterable[tuple[str, Found]]) -> Todo:
    """Files that are new, changed, or were read by another chain.

    Parameters
    ----------
    found : iterable of (file_id, Found)
        What lies in the input folders now.
    """
    rows = lake.sql(f"SELECT owner, input_key FROM work WHERE unit = 'file' AND chain_key = '{chain.key}'")
    done = dict(zip(rows["owner"].to_pylist(), rows["input_key"].to_pylist(), strict=True))
    fresh = (
        Load(Piece(file_id, file.input_key, dict(asdict(file), input_key=file.input_key)))
        for file_id, file in found
        if done.get(file_id) != file.input_key
    )
    return _counted(fresh)


def _counted(loads: Iterator[Load]) -> Todo:
    """Loads of files with their number; beyond some they wait on the disk, so that memory does not grow with them."""
    ahead = list(islice(loads, _AHEAD))
    following = next(loads, None)
    if following is None:
        return Todo(len(ahead), iter(ahead))
    later = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed when the last was handed out
    count = len(ahead)
    for load in chain([following], loads):
        later.write(json.dumps(asdict(load.piece)) + "\n")
        count += 1
    return Todo(count, _handed_out(ahead, later))


def _handed_out(ahead: list[Load], later: IO[str]) -> Iterator[Load]:
    """The loads in memory, then those on the disk."""
    with later:
        yield from ahead
        later.seek(0)
        for line in later:
            yield Load(Piece(**json.loads(line)))


def series(lake: Lake, chain: Chain) -> Todo:
    """Series with new or changed members."""
    return Todo(_count(lake, _SERIES.format(chain=chain.key)), _series(lake, chain))


def images(lake: Lake, chain: Chain) -> Todo:
    """Images that are new or changed, with the places of their pixels and the masks that refer to them."""
    head = _IMAGES.format(chain=chain.key)
    return Todo(_count(lake, head), _images(lake, chain, head))


def measures(lake: Lake, chain: Chain, source: str) -> Todo:
    """Images with masks of a source (rows of `masks`) that a chain has not measured, or whose masks have changed."""
    head = _MEASURES.format(chain=chain.key, source=source)
    loads = (
        replace(load, piece=replace(load.piece, id=f"{load.piece.id}+{chain.key}"))
        for load in _images(lake, chain, head)
    )
    return Todo(_count(lake, head), loads)


def _count(lake: Lake, head: str) -> int:
    """Pieces to do, by the head of a query that defines `todo`."""
    count: int = lake.sql(head + " SELECT count(*) AS n FROM todo")["n"][0].as_py()
    return count


def _series(lake: Lake, chain: Chain) -> Iterator[Load]:
    """The pieces of `series`."""
    query = f"""{_SERIES.format(chain=chain.key)}
    SELECT todo.id, todo.input_key, i.* FROM {USABLE} i JOIN todo ON i.series_id = todo.id
    ORDER BY todo.id, i.file_id, i.member"""
    for (owner, key), rows in _grouped(lake, query, "id", "input_key"):
        yield Load(Piece(owner, key, {"series_id": owner}, members=rows))


def _images(lake: Lake, chain: Chain, head: str) -> Iterator[Load]:
    """Images with their members and masks, by the head of a query that defines `todo` and `refs`: ordered streams."""
    masks: dict[str, list[Row]] = defaultdict(list)
    for row in lake.sql(
        head + "SELECT refs.* FROM refs JOIN todo ON refs.image_id = todo.id ORDER BY file_id, member"
    ).to_pylist():
        masks[row.pop("image_id")].append(row)
    planes = f"""{head} SELECT todo.id, todo.input_key, m.*
    FROM images m JOIN todo ON m.image_id = todo.id ORDER BY m.series_id, todo.id"""
    members = f"""{head} SELECT m.series_id AS s, f.image_id AS id, f.ordinal, f.frames AS used, i.*, s.uri,
        s.members[i.member + 1] AS member_name
    FROM file_images f JOIN todo ON f.image_id = todo.id JOIN images m ON m.image_id = f.image_id
    JOIN instances i ON i.file_id = f.file_id AND i.member = f.member JOIN private.sources s ON s.file_id = f.file_id
    ORDER BY m.series_id, f.image_id, f.ordinal"""
    parts = _grouped(lake, members, "s", "id")
    for (owner, key), (row,) in _grouped(lake, planes, "id", "input_key"):
        (_, found), rows = next(parts, (("", ""), []))
        if found != owner:
            raise RuntimeError(f"image {owner} has no members in file_images")
        for member in rows:
            member["frames"] = member.pop("used")
        piece = Piece(owner, key, row, members=rows, masks=masks.get(owner, []))
        yield Load(piece, peak_bytes(chain, row), (row["estimated_bytes"] or 0) + _OPENING * len(rows))


def _grouped(lake: Lake, query: str, *keys: str) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
    """Rows of an ordered query, together per key; the key columns are taken out."""
    rows = (row for batch in lake.stream(query) for row in batch.to_pylist())
    for key, group in groupby(rows, itemgetter(*keys)):
        yield key, [{n: v for n, v in row.items() if n not in keys} for row in group]
