"""Maps of whole models lie on what tells, an untrained model's are called empty, and every case has its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle
from radlake.learn.cases import Cohort
from radlake.learn.explain.pictures import _back, explain_pictures
from radlake.learn.validate import Fitted

pytest.importorskip("torch")


def lit(n: int, seed: int, *, slices: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise with a bright square at a random place where the label is 1; volumes hold it in a few slices; masks."""
    rng = np.random.default_rng(seed)
    shape = (n, *((slices,) if slices else ()), 16, 16)
    pixels, masks, y = rng.normal(0, 1, shape), np.zeros(shape, dtype=bool), np.arange(n) % 2
    for i in range(n):
        up, across = rng.integers(1, 11, 2)
        depth = (slice(3, 6),) if slices else ()
        masks[(i, *depth, slice(up, up + 4), slice(across, across + 4))] = True
    pixels[masks & (y == 1).reshape(-1, *(1 for _ in shape[1:]))] += 4
    return pixels, y, masks


def cohort(pixels: np.ndarray, y: np.ndarray) -> Cohort:
    nothing, ids = np.full(len(pixels), ""), np.array([f"p{i}" for i in range(len(pixels))])
    return Cohort("image", ids, nothing, nothing, nothing, pixels, (), {}, y, {})


def bundle(model: Any, task: Any = "binary", classes: tuple[Any, ...] = (0, 1)) -> Bundle:
    return Bundle("a network", "lit", (), Fitted({}, model, None, task, classes))


@pytest.fixture(scope="module")
def network() -> Any:
    from radlake.learn.deep import ImageClassifier
    from radlake.learn.deep.ensemble import Together

    pixels, y, _ = lit(120, 0)
    options = {"epochs": 10, "batch": 20, "augment": "none", "threads": 1}
    return Together([ImageClassifier("vgg-small", seed=s, **options).fit(pixels, y) for s in (0, 1)])


def test_maps_of_a_network_lie_on_what_tells(network: Any) -> None:
    pixels, y, masks = lit(24, 5)
    found = explain_pictures(
        bundle(network), cohort(pixels, y), masks={f"p{i}": masks[i] for i in np.flatnonzero(y)}, most=2
    )
    outlined = [p for p in found if p.mask is not None]
    assert {p.truth for p in found} == {0, 1}
    assert {m.method for m in found[0].maps} == {"grad_cam", "integrated_gradients", "occlusion"}
    for picture in outlined:
        assert picture.answer == 1
        for shown in picture.maps:
            assert shown.values.shape == (16, 16)
            assert shown.overlap is not None
            assert shown.overlap.inside > 1.2 * shown.overlap.area, shown.method  # Grad-CAM has 4 x 4 places
            assert shown.overlap.dice > 4 * shown.overlap.area, shown.method
            assert shown.checked.curve[0] == pytest.approx(picture.probability)  # before anything is removed
    passed = [m.checked.shows for p in outlined for m in p.maps if m.method == "integrated_gradients"]
    assert all(passed)


def test_maps_of_a_network_that_learned_nothing_are_called_empty(network: Any) -> None:
    from radlake.learn.explain.pictures import _learned_nothing

    pixels, y, _ = lit(24, 5)
    blank = _learned_nothing(bundle(network).fitted, pixels, None, 3)[0]
    found = explain_pictures(replace(bundle(network), fitted=blank), cohort(pixels, y), most=2)
    assert not any(m.checked.shows for p in found for m in p.maps)
    assert "hardly depends on the picture" in found[0].maps[0].checked.words


def test_classical_models_of_images_are_asked_by_covering(network: Any) -> None:
    from sklearn.pipeline import make_pipeline

    from radlake.learn.deep.views import ImageFeatures, OverMirrors
    from radlake.learn.families import FAMILIES

    pixels, y, _ = lit(80, 1)
    model = make_pipeline(
        ImageFeatures("hog"), OverMirrors(FAMILIES["logistic"].make({"C": 0.01, "normal": 0}, "binary", 0))
    )
    model.fit(pixels, y)
    found = explain_pictures(bundle(model), cohort(pixels[:10], y[:10]), most=2)
    assert [m.method for m in found[0].maps] == ["occlusion"]
    assert found[0].maps[0].checked.random_network is not None
    (alone,) = explain_pictures(bundle(model), cohort(pixels[:1], np.empty(0)), most=2)
    assert alone.truth is None
    assert alone.maps[0].checked.random_network is None
    assert "could not be checked without labels" in alone.maps[0].checked.words or not alone.maps[0].checked.shows


@pytest.mark.parametrize(("name", "methods"), [
    ("attention", {"grad_cam", "integrated_gradients", "attention", "occlusion"}),
    ("vit-small", {"integrated_gradients", "attention", "occlusion"}),
    ("gru", {"grad_cam", "integrated_gradients", "occlusion"}),
])  # fmt: skip
def test_volumes_and_transformers_have_maps_of_their_own_shape(name: str, methods: set[str]) -> None:
    from radlake.learn.deep import ImageClassifier

    pixels, y, masks = lit(40, 2, slices=0 if name == "vit-small" else 8)
    model = ImageClassifier(name, epochs=6, batch=10, augment="none", threads=1).fit(pixels, y)
    found = explain_pictures(bundle(model), cohort(pixels, y), masks={"p1": masks[1]}, most=2)
    for picture in found:
        assert {m.method for m in picture.maps} == methods
        assert all(m.values.shape == pixels.shape[1:] for m in picture.maps)
        assert all(np.isfinite(m.values).all() for m in picture.maps)


def test_values_are_explained_by_how_far_they_move() -> None:
    from radlake.learn.deep import ImageRegressor

    pixels, y, _ = lit(60, 3)
    model = ImageRegressor("cnn-small", epochs=8, batch=20, augment="none", threads=1).fit(pixels, y + 0.5 * y)
    found = explain_pictures(bundle(model, "regression", ()), cohort(pixels, 1.5 * y), most=2)
    assert found[0].why == "one of the largest errors"
    assert found[0].probability is None
    assert found[0].maps[0].checked.curve[0] == 0.0


def test_a_map_comes_back_to_the_grid_of_its_image() -> None:
    from radlake.learn.deep.scale import resized

    image = np.zeros((1, 40, 20), dtype=np.float32)
    image[0, 28:36, 4:8] = 1
    small = resized(image, (16, 16))[0]
    again = _back(small.astype(float), (40, 20))
    assert again.shape == (40, 20)
    centre = [(again * place).sum() / again.sum() for place in np.mgrid[:40, :20]]
    assert centre == pytest.approx([31.5, 5.5], abs=0.3)  # a pixel of the network is 2.5 of the image
    assert again[:24].max() == 0


def test_what_has_no_maps_is_refused(network: Any) -> None:
    pixels, y, masks = lit(4, 0)
    with pytest.raises(UsageError, match="a class or a value"):
        explain_pictures(replace(bundle(network), inputs=("size",)), cohort(pixels, y))
    with pytest.raises(UsageError, match="on the grid of the pictures"):
        explain_pictures(bundle(network), cohort(pixels, y), masks={f"p{i}": masks[i][:5] for i in range(4)})
