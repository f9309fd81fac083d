"""Files that are no DICOM objects, without what they say beside the picture: NIfTI, PNG, JPEG and TIFF.

Each module copies one format part by part: what a reader of pixels needs goes over as it is stored, without being
decoded, and all other parts (texts, EXIF, extensions, thumbnails, bytes behind the end) stay behind. So pixels are
equal to the bit, and a file may be larger than memory. What was left out is told by the name of its place only.
"""

from __future__ import annotations

from collections import Counter
from io import BufferedIOBase
from typing import BinaryIO

from radlake.core.fault import ItemError
from radlake.deid.account import AuditRow

CHUNK = 1 << 20

Account = Counter[tuple[str, str]]  # how often something was done, by place and action


def told(account: Account) -> list[AuditRow]:
    """An account as rows, by place."""
    return [AuditRow(place, action, count) for (place, action), count in sorted(account.items())]


def piece(stream: BinaryIO, count: int) -> bytes:
    """Up to so many bytes of a source. ItemError ``unreadable_file`` when its disk fails."""
    try:
        return stream.read(count)
    except OSError:
        raise ItemError("unreadable_file") from None


def exactly(stream: BinaryIO, count: int) -> bytes:
    """So many bytes of a stream. ItemError ``unreadable_header`` where it ends before."""
    data = piece(stream, count)
    if len(data) != count:
        raise ItemError("unreadable_header")
    return data


def copied(stream: BinaryIO, out: BinaryIO | BufferedIOBase, count: int) -> None:
    """Copy so many bytes. ItemError ``truncated_pixels`` where the stream ends before."""
    left = count
    while left:
        data = piece(stream, min(CHUNK, left))
        if not data:
            raise ItemError("truncated_pixels", expected=count, found=count - left)
        out.write(data)
        left -= len(data)
