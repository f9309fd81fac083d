"""The training loop: the rate by hand, the same bits after a kill, less memory, early stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from radlake.learn.deep.checkpoint import CheckpointError
from radlake.learn.deep.layers import Dropout
from radlake.learn.deep.lessons import class_weights, lesson
from radlake.learn.deep.trainer import Lesson, Progress, Recipe, train

RECIPE = Recipe(4, 16, 1e-2, 0.01, 0.9, None, "float32", 3)


class KilledError(Exception):
    """What a test does to a training."""


def killed_after(epochs: int) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        if progress.epoch == epochs:
            raise KilledError

    return tell


def network() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), Dropout(0.5), nn.Linear(16, 2))


def made(*, held_out: bool = False) -> Lesson:
    """Forty-eight images whose class is their brightness."""
    rng = np.random.default_rng(0)
    y = np.arange(48) % 2
    x = torch.from_numpy((rng.normal(size=(48, 1, 8, 8)) + y[:, None, None, None]).astype(np.float32))
    rest = np.arange(48) >= 36 if held_out else None
    return lesson(x, torch.from_numpy(y), balance="sampler", how=None, held_out=rest)


def bits(trained: nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in trained.state_dict().values())


def test_rare_classes_weigh_more() -> None:
    y = np.array([0, 0, 0, 1])
    assert class_weights(y, 2).tolist() == [4 / 6, 2.0]
    assert class_weights(y, 2)[y].mean() == pytest.approx(1)


@pytest.mark.parametrize("patience", [None, 2])
def test_a_killed_training_goes_on_to_the_same_bits(patience: int | None, tmp_path: Path) -> None:
    recipe, task = replace(RECIPE, patience=patience), made(held_out=patience is not None)
    whole = network()
    history = train(whole, task, recipe)
    for epochs in (1, 3):
        with pytest.raises(KilledError):
            train(network(), task, recipe, folder=tmp_path / "state", progress=killed_after(epochs))
    resumed = network()
    again = train(resumed, task, recipe, folder=tmp_path / "state")
    assert bits(resumed) == bits(whole)
    assert again == history
    assert [p.name for p in (tmp_path / "state").iterdir()] == ["checkpoint.safetensors"]


def test_checkpoints_of_other_trainings_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    train(network(), made(), replace(RECIPE, epochs=1), folder=tmp_path)
    with pytest.raises(CheckpointError, match="other images, outcomes or options"):
        train(network(), made(), RECIPE, folder=tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"x" * 40)
    with pytest.raises(CheckpointError, match="cannot be read; remove it"):
        train(network(), made(), RECIPE, folder=tmp_path)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_batches_are_halved_until_they_fit_and_the_training_goes_on(error: Exception) -> None:
    plain, task = network(), made()
    sizes = []

    def short_of_memory(numbers: Any, generator: torch.Generator) -> Any:
        if len(numbers) > 5:
            raise error
        sizes.append(len(numbers))
        return task.batch(numbers, generator)

    history = train(plain, replace(task, batch=short_of_memory), RECIPE)
    assert history.pieces == 4
    assert max(sizes) == 4
    assert sum(sizes) == 4 * 48
    assert np.isfinite(history.losses).all()


def test_other_errors_and_a_single_case_too_large_are_raised() -> None:
    def broken(numbers: Any, generator: torch.Generator) -> Any:
        raise RuntimeError("shapes differ")

    def never(numbers: Any, generator: torch.Generator) -> Any:
        raise MemoryError

    with pytest.raises(RuntimeError, match="shapes differ"):
        train(network(), replace(made(), batch=broken), RECIPE)
    with pytest.raises(MemoryError):
        train(network(), replace(made(), batch=never), RECIPE)


def test_patience_stops_and_keeps_the_best_weights() -> None:
    told = iter([0.5, 0.4, 0.6, 0.7, 0.1])
    seen = []

    def validate(averaged: nn.Module) -> float:
        seen.append(bits(averaged))
        return next(told)

    trained = network()
    history = train(trained, replace(made(), validate=validate), replace(RECIPE, epochs=9, patience=2))
    assert history.validation == [0.5, 0.4, 0.6, 0.7]
    assert history.best == 1
    assert bits(trained) == seen[1]


def test_halved_batches_step_like_whole_ones_without_batch_statistics() -> None:
    def linear() -> nn.Module:
        torch.manual_seed(1)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 2))

    task, one, two = made(), linear(), linear()
    train(one, task, RECIPE)
    first = True

    def once(numbers: Any, generator: torch.Generator) -> Any:
        nonlocal first
        if first:
            first = False
            raise MemoryError
        return task.batch(numbers, generator)

    train(two, replace(task, batch=once), RECIPE)
    # the sum of two halves' gradients is rounded otherwise than that of the whole
    assert torch.allclose(one[1].weight, two[1].weight, atol=1e-4)
