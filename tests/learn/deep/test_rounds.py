"""The search among models of images: what the clock decides, and bits that do not depend on the number of cores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from radlake.learn.clock import Clock
from radlake.learn.deep import rounds
from radlake.learn.deep.cases import ImageCases, image_cases
from radlake.learn.deep.families import epochs, image_families
from radlake.learn.deep.model import ImageModel
from radlake.learn.deep.probe import Way
from radlake.learn.split import grouped_folds
from radlake.learn.trial import Trial


@pytest.fixture(scope="module")
def cases() -> ImageCases:
    x, y = load_digits(n_class=2, return_X_y=True)
    return image_cases(x[:90].reshape(-1, 8, 8), y[:90])


def test_the_bits_do_not_depend_on_how_many_networks_run_at_once(
    cases: ImageCases, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = image_families()["vgg-small"]  # with dropout, which must not share its generator
    trial = Trial("vgg-small", family, {"epochs": 1}, 0)
    fold = grouped_folds(cases.outcome.strata, cases.outcome.groups, folds=3, rng=np.random.default_rng(0))
    found = []
    for number in (1, 3):
        monkeypatch.setattr(rounds, "cores", lambda number=number: number)
        run, models = rounds.held_out(trial, family, cases, fold, seed=0)
        found.append(run.decision.tobytes())
        assert len(models) == 3
    assert found[0] == found[1]


def test_epochs_are_lowered_until_they_fit_and_a_network_that_never_fits_says_so(
    cases: ImageCases, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = {Way("float32", True): 1.0, Way("bfloat16", True): 0.5}
    monkeypatch.setattr(ImageModel, "seconds_of_steps", lambda *_: taken)
    monkeypatch.setattr(rounds, "cores", lambda: 1)
    families = {"cnn-small": image_families()["cnn-small"]}
    most, some, half, _, least = epochs(90)
    for budget, expected in ((6 * most, most), (4 * most, some), (3 * most, half), (1.5 * most, least)):
        clock = Clock(budget)
        needs, able, refused = rounds.costs(families, cases, clock, until=1.0, folds=5, seed=0)
        assert not refused
        assert able["cnn-small"].grid == ({"epochs": expected, "short": 1},)
        assert needs["cnn-small"] == expected  # two steps of half a second an epoch, by bfloat16
        assert f"epochs/cnn-small/{expected}" in clock.done
    _, able, refused = rounds.costs(families, cases, Clock(1.0), until=1.0, folds=5, seed=0)
    assert not able
    assert f"even {least} epochs take about" in refused["cnn-small"]


def test_what_was_left_out_for_want_of_time_is_told(cases: ImageCases) -> None:
    cases.compute("hog")
    families = {name: replace(f, grid=f.grid[:2], usual=0) for name, f in image_families().items() if f.view == "hog"}
    needs = {"hog-logistic": 0.001, "hog-svm": 1e9}
    found, models = rounds.Rounds(cases, families, needs, Clock(60.0), "all", 1.0, 3, 1, 0).run()
    assert {t.name for t in found.trials} == {"hog-logistic"}
    assert "more than is left" in found.left_out["hog-svm"]
    assert not any(models.values())
