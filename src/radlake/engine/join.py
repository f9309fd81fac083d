"""Bring a table of labels or clinical values to a lake: read it, find its units by the key, commit what fits."""

from __future__ import annotations

from pathlib import Path

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.core.ids import keyed_id
from radlake.core.stage import Row
from radlake.deid.join import Request, resolve
from radlake.deid.keys import fingerprint
from radlake.deid.units import Catalogue
from radlake.formats.tabular import read_table
from radlake.lake.parts import write_part
from radlake.lake.store import Change, Lake

_RUN = "join"


class NothingAsked(UsageError):  # noqa: N818 - names the problem
    """A join without columns."""


class BadTable(UsageError):  # noqa: N818 - names the problem
    """The table to join cannot be read."""


def join(lake: Lake, source: str, key: bytes, request: Request, *, query: str | None = None) -> dict[str, int]:
    """Labels and clinical values of a table, committed under the lake's pseudonyms.

    Joining the same source again replaces what it brought before.

    Parameters
    ----------
    lake : Lake
    source : str
        Path or database URL, as `radlake.formats.tabular.read_table` takes it.
    key : bytes
        The owner's secret.
    request : Request
        Which column is the key and which are taken.
    query : str, optional
        For databases.

    Returns
    -------
    dict
        Number of rows by table: labels, clinical, faults (rows that fit no unit, or more than one).

    Raises
    ------
    NothingAsked, BadTable, MissingColumn
        When no column was asked for, the table cannot be read, or it lacks a column.
    KeyMismatchError
        When the lake was made with another key: nothing would match.
    """
    if not (request.targets or request.keep):
        raise NothingAsked("name what to bring: --target for columns to predict, --keep for others")
    lake.require_key(fingerprint(key))
    try:
        table = read_table(source, query=query)
    except ItemError as error:
        raise BadTable(f"{error}; {error.hint}") from None
    names = ("instances", "masks", "images", "sources")
    instances, masks, images, sources = (lake.read(n) for n in names)
    place = source if "://" in source else str(Path(source).absolute())
    owner = keyed_id(key, "file", _RUN, place, query or "")
    found = resolve(table, Catalogue(instances, masks, images, sources), request, key=key, owner=owner)
    rows: dict[str, list[Row]] = {"labels": found.labels, "clinical": found.clinical, "faults": found.faults}
    with lake.lock():
        sequence = lake.next_sequence(_RUN)
        changes = []
        for name, new in rows.items():
            part = write_part(lake.root, lake.private, name, new, name=f"{_RUN}-{sequence}") if new else None
            changes.append(Change(name, (part,) if part else (), (owner,)))
        lake.commit(_RUN, sequence, changes)
    return {name: len(new) for name, new in rows.items()}
