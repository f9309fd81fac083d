"""How busy a GPU is kept by the trainer, how fast it is against a loop by hand, and the recipe of MedMNIST repeated.

ResNet-18 at batch 256 on images of 28 pixels: images a second by the trainer and by the same network in plain PyTorch
(images on the device, AdamW, the same precision and order in memory, no augmentation, no averaged weights) in turn, and
the share of the time in which the GPU ran a kernel, as `nvidia-smi` tells it. Then ResNet-18 as MedMNIST trained it
(100 epochs, Adam at 0.001, a tenth after 50 and 75), on the training images, with the weights of the last epoch where
they took the best on the validation images; and with the trainer's own way (one cycle, averaged weights, augmentation,
rare classes weigh more) in 20 epochs.

    python benchmarks/learning_gpu.py [--data FOLDER] [--seeds 3] [--device cuda] [--only throughput|recipe] [--tiny]

`--data`: a folder with breastmnist.npz and pneumoniamnist.npz; without it images are noise and there is no recipe.
`--tiny` is for machines without a GPU: it shows that everything runs.

References
----------
Yang et al. (2023), MedMNIST v2, Scientific Data 10:41: section on baselines, and table 3 for ResNet-18 at 28 pixels.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from radlake.learn import metrics
from radlake.learn.deep import ImageClassifier
from radlake.learn.deep.device import described, repeatable, resolve
from radlake.learn.deep.layers import channels_last
from radlake.learn.deep.lessons import lesson
from radlake.learn.deep.networks import build
from radlake.learn.deep.trainer import Precision, Progress, Recipe, train

PUBLISHED = {"pneumoniamnist": (0.944, 0.854), "breastmnist": (0.901, 0.863)}  # AUC, accuracy
AUGMENT = {"pneumoniamnist": "xray", "breastmnist": "us"}
AIM = 90  # per cent of the time


@dataclass(frozen=True)
class Size:
    """How much is run."""

    images: int
    batch: int
    passes: int
    rounds: int
    epochs: int


FULL, TINY = Size(256 * 40, 256, 12, 3, 100), Size(24, 8, 2, 1, 2)


@dataclass
class Busy:
    """Per cent of the time in which the GPU ran a kernel, by sample; empty where nothing tells."""

    samples: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Median and tenth percentile."""
        if not self.samples:
            return "not told"
        return f"{np.median(self.samples):.0f}% (a tenth of the samples below {np.percentile(self.samples, 10):.0f}%)"


@contextmanager
def watched(device: str) -> Iterator[Busy]:
    """Sample the GPU five times a second while something runs; the first second does not count."""
    busy = Busy()
    if device != "cuda":
        yield busy
        return
    command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-i", "0", "-lms", "200"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield busy
    finally:
        process.terminate()
        lines = process.communicate()[0].split()
        busy.samples = [int(line) for line in lines if line.isdigit()][5:]


def ours(x: torch.Tensor, y: torch.Tensor, size: Size, device: str, precision: Precision) -> float:
    """Images a second of the trainer, from the end of the first pass to that of the last."""
    ends: list[float] = []

    def tell(_: Progress) -> None:
        ends.append(time.perf_counter())

    network = channels_last(build("resnet-18", channels=1, outputs=2, size=(28, 28))).to(device)
    task = lesson(x, y, balance="none", how=None, held_out=None, device=device)
    train(network, task, Recipe(size.passes, size.batch, 1e-3, 0.05, 0.98, None, precision, 0), progress=tell)
    return len(x) * (size.passes - 1) / (ends[-1] - ends[0])


def by_hand(x: torch.Tensor, y: torch.Tensor, size: Size, device: str, precision: Precision) -> float:
    """Images a second of a loop in plain PyTorch."""
    network = channels_last(build("resnet-18", channels=1, outputs=2, size=(28, 28))).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    x, y, ends = x.to(device), y.to(device), []
    with repeatable(device):
        for _ in range(size.passes):
            for part in torch.randperm(len(x), device=device).split(size.batch):
                inputs = x[part].contiguous(memory_format=torch.channels_last)
                optimizer.zero_grad()
                with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
                    said = network(inputs)
                functional.cross_entropy(said.float(), y[part]).backward()
                optimizer.step()
            if device == "cuda":
                torch.cuda.synchronize()
            ends.append(time.perf_counter())
    return len(x) * (size.passes - 1) / (ends[-1] - ends[0])


