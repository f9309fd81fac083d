"""Wall time of two threads against one, for the operations that take more than 0.2 s on one.

    OMP_NUM_THREADS=1 python benchmarks/two_threads.py [--rounds 5] [--only WORD]

Alternating, the least of some rounds. `nothing shared` is a loop that waits for nothing: what this machine gives to two
threads at best, which is less than 2 where its processors are halves of one core, or where others work on it too.
`copies` are of 64 MiB from memory to memory: what is left where operations wait for it. Both are measured before and
after the operations.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numba
import numpy as np
from denoise import mr
from numpy.typing import NDArray

from imaging import ct, xray
from radlake.imaging import edges, enhance, filters, morphology, threads

Run = Callable[[], Any]
GOAL = 1.6


def jobs(volume: NDArray[np.int16]) -> Iterator[tuple[str, Run]]:
    """Work of more than 0.2 s on one thread, by operation."""
    many, picture, brain = np.concatenate([volume] * 4), xray(), mr(60)
    mask, brains, twice = volume > -500, np.concatenate([brain] * 8), np.concatenate([many] * 2)
    most = np.concatenate([twice] * 2)
    yield "median, CT int16, 3^3", lambda: filters.median(many, size_vox=3)
    yield "median, CT int16, 5^3", lambda: filters.median(volume, size_vox=5)
    yield "median, CT int16, 9^3", lambda: filters.median(volume[:24], size_vox=9)
    yield "median, X-ray uint16, 9^2", lambda: filters.median(picture, size_vox=9)
    yield "median, X-ray uint16, 15^2", lambda: filters.median(picture, size_vox=15)
    yield "mean, CT int16, 9^3", lambda: filters.mean(twice, size_vox=9)
    yield "Gaussian, CT int16, sigma 2", lambda: filters.gaussian(many, sigma_vox=2.0)
    yield "dilation by a box, CT int16, 9^3", lambda: morphology.dilate(most, size_vox=9)
    yield "dilation by a ball, CT int16, r = 4", lambda: morphology.dilate(twice, size_vox=9, footprint="ball")
    yield "erosion by a ball, CT int16, r = 4", lambda: morphology.erode(twice, size_vox=9, footprint="ball")
    yield "distance map, CT mask", lambda: morphology.distance_map(mask, spacing=(2.5, 0.7, 0.7))
    yield "Sobel, CT int16", lambda: edges.sobel(many)
    yield "Laplacian of Gaussian, CT int16", lambda: edges.laplacian_of_gaussian(volume, sigma_vox=2.0)
    yield "Canny, CT int16", lambda: edges.canny(volume, low=20.0, high=50.0, sigma_vox=1.5)
    yield "Canny, X-ray uint16", lambda: edges.canny(picture, low=20.0, high=50.0, sigma_vox=1.5)
    yield "CLAHE, CT int16", lambda: enhance.clahe(volume, tile_vox=(8, 64, 64))
    yield "bilateral, float32, sigma 2", lambda: filters.bilateral(brain[:24], sigma_vox=2.0, sigma_value=60.0)
    yield (
        "non-local means, float32, 3^3 in 11^3",
        lambda: filters.non_local_means(brain[:20, 64:128, 64:192], strength=60.0),
    )
    yield (
        "anisotropic diffusion, float32, 10 steps",
        lambda: filters.anisotropic_diffusion(brains, slope=60.0, step_mm2=0.06),
    )


@numba.njit("void(float32[::1], int64)", nogil=True)
def _turns(values: NDArray[np.float32], count: int) -> None:
    """Multiply and add in the first-level cache."""
    for _ in range(count):
        for i in range(values.size):
            values[i] = values[i] * np.float32(0.999) + np.float32(0.1)


def nothing_shared(_: object = None) -> None:
    """Work that waits for nothing but arithmetic."""
    _turns(np.ones(2048, np.float32), 3_000_000)


def at_best(rounds: int) -> None:
    """Print how much two loops or copies at once gain over one after the other."""
    nothing_shared()  # compiles
    source, targets = np.ones(1 << 26, np.uint8), np.zeros((2, 1 << 26), np.uint8)

    def copied(which: int) -> None:
        np.copyto(targets[which], source)

    gains = []
    with ThreadPoolExecutor(2) as pool:
        for work in (nothing_shared, copied):
            alone = together = float("inf")
            for _ in range(rounds):
                alone = min(alone, seconds(lambda work=work: list(pool.map(work, range(1)))))
                together = min(together, seconds(lambda work=work: list(pool.map(work, range(2)))))
            gains.append(2 * alone / together)
    print(f"this machine gives two threads {gains[0]:.2f}x with nothing shared, {gains[1]:.2f}x for copies", flush=True)


def seconds(run: Run) -> float:
    """Wall time of a run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def gain(name: str, run: Run, rounds: int) -> bool:
    """Print how much less wall time two threads take; whether it is 1.6 times less."""
    best = {1: float("inf"), 2: float("inf")}
    for _ in range(rounds):
        for count in (1, 2):
            with threads(count):
                best[count] = min(best[count], seconds(run))
    ratio = best[1] / best[2]
    print(f"{name}: {best[1]:.2f} s on one thread, {ratio:.2f}x on two, goal {GOAL}x", flush=True)
    return ratio >= GOAL


def main() -> int:
    """Print ratios; ends with 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="operations whose name holds this word")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    at_best(options.rounds)
    met = [gain(name, run, options.rounds) for name, run in jobs(ct(60)) if options.only in name]
    at_best(options.rounds)
    print(f"{sum(met)} of {len(met)} goals met")
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
