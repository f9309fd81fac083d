"""Pure functions (image, mask) -> numbers: one file per IBSI family, names and codes as data.

`FAMILIES` lists what can be computed; every entry is tested by the contract battery.
"""

from __future__ import annotations

from radlake.features.extract import FAMILIES, extract
from radlake.features.labelled import extract_labels

__all__ = ["FAMILIES", "extract", "extract_labels"]
