"""Pure functions (image, mask) -> numbers: one file per IBSI family, names and codes as data.

`FAMILIES` lists what can be computed; every entry is tested by the contract battery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radlake.features import stability
from radlake.features.extract import extract
from radlake.features.families import FAMILIES
from radlake.features.labelled import extract_labels
from radlake.features.maps import feature_map
from radlake.features.subregions import habitats, shells

if TYPE_CHECKING:
    from radlake.features.transformer import RadiomicsTransformer as RadiomicsTransformer
    from radlake.features.transformer import StableFeatures as StableFeatures

__all__ = [
    "FAMILIES",
    "RadiomicsTransformer",
    "StableFeatures",
    "extract",
    "extract_labels",
    "feature_map",
    "habitats",
    "shells",
    "stability",
]


def __getattr__(name: str) -> Any:
    """Import scikit-learn only for what works in its pipelines (PEP 562)."""
    if name not in ("RadiomicsTransformer", "StableFeatures"):
        raise AttributeError(f"module 'radlake.features' has no attribute {name!r}")
    from radlake.features import transformer

    return getattr(transformer, name)