def throughput(x: NDArray[np.uint8], size: Size, device: str) -> None:
    """Print images a second of both, and how busy the GPU was with each."""
    rows = np.resize(np.arange(len(x)), size.images)
    pixels = torch.from_numpy((x[rows, None].astype(np.float32) - float(x.mean())) / float(x.std()))
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 2, size.images))
    for precision in ("float32", "bfloat16") if device == "cuda" else ("float32",):
        found: dict[str, list[float]] = {"trainer": [], "by hand": []}
        busy = {}
        for _ in range(size.rounds):
            for name, run in (("trainer", ours), ("by hand", by_hand)):
                with watched(device) as seen:
                    found[name].append(run(pixels, labels, size, device, precision))
                busy[name] = seen.text
        middle = {name: statistics.median(values) for name, values in found.items()}
        print(
            f"ResNet-18, batch {size.batch}, 28 x 28, {precision}: {middle['trainer']:,.0f} images a second by the"
            f" trainer, {middle['by hand']:,.0f} by hand: ratio {middle['trainer'] / middle['by hand']:.2f} (aim .95);"
            f" GPU busy {busy['trainer']}, by hand {busy['by hand']} (aim {AIM}%)",
            flush=True,
        )


def recipes(folder: Path, size: Size, device: str, seeds: int) -> None:
    """Print scores of MedMNIST's recipe, and of the trainer's own, on the published test images."""
    for name, (auc, right) in PUBLISHED.items():
        with np.load(folder / f"{name}.npz") as data:
            x, y, x_test, y_test = (
                data[f"{part}_{what}"] for part in ("train", "test") for what in ("images", "labels")
            )
        if size is TINY:
            x, y, x_test, y_test = x[:16], y[:16], x_test[:10], y_test[:10]
        for batch in (128, 256) if size is FULL else (8,):
            theirs = ImageClassifier(
                "resnet-18", epochs=size.epochs, batch=batch, rate=1e-3, decay=0.0, average=0.0, balance="none",
                augment="none", schedule="steps", device=device,
            )  # fmt: skip
            told = f"{name}, MedMNIST's recipe, {size.epochs} epochs, batch {batch}"
            scored(told, theirs, (x, y.ravel(), x_test, y_test.ravel()), seeds, f"published {auc} / {right}")
        own = ImageClassifier(
            "resnet-18", epochs=min(20, size.epochs), batch=size.batch, augment=AUGMENT[name], precision="probe",
            device=device,
        )  # fmt: skip
        told = f"{name}, own recipe, {min(20, size.epochs)} epochs"
        scored(told, own, (x, y.ravel(), x_test, y_test.ravel()), seeds, "")


def scored(told: str, model: ImageClassifier, data: tuple[NDArray, ...], seeds: int, published: str) -> None:
    """Train with each seed and print the mean of AUC and accuracy."""
    x, y, x_test, y_test = data
    found, started = [], time.perf_counter()
    for seed in range(seeds):
        model.set_params(seed=seed).fit(x, y)
        p = model.predict_proba(x_test)[:, 1]
        found.append((metrics.auc(y_test, p), np.mean((p > 0.5) == y_test)))
    took = (time.perf_counter() - started) / seeds
    auc, right = np.mean(found, axis=0)
    spread = np.std(found, axis=0)
    print(
        f"{told}, {seeds} seeds: AUC {auc:.3f} +- {spread[0]:.3f}, accuracy {right:.3f} +- {spread[1]:.3f}"
        f" {published}; {took:.0f} s a training, {model.precision_}, steps recorded: {model.history_.recorded}",
        flush=True,
    )


def main() -> None:
    """Print one line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--only", choices=["throughput", "recipe"])
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    device, size = resolve(options.device), TINY if options.tiny else FULL
    if device == "cpu" and not options.tiny:
        parser.exit(message="there is no GPU here; --tiny shows that everything runs\n")
    print(f"device: {described(device)['name'] or device}, torch {torch.__version__}", flush=True)
    x: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (64, 28, 28), np.uint8)
    if options.data:
        with np.load(options.data / "pneumoniamnist.npz") as data:
            x = data["train_images"]
    if options.only != "recipe":
        throughput(x, size, device)
    if options.data and options.only != "throughput":
        recipes(options.data, size, device, options.seeds)


if __name__ == "__main__":
    main()
