"""Edges, contrast, resampling, thresholds, agreement against libraries: CPU time of one thread, alternating, median.

    OMP_NUM_THREADS=1 python benchmarks/segmentation.py [--slices 16] [--rounds 3]

The input is a CT of 512 x 512 slices (int16, HU; the noisy body of `imaging.py`). `away` is how far results are from
the peer's: the median difference over the range of the values, the share of samples in another class, or the
difference of two measures; why it is not nothing is said beside it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its usual name
import skimage.exposure
import skimage.feature
import skimage.filters
from scipy import ndimage

from imaging import ct
from radlake.imaging.edges import canny, laplacian_of_gaussian, sobel
from radlake.imaging.enhance import clahe, equalize
from radlake.imaging.resample import to_spacing
from radlake.imaging.segment import hausdorff, multi_otsu, staple

SPACING = (2.5, 0.8, 0.8)


class Contest(NamedTuple):
    """One operation, ours and another's, and what makes results differ."""

    name: str
    peer: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    why: str


def itk(array: np.ndarray) -> sitk.Image:
    """An array with its spacing."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING[::-1])
    return image


def contests(volume: np.ndarray) -> list[Contest]:
    """All comparisons."""
    image, plane = itk(volume), volume[len(volume) // 2].astype(np.float32)
    rng = np.random.default_rng(1)
    body = volume > -300
    masks = [body ^ (rng.random(body.shape) < rate) for rate in (0.01, 0.03, 0.05, 0.1)]
    shifted = np.roll(body, 3, axis=2)
    pictures = [itk(m.astype(np.uint8)) for m in (*masks, body, shifted)]
    distance = sitk.HausdorffDistanceImageFilter()
    least, span = float(volume.min()), float(np.ptp(volume))
    unit = (volume - least) / span

    def farthest() -> float:
        distance.Execute(pictures[4], pictures[5])
        return float(distance.GetHausdorffDistance())

    def sobel_by_scipy() -> np.ndarray:
        work = volume.astype(np.float32)
        parts = (ndimage.sobel(work, axis) / (32 * step) for axis, step in enumerate(SPACING))
        return np.sqrt(sum(part * part for part in parts))

    def log_by_itk() -> np.ndarray:
        return sitk.GetArrayFromImage(sitk.LaplacianRecursiveGaussian(image, 2.0))

    def resampled_by_itk() -> np.ndarray:
        grid = to_spacing(np.zeros(volume.shape, np.bool_), spacing_mm=1.0, spacing=SPACING)
        start = [(n * s - m) / 2 - (s - 1) / 2 for n, s, m in zip(volume.shape, SPACING, grid.shape, strict=True)]
        filter_ = sitk.ResampleImageFilter()
        filter_.SetSize(grid.shape[::-1])
        filter_.SetOutputOrigin(start[::-1])
        filter_.SetDefaultPixelValue(float(volume[0, 0, 0]))
        filter_.SetOutputPixelType(sitk.sitkFloat32)
        return sitk.GetArrayFromImage(filter_.Execute(image))

    def classes_by_itk() -> np.ndarray:
        return sitk.GetArrayFromImage(sitk.OtsuMultipleThresholds(image, 3)) + np.uint8(1)

    def equalized_by_skimage() -> np.ndarray:
        share = skimage.exposure.equalize_hist(volume, nbins=int(np.ptp(volume)) + 1)
        return volume.min() + share * np.ptp(volume)

    return [
        Contest("Sobel, 3-D", "scipy", lambda: sobel(volume, spacing=SPACING), sobel_by_scipy, ""),
        Contest(
            "LoG, 2 mm, 3-D", "SimpleITK", lambda: laplacian_of_gaussian(volume, sigma_mm=2.0, spacing=SPACING),
            log_by_itk, "theirs is recursive",
        ),
        Contest(
            "Canny, 2-D", "scikit-image", lambda: canny(plane, low=20, high=50, sigma_vox=1.5),
            lambda: skimage.feature.canny(plane, 1.5, 160, 400, mode="reflect"), "rounding",
        ),
        Contest("equalise", "scikit-image", lambda: equalize(volume), equalized_by_skimage, ""),
        Contest(
            "CLAHE, 3-D", "scikit-image", lambda: clahe(volume, tile_vox=(8, 64, 64)),
            lambda: skimage.exposure.equalize_adapthist(unit, (8, 64, 64), nbins=1024) * span + least, "another clip",
        ),
        Contest(
            "to 1 mm, linear", "SimpleITK", lambda: to_spacing(volume, spacing_mm=1.0, spacing=SPACING),
            resampled_by_itk, "edges",
        ),
        Contest(
            "multi-Otsu, 4 classes", "SimpleITK", lambda: multi_otsu(volume, classes=4), classes_by_itk,
            "theirs has 128 bins",
        ),
        Contest(
            "STAPLE, 4 masks", "SimpleITK", lambda: np.asarray(staple(masks).probability),
            lambda: sitk.GetArrayFromImage(sitk.STAPLE(pictures[:4], 1.0)), "",
        ),
        Contest(
            "Hausdorff distance", "SimpleITK", lambda: hausdorff(body, shifted, spacing=SPACING), farthest,
            "between surfaces, theirs between sets",
        ),
    ]  # fmt: skip


def away(ours: Any, theirs: Any) -> float:
    """Difference of two results."""
    one, other = np.asarray(ours), np.asarray(theirs)
    if one.ndim == 0 or one.dtype.kind == "f" or other.dtype.kind == "f":
        scale = float(np.ptp(other)) if one.ndim else float(other)
        return float(np.median(np.abs(one.astype(float) - other)) / (scale or 1.0))
    return float(np.mean(one != other))


def cpu(run: Callable[[], Any]) -> float:
    """CPU seconds of one run."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    volume = ct(options.slices)
    print(f"CT {volume.shape}, one thread, median of {options.rounds}")
    print(f"{'operation':24}{'peer':14}{'ours, s':>9}{'peer, s':>9}{'times':>8}{'away':>10}  why")
    for contest in contests(volume):
        difference = away(contest.ours(), contest.theirs())
        times = [(cpu(contest.ours), cpu(contest.theirs)) for _ in range(options.rounds)]
        ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
        row = f"{contest.name:24}{contest.peer:14}{ours:9.3f}{theirs:9.3f}{theirs / ours:8.1f}{difference:10.1e}"
        print(f"{row}  {contest.why}", flush=True)


if __name__ == "__main__":
    main()
