"""Steps of a pixel chain: what they leave in the item, which rows they return, what they refuse to show."""

from __future__ import annotations

import hashlib
import inspect

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.core.schema import schema_of, to_table
from radlake.core.stage import Context, Item
from radlake.formats.nifti import read_mask
from radlake.imaging import (
    ANATOMY,
    CLASSIFIERS,
    EDGES,
    ENHANCERS,
    FILTERS,
    MASK_OPERATIONS,
    MORPHOLOGY,
    RESPONSES,
    SEGMENTERS,
)
from radlake.imaging.stages import STAGES
from tests.imaging.segment.test_anatomy import _chest


class Memory:
    """Objects in a dict."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, data: bytes, suffix: str) -> str:
        name = hashlib.sha256(data).hexdigest() + suffix
        self.held[name] = data
        return name

    def get(self, reference: str) -> bytes:
        return self.held[reference]


def _item(image: Image, **row: object) -> Item:
    item = Item("images", "im-test", dict(row), Context(b"k" * 32, Memory()))
    item.images["original"] = image
    return item


def _disc(*, calibrated: bool = True) -> Image:
    y, x = np.ogrid[:40, :40]
    array = np.where((y - 20) ** 2 + (x - 20) ** 2 < 100, 50, -900).astype(np.int16)
    return Image(np.stack([array] * 3), Geometry((2.0, 0.5, 0.5), calibrated=calibrated), kind="ct", unit="HU")


def test_a_filter_leaves_a_new_image_and_no_rows() -> None:
    item = _item(_disc())
    assert STAGES["filter.gaussian"].function(item, sigma_mm=1.0, to="smooth") == []
    assert item.images["smooth"].array.dtype == np.float32
    assert item.images["smooth"].geometry == item.images["original"].geometry


def test_otsu_leaves_a_region_a_row_and_an_object() -> None:
    item = _item(_disc())
    [(table, row)] = STAGES["segment.otsu"].function(item)
    [region] = item.regions["foreground"]
    assert table == "masks"
    assert row["voxels"] == int(region.mask.array.sum()) == int((item.images["original"].array > 0).sum())
    assert row["volume_mm3"] == row["voxels"] * 0.5
    assert row["mask_id"] == region.id != ""
    assert read_mask(item.context.objects.get(row["object"])).array.sum() == row["voxels"]
    to_table("masks", [row])


def test_a_mask_without_spacing_has_no_volume() -> None:
    [(_, row)] = STAGES["segment.otsu"].function(_item(_disc(calibrated=False)))
    assert row["volume_mm3"] is None


def test_two_masks_of_one_image_have_two_ids() -> None:
    item = _item(_disc())
    first, second = (STAGES["segment.otsu"].function(item, to=to)[0][1]["mask_id"] for to in ("a", "b"))
    assert first != second


def test_a_constant_image_is_set_aside_by_segmentation() -> None:
    with pytest.raises(ItemError) as problem:
        STAGES["segment.otsu"].function(_item(Image(np.zeros((4, 4)), Geometry((1.0, 1.0)))))
    assert problem.value.code == "empty_mask"


@pytest.mark.parametrize("state", ["unchecked", "unsure", None])
def test_pixels_that_may_hold_text_are_not_shown(state: str | None) -> None:
    item = _item(_disc(), pixel_text=state)
    assert STAGES["preview"].function(item) == []
    assert item.context.objects.held == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", ["clean", "redacted"])
def test_clean_pixels_are_shown(state: str) -> None:
    item = _item(_disc(), pixel_text=state)
    [(table, row)] = STAGES["preview"].function(item)
    assert table == "previews"
    assert (row["width"], row["height"]) == (40, 40)
    assert item.context.objects.get(row["object"]).startswith(b"\x89PNG")
    to_table("previews", [row])


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_names_parameters_and_tables_that_exist(name: str) -> None:
    stage = STAGES[name]
    assert stage.name == name
    assert inspect.getdoc(stage.function)
    parameters = stage.parameters
    for entry in (*stage.reads, *stage.adds):
        if ":" in entry:
            assert entry.split(":")[1].strip("{}") in parameters
        else:
            assert schema_of(entry) is not None


def test_morphology_leaves_a_new_image_of_the_same_dtype() -> None:
    item = _item(_disc())
    assert STAGES["morphology.dilate"].function(item, radius_mm=1.0, to="wide") == []
    wide = item.images["wide"].array
    assert wide.dtype == np.int16
    assert (wide > 0).sum() > (item.images["original"].array > 0).sum()
    # 2 mm slices: a ball of 1 mm stays within its slice
    assert np.array_equal(wide[0], wide[2])


def test_mask_steps_make_regions_with_rows_and_a_distance_image() -> None:
    ring = _disc()
    ring.array[1, 19:21, 19:21] = -900
    ring.array[:, 2, 2] = 50
    item = _item(ring)
    STAGES["segment.otsu"].function(item, largest=False)
    [(table, row)] = STAGES["morphology.fill_holes"].function(item)
    to_table(table, [row])
    [cleaned] = STAGES["morphology.remove_small"].function(item, mask="filled", least_mm=5.0)
    assert row["voxels"] - cleaned[1]["voxels"] == 3  # one voxel in each slice
    assert len({row["mask_id"], cleaned[1]["mask_id"], item.regions["foreground"][0].id}) == 3
    assert STAGES["morphology.distance_map"].function(item, mask="cleaned") == []
    deepest = item.images["distance"]
    assert (deepest.unit, deepest.array.dtype) == ("mm", np.float32)
    # the disc holds all that is less than 10 samples of 0.5 mm from its centre
    assert deepest.array[1, 20, 20] == pytest.approx(5.0)


def test_distances_need_a_mask() -> None:
    item = _item(_disc())
    item.regions["seg"] = []
    with pytest.raises(ItemError, match="holds no voxel"):
        STAGES["morphology.distance_map"].function(item, mask="seg")


STEP = Image(
    np.repeat(np.where(np.arange(20) < 10, 0, 200)[None], 16, axis=0).astype(np.int16), Geometry((0.5, 0.5)), kind="mr"
)


def test_every_listed_operation_has_a_step() -> None:
    families = {"filter": FILTERS, "edges": EDGES, "enhance": ENHANCERS, "morphology": MORPHOLOGY | MASK_OPERATIONS}
    families |= {"segment": SEGMENTERS | CLASSIFIERS | ANATOMY}
    assert {f"{family}.{name}" for family, names in families.items() for name in names} <= set(STAGES)


@pytest.mark.parametrize("name", [n for n in EDGES if n != "canny"])
def test_a_derivative_is_left_as_an_image(name: str) -> None:
    item = _item(STEP)
    assert STAGES[f"edges.{name}"].function(item, to="made") == []
    options = {"sigma_mm": 1.0} if name.endswith("gaussian") else {}
    expected = EDGES[name](STEP, **options)
    assert np.array_equal(item.images["made"].array, expected.array)
    assert np.abs(expected.array).max() > 10


def test_edges_are_left_as_a_region_a_row_and_an_object() -> None:
    item = _item(STEP)
    [(table, row)] = STAGES["edges.canny"].function(item)
    [region] = item.regions["edges"]
    assert (table, row["roi"], row["source"]) == ("masks", "edges", "auto")
    assert row["voxels"] == region.mask.array.sum() > 0
    assert read_mask(item.context.objects.get(row["object"])).array.sum() == row["voxels"]
    to_table("masks", [row])


def test_no_edges_are_no_region() -> None:
    item = _item(STEP.with_array(np.zeros_like(STEP.array)))
    assert STAGES["edges.canny"].function(item) == []
    assert item.regions["edges"] == []


def _volume(**options: object) -> Image:
    z, y, x = np.indices((8, 24, 24))
    array = np.where((y - 12) ** 2 + (x - 12) ** 2 < 80, 100 + 4 * x + (y % 3), 5 + z).astype(np.int16)
    return Image(array, Geometry((2.0, 1.0, 1.0)), **options)  # type: ignore[arg-type]


def _run(name: str, item: Item, **parameters: object) -> Image:
    assert STAGES[name].function(item, to="made", **parameters) == []
    return item.images["made"]


@pytest.mark.parametrize("name", ["enhance.equalize", "enhance.clahe"])
def test_contrast_keeps_range_and_dtype(name: str) -> None:
    image = _volume(kind="ct", unit="HU")
    made = _run(name, _item(image))
    assert (made.array.dtype, made.unit) == (np.int16, "a.u.")
    assert made.array.max() <= image.array.max()
    assert not np.array_equal(made.array, image.array)


def test_the_z_score_is_taken_inside_the_mask() -> None:
    item = _item(_volume())
    STAGES["segment.li"].function(item)
    made = _run("enhance.z_score", item)
    inside = made.array[item.regions["foreground"][0].mask.array]
    assert abs(inside.mean()) < 1e-4
    item.regions["foreground"] = []
    with pytest.raises(ItemError, match="no voxel"):
        STAGES["enhance.z_score"].function(item)


def test_only_mr_has_a_bias_field() -> None:
    ct, mr = _volume(kind="ct", unit="HU"), _volume(kind="mr")
    assert _run("enhance.n4", _item(ct)) is ct
    assert _run("enhance.n4", _item(mr), shrink=1).array.dtype == np.float32


def test_resampling_follows_the_limit_of_memory() -> None:
    item = _item(_volume())
    assert _run("resample.to_spacing", item, spacing_mm=[4.0, 2.0, 0.0]).array.shape == (4, 12, 24)
    with pytest.raises(ItemError) as problem:
        STAGES["resample.to_spacing"].function(item, spacing_mm=0.001)
    assert problem.value.code == "too_large"


def test_volumes_are_turned_and_slices_stay() -> None:
    image = _volume()
    assert np.array_equal(_run("resample.reorient", _item(image), axes="IPL").array, image.array[::-1])
    plane = Image(image.array[0], Geometry((1.0, 1.0)))
    assert _run("resample.reorient", _item(plane)) is plane


CHEST, TRUNK, AIR = _chest()
WITHOUT_SEEDS = {*SEGMENTERS, *CLASSIFIERS, *ANATOMY}


@pytest.mark.parametrize("name", [n for n in STAGES if n.startswith("segment.") and n.split(".")[1] in WITHOUT_SEEDS])
def test_every_segmenter_leaves_regions_and_as_many_rows(name: str) -> None:
    item = _item(CHEST)
    rows = STAGES[name].function(item, to="found")
    assert [row["mask_id"] for _, row in rows] == [region.id for region in item.regions["found"]]
    assert len({row["mask_id"] for _, row in rows}) == len(rows) > 0
    to_table("masks", [row for _, row in rows])


@pytest.mark.parametrize("name", ["segment.multi_otsu", "segment.k_means", "segment.gaussian_mixture"])
def test_classes_are_regions_from_dark_to_bright_that_fill_the_image(name: str) -> None:
    item = _item(CHEST)
    STAGES[name].function(item, classes=3)
    regions = item.regions["classes"]
    assert [region.roi for region in regions] == ["class_1", "class_2", "class_3"]
    means = [CHEST.array[region.mask.array].mean() for region in regions]
    assert means == sorted(means)
    assert np.array_equal(sum(region.mask.array.astype(int) for region in regions), np.ones(CHEST.array.shape))


def test_body_and_lungs_are_found_on_ct_only() -> None:
    mr = Image(CHEST.array, CHEST.geometry, kind="mr")
    for name in ("body", "lungs"):
        item = _item(mr)
        assert STAGES[f"segment.{name}"].function(item) == []
        assert item.regions[name] == []


def test_a_ct_without_lungs_is_no_fault_but_one_without_a_body_is() -> None:
    head = CHEST.with_array(np.where(TRUNK, 40, -1000).astype(np.int16))
    item = _item(head)
    assert STAGES["segment.lungs"].function(item) == []
    air = CHEST.with_array(np.full(CHEST.array.shape, -1000))
    with pytest.raises(ItemError):
        STAGES["segment.body"].function(_item(air))


@pytest.mark.parametrize("name", [*list(FILTERS)[3:], *RESPONSES])
def test_a_filter_step_gives_what_its_operation_gives_with_the_same_parameters(name: str) -> None:
    noise = np.random.default_rng(3).normal(100, 20, (6, 12, 14)).astype(np.int16)
    image = Image(noise, Geometry((2.0, 0.8, 0.8)), kind="ct", unit="HU")
    item, stage = _item(image), STAGES[f"filter.{name}"]
    assert stage.function(item, to="made") == []
    parameters = inspect.signature(stage.function).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.name not in ("item", "image", "to", "out_dtype")}
    expected = {**FILTERS, **RESPONSES}[name](image, **defaults)
    assert np.array_equal(item.images["made"].array, expected.array)
    assert np.ptp(expected.array) > 0
