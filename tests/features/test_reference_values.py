"""Every IBSI 1 reference value by name within its tolerance, printed per family and aggregation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from radlake.features.extract import FAMILIES, extract
from radlake.features.names import FEATURES
from radlake.features.texture import AGGREGATIONS
from tests.features.phantom import phantom, reference_values

Settings = dict[str, tuple[float, float] | float]
CASES: dict[str, tuple[str, str, Settings, int]] = {
    "digital phantom": ("ibsi1_digital_phantom", "ibsi_1_dig_phantom.csv", {"bin_width": 1.0}, 482),
    "configuration A": (
        "ibsi1_ct_phantom",
        "ibsi_1_chest_config_a.csv",
        {"bin_width": 25.0, "intensity_range": (-500.0, 400.0)},
        346,
    ),
}
ROUNDED = 3  # digits of a reference value whose tolerance is 0: equal in the digits that are given


@pytest.mark.parametrize("case", CASES)
def test_every_reference_value_is_met_by_name(shared: Path, case: str) -> None:
    folder, table, settings, expected = CASES[case]
    image, mask, spacing = phantom(shared, folder)
    rows = extract(
        image, mask, spacing=spacing, families=tuple(FAMILIES), aggregations=AGGREGATIONS, **settings
    ).to_pylist()
    found = {row["name"]: row for row in rows}
    references = {n: r for n, r in reference_values(shared, table).items() if n in FEATURES}
    met: Counter[tuple[str, str]] = Counter()
    asked: Counter[tuple[str, str]] = Counter()
    missed = []
    for name, (reference, tolerance) in references.items():
        value = found[name]["value"]
        group = (found[name]["family"], _aggregation(name))
        near = value is not None and (abs(value - reference) <= tolerance or float(f"{value:.{ROUNDED}g}") == reference)
        asked[group] += 1
        met[group] += near
        if not near:
            missed.append((name, value, reference, tolerance))
    for group, number in asked.items():
        print(f"{case:16} {group[0]:16} {group[1]:10} {met[group]:4} of {number}")
    assert missed == []
    assert len(references) == expected


def _aggregation(name: str) -> str:
    """The end of a name that says how it was aggregated."""
    return next((end for end in (*AGGREGATIONS, "2_5D", "2D", "3D") if name.endswith(f"_{end}")), "")


def test_every_name_that_has_a_reference_value_is_a_feature(shared: Path) -> None:
    assert reference_values(shared, "ibsi_1_dig_phantom.csv").keys() <= FEATURES.keys()
