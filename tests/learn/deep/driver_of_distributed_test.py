"""One process of a training that is shared: test_distributed.py starts two, and calls the pieces for one itself."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from radlake.learn.deep import ImageClassifier, distributed, trainer
from radlake.learn.deep.lessons import lesson
from radlake.learn.deep.trainer import Lesson, Recipe

CASES = 75
PLAIN = Recipe(3, 24, 1e-2, 0.01, 0.9, None, "float32", 3)
PATIENT = Recipe(6, 24, 1e-2, 0.01, 0.9, 1, "float32", 3)
HELD_OUT = np.arange(CASES) % 5 == 0


def network() -> nn.Module:
    """Normalisation over the batch, nothing that draws, and no weight whose gradient is rounding alone."""
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
        nn.Linear(144, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2),
    )  # fmt: skip


def images() -> tuple[np.ndarray, np.ndarray]:
    """Pictures whose class is their brightness; the two ranges differ."""
    rng = np.random.default_rng(0)
    y = (rng.random(CASES) < np.linspace(0.2, 0.8, CASES)).astype(np.int64)
    x = rng.normal(size=(CASES, 8, 8)) + y[:, None, None] + np.linspace(0, 2, CASES)[:, None, None]
    return x.astype(np.float32), y


def task(held_out: np.ndarray | None, rows: slice) -> Lesson:
    """What there is to learn from a range of the pictures."""
    x, y = images()
    pixels, target = torch.from_numpy(x[rows, None]), torch.from_numpy(y)
    return lesson(pixels, target, balance="weights", how=None, held_out=held_out, first=rows.start)


class KilledError(Exception):
    """The end of a process."""


def stopped_after(epochs: int, given: Lesson) -> Lesson:
    """A lesson that ends the process when an epoch begins."""
    orders = iter(range(epochs + 1))

    def order(rng: np.random.Generator) -> np.ndarray:
        if next(orders) == epochs:
            raise KilledError
        return given.order(rng)

    return Lesson(given.batch, given.loss, order, given.validate, given.identity)


def main(rank: int, folder: Path) -> None:
    """All that two processes are to show; the first writes it down."""
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meet'}", rank=rank, world_size=2)
    torch.set_num_threads(1)
    found: dict[str, np.ndarray] = {}
    for name, recipe, held_out in (("plain", PLAIN, None), ("patient", PATIENT, HELD_OUT)):
        mine = distributed.divided(task(held_out, distributed.own_rows(CASES)), CASES, held_out)
        trained = network()
        history = distributed.train(trained, mine, recipe)
        found |= {f"{name}/{key}": value.numpy() for key, value in trained.state_dict().items()}
        found[f"{name} losses"], found[f"{name} validation"] = np.array(history.losses), np.array(history.validation)
    mine = distributed.divided(task(None, distributed.own_rows(CASES)), CASES, None)
    try:
        distributed.train(network(), stopped_after(2, mine), PLAIN, folder=folder / "state")
    except KilledError:
        resumed = network()
        distributed.train(resumed, mine, PLAIN, folder=folder / "state")
        found |= {f"resumed/{key}": value.numpy() for key, value in resumed.state_dict().items()}
    x, y = images()
    model = ImageClassifier("vgg-small", epochs=2, batch=24, augment="ct", patience=3, seed=1).fit(x, y)
    found["answers"] = model.predict_proba(x)
    found |= {f"model/{key}": value for key, value in model.parts()[1].items()}
    np.savez(folder / f"{rank}.npz", **found)
    dist.destroy_process_group()


def alone(recipe: Recipe, held_out: np.ndarray | None) -> tuple[nn.Module, trainer.History]:
    """The same batches by one process."""
    given, bounds = task(held_out, slice(0, CASES)), np.array([0, CASES // 2, CASES])
    same = Lesson(given.batch, given.loss, lambda rng: distributed.dealt(given.order(rng), bounds), given.validate, "")
    trained = network()
    with trainer.threads(1):
        return trained, trainer.train(trained, same, recipe)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
