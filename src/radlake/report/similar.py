"""The page of series that are like one: pictures side by side, with how alike they are and by what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from radlake.core.place import Place
from radlake.lake.durable import write_bytes
from radlake.lake.errors import storage_errors
from radlake.lake.store import Lake
from radlake.report.cohort import Card, cards_of
from radlake.report.page import render_page
from radlake.report.tables import Row, look


@dataclass(frozen=True)
class Neighbour:
    """A series with its picture and the row that says how alike it is."""

    card: Card
    row: Row


def write_similar(lake: Lake, series_id: str, found: pa.Table, families: Sequence[str]) -> Place:
    """Write LAKE/report/similar-SERIES.html and return its path.

    Parameters
    ----------
    lake : Lake
    series_id : str
        The series that was asked for.
    found : pyarrow.Table
        As `radlake.engine.similar.similar` gives it.
    families : sequence of str
        What was compared.
    """
    rows = found.to_pylist()
    with look(lake) as tables:
        cards = cards_of(tables, [series_id, *(row["series_id"] for row in rows)], lake.objects.get)
    page = render_page(
        "similar.html",
        {
            "asked": cards[series_id],
            "neighbours": [Neighbour(cards[row["series_id"]], row) for row in rows],
            "families": list(families),
        },
    )
    place = lake.report / f"similar-{series_id}.html"
    with storage_errors():
        write_bytes(place, page.encode("utf-8"))
    return place
