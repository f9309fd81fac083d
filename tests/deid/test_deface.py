from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.core.stage import Context, Item
from radlake.deid.deface import air_of, deface, face_of
from radlake.deid.stages import deface as step
from tests.deid.heads import Head, head


@pytest.fixture(scope="module")
def upright() -> Head:
    return head()


def depth_of_face(image: Image, least: float) -> np.ndarray:
    """Millimetres from the front of the grid to the first tissue, (up, left)."""
    tissue = image.array > least
    return np.where(tissue.any(axis=1), tissue.argmax(axis=1), np.nan) * image.geometry.spacing[1]


@pytest.mark.parametrize(("nod", "hu"), [(-10, False), (0, True), (10, True), (18, False)])
def test_the_nose_and_the_ears_go_and_the_brain_stays_to_the_bit(nod: float, hu: bool) -> None:
    given_ = head((3.0, 3.0, 3.0), nod=nod, hu=hu)
    after = deface(given_.image)
    removed = face_of(given_.image)
    assert not removed[given_.brain].any()
    np.testing.assert_array_equal(after.array[~removed], given_.image.array[~removed])
    assert (after.array[removed] == air_of(given_.image)).all()
    assert removed[given_.nose].mean() > 0.97
    assert removed[given_.ears].mean() > 0.85


def test_what_is_left_of_the_front_is_flat(upright: Head) -> None:
    # 30 mm around the nose, in front of which a face rises by more than a centimetre
    around = np.s_[int((260 - 20 - 146 - 15) / 2) : int((260 - 20 - 146 + 15) / 2), 40:61]
    before, after = (depth_of_face(image, 200)[around] for image in (upright.image, deface(upright.image)))

    def relief(depth: np.ndarray) -> float:
        return float(np.ptp(depth - np.median(depth, axis=1, keepdims=True)))

    assert relief(before) > 10 and relief(after) <= 2


@pytest.mark.parametrize("step", [(1.5, 2.3, 1.9), (5.0, 1.8, 1.8)])
def test_voxels_of_any_shape_lose_the_same_face(step: tuple[float, float, float], upright: Head) -> None:
    found = head(step)
    removed = face_of(found.image)
    assert removed[found.nose].mean() > 0.9 and not removed[found.brain].any()
    volume = removed.sum() * np.prod(step)
    assert volume == pytest.approx(face_of(upright.image).sum() * 8, rel=0.1)  # a voxel more or less at every edge


@given(st.sampled_from([*product(permutations(range(3)), product((False, True), repeat=3))]))
@settings(max_examples=3, deadline=None)
def test_the_order_of_axes_does_not_matter(turn: tuple[tuple[int, ...], tuple[bool, ...]]) -> None:
    order, flips = turn
    image = head((4.0, 4.0, 4.0)).image
    cut = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    signs = [-1.0 if flip else 1.0 for flip in flips]
    axes = [tuple(sign * x for x in image.geometry.direction[axis]) for axis, sign in zip(order, signs, strict=True)]
    turned = replace(
        image,
        array=image.array.transpose(order)[cut],
        geometry=Geometry((4.0, 4.0, 4.0), direction=tuple((x, y, z) for x, y, z in axes)),
    )
    np.testing.assert_array_equal(face_of(turned), face_of(image).transpose(order)[cut])


def test_what_is_no_whole_upright_head_is_set_aside() -> None:
    image = head((4.0, 4.0, 4.0)).image
    cases = {
        "no tissue": image.with_array(np.zeros_like(image.array)),
        "top": image.with_array(image.array[:40]),
        "size": replace(image, geometry=replace(image.geometry, spacing=(9.0, 9.0, 9.0))),
        "nose": image.with_array(image.array[34:]),
        "bent": head((4.0, 4.0, 4.0), nod=-30).image,
        "bent back": head((4.0, 4.0, 4.0), nod=25).image,
        "one value": replace(image, array=image.array[..., None].repeat(3, -1), channel_axis=3),
    }
    for image_ in cases.values():
        with pytest.raises(ItemError) as caught:
            face_of(image_)
        assert caught.value.code == "face_left"


def test_the_image_given_stays_as_it_is(upright: Head) -> None:
    before = upright.image.array.copy()
    once, again = deface(upright.image).array, deface(upright.image).array
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(upright.image.array, before)


def item_of(image: Image, **row: object) -> Item:
    item = Item("images", "im-a", dict(row), Context(b"k" * 32, None))  # type: ignore[arg-type]
    item.images["original"] = image
    return item


def test_the_step_changes_heads_alone() -> None:
    image = head((4.0, 4.0, 4.0)).image
    fine = replace(image, geometry=replace(image.geometry, spacing=(4.0, 1.9, 1.9)))
    item = item_of(fine, body_part="ABDOMEN")
    ((table, row),) = step(item)
    assert (table, row["state"]) == ("faces", "none") and item.images["original"] is fine
    with pytest.raises(ItemError):  # half a head is no head
        step(item_of(fine, body_part="BRAIN"))
    true = head((4.0, 2.0, 2.0)).image
    item = item_of(true, body_part="BRAIN")
    ((_, row),) = step(item)
    assert row == {"owner": "im-a", "image_id": "im-a", "state": "removed"}
    np.testing.assert_array_equal(item.images["original"].array, deface(true).array)
