"""Scores of the model that is chosen for published images, on their own test sets, against floors fixed in advance.

Training and validation images are for the choice, which sees no test image; the test set is asked once, at the end. The
images are those of MedMNIST at 28 pixels (`--data`: a folder with breastmnist.npz, pneumoniamnist.npz,
adrenalmnist3d.npz) and the digits inside scikit-learn. One line a run: seconds of the clock and of the processor.

    python benchmarks/learning_images.py --data FOLDER [--hippocampus FOLDER] [--only breast] [--seeds 3]

`--resplit 7` draws the parts anew: all published images are joined, and a test set of the published size is drawn with
seed 7 from whole clusters of near-duplicates, so that no test image has one among those that the choice sees.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radlake import learn
from radlake.features import extract
from radlake.learn import metrics
from radlake.learn.duplicates import near_duplicates, near_pairs, small_copies
from radlake.learn.images import images
from radlake.learn.split import grouped_folds

Data = tuple[NDArray, NDArray, NDArray, NDArray]

EPOCHS = 14  # of the U-Net: about ten minutes of the processor


@dataclass(frozen=True)
class Run:
    """A data set, what it may cost, and what must come out.

    Parameters
    ----------
    load : callable
        Folder of published files -> images and labels for the choice, images and labels of the test set.
    budget : str
    models : list of str or None
        All that fit by default.
    floor, target : tuple of float
        AUC and accuracy; None where there is none.
    """

    load: Callable[[Path], Data]
    budget: str
    models: list[str] | None
    floor: tuple[float, float | None]
    target: tuple[float, float | None]


def published(name: str) -> Callable[[Path], Data]:
    """A file of MedMNIST: training and validation images together, and the test images."""

    def load(folder: Path) -> Data:
        with np.load(folder / f"{name}.npz") as data:
            x, y = (np.concatenate([data[f"train_{w}"], data[f"val_{w}"]]) for w in ("images", "labels"))
            return x, y.ravel(), data["test_images"], data["test_labels"].ravel()

    return load


def shapes(folder: Path) -> Data:
    """Shape features of the masks of AdrenalMNIST3D, whose voxels have no known size."""
    x, y, x_test, y_test = published("adrenalmnist3d")(folder)
    rows = [extract(None, mask > 0, families=("shape",), as_dict=True) for mask in [*x, *x_test]]
    found = np.array([[np.nan if v is None else v for v in row.values()] for row in rows], dtype=np.float64)
    return found[: len(x)], y, found[len(x) :], y_test


def digits(folder: Path) -> Data:
    """Scikit-learn's digits, a quarter of them for the test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    seen, unseen, y_seen, y_unseen = train_test_split(
        x.reshape(-1, 8, 8), y, test_size=0.25, stratify=y, random_state=0
    )
    return seen, y_seen, unseen, y_unseen


RUNS = {
    "breast": Run(published("breastmnist"), "10m", None, (0.885, 0.84), (0.92, 0.875)),
    "pneumonia": Run(published("pneumoniamnist"), "10m", None, (0.965, 0.89), (0.975, 0.91)),
    "adrenal-shape": Run(shapes, "1m", None, (0.845, 0.80), (0.87, 0.83)),
    "adrenal-gru": Run(published("adrenalmnist3d"), "10m", ["gru"], (0.78, None), (0.83, None)),
    "adrenal-attention": Run(published("adrenalmnist3d"), "10m", ["attention"], (0.78, None), (0.83, None)),
    "digits-cnn-small": Run(digits, "2m", ["cnn-small"], (0.99, 0.98), (0.99, 0.99)),
}


def drawn_anew(found: Data, seen: NDArray, seed: int) -> Data:
    """The same cases with a test set of the same size, of whole clusters of near-duplicates and equal prevalence.

    Parameters
    ----------
    found : tuple
        Inputs and labels for the choice, and of the test set.
    seen : (N, ...) array
        Images of all cases, those of the test last.
    seed : int
    """
    x, y = np.concatenate([found[0], found[2]]), np.concatenate([found[1], found[3]])
    cluster, _ = near_duplicates(images(seen))
    parts = max(2, round(len(y) / len(found[3])))
    test = grouped_folds(y, cluster, folds=parts, rng=np.random.default_rng(seed)) == 0
    return x[~test], y[~test], x[test], y[test]


def report(name: str, run: Run, folder: Path, seed: int, budget: str | None, resplit: int | None) -> None:
    """Choose, ask the test set once, and print."""
    x, y, x_test, y_test = run.load(folder)
    if resplit is not None:
        pictures = published("adrenalmnist3d")(folder) if name == "adrenal-shape" else (x, y, x_test, y_test)
        seen = np.concatenate([pictures[0], pictures[2]])
        x, y, x_test, y_test = drawn_anew((x, y, x_test, y_test), seen, resplit)
    budget = budget or run.budget
    clock, cpu = time.perf_counter(), time.process_time()
    choice = learn.select(x, y, models=run.models, budget=budget, outer=False, seed=seed)
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    p = choice.model.predict_proba(x_test)
    area = metrics.auc(y_test, p[:, 1]) if p.shape[1] == 2 else metrics.macro_auc(y_test, p)
    right = choice.model.predict(x_test) == y_test
    copies = np.empty((0, 2), np.int64)
    if x.ndim > 2:
        copies = near_pairs(small_copies(images(x_test)), small_copies(images(x)))
    clean = ~np.isin(np.arange(len(x_test)), copies[:, 0])
    alone = f"{metrics.auc(y_test[clean], p[clean, 1]):.3f}" if p.shape[1] == 2 else "-"
    print(
        f"{name:18} {seed:4} {choice.table[0].family:14} {area:5.3f} {run.floor[0]:5} {run.target[0]:6}"
        f" {right.mean():5.3f} {run.floor[1] or '-':>5} {run.target[1] or '-':>6} {alone:>6} {(~clean).sum():4}"
        f" {budget:>6} {clock:5.0f} {cpu:5.0f}",
        flush=True,
    )
    for line in choice.table:
        if line.mean is not None:
            print(f"    {line.verdict:8} {line.family:14} {line.mean:.4f} +- {line.standard_error:.4f} {line.settings}")
        elif line.why != "it was not asked for":
            print(f"    not      {line.family:14} {line.why}")


