"""Check: colour interpretation against the number of samples, and radiographs that look inverted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.planes import gray, percentiles

# DICOM PS3.3 C.7.6.3.1.2: samples per pixel that each photometric interpretation requires
SAMPLES = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "YBR_FULL": 3, "YBR_FULL_422": 3,
    "YBR_PARTIAL_420": 3, "YBR_ICT": 3, "YBR_RCT": 3, "XYB": 3,
}  # fmt: skip
PROJECTIONS = ("CR", "DX", "MG")  # fluoroscopy and angiography are shown either way
BORDER = 0.04  # of each side: the rim that shows air or the collimator
BRIGHTER = 0.25  # of the contrast range: by how much the rim must outshine the middle


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Error where header and samples disagree; warning for a radiograph whose rim is brighter than its middle.

    Loaded radiographs are brighter where more is absorbed (MONOCHROME2), so air and collimator at the rim are dark.
    """
    return _contradiction(members) + _inverted(image, row)


def rim_brightness(values: NDArray[np.float32]) -> float:
    """Median of the rim minus median of the middle, in units of the 1-99% contrast range; 0 for flat input.

    Examples
    --------
    >>> bright_rim = np.pad(np.zeros((48, 48), np.float32), 2, constant_values=1.0)
    >>> rim_brightness(bright_rim)
    1.0
    """
    rows, columns = values.shape
    dy, dx = max(1, round(BORDER * rows)), max(1, round(BORDER * columns))
    low, high = percentiles(values[np.isfinite(values)].ravel(), 1, 99) or (0.0, 0.0)
    if rows < 8 or columns < 8 or high <= low:
        return 0.0
    sides = (values[:dy], values[-dy:], values[:, :dx], values[:, -dx:])
    rim = np.median(np.concatenate([s.ravel() for s in sides]))
    middle = np.median(values[rows // 4 : -(rows // 4), columns // 4 : -(columns // 4)])
    return float((rim - middle) / (high - low))


def _contradiction(members: Sequence[Row]) -> list[Finding]:
    """The first member whose samples do not fit its photometric interpretation."""
    for m in members:
        needed, samples = SAMPLES.get(m.get("photometric") or ""), m.get("samples")
        if needed is not None and samples is not None and samples != needed:
            message = f"the photometric interpretation needs {needed} sample(s) a pixel, found {samples}"
            return [Finding("photometric", "error", message, "the header is wrong; export it again", float(samples))]
    return []


def _inverted(image: Image, row: Row) -> list[Finding]:
    """A projection radiograph that looks like its own negative."""
    modality = row.get("modality")
    if image.kind != "xray" or image.array.size == 0 or (modality is not None and modality not in PROJECTIONS):
        return []
    excess = rim_brightness(gray(image, 0))
    if not excess > BRIGHTER:
        return []
    message = f"the rim is brighter than the middle by {excess:.0%} of the contrast, expected darker"
    return [Finding("photometric", "warning", message, "check for a wrong MONOCHROME1 or an inverted export", excess)]
