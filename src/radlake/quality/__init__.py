"""Checks of one image, fingerprints, and duplicates over a cohort.

A check is a function `check(image, row, members) -> list[Finding]` in a file of its own, listed in `CHECKS`: `row` is
the image's row of table `images`, `members` its rows of `instances` in order. It reports what it saw, never raises for
it, and never changes its input. Nothing here reads files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality import (
    anisotropy,
    bit_depth,
    blur,
    constant_pixels,
    ct_range,
    duplicate_slices,
    gantry_tilt,
    localizer,
    missing_slices,
    noise,
    nonfinite,
    photometric,
    saturation,
    spacing_missing,
    truncated_pixels,
    uneven_spacing,
)

Check = Callable[[Image, Row, Sequence[Row]], list[Finding]]

CHECKS: dict[str, Check] = {
    "missing_slices": missing_slices.check,
    "duplicate_slices": duplicate_slices.check,
    "uneven_spacing": uneven_spacing.check,
    "gantry_tilt": gantry_tilt.check,
    "spacing_missing": spacing_missing.check,
    "anisotropy": anisotropy.check,
    "localizer": localizer.check,
    "constant_pixels": constant_pixels.check,
    "truncated_pixels": truncated_pixels.check,
    "nonfinite": nonfinite.check,
    "saturation": saturation.check,
    "bit_depth": bit_depth.check,
    "photometric": photometric.check,
    "ct_range": ct_range.check,
    "noise": noise.check,
    "blur": blur.check,
}
