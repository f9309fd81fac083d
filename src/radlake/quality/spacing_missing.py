"""Check: no physical size, or one that holds at the detector only."""

from __future__ import annotations

from collections.abc import Sequence

from radlake.core.finding import Finding, Level
from radlake.core.image import Image
from radlake.core.stage import Row

CROSS_SECTIONAL = ("ct", "mr", "pet", "nm")  # lengths and volumes are what these are measured for


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Warning (info for pictures and projections) without spacing; info where spacing is the detector's.

    References
    ----------
    DICOM PS3.3 10.7.1.3: Imager Pixel Spacing (0018,1164) is measured at the detector, so lengths in the patient are
    magnified by an unknown factor.
    """
    if not image.geometry.calibrated:
        level: Level = "warning" if image.kind in CROSS_SECTIONAL else "info"
        message = "no physical spacing in the file; lengths are in pixels"
        return [Finding("spacing_missing", level, message, "export with Pixel Spacing, or do not compare sizes")]
    if row.get("spacing_source") == "imager":
        message = "spacing was measured at the detector; lengths in the patient are magnified"
        return [Finding("spacing_missing", "info", message, "calibrate before comparing lengths between devices")]
    return []
