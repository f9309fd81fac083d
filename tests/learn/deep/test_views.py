"""Views: frozen weights that are checked, mirror images, volumes, and the models on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from radlake.core.errors import UsageError
from radlake.learn.deep import lite0
from radlake.learn.deep.views import ImageFeatures, OverMirrors, seen
from radlake.learn.images import images


def test_frozen_layers_tell_digits_apart_that_they_have_never_seen() -> None:
    x, y = load_digits(n_class=2, return_X_y=True)
    x, y = x.reshape(-1, 8, 8)[:60], y[:60]
    model = make_pipeline(ImageFeatures("lite0"), OverMirrors(LogisticRegression(C=0.01, max_iter=500)))
    assert (model.fit(x[:40], y[:40]).predict(x[40:]) == y[40:]).mean() > 0.9
    with pytest.raises(UsageError, match="trained on images with axes yx, got zyx"):
        model.predict(np.zeros((2, 5, 8, 8)))


def test_the_frozen_network_has_the_published_form() -> None:
    network = lite0.pretrained()
    assert not network.training
    assert len(network._blocks) == 11
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 464)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0, "WEIGHTS_SHA256", "0" * 64)
    lite0.pretrained.cache_clear()
    with pytest.raises(lite0.WeightsError, match=r"not those of version 0\.1\.0"):
        lite0.pretrained()
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("view", "shape"),
    [("hog", (3, 9, 12)), ("hog", (3, 9, 12, 3)), ("hog", (3, 6, 9, 12)), ("lite0", (2, 9, 12, 3))],
)
def test_views_see_the_image_and_its_mirror_image(view: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    found = seen(images(x), view)
    axis = -2 if shape[-1] == 3 else -1
    mirrored = seen(images(np.flip(x, axis)), view)
    if len(shape) == 3 or shape[-1] == 3:  # of a volume all three projections are mirrored, also that along x
        assert mirrored[:, 0] == pytest.approx(found[:, 1], abs=1e-3)  # resized from the other side
    assert found.shape[:2] == (len(x), 2)
    assert np.isfinite(found).all()


def test_models_over_mirrors_answer_with_the_mean() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(50) % 2
    x = rng.normal(size=(50, 2, 3)) + y[:, None, None]
    model = clone(OverMirrors(LogisticRegression())).fit(x, y)
    alone = model.model_.decision_function(x.reshape(100, 3)).reshape(50, 2)
    assert model.decision_function(x) == pytest.approx(alone.mean(axis=1))
    assert model.predict_proba(x).sum(axis=1) == pytest.approx(1)
    assert (model.predict(x) == (alone.mean(axis=1) > 0)).all()
    values = OverMirrors(Ridge()).fit(x, x.mean(axis=(1, 2)))
    assert values.predict(x) == pytest.approx(values.model_.predict(x.reshape(100, 3)).reshape(50, 2).mean(axis=1))
    assert not hasattr(values, "decision_function")


def test_an_unknown_view_is_told() -> None:
    with pytest.raises(UsageError, match="no view 'x'; there are hog, lite0"):
        ImageFeatures("x").fit(np.zeros((2, 8, 8)))
