"""Features and images together: a score that no case has any part in, a choice that tells whether images add."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from radlake import learn
from radlake.core.errors import UsageError
from radlake.learn import search
from radlake.learn.both import ImageScore, sees_images
from radlake.learn.bundle import load
from radlake.learn.deep import views
from radlake.learn.journal import forget
from radlake.learn.metrics import auc
from radlake.learn.problem import Paired, problem

pytest.importorskip("torch")
RNG = np.random.default_rng(0)
OPTIONS = {"folds": 3, "repeats": 1, "budget": "30m", "outer": False}


def real(n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measures that tell a little, digits 0 and 8 that tell much, and which digit it is."""
    x, y = load_digits(return_X_y=True)
    chosen = np.isin(y, (0, 8))
    pixels, y = x[chosen].reshape(-1, 8, 8)[:n], y[chosen][:n]
    features = RNG.normal(size=(n, 4))
    features[:, 0] += 0.8 * (y == 8)
    return features, pixels, y


@pytest.fixture(scope="module")
def chosen() -> tuple[np.ndarray, np.ndarray, np.ndarray, learn.Choice]:
    features, pixels, y = real()
    return features, pixels, y, learn.select(
        features, y, images=pixels, models=["logistic", "logistic+images"], prefer="accuracy", **OPTIONS
    )  # fmt: skip


def test_the_score_of_a_training_case_comes_from_models_that_have_not_seen_its_group() -> None:
    looks = RNG.normal(size=(120, 1, 300))
    y = RNG.integers(0, 2, 60).repeat(2)
    groups = np.arange(60).repeat(2)
    looks[1::2] = looks[::2]  # two cases of a patient are alike, and chance is all there is to learn
    score = ImageScore("binary", alone=True)
    said = score.fit_transform(Paired(np.empty((120, 0)), looks, groups), y)[:, 0]
    assert abs(float(auc(y, said)) - 0.5) < 0.2
    again = score.transform(Paired(np.empty((120, 0)), looks))[:, 0]
    assert float(auc(y, again)) > 0.95  # whoever takes the answers of models that have seen a case is deceived
    careless = ImageScore("binary", alone=True).fit_transform(Paired(np.empty((120, 0)), looks), y)[:, 0]
    assert float(auc(y, careless)) > 0.8  # as is who tears patients apart


def test_images_that_add_are_taken_and_the_bundle_answers_the_same(
    chosen: tuple[np.ndarray, np.ndarray, np.ndarray, learn.Choice], tmp_path: Path
) -> None:
    features, pixels, y, choice = chosen
    assert choice.table[0].family == "logistic+images"
    assert choice.table[0].grade == "D"
    with_score, alone = (line.mean for line in choice.table if line.mean is not None)
    assert with_score is not None
    assert alone is not None
    assert with_score > 0.95 > alone
    assert sees_images(choice.model)
    given = Paired(features, pixels)
    said = choice.model.predict_proba(given)
    assert float(auc(y == 8, said[:, 1])) > 0.95
    choice.save(tmp_path / "m")
    assert load(tmp_path / "m").predict_proba(given).tobytes() == said.tobytes()
    with pytest.raises(UsageError, match="features and images"):
        choice.model.predict_proba(features)
    again = learn.select(features, y, images=pixels, budget=0.001, replay=choice.plan)
    assert again.model.predict_proba(given).tobytes() == said.tobytes()


def test_a_choice_that_is_killed_at_the_images_and_in_the_search_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, pixels, y = real(90)
    ran: list[str] = []
    most = 1

    def counted(name: str, inside: Callable[..., Any]) -> Callable[..., Any]:
        def one(*given: Any) -> Any:
            if len(ran) >= most:
                raise KeyboardInterrupt
            ran.append(name)
            return inside(*given)

        return one

    monkeypatch.setattr(views, "cores", lambda: 1)
    monkeypatch.setattr(views, "_numbers", counted("view", views._numbers))
    monkeypatch.setattr(search, "assembled", counted("trial", search.assembled))

    def choose() -> learn.Choice:
        return learn.select(
            features, y, images=pixels, models=["logistic", "score+images"], journal=tmp_path, **OPTIONS
        )

    for most in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            choose()
        assert len(ran) == most
    most = 10**6
    killed = choose()
    assert ran[:3] == ["view", "view", "trial"]
    assert ran.count("view") == 2  # 64 images and 26
    together, ran = len(ran), []
    forget(tmp_path)
    assert not tmp_path.exists()
    whole = choose()
    assert len(ran) == together  # nothing was done twice
    assert killed.plan.as_dict() == whole.plan.as_dict()
    given = Paired(features, pixels)
    assert killed.model.predict_proba(given).tobytes() == whole.model.predict_proba(given).tobytes()


def test_images_that_add_nothing_leave_a_model_of_features() -> None:
    features, _, y = real(90)
    features[:, 0] += 2 * (y == 8)
    noise = RNG.integers(0, 255, size=(90, 8, 8)).astype(np.uint8)
    choice = learn.select(features, y, images=noise, models=["short", "logistic+images"], **OPTIONS)
    assert choice.table[0].family == "short"
    assert not sees_images(choice.model)
    assert choice.contract is None
    assert choice.model.predict_proba(features).shape == (90, 2)


def test_values_have_a_score_as_well() -> None:
    features, pixels, _ = real(90)
    ink = pixels.mean(axis=(1, 2))
    choice = learn.select(features, ink, images=pixels, models=["ridge", "score+images"], **OPTIONS)
    assert choice.table[0].family == "score+images"
    assert np.corrcoef(choice.model.predict(Paired(features, pixels)), ink)[0, 1] > 0.9


def test_pairs_are_cut_together_and_images_decide_the_digest() -> None:
    features, pixels, y = real(20)
    pair = Paired(features, pixels, np.arange(20))[y == 8]
    assert (len(pair), pair.shape, len(pair.images)) == ((y == 8).sum(), ((y == 8).sum(), 4), (y == 8).sum())
    given = problem(features, y)
    assert given.inputs is given.features


@pytest.mark.parametrize(
    ("images", "words"),
    [(np.zeros((9, 8, 8)), "one image for each of 60 cases, got 9"), (np.zeros((60, 1, 1)), "too small")],
)
def test_images_that_do_not_belong_are_refused(images: np.ndarray, words: str) -> None:
    features, _, y = real(60)
    with pytest.raises(UsageError, match=words):
        learn.select(features, y, images=images, **OPTIONS)
