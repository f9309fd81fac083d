"""Filters, morphology, contrast and thresholds against the libraries that do the same job.

    OMP_NUM_THREADS=1 python benchmarks/imaging.py [--quick] [--volume FILE.npy] [--only WORD ...]

CPU time of one thread, alternating, median of five; then how long the first filter of a new process takes. Two threads
against one: `two_threads.py`. The inputs are a CT of 512 x 512 x 60 (int16, HU; a noisy body with lungs and a table,
or a volume of your own) and an X-ray of 2000 x 2500 (uint16); `--quick` takes 24 slices and three rounds. Where
libraries take microseconds a voxel, all get some slices or their middle only, radlake too. A peer that is not installed
is left out; DIPlib (`pip install diplib`) is not among the development tools. Filters that keep edges (float32 MR) are
in `denoise.py`.
`equal` says whether the peer gives the same values away from the edges, where every library has a border of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import SimpleITK as sitk  # noqa: N813 - its usual name
from numpy.typing import NDArray
from scipy import ndimage

from radlake.imaging import edges, enhance, filters, morphology, segment
from radlake.imaging.morphology import footprint_of

Volume = NDArray[np.int16] | NDArray[np.uint16]
Run = Callable[[], NDArray[np.generic]]


class Contest(NamedTuple):
    """One operation: how we do it, how others do it, the goal, and how far from the edges results must agree."""

    name: str
    ours: Run
    peers: dict[str, Run]
    goal: float
    samples: int
    margin: int


def ct(slices: int, seed: int = 0) -> NDArray[np.int16]:
    """A body with lungs and a table in HU, with noise that is correlated like that of a reconstruction."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    body = np.where((x / 0.8) ** 2 + (y / 0.6) ** 2 < 1, 40.0, -1000.0)
    body[((abs(x) - 0.38) / 0.28) ** 2 + (y / 0.4) ** 2 < 1] = -850.0
    body[(abs(y - 0.8) < 0.02) & (abs(x) < 0.7)] = 200.0
    noise = ndimage.gaussian_filter(rng.normal(0, 1, (slices, 512, 512)), 0.7)
    return np.rint(body + 20 / noise.std() * noise).clip(-1024, 3071).astype(np.int16)


