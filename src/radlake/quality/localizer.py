"""Check: scouts and localizers, which plan a scan and are not the scan."""

from __future__ import annotations

from collections.abc import Sequence

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Info with the number of members that the header calls a localizer.

    References
    ----------
    DICOM PS3.3 C.8.2.1.1.1 and C.8.3.1.1.1: Image Type (0008,0008) value 3 LOCALIZER.
    """
    count = sum(bool(m.get("localizer")) or "LOCALIZER" in (m.get("image_type") or "").split("\\") for m in members)
    if count == 0:
        return []
    message = f"{count} of {len(members)} member(s) are localizers"
    return [Finding("localizer", "info", message, "leave it out of the cohort", float(count))]
