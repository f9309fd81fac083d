"""Pure functions on images: filters, segmentation, display. Images and plain arrays go in, the same come out.

`FILTERS` and `SEGMENTERS` list what pipelines and the command line can name; every entry is tested by the contract
battery. Heavy libraries load at the first call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from radlake.imaging import filters, segment

FILTERS: dict[str, Callable[..., Any]] = {
    "gaussian": filters.gaussian,
    "mean": filters.mean,
    "median": filters.median,
}

SEGMENTERS: dict[str, Callable[..., Any]] = {
    "otsu": segment.otsu,
    "foreground": segment.foreground,
}