def xray(seed: int = 0) -> NDArray[np.uint16]:
    """A radiograph of 14 bits: broad shadows, fine structure, quantum noise."""
    rng = np.random.default_rng(seed)
    broad = cv2.resize(rng.normal(0, 1, (12, 15)), (2500, 2000), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(rng.normal(0, 1, (200, 250)), (2500, 2000), interpolation=cv2.INTER_CUBIC)
    level = 7000 + 2500 * broad + 300 * fine
    return np.rint(level + rng.normal(0, 1, level.shape) * np.sqrt(abs(level))).clip(0, 16383).astype(np.uint16)


def by_itk(array: Volume, operation: Callable[[sitk.Image], sitk.Image]) -> Run:
    """Run a SimpleITK filter; the copy into its own image belongs to its use from numpy, but is left out here."""
    image = sitk.GetImageFromArray(array)
    return lambda: sitk.GetArrayFromImage(operation(image))


def medians(volume: Volume, side: int, goal: float, name: str) -> Contest:
    """Median of a cube or square."""
    peers: dict[str, Run] = {
        "scipy": lambda: ndimage.median_filter(volume, side),
        "SimpleITK": by_itk(volume, lambda image: sitk.Median(image, [side // 2] * volume.ndim)),
    }
    if dip := _diplib():
        peers["DIPlib"] = lambda: np.asarray(dip.MedianFilter(volume, dip.Kernel(side, "rectangular")))
    return Contest(name, lambda: filters.median(volume, size_vox=side), peers, goal, volume.size, side)


def means(volume: Volume, side: int) -> Contest:
    """Mean of a cube, rounded; scipy truncates along each axis."""
    peers: dict[str, Run] = {
        "scipy": lambda: ndimage.uniform_filter(volume, side),
        "scipy, float32": lambda: ndimage.uniform_filter(volume, side, output=np.float32),
        "SimpleITK": by_itk(volume, lambda image: sitk.BoxMean(image, [side // 2] * 3)),
    }
    if dip := _diplib():
        peers["DIPlib"] = lambda: np.asarray(dip.Uniform(volume, dip.Kernel(side, "rectangular")))
    ours = lambda: filters.mean(volume, size_vox=side, out_dtype=np.int16)  # noqa: E731
    return Contest(f"mean, CT int16, {side}^3", ours, peers, 3, volume.size, side)


def balls(volume: Volume, radius: int, *, greatest: bool) -> Contest:
    """Dilation or erosion by a ball. ITK's and DIPlib's own balls reach half a voxel further, so they get ours."""
    ball, side = footprint_of(None, 2 * radius + 1, "ball", (1.0,) * 3), 2 * radius + 1
    word = "dilation" if greatest else "erosion"
    ours = morphology.dilate if greatest else morphology.erode
    scipy = ndimage.grey_dilation if greatest else ndimage.grey_erosion
    itk = sitk.GrayscaleDilate if greatest else sitk.GrayscaleErode
    peers: dict[str, Run] = {
        "scipy": lambda: scipy(volume, footprint=ball),
        "SimpleITK, its ball": by_itk(volume, lambda image: itk(image, [radius] * 3, sitk.sitkBall)),
    }
    if dip := _diplib():
        theirs = dip.Dilation if greatest else dip.Erosion
        peers["DIPlib"] = lambda: np.asarray(theirs(volume, dip.SE(dip.Image(ball))))
        peers["DIPlib, its ball"] = lambda: np.asarray(theirs(volume, dip.SE(side, "elliptic")))
    run = lambda: ours(volume, size_vox=side, footprint="ball")  # noqa: E731
    return Contest(f"{word} by a ball, CT int16, r = {radius}", run, peers, 6, volume.size, side)


def dispatched(volume: Volume) -> Iterator[Contest]:
    """What goes to a library: the same library called by hand, so a little less than 1 is the price of the door."""
    plane, line = np.ones((5, 5), np.uint8), np.ones((5, 1), np.uint8)

    def box() -> NDArray[np.generic]:
        slices = np.stack([cv2.dilate(one, plane) for one in volume])
        return np.asarray(cv2.dilate(slices.reshape(len(slices), -1), line)).reshape(volume.shape)

    def gaussian() -> NDArray[np.generic]:
        kernel = cv2.getGaussianKernel(17, 2.0)
        slices = np.stack([cv2.sepFilter2D(one.astype(np.float32), -1, kernel, kernel) for one in volume])
        columns = slices.reshape(len(slices), -1)
        return np.asarray(cv2.sepFilter2D(columns, -1, np.ones(1), kernel)).reshape(volume.shape)

    def row(name: str, ours: Run, by_hand: str, theirs: Run, margin: int = 1) -> Contest:
        return Contest(name, ours, {by_hand: theirs}, 1 / 1.1, volume.size, margin)

    yield row(
        "Gaussian, CT int16, sigma 2", lambda: filters.gaussian(volume, sigma_vox=2.0), "OpenCV by hand", gaussian, 17
    )
    yield row(
        "dilation by a box, CT int16, 5^3", lambda: morphology.dilate(volume, size_vox=5), "OpenCV by hand", box, 5
    )
    yield from masks(volume)


def masks(volume: Volume) -> Iterator[Contest]:
    """Distances and components, which libraries have too."""
    mask, spacing = volume > -500, (2.5, 0.7, 0.7)
    bytes_ = mask.view(np.uint8)

    def largest() -> NDArray[np.generic]:
        labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
        counts = np.bincount(labels.reshape(-1), minlength=count + 1)
        counts[0] = 0
        return np.asarray(labels == counts.argmax())

    def largest_by_itk() -> NDArray[np.generic]:
        labels = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.GetImageFromArray(bytes_), True))
        return sitk.GetArrayFromImage(labels) == 1

    def filled_by_itk() -> NDArray[np.generic]:
        return sitk.GetArrayFromImage(sitk.BinaryFillhole(sitk.GetImageFromArray(bytes_))) > 0

    yield Contest(
        "distance map, CT mask",
        lambda: morphology.distance_map(mask, spacing=spacing),
        {"scipy": lambda: ndimage.distance_transform_edt(mask, sampling=spacing)},
        1 / 1.1,
        volume.size,
        1,
    )
    yield Contest(
        "largest component, CT mask",
        lambda: segment.largest_component(mask),
        {"scipy": largest, "SimpleITK": largest_by_itk},
        1 / 1.1,
        volume.size,
        1,
    )
    yield Contest(
        "holes filled, CT mask",
        lambda: morphology.fill_holes(mask),
        {"scipy": lambda: ndimage.binary_fill_holes(mask), "SimpleITK": filled_by_itk},
        1 / 1.1,
        volume.size,
        1,
    )


def slopes(volume: Volume, picture: Volume) -> Iterator[Contest]:
    """Edges of a volume and of a picture."""

    def by_scipy() -> NDArray[np.generic]:
        work = volume.astype(np.float32)
        return np.sqrt(sum((ndimage.sobel(work, axis) / 32) ** 2 for axis in range(3)))

    def by_opencv() -> NDArray[np.generic]:
        parts = [
            cv2.Sobel(picture, cv2.CV_32F, dx, 1 - dx, scale=1 / 8, borderType=cv2.BORDER_REFLECT) for dx in (0, 1)
        ]
        return cv2.magnitude(*parts)

    def second_by_opencv() -> NDArray[np.generic]:
        return cv2.Laplacian(picture, cv2.CV_32F, borderType=cv2.BORDER_REFLECT)

    for name, ours, peer, theirs, samples in (
        ("Sobel, CT int16", lambda: edges.sobel(volume), "scipy", by_scipy, volume.size),
        ("Sobel, X-ray uint16", lambda: edges.sobel(picture), "OpenCV", by_opencv, picture.size),
        ("Laplacian, X-ray uint16", lambda: edges.laplacian(picture), "OpenCV", second_by_opencv, picture.size),
    ):
        yield Contest(name, ours, {peer: theirs}, 1 / 1.1, samples, 3)


def others(volume: Volume) -> Iterator[Contest]:
    """Contrast, edges and classes, where radlake has code of its own; results differ a little by definition."""
    import skimage.feature

    picture, image = xray(), sitk.GetImageFromArray(volume)
    adaptive, eight = cv2.createCLAHE(4.0, (10, 8)), (picture >> 6).astype(np.uint8)
    for name, shown in (("uint16", picture), ("uint8", eight)):
        yield Contest(
            f"CLAHE, X-ray {name}",
            lambda shown=shown: enhance.clahe(shown, tile_vox=250.0),
            {"OpenCV": lambda shown=shown: adaptive.apply(shown)},
            1 / 1.1,
            picture.size,
            1,
        )
    work = picture.astype(np.float32)
    yield from slopes(volume, picture)
    yield Contest(
        "Canny, X-ray uint16",
        lambda: edges.canny(picture, low=20.0, high=50.0, sigma_vox=1.5),
        {"scikit-image": lambda: skimage.feature.canny(work, 1.5, 160, 400, mode="reflect")},
        1 / 1.1,
        picture.size,
        9,
    )
    yield Contest(
        "multi-Otsu of 4 classes, CT int16",
        lambda: segment.multi_otsu(volume, classes=4),
        {"SimpleITK, 128 bins": lambda: sitk.GetArrayFromImage(sitk.OtsuMultipleThresholds(image, 3)) + np.uint8(1)},
        3,
        volume.size,
        1,
    )


def contests(volume: NDArray[np.int16]) -> Iterator[Contest]:
    """All operations, each on as much as its slowest peer can stand."""
    few = volume[: max(10, len(volume) // 6)]
    middle = np.ascontiguousarray(few[:, 128:384, 128:384])
    for side, goal, shown in ((3, 50, few), (5, 9, middle), (9, 30, middle)):
        yield medians(shown, side, goal, f"median, CT int16, {side}^3")
    for side in (9, 15):
        yield medians(xray(), side, 10, f"median, X-ray uint16, {side}^2")
    for side in (3, 9):
        yield means(volume, side)
    for radius in (2, 4):
        for greatest in (True, False):
            yield balls(few, radius, greatest=greatest)
    yield from dispatched(volume)
    yield from others(volume)


def first_filter() -> bool:
    """Print CPU time of a new process until its first filter is done, with cached kernels; whether under 1 s."""
    code = (
        "import time, numpy as np; from radlake.imaging import filters;"
        "filters.median(np.zeros((8, 64, 64), np.int16), size_vox=3); print(time.process_time())"
    )
    spent = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) for _ in range(3)
    ]
    print(f"first filter of a new process: {min(spent):.2f} s of CPU, goal below 1 s")
    return min(spent) < 1


def measured(contest: Contest, rounds: int) -> tuple[dict[str, float], dict[str, NDArray[np.generic]]]:
    """CPU seconds of each competitor, the median of rounds in which each has one turn, and what they found."""
    runs = {"radlake": contest.ours, **contest.peers}
    contest.ours()  # compiles, or reads the kernel from the cache
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    found = {}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            found[name] = run()
            seconds[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}, found


def equal(ours: NDArray[np.generic], theirs: NDArray[np.generic], margin: int) -> bool:
    """Whether two results agree away from the edges; float results to float32's precision."""
    inner = tuple(slice(margin // 2, side - margin // 2) for side in ours.shape)
    a, b = (result[inner].astype(np.float64) for result in (ours, theirs))
    return bool(np.allclose(a, b, rtol=1e-5, atol=0) if theirs.dtype.kind == "f" else np.array_equal(a, b))


def report(contest: Contest, rounds: int) -> bool:
    """Print one operation; whether the goal is met against the fastest peer."""
    seconds, found = measured(contest, rounds)
    own = seconds.pop("radlake")
    ratio = min(seconds.values()) / own
    if contest.name.startswith("mean"):  # the goal is against scipy
        ratio = seconds["scipy"] / own
    print(
        f"{contest.name}: {1e9 * own / contest.samples:.2f} ns a sample; {ratio:.2g}x, goal {contest.goal:.2g}x",
        flush=True,
    )
    for name, spent in sorted(seconds.items(), key=lambda one: one[1]):
        same = "equal" if equal(found["radlake"], found[name], contest.margin) else "other values"
        print(f"    {spent / own:8.1f}x {name} ({same})")
    return ratio >= contest.goal


def _diplib() -> object | None:
    """DIPlib on one thread, where it is installed."""
    if importlib.util.find_spec("diplib") is None:
        return None
    import diplib

    diplib.SetNumberOfThreads(1)
    return diplib


def main() -> int:
    """Print ratios; ends with 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="24 slices and three rounds instead of 60 and five")
    parser.add_argument("--volume", type=Path, help="an int16 volume saved by numpy, instead of the made one")
    parser.add_argument("--only", nargs="+", default=[""], help="operations whose name holds one of these words")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    volume = ct(24 if options.quick else 60) if options.volume is None else np.load(options.volume)
    rounds = 3 if options.quick else 5
    met = [report(c, rounds) for c in contests(volume) if any(word in c.name for word in options.only)]
    met += [first_filter()] if any(word in "first filter" for word in options.only) else []
    print(f"{sum(met)} of {len(met)} goals met")
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
