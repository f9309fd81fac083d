"""All regions of a label map: equal to the regions one by one, whatever the labels are called."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.features import FAMILIES, extract, extract_labels

SMALL = tuple(name for name in FAMILIES if name != "enclosure")


def _image(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).integers(-50, 200, shape).astype(np.int16)


def _labels(seed: int, shape: tuple[int, ...], names: list[int]) -> np.ndarray:
    """Blocks of labels with holes, touching and nested ones among them."""
    rng = np.random.default_rng(seed)
    coarse = rng.choice([0, *names], [-(-n // 3) for n in shape])
    blocks = np.kron(coarse, np.ones((3,) * len(shape), int))[tuple(slice(n) for n in shape)]
    return np.where(rng.random(shape) > 0.1, blocks, 0)


@settings(max_examples=12)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(7, 9, 10), (12, 15)]),
    st.lists(st.integers(-5, 70_000).filter(bool), min_size=1, max_size=3, unique=True),
    st.sampled_from(
        [{}, {"bin_width": 25, "intensity_range": (0, 150)}, {"spacing_mm": (2, 2, 2), "outlier_sigma": 2}]
    ),
)
def test_a_label_map_equals_its_regions_one_by_one(
    seed: int, shape: tuple[int, ...], names: list[int], options: dict[str, object]
) -> None:
    image, labels = _image(seed, shape), _labels(seed, shape, names)
    labels.flat[0] = names[0]
    spacing = (2.5, 1.0, 0.8)[-len(shape) :]
    together = extract_labels(image, labels, families=SMALL, spacing=spacing, **options).to_pylist()  # type: ignore[arg-type]
    assert [*dict.fromkeys(r["label"] for r in together)] == sorted({*np.unique(labels).tolist()} - {0})
    for label in {r["label"] for r in together}:
        ours = [{n: v for n, v in r.items() if n != "label"} for r in together if r["label"] == label]
        if all(r["name"] is None for r in ours):  # nothing is left of it on the other grid
            with pytest.raises(ItemError):
                extract(image, labels == label, families=SMALL, spacing=spacing, **options)  # type: ignore[call-overload]
            continue
        alone = extract(image, labels == label, families=SMALL, spacing=spacing, **options)  # type: ignore[call-overload]
        assert ours == alone.to_pylist()


def test_images_give_the_same_as_arrays_and_only_shape_needs_no_image() -> None:
    labels = _labels(1, (6, 9, 9), [2, 5])
    grid = Geometry((3.0, 1.0, 1.0))
    image = Image(_image(1, (6, 9, 9)), grid, "ct", "HU")
    table = extract_labels(image, Image(labels, grid, "label", "label"), families=("shape", "ivh"), ivh_bin_count=9)
    plain = extract_labels(image.array, labels, families=("shape", "ivh"), spacing=(3, 1, 1), ivh_bin_count=9)
    assert table["value"].equals(plain["value"])
    assert {r["unit"] for r in table.to_pylist() if r["name"] == "morph_integ_int"} == {"HU.mm3"}
    assert {r["unit"] for r in table.to_pylist() if r["family"] == "ivh"} == {"1"}
    assert extract_labels(None, labels, families=("shape",)).num_rows
    with pytest.raises(ValueError, match="needs an image"):
        extract_labels(None, labels, families=("glcm",))


def test_a_region_that_cannot_be_measured_costs_its_own_rows() -> None:
    image = np.array([[1.0, 2.0, np.nan, 4.0]])
    rows = extract_labels(image, np.array([[1, 1, 2, 2]]), families=("intensity",)).to_pylist()
    assert len(rows) == 18 + 1
    assert (rows[-1]["label"], rows[-1]["value"], "not finite" in rows[-1]["reason"]) == (2, None, True)


def test_what_is_no_label_map_is_refused() -> None:
    with pytest.raises(ItemError, match="no voxel"):
        extract_labels(None, np.zeros((3, 3), int))
    with pytest.raises(ValueError, match="whole numbers"):
        extract_labels(None, np.array([[0.5, 1.0]]), families=("shape",))
    with pytest.raises(ItemError, match="differ in shape: 2 x 2 and 1 x 4"):
        extract_labels(np.zeros((2, 2)), np.ones((1, 4), int))