def outlined(folder: Path, seed: int) -> None:
    """Train a U-Net on four fifths of the hippocampus volumes for ten minutes of the processor, and print Dice."""
    from radlake.formats.read import read_image
    from radlake.learn.deep import ImageSegmenter

    names = sorted(p.name for p in (folder / "images").glob("*.nii.gz"))
    volumes, masks = (
        [np.asarray(read_image(folder / side / name).array) for name in names] for side in ("images", "labels")
    )
    order = np.random.default_rng(seed).permutation(len(names))
    seen, unseen = order[: round(len(names) * 0.73)], order[round(len(names) * 0.73) :]
    cpu = time.process_time()
    model = ImageSegmenter(epochs=EPOCHS, augment="mr", seed=seed, patch=(40, 56, 48))
    model.fit([volumes[i] for i in seen], [masks[i].astype(np.int64) for i in seen])
    cpu = time.process_time() - cpu
    found = model.predict([volumes[i] for i in unseen])
    scores = [
        [2 * np.sum((f == k) & (masks[i] == k)) / (np.sum(f == k) + np.sum(masks[i] == k)) for k in (1, 2)]
        for f, i in zip(found, unseen, strict=True)
    ]
    front, back = np.mean(scores, axis=0)
    print(
        f"hippocampus {len(seen)}/{len(unseen)}, seed {seed}: Dice anterior {front:.3f}, posterior {back:.3f}, mean"
        f" {(front + back) / 2:.3f} (floor .86, target .88) in {cpu:.0f} s of the processor",
        flush=True,
    )


def throughput() -> None:
    """Steps a second of the small VGG by the trainer and by a loop written by hand, alternating, medians."""
    import torch
    from torch.nn import functional

    from radlake.learn.deep.lessons import lesson
    from radlake.learn.deep.networks import build
    from radlake.learn.deep.trainer import Recipe, train

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(512, 1, 28, 28)).astype(np.float32))
    y = torch.from_numpy(rng.integers(0, 2, 512))
    task = lesson(x, y, balance="none", how=None, held_out=None)
    recipe = Recipe(1, 64, 3e-3, 0.05, 0.98, None, "float32", 0)

    def ours() -> None:
        network = build("vgg-small", channels=1, outputs=2, size=(28, 28)).to(memory_format=torch.channels_last)
        train(network, task, recipe)

    def by_hand() -> None:
        network = build("vgg-small", channels=1, outputs=2, size=(28, 28)).to(memory_format=torch.channels_last).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05, fused=True)
        for part in torch.randperm(512).split(64):
            inputs = x[part].contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            functional.cross_entropy(network(inputs), y[part]).backward()
            optimizer.step()

    taken: dict[str, list[float]] = {"ours": [], "by hand": []}
    for _ in range(7):
        for name, run in (("ours", ours), ("by hand", by_hand)):
            started = time.process_time()
            run()
            taken[name].append(time.process_time() - started)
    middle = {name: float(np.median(values[1:])) for name, values in taken.items()}
    print(
        f"small VGG, 512 images of 28 x 28, one thread: {middle['ours']:.3f} s an epoch, by hand"
        f" {middle['by hand']:.3f} s; throughput {middle['by hand'] / middle['ours']:.2f} of plain PyTorch (floor .95)",
        flush=True,
    )


def main() -> None:
    """Print one line for each data set and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--hippocampus", type=Path, help="folder with images/ and labels/ of the Decathlon's Task04")
    parser.add_argument("--only", choices=[*RUNS, "throughput", "hippocampus"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--budget", help="instead of what each run may take, such as 2m")
    parser.add_argument("--resplit", type=int, metavar="SEED", help="draw the test set anew from whole clusters")
    options = parser.parse_args()
    if options.only in {None, "throughput"}:
        throughput()
    if options.hippocampus and options.only in {None, "hippocampus"}:
        for seed in range(options.seeds):
            outlined(options.hippocampus, seed)
    if options.only in {"throughput", "hippocampus"}:
        return
    print(
        f"{'data':18} seed {'chosen':14}   AUC floor target   acc floor target  clean near budget   wall   cpu\n"
        "    (clean: AUC on test images without a near-duplicate among those the choice saw; near: how many have one)"
    )
    for name in [options.only] if options.only else RUNS:
        if name != "digits-cnn-small" and not options.data.is_dir():
            print(f"{name:18} skipped: no folder {options.data}")
            continue
        for seed in range(options.seeds):
            report(name, RUNS[name], options.data, seed, options.budget, options.resplit)


if __name__ == "__main__":
    main()
