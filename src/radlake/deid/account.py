"""The account of a cleaning: what was done to which attribute, and how often; no value of anybody."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What was done to an attribute, and how often.

    Parameters
    ----------
    path : str
        Tags from the outermost sequence on, "0040,0275/0032,1060", over all items; names of parts in other formats.
    action : str
    count : int
    """

    path: str
    action: str
    count: int


def audit_rows(done: Counter[tuple[tuple[int, ...], str]]) -> list[AuditRow]:
    """Rows for tags and actions, by path.

    Examples
    --------
    >>> audit_rows(Counter({((0x00400275, 0x00321060), "removed"): 2}))
    [AuditRow(path='0040,0275/0032,1060', action='removed', count=2)]
    """
    return [AuditRow("/".join(map(_written, path)), action, n) for (path, action), n in sorted(done.items())]


@lru_cache(maxsize=10_000)
def _written(tag: int) -> str:
    """A tag as PS3.6 writes it, without brackets."""
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"
