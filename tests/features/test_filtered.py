"""Features of filtered images: filters in words, names, what counts as inside, and every IBSI 2 reference value."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.features.extract import extract
from radlake.features.filtered import KNOWN, Filter, region_on
from radlake.features.labelled import extract_labels
from radlake.features.presets import settings_of
from radlake.features.roi import region_of_interest
from radlake.imaging import RESPONSES
from tests.features.phantom import phantom

WAVE = "gabor sigma_mm=5 wavelength_mm=2 aspect=1.5 angle_deg=22.5 pooling=average"
CONFIGURATIONS: dict[str, str | None] = {
    "1.A": None,
    "1.B": None,
    "2.A": "mean size_vox=1,5,5",
    "2.B": "mean size_vox=5",
    "3.A": "log sigma_mm=1.5 by_plane=True",
    "3.B": "log sigma_mm=1.5",
    "4.A": "laws kernels=L5E5 pooling=max energy_vox=7",
    "4.B": "laws kernels=L5E5E5 pooling=max energy_vox=7",
    "5.A": WAVE,
    "5.B": f"{WAVE} orthogonal=True",
    "6.A": "wavelet family=db3 bands=LH pooling=average",
    "6.B": "wavelet family=db3 bands=LLH pooling=average",
    "7.A": "wavelet family=db3 bands=HH level=2 pooling=average",
    "7.B": "wavelet family=db3 bands=HHH level=2 pooling=average",
    "8.A": "simoncelli level=1 by_plane=True border=wrap",
    "8.B": "simoncelli level=1 border=wrap",
    "9.A": "simoncelli level=2 by_plane=True border=wrap",
    "9.B": "simoncelli level=2 border=wrap",
}
RNG = np.random.default_rng(8)
IMAGE = RNG.normal(0, 100, (6, 12, 13)).astype(np.float32)
MASK = np.zeros(IMAGE.shape, bool)
MASK[1:5, 2:9, 3:11] = True
SPACING = (2.0, 1.0, 1.0)


@cache
def _measured(shared: Path, preset: str) -> dict[str, float | None]:
    """All values of the configurations of a preset, one extraction for all filters."""
    image, mask, spacing = phantom(shared, "ibsi1_ct_phantom")
    filters = [text for name, text in CONFIGURATIONS.items() if text and name[-1].lower() == preset[-1]]
    options = {"preset": preset, "families": ["intensity"], "filters": filters}
    return extract(image, mask, spacing=spacing, as_dict=True, **options)  # type: ignore[call-overload,no-any-return]


def _references(shared: Path) -> dict[str, dict[str, tuple[float, float]]]:
    """Value and tolerance by configuration and name; the one without a consensus is left out."""
    found: dict[str, dict[str, tuple[float, float]]] = {name: {} for name in CONFIGURATIONS}
    with (shared / "ibsi" / "reference_values" / "ibsi2_filter_features.csv").open() as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            if row["consensus_value"]:
                value = float(row["consensus_value"]), float(row["tolerance"])
                found[row["filter_id"]][row["feature_tag"]] = value
    return found


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_value_of_the_configuration_is_met_by_name(shared: Path, name: str) -> None:
    text, references = CONFIGURATIONS[name], _references(shared)[name]
    values = _measured(shared, f"ibsi2-{name[-1].lower()}")
    before = "" if text is None else f"{Filter(text).label}_"
    missed = []
    for tag, (reference, tolerance) in references.items():
        value = values[before + tag]
        near = value is not None and abs(value - reference) <= tolerance
        print(
            f"{name} {tag:12} {value:14.6g} reference {reference:11.5g} +- {tolerance:<9.4g} {'' if near else 'MISSED'}"
        )
        if not near:
            missed.append((tag, value, reference, tolerance))
    assert missed == []
    assert len(references) == (17 if name == "8.B" else 18)


def test_every_reference_value_has_its_configuration(shared: Path) -> None:
    references = _references(shared)
    assert set(references) == set(CONFIGURATIONS)
    assert sum(map(len, references.values())) == 323


def test_rows_of_a_filter_follow_those_of_the_image_with_settings_of_their_own() -> None:
    options = {"spacing": SPACING, "families": ("shape", "intensity")}
    plain = extract(IMAGE, MASK, **options).to_pylist()  # type: ignore[call-overload]
    both = extract(IMAGE, MASK, filters=["log sigma_mm=2"], **options).to_pylist()  # type: ignore[call-overload]
    assert both[: len(plain)] == plain
    added = both[len(plain) :]
    assert {row["family"] for row in added} == {"intensity"}
    assert all(row["name"].startswith("log-sigma_mm-2_stat_") for row in added)
    assert {row["code"] for row in added} == {row["code"] for row in plain if row["family"] == "intensity"}
    assert len({row["settings_id"] for row in added} | {plain[0]["settings_id"]}) == 2


def test_features_are_those_of_the_response() -> None:
    response = RESPONSES["laws"](IMAGE, kernels="E5L5S5")
    expected = extract(response, MASK, families=["intensity", "glcm"], as_dict=True)
    found = extract(IMAGE, MASK, families=["intensity", "glcm"], filters=["laws kernels=E5L5S5"], as_dict=True)
    assert {name: found[f"laws-kernels-E5L5S5_{name}"] for name in expected} == expected


def test_voxels_outside_the_range_stay_outside_whatever_their_response() -> None:
    roi = region_of_interest(IMAGE, MASK, intensity_range=(-50, 200))
    on = region_on(roi, Filter("mean size_vox=3"))
    inside = MASK & (IMAGE >= -50) & (IMAGE <= 200)
    assert np.array_equal(on.values, KNOWN["mean"](IMAGE, size_vox=3)[inside])
    assert on.limits is None
    assert [edge.any() for axis in range(3) for edge in (on.mask.take(0, axis), on.mask.take(-1, axis))] == [True] * 6


def test_a_region_without_values_in_range_gives_reasons() -> None:
    rows = extract(IMAGE, MASK, intensity_range=(1e6, 2e6), filters=["mean size_vox=3"]).to_pylist()
    added = [row for row in rows if row["name"].startswith("mean")]
    assert added
    assert all(row["value"] is None and row["reason"] for row in added)


def test_filters_go_with_a_preset_and_with_planes() -> None:
    assert settings_of("ibsi-c", {"filters": ["log sigma_mm=1"]}).filters == (Filter("log sigma_mm=1"),)
    found = extract(
        IMAGE[2], MASK[2], spacing=(1.0, 1.0), filters=["wavelet bands=LH", "mean size_vox=1,3"], as_dict=True
    )
    assert "wavelet-bands-LH_stat_mean" in found
    assert "mean-size_vox-1x3_stat_mean" in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unknown filter ''; known: mean, gaussian, log"),
        ("sobel", "unknown filter 'sobel'"),
        ("log sigma=2", "did you mean sigma_mm=...?"),
        ("log spacing=2", "has no parameter 'spacing'"),
        ("log 2", "has no parameter '2'; known: sigma_mm"),
        ("log", "exactly one of sigma_mm and sigma_vox"),
        ("log sigma_mm=big", "could not convert|wrong kind"),
        ("wavelet bands=LXH", "bands must be two or three letters"),
        ("gabor sigma_mm=1", "wrong kind"),
    ],
)
def test_filters_that_cannot_be_are_named_before_any_work(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        extract(IMAGE, MASK, filters=[text])


def test_what_a_filter_cannot_take_is_a_fault() -> None:
    with pytest.raises(ItemError, match="expected an image with 3 axes, found 2"):
        extract(IMAGE[0], MASK[1], filters=["wavelet bands=LLH"])
    with pytest.raises(ValueError, match="features of filtered images need an image"):
        extract(None, MASK, families=["shape"], filters=["mean size_vox=3"])


def test_an_image_brings_its_spacing() -> None:
    image = Image(IMAGE, Geometry(SPACING), kind="mr")
    table = extract(image, MASK, filters=["log sigma_mm=2"], as_dict=True)
    array = extract(IMAGE, MASK, spacing=SPACING, filters=["log sigma_mm=2"], as_dict=True)
    assert table["log-sigma_mm-2_stat_mean"] == array["log-sigma_mm-2_stat_mean"]


def test_all_labels_are_measured_on_one_response() -> None:
    labels = np.where(MASK, 2, 0)
    labels[1:5, 2:9, 3:6][MASK[1:5, 2:9, 3:6]] = 7
    options = {"spacing": SPACING, "families": ("shape", "intensity"), "filters": ["log sigma_mm=2", "mean size_vox=3"]}
    table = extract_labels(IMAGE, labels, **options)  # type: ignore[arg-type]
    for label in (2, 7):
        alone = extract(IMAGE, labels == label, **options)  # type: ignore[call-overload]
        found = table.filter(pc.equal(table["label"], label)).drop_columns("label")
        assert found.to_pylist() == alone.to_pylist()
    with_nan = np.where(labels == 7, np.nan, IMAGE)
    reasons = extract_labels(with_nan, labels, filters=["simoncelli"]).to_pylist()
    assert {r["reason"] for r in reasons if r["name"] is None} == {"values inside the region are not finite"}
