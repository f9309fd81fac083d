"""Look before the run: what is there, what will fail, what it will take. Nothing is written."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from radlake.core.fault import FAULTS, ItemError
from radlake.core.header import Header
from radlake.core.place import Place, Remote, place
from radlake.deid.scan import identifying_fields
from radlake.engine.inputs import Found, walk
from radlake.formats import scan_file
from radlake.formats.source import Source

MIB = 1 << 20
_LOOKED_AT = 2000  # files whose headers are read; the rest is extrapolated
_HEADERS_PER_SECOND = 2500.0  # one core, measured on generated CT files by benchmarks/headers.py
_SECONDS_PER_IMAGE = 0.03  # checks, fingerprint, preview of an image, one core, measured on the demo
_SECONDS_PER_MIB = 0.035  # decode, segment and measure, one core, measured on the demo
_BYTES_PER_FILE = 700  # rows of one file in all tables, measured on the demo
_BYTES_PER_IMAGE = 40_000  # preview, mask and features of one image, measured on the demo


@dataclass
class Plan:
    """What a run over these folders would meet.

    Parameters
    ----------
    files, bytes : int
        All regular files.
    looked_at : int
        How many headers were read; counts below are of those.
    formats, modalities, faults, ignored : Counter
        By name or code.
    identifying : list of str
        Names of the identifying fields that were seen; never their values.
    images, pixel_bytes, largest_bytes : int
        Estimated for all files: series or single images, decoded size, and decoded size of the largest series.
    unreadable_folders : int
        Folders that may not be listed.
    """

    files: int = 0
    bytes: int = 0
    looked_at: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    modalities: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    identifying: list[str] = field(default_factory=list)
    images: int = 0
    pixel_bytes: int = 0
    largest_bytes: int = 0
    unreadable_folders: int = 0

    def seconds(self, workers: int) -> float:
        """Expected wall time with so many workers."""
        work = self.files / _HEADERS_PER_SECOND + self.images * _SECONDS_PER_IMAGE
        return (work + self.pixel_bytes / MIB * _SECONDS_PER_MIB) / max(workers, 1) + 5.0

    @property
    def disk_bytes(self) -> int:
        """Expected size of the lake."""
        return self.files * _BYTES_PER_FILE + self.images * _BYTES_PER_IMAGE

    def hints(self) -> dict[str, str]:
        """What to do about each fault seen."""
        return {code: FAULTS[code].hint for code in self.faults}

    def lines(self, workers: int, free_bytes: float) -> Iterator[str]:
        """The plan in words.

        Parameters
        ----------
        workers : int
            Processes that the run would have.
        free_bytes : float
            Room where the lake would be.
        """
        files = f"{self.files:,} file{'s' * (self.files != 1)}"
        yield f"{files}, {self.bytes / MIB:,.1f} MiB; headers of {self.looked_at:,} read"
        yield f"formats:            {_counted(self.formats)}"
        yield f"modalities:         {_counted(self.modalities)}"
        yield f"will be set aside:  {_counted(self.faults)}"
        yield from (f"  {code}: {hint}" for code, hint in sorted(self.hints().items()))
        yield f"nothing to keep:    {_counted(self.ignored)}"
        yield f"identifying fields: {', '.join(self.identifying) or 'none seen'}"
        yield (
            f"expected:           {self.seconds(workers):,.0f} s with {workers} workers, "
            f"{self.largest_bytes / MIB:,.0f} MiB for the largest image, "
            f"{self.disk_bytes / MIB:,.0f} MiB of disk ({_room(free_bytes)})"
        )
        if self.disk_bytes > free_bytes:
            yield "not enough room:    name another --out, or free some space"
        if self.unreadable_folders:
            yield f"left out:           {self.unreadable_folders:,} folders that may not be listed"


def plan(folders: Sequence[str | Place]) -> Plan:
    """Walk the folders, read the headers of up to 2,000 files spread evenly over them, and estimate.

    Raises
    ------
    NoInput
        When a named folder does not exist.
    """
    result = Plan()

    def unreadable() -> None:
        result.unreadable_folders += 1

    found = list(walk(folders, unreadable))
    result.files, result.bytes = len(found), sum(f.bytes for f in found)
    sample = found[:: max(1, -(-len(found) // _LOOKED_AT))]
    headers = [h for f in sample for h in _headers(result, f)]
    _estimate(result, headers)
    return result


def free_bytes(folder: str | Place) -> float:
    """Free space where a folder is or would be; a store does not say, so as much as one likes."""
    where = place(folder)
    if isinstance(where, Remote):
        return inf
    path = where.absolute()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def _room(free_bytes: float) -> str:
    """Free space in words."""
    return "in a store" if free_bytes == inf else f"{free_bytes / MIB:,.0f} MiB free"


def _counted(counts: Counter[str]) -> str:
    """Names with their numbers, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name} {count:,}" for name, count in ordered) or "none seen"


def _headers(result: Plan, file: Found) -> list[Header]:
    """The headers of a file, or its fault counted."""
    result.looked_at += 1
    try:
        return scan_file(Source(file.uri))
    except ItemError as error:
        (result.ignored if error.ignored else result.faults)[error.code] += 1
    except Exception:  # noqa: BLE001 - a plan tells what a run would meet
        result.faults["unexpected"] += 1
    return []


def _estimate(result: Plan, headers: Sequence[Header]) -> None:
    """Counts and sizes from the sample, scaled to all files."""
    series: Counter[str] = Counter()
    loose = 0
    for header in headers:
        result.formats[header.format] += 1
        if header.role == "image":
            result.modalities[str(header.values.get("modality") or "unknown")] += 1
            size = int(header.values.get("pixel_bytes") or 0)
            if header.format == "dicom" and header.identity.series_uid:
                series[header.identity.series_uid] += size
            else:
                loose += 1
                result.largest_bytes = max(result.largest_bytes, size)
            result.pixel_bytes += size
    scale = result.files / max(result.looked_at, 1)
    result.identifying = sorted(identifying_fields(headers))
    result.images = round(len(series) + loose * scale)
    result.pixel_bytes = round(result.pixel_bytes * scale)
    result.largest_bytes = max(result.largest_bytes, round(max(series.values(), default=0) * scale))
