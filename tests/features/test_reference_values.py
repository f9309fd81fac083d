"""Every IBSI 1 reference value by name within its tolerance, printed per family and aggregation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from radlake.features.extract import extract
from radlake.features.names import FEATURES
from radlake.features.presets import PRESETS, resampled
from radlake.features.roi import region_of_interest
from radlake.features.texture import AGGREGATIONS
from tests.features.phantom import phantom, reference_values

CASES: dict[str, tuple[str, str, int]] = {
    "ibsi-phantom": ("ibsi1_digital_phantom", "ibsi_1_dig_phantom.csv", 482),
    "ibsi-a": ("ibsi1_ct_phantom", "ibsi_1_chest_config_a.csv", 346),
    "ibsi-b": ("ibsi1_ct_phantom", "ibsi_1_chest_config_b.csv", 346),
    "ibsi-c": ("ibsi1_ct_phantom", "ibsi_1_chest_config_c.csv", 210),
    "ibsi-d": ("ibsi1_ct_phantom", "ibsi_1_chest_config_d.csv", 210),
    "ibsi-e": ("ibsi1_ct_phantom", "ibsi_1_chest_config_e.csv", 210),
}
ROUNDED = 3  # digits of a reference value whose tolerance is 0: equal in the digits that are given


@pytest.mark.parametrize("preset", CASES)
def test_every_reference_value_is_met_by_name(shared: Path, preset: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder, table, expected = CASES[preset]
    image, mask, spacing = phantom(shared, folder)
    rows = extract(image, mask, spacing=spacing, preset=preset).to_pylist()
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
    with capsys.disabled():  # the table belongs into every log
        print()
        for group, number in asked.items():
            print(f"{preset:14} {group[0]:16} {group[1]:10} {met[group]:4} of {number}")
        print(f"{preset:14} {'all':27} {met.total():4} of {expected}")
    assert missed == []
    assert len(references) == expected


def _aggregation(name: str) -> str:
    """The end of a name that says how it was aggregated."""
    return next((end for end in (*AGGREGATIONS, "2_5D", "2D", "3D") if name.endswith(f"_{end}")), "")


def test_every_name_that_has_a_reference_value_is_a_feature(shared: Path) -> None:
    assert reference_values(shared, "ibsi_1_dig_phantom.csv").keys() <= FEATURES.keys()


def test_the_names_without_a_feature_are_those_of_steps_before(shared: Path) -> None:
    for _, table, _ in CASES.values():
        others = reference_values(shared, table).keys() - FEATURES.keys()
        assert all(
            name.endswith(("_init_img", "_interp_img", "_init_roi", "_interp_roi", "_reseg_roi")) for name in others
        )


@pytest.mark.parametrize("preset", ["ibsi-b", "ibsi-c", "ibsi-d", "ibsi-e"])
def test_the_region_after_each_step_is_that_of_the_reference(shared: Path, preset: str) -> None:
    folder, table, _ = CASES[preset]
    image, mask, spacing = phantom(shared, folder)
    settings = PRESETS[preset]
    new_image, new_mask, new_spacing = resampled(image, mask, settings, spacing)
    plain = region_of_interest(new_image, new_mask, spacing=new_spacing)
    roi = region_of_interest(
        new_image,
        new_mask,
        spacing=new_spacing,
        intensity_range=settings.intensity_range,
        outlier_sigma=settings.outlier_sigma,
    )
    found = {
        "int_mask_vox_count_interp_roi": plain.values.size,
        "int_mask_mean_int_interp_roi": plain.values.mean(),
        "int_mask_min_int_interp_roi": plain.values.min(),
        "int_mask_max_int_interp_roi": plain.values.max(),
        "int_mask_vox_count_reseg_roi": roi.values.size,
        "int_mask_mean_int_reseg_roi": roi.values.mean(),
        "int_mask_min_int_reseg_roi": roi.values.min(),
        "int_mask_max_int_reseg_roi": roi.values.max(),
    }
    references = reference_values(shared, table)
    for name, value in found.items():
        reference, tolerance = references[name]
        assert abs(value - reference) <= tolerance or float(f"{value:.{ROUNDED}g}") == reference, name
