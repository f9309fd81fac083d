"""Augmentation: known moves by hand, labels under the same moves, nothing where nothing is asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radlake.core.errors import UsageError
from radlake.learn.deep import ImageClassifier, ImageSegmenter
from radlake.learn.deep.augment import (
    AUGMENTATIONS,
    Augmentation,
    augmentation,
    augmented,
    fitting,
    mirrors,
    movements,
    resample,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", [n for n, how in AUGMENTATIONS.items() if how is not None])
@pytest.mark.parametrize("shape", [(6, 1, 12, 10), (6, 2, 5, 12, 10)])
def test_augmented_images_keep_their_shape_and_follow_the_seed(name: str, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=seeded(1))
    before = x.clone()
    how = augmentation(name)
    assert how is not None
    found = augmented(x, how, seeded())
    assert found.shape == x.shape
    assert torch.equal(found, augmented(x, how, seeded()))
    assert not torch.equal(found, augmented(x, how, seeded(2)))
    assert torch.equal(x, before)


def test_no_movement_is_no_change() -> None:
    x = torch.randn((3, 1, 9, 7), generator=seeded())
    assert augmented(x, Augmentation(0, 0, 0), seeded()) == pytest.approx(x, abs=1e-5)  # float32 coordinates


def test_mirrored_images_are_exact_mirrors() -> None:
    x = torch.randn((40, 1, 6, 8), generator=seeded())
    found = augmented(x, Augmentation(0, 0, 0, (1,)), seeded())
    mirrored = [np.allclose(f, i.flip(-1), atol=1e-5) for f, i in zip(found, x, strict=True)]
    same = [np.allclose(f, i, atol=1e-5) for f, i in zip(found, x, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 8 < sum(mirrored) < 32


def test_a_quarter_turn_of_an_oblong_image_turns_in_pixels() -> None:
    image = torch.zeros((1, 1, 9, 21))
    image[0, 0, 4, 13] = 1.0  # three pixels to the right of the centre
    maps = torch.tensor([[[0.0, -9 / 21, 0.0], [21 / 9, 0.0, 0.0]]])
    found = resample(image, maps)[0, 0]
    assert divmod(int(found.argmax()), 21) in {(1, 10), (7, 10)}
    assert found.max() == pytest.approx(1, abs=1e-4)
    how = Augmentation(90, 0, 0)
    drawn = movements(image, how, seeded())[0]
    assert drawn[0, 1] == pytest.approx(-drawn[1, 0] * (9 / 21) ** 2)


def test_labels_move_with_the_image_and_stay_labels() -> None:
    image = torch.zeros((2, 1, 8, 12, 12))
    image[:, :, 2:6, 3:9, 4:10] = 1.0
    maps = movements(image, AUGMENTATIONS["ct"], seeded())  # type: ignore[arg-type]
    label = resample(image, maps, nearest=True)
    assert set(label.unique().tolist()) == {0.0, 1.0}
    assert ((resample(image, maps) > 0.5) == (label > 0.5)).float().mean() > 0.97


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(UsageError, match="no augmentation 'wild'; there are none, mild"):
        augmentation("wild")


@pytest.mark.parametrize(
    ("modality", "name"),
    [("CT", "ct"), ("MR", "mr"), ("US", "us"), ("DX", "xray"), ("CR", "xray"), ("XX", "mild"), (None, "mild")],
)
def test_images_are_changed_as_their_modality_allows(modality: str | None, name: str) -> None:
    assert fitting(modality, np.arange(10)) == name
    assert fitting(modality, np.array([0, 255, 255])) == "mask"
    assert name in AUGMENTATIONS


def test_where_images_may_be_mirrored_answers_do_not_depend_on_the_side() -> None:
    assert mirrors(AUGMENTATIONS["any"]) == [(), (-1,), (-2,), (-1, -2)]
    assert mirrors(AUGMENTATIONS["xray"]) == mirrors(None) == [()]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 10, 12)), np.arange(24) % 2
    options = {"epochs": 1, "batch": 12, "threads": 1}
    said, other = (ImageClassifier("cnn-small", augment=how, **options).fit(x, y) for how in ("us", "xray"))
    turned = x[..., ::-1]
    # float32 sums in another order
    np.testing.assert_allclose(said.predict_proba(turned), said.predict_proba(x), atol=1e-6)
    assert np.abs(other.predict_proba(turned) - other.predict_proba(x)).max() > 1e-4
    masks = (x > 1).astype(int)
    outlines = ImageSegmenter(epochs=1, widths=(4, 8), patch=(16, 16), augment="mr", threads=1).fit(x, masks)
    np.testing.assert_allclose(
        np.stack(outlines.predict_proba(turned))[..., ::-1], np.stack(outlines.predict_proba(x)), atol=1e-5
    )  # fmt: skip
