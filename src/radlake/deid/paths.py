"""Paths in a table of labels, found again among the lake's sources: by their last components, whole ones only."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from radlake.core.stage import Row


class Place(NamedTuple):
    """Where a path leads: a file, one member of it (an ordinal), or all files under a folder."""

    path: str
    members: frozenset[tuple[str, int | None]]  # (file_id, ordinal; None: all)


def parts_of(path: str) -> tuple[str, ...]:
    r"""Components of a path, whatever system wrote it.

    Examples
    --------
    >>> parts_of("./images\\a.png"), parts_of("/data/images/a.png")
    (('images', 'a.png'), ('data', 'images', 'a.png'))
    """
    text = unicodedata.normalize("NFC", path.strip()).replace("\\", "/")
    return tuple(p for p in text.split("/") if p not in ("", "."))


def find_places(wanted: Iterable[str], sources: Iterable[Row]) -> dict[str, list[Place]]:
    """For each wanted path the places whose path ends with it: files first, else files by stem, else folders.

    Parameters
    ----------
    wanted : iterable of str
        Paths as a table has them: absolute, relative, a bare name, with or without suffix.
    sources : iterable of dict
        Rows of `private.sources`.

    Examples
    --------
    >>> rows = [{"file_id": "fi-1", "uri": "/in/a/x.png", "members": None}]
    >>> [p.path for p in find_places(["a/x.png", "x", "a", "b"], rows)["x"]]
    ['/in/a/x.png']
    """
    keys = {path: parts_of(path) for path in wanted}
    by_last: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for parts in set(keys.values()):
        if parts:
            by_last[parts[-1]].append(parts)
    found: dict[tuple[str, ...], list[dict[str, set[tuple[str, int | None]]]]] = defaultdict(lambda: [{}, {}, {}])
    for path, file_id, ordinal in _files(sources):
        _note(path, (file_id, ordinal), by_last, found)
    return {
        key: [Place(p, frozenset(m)) for p, m in sorted(next((r for r in found[parts] if r), {}).items())]
        for key, parts in keys.items()
    }


def _files(sources: Iterable[Row]) -> Iterator[tuple[str, str, int | None]]:
    """(path, file_id, ordinal) of every file and of every named member of a container."""
    for row in sources:
        yield row["uri"], row["file_id"], None
        for ordinal, name in enumerate(row.get("members") or ()):
            if name:
                yield f"{row['uri']}/{name}", row["file_id"], ordinal


def _note(
    path: str,
    member: tuple[str, int | None],
    by_last: dict[str, list[tuple[str, ...]]],
    found: dict[tuple[str, ...], list[dict[str, set[tuple[str, int | None]]]]],
) -> None:
    """Add a file to every wanted path that ends at it, at its stem, or at a folder above it."""
    parts = parts_of(path)
    for rank, ending in _endings(parts):
        for key in by_last.get(ending[-1], ()):
            if ending[-len(key) :] == key:
                found[key][rank].setdefault("/".join(ending) if rank == 2 else path, set()).add(member)


def _endings(parts: tuple[str, ...]) -> Iterator[tuple[int, Sequence[str]]]:
    """(rank, components) of the path itself, of the path without its suffix, and of each folder above it."""
    if not parts:
        return
    yield 0, parts
    stem = parts[-1].removesuffix(".gz").rpartition(".")[0]
    if stem:
        yield 1, (*parts[:-1], stem)
    for end in range(1, len(parts)):
        yield 2, parts[:end]
