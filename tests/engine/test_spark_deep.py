"""What processes of a cluster cannot share is refused before any of them starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.engine.spark import Spark
from radlake.engine.spark.deep import Arrays, _fit, bundle, fit_network
from radlake.learn.deep import ImageClassifier, ImageRegressor


@pytest.mark.parametrize(
    ("options", "processes", "said"),
    [
        ({}, 1, "two processes"),
        ({"precision": "probe"}, 2, "precision"),
        ({"device": "cuda"}, 2, "device to cpu"),
    ],
)
def test_what_processes_cannot_share_is_refused(options: dict[str, Any], processes: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fit_network(Spark(), ImageClassifier(**options), Arrays("x.npy", "y.npy"), processes=processes)


def test_arrays_that_cannot_be_read_are_told_without_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "y.npy").write_bytes(b"Invented^P1")
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 8)))
    for target, said in (("none.npy", "No such file"), ("y.npy", "no plain array")):
        data = {"inputs": str(tmp_path / "x.npy"), "target": str(tmp_path / target), "groups": ""}
        refused = _fit("ImageClassifier", {}, data)
        assert isinstance(refused, str)
        assert said in refused
        assert "Invented" not in refused


def test_a_trained_network_is_kept_with_its_task() -> None:
    x = np.random.default_rng(0).normal(size=(30, 8, 8))
    made = [
        (ImageRegressor("cnn-small", epochs=1).fit(x, x.mean((1, 2))), "regression", ()),
        (ImageClassifier("cnn-small", epochs=1).fit(x, np.arange(30) % 2), "binary", (0, 1)),
        (ImageClassifier("cnn-small", epochs=1).fit(x, np.arange(30) % 3), "multiclass", (0, 1, 2)),
    ]
    for model, task, classes in made:
        kept = bundle(model, "level")
        assert (kept.fitted.task, kept.fitted.classes, kept.target) == (task, classes, "level")
