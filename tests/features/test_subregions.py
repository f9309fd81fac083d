"""Shells and habitats by hand, against scikit-learn's k-means, and as aspects against label maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.features import extract, extract_labels, habitats, shells
from radlake.features.roi import region_of_interest
from radlake.features.statistics import intensity
from radlake.features.subregions import Habitat, Shell, habitats_of, shells_of

RNG = np.random.default_rng(7)
IMAGE = RNG.integers(-50, 150, (7, 12, 11)).astype(np.int16)
MASK = np.zeros(IMAGE.shape, bool)
MASK[2:5, 3:9, 3:9] = True
SPACING = (2.0, 1.0, 0.8)


def test_shells_of_a_row_by_hand() -> None:
    row = np.array([[0, 0, 0, 1, 1, 1, 1, 1, 0, 0]])
    # distances of 1 mm: -1 and 1 at the border; the bound farther from it belongs to a shell
    assert shells(row, [-2, -1, 0, 2], spacing=(9.0, 1.0)).tolist() == [[0, 3, 3, 2, 1, 0, 1, 2, 3, 3]]
    assert shells(row, [-9, 9], spacing=(9.0, 1.0)).tolist() == [[1] * 10]


def test_habitats_by_hand() -> None:
    image = np.array([[0, 1, 9, 10, 11, 40, 99]])
    assert habitats(image, image < 99, 3).tolist() == [[1, 1, 2, 2, 2, 3, 0]]


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_habitats_are_no_worse_than_the_best_of_many_starts_of_k_means(seed: int, classes: int) -> None:
    image = np.random.default_rng(seed).normal(0, 30, (8, 9))
    values = image.reshape(-1, 1)
    theirs = KMeans(classes, n_init=20, random_state=0).fit(values).inertia_
    labels = habitats(image, np.ones(image.shape, bool), classes)
    ours = sum(((image[labels == k] - image[labels == k].mean()) ** 2).sum() for k in range(1, classes + 1))
    # levels of the histogram that thresholds lie between are 1/65,536 of the range or finer
    assert ours <= theirs * (1 + 1e-3)


def test_parts_measured_beside_a_region_are_those_of_the_label_maps() -> None:
    image = Image(IMAGE, Geometry(SPACING), "ct", "HU")
    options = {"families": ("shape", "intensity", "glcm"), "intensity_range": (-40.0, 120.0)}
    found = extract(image, MASK, shells_mm=(-1, 0, 3), habitats=2, as_dict=True, **options)
    rings = shells(Image(MASK, Geometry(SPACING), "label", "label"), (-1, 0, 3))
    for number, name in ((1, "shell_-1_0"), (2, "shell_0_3")):
        alone = extract(image, rings == number, families=("intensity",), intensity_range=(-40.0, 120.0), as_dict=True)
        assert {n: found[f"{name}_{n}"] for n in alone} == alone
    counted = MASK & (IMAGE >= -40) & (IMAGE <= 120)
    groups = habitats(IMAGE, counted, 2)
    for number in (1, 2):
        own = extract(image, groups == number, families=("intensity",), as_dict=True)
        assert {n: found[f"habitat_{number}_of_2_{n}"] for n in own} == own
        assert found[f"habitat_{number}_of_2_fraction"] == pytest.approx((groups == number).sum() / counted.sum())
    assert not any(n.startswith(("shell", "habitat")) and ("morph" in n or "cm_" in n) for n in found)


def test_rows_of_parts_have_settings_of_their_own_and_label_maps_take_them_too() -> None:
    table = extract(IMAGE, MASK, families=("intensity",), spacing=SPACING, shells_mm=(0, 2), habitats=2)
    ids = {
        row["name"].rsplit("_stat", 1)[0]: row["settings_id"] for row in table.to_pylist() if "stat_mean" in row["name"]
    }
    assert len(set(ids.values())) == 4
    assert ids["stat_mean"] == extract(IMAGE, MASK, families=("intensity",), spacing=SPACING)["settings_id"][0].as_py()
    by_label = extract_labels(
        IMAGE, MASK.astype(int), families=("intensity",), spacing=SPACING, shells_mm=(0, 2), habitats=2
    )
    assert by_label.drop_columns("label").to_pylist() == table.to_pylist()


def test_a_shell_outside_the_image_costs_its_own_rows_only() -> None:
    whole = np.ones(IMAGE.shape, int)
    rows = extract_labels(IMAGE, whole, families=("intensity",), shells_mm=(0, 2)).to_pylist()
    assert [r["reason"] for r in rows if r["name"] is None] == ["the mask holds no voxel"] * 2
    with pytest.raises(ItemError, match="no voxel"):
        Shell(0, 2).of(region_of_interest(IMAGE, whole))


def test_bad_parameters_are_named() -> None:
    with pytest.raises(ValueError, match="ascending order"):
        shells_of([5, 0])
    with pytest.raises(ValueError, match="from 2 to 9, got 1"):
        habitats_of(1)
    with pytest.raises(ValueError, match="ascending order"):
        extract(IMAGE, MASK, shells_mm=(3,))
    with pytest.raises(ValueError, match="need an image"):
        extract(None, MASK, families=("shape",), habitats=2)
    with pytest.raises(ItemError, match="no voxel"):
        Habitat(1, 3).of(region_of_interest(np.zeros((4, 4)), np.ones((4, 4))))
    with pytest.raises(ItemError, match="not finite"):
        habitats(np.array([[np.nan, 1.0, 2.0]]), np.ones((1, 3)), 2)


def test_a_part_is_a_region_like_any_other() -> None:
    part = Shell(-1, 0).of(region_of_interest(IMAGE, MASK, spacing=SPACING))
    inside = np.zeros(IMAGE.shape, bool)
    inside[tuple(slice(c, c + n) for c, n in zip(part.corner, part.mask.shape, strict=True))] = part.mask
    assert intensity(part) == intensity(region_of_interest(IMAGE, inside, spacing=SPACING))
