"""Release of a lake through the verifier: the copy appears only when nothing in it tells whose data it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from radlake.deid.verify import verify
from radlake.deid.verify.folder import Pixels
from radlake.lake.errors import ReleaseError
from radlake.lake.release import Released
from radlake.lake.release import release as copy_out
from radlake.lake.store import Lake

_SHOWN = 5


def release(
    lake: Lake,
    dest: str | Path,
    *,
    against: Path | None = None,
    read_pixels: Pixels = "auto",
    allow_rows: bool = False,
) -> Released:
    """Copy what may be shared, after an independent look at every table, object, model and page of the copy.

    Parameters
    ----------
    lake : Lake
    dest : path
        Absent or an empty folder, outside the lake.
    against : Path, optional
        Folder of the sources, whose identifiers are looked for as well.
    read_pixels : {"auto", "all", "off"}
        Which pictures are read as text.
    allow_rows : bool
        As in `radlake.lake.release.release`.

    Raises
    ------
    ReleaseError
        When the verifier found something, by kind and place; and as `radlake.lake.release.release`.
    """

    def check(copy: Path) -> None:
        report = verify(copy, against, read_pixels=read_pixels, set_aside=False)
        if report.leaks:
            places = Counter(f"{leak.kind} in {_shelf(name)}, {leak.place}" for name, leak in report.leaks)
            shown = "; ".join(place for place, _ in places.most_common(_SHOWN))
            more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
            raise ReleaseError(f"nothing was released: the verifier found {shown}{more}")

    return copy_out(lake, dest, allow_rows=allow_rows, check=check)


def _shelf(name: str) -> str:
    """Which table or folder of a lake a file belongs to."""
    parts = name.split("/")
    return "/".join(parts[:2] if parts[0] == "tables" else parts[:1])
