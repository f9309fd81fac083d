"""Filters that keep edges against the libraries that do the same job: CPU time of one thread, alternating, median.

    OMP_NUM_THREADS=1 python benchmarks/denoise.py [--slices 60] [--rounds 5] [--only WORD]

The input is an MR of 256 x 256 slices (float32; tissues, a slow field and noise), of which slow peers and radlake get
the same part. A peer that is not installed is left out: DIPlib, dipy and MedPy (`pip install diplib dipy medpy`) are
not among the development tools. Peers of non-local means and SimpleITK's filters weigh a little otherwise, so `agrees`
is the correlation with our result, away from the edges. Two threads against one: `two_threads.py`.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its usual name
from numpy.typing import NDArray
from scipy import ndimage

from radlake.imaging import denoise

Volume = NDArray[np.float32]
Run = Callable[[], Volume]


class Contest(NamedTuple):
    """One operation: how we do it, how others do it, the goal, and the number of samples."""

    name: str
    ours: Run
    peers: dict[str, Run]
    goal: float
    samples: int


def mr(slices: int, seed: int = 0) -> Volume:
    """Three tissues in round shapes under a slow field, with noise of 5% of the brightest."""
    rng = np.random.default_rng(seed)
    shapes = ndimage.gaussian_filter(rng.normal(0, 1, (slices, 256, 256)), (3, 8, 8))
    tissues = np.digitize(shapes, np.quantile(shapes, [0.3, 0.6])) * 300.0 + 300
    field = 1 + 0.2 * np.cos(np.linspace(0, np.pi, 256))
    return (tissues * field + rng.normal(0, 45, shapes.shape)).astype(np.float32)


def by_itk(volume: Volume, operation: Callable[[sitk.Image], sitk.Image]) -> Run:
    """Run a SimpleITK filter; the copy into its own image belongs to its use from numpy, but is left out here."""
    image = sitk.GetImageFromArray(volume)
    return lambda: sitk.GetArrayFromImage(operation(image))


def bilateral(volume: Volume, sigma: float) -> Contest:
    """Gaussians of distance and of difference; DIPlib's "full" sums the same window, the default of two sigma."""
    peers: dict[str, Run] = {"SimpleITK": by_itk(volume[:6], lambda image: sitk.Bilateral(image, sigma, 60.0))}
    if installed("diplib"):
        import diplib

        diplib.SetNumberOfThreads(1)
        peers["DIPlib, full"] = lambda: np.asarray(
            diplib.BilateralFilter(volume, spatialSigmas=[sigma], tonalSigma=60.0, truncation=2.0, method="full")
        )
    ours = lambda: denoise.bilateral(volume, sigma_vox=sigma, sigma_value=60.0)  # noqa: E731
    return Contest(f"bilateral, float32, sigma {sigma:g}", ours, peers, 3, volume.size)


def non_local_means(volume: Volume) -> Contest:
    """Patches of 3^3 compared in 11^3."""
    from skimage.restoration import denoise_nl_means

    peers: dict[str, Run] = {"scikit-image, fast": lambda: denoise_nl_means(volume, 3, 5, 60.0, fast_mode=True)}
    if installed("dipy"):
        from dipy.denoise.nlmeans import nlmeans

        for method in ("blockwise", "classic"):
            peers[f"dipy, {method}"] = lambda m=method: nlmeans(  # type: ignore[misc]
                volume, 60.0, patch_radius=1, block_radius=5, rician=False, num_threads=1, method=m
            )
    ours = lambda: denoise.non_local_means(volume, strength=60.0, patch_size_vox=3, search_size_vox=11)  # noqa: E731
    return Contest("non-local means, float32, 3^3 in 11^3", ours, peers, 3, volume.size)


def diffusion(volume: Volume) -> Contest:
    """Ten steps of Perona and Malik; MedPy's option 2 is the same formula, and ITK estimates slopes otherwise."""
    few = volume[:16]
    peers: dict[str, Run] = {
        "SimpleITK": by_itk(
            few,
            lambda image: sitk.GradientAnisotropicDiffusion(
                image, timeStep=0.06, conductanceParameter=1.0, numberOfIterations=10
            ),
        )
    }
    if installed("medpy"):
        from medpy.filter.smoothing import anisotropic_diffusion

        peers["MedPy"] = lambda: anisotropic_diffusion(volume, niter=10, kappa=60.0, gamma=0.06, option=2)
    if installed("diplib"):
        import diplib

        peers["DIPlib"] = lambda: np.asarray(diplib.PeronaMalikDiffusion(volume, 10, 60.0, 0.06, "quadratic"))
    ours = lambda: denoise.anisotropic_diffusion(volume, slope=60.0, step_mm2=0.06)  # noqa: E731
    return Contest("anisotropic diffusion, float32, 10 steps", ours, peers, 10, volume.size)


def contests(volume: Volume) -> Iterator[Contest]:
    """All operations, each on as much as its slowest peer can stand."""
    yield bilateral(volume, 1.0)
    yield bilateral(volume[:24], 2.0)
    yield non_local_means(np.ascontiguousarray(volume[:20, 64:128, 64:192]))
    yield diffusion(volume)


def installed(module: str) -> bool:
    """Whether a peer is there."""
    return importlib.util.find_spec(module) is not None


def seconds_of(run: Run) -> tuple[float, Volume]:
    """CPU seconds and the result."""
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


def report(contest: Contest, rounds: int) -> bool:
    """Print one operation; whether the goal is met against the fastest peer, by time a sample."""
    contest.ours()  # compiles, or reads the kernel from the cache
    spent: dict[str, list[float]] = {name: [] for name in ("radlake", *contest.peers)}
    found: dict[str, Volume] = {}
    for turn in range(rounds):
        for name, run in {"radlake": contest.ours, **contest.peers}.items():
            if turn and spent[name][0] * contest.samples > 20:  # a peer that takes long has one turn
                continue
            seconds, found[name] = seconds_of(run)
            spent[name].append(seconds / found[name].size)
    cost = {name: statistics.median(values) for name, values in spent.items()}
    own = cost.pop("radlake")
    ratio = min(cost.values()) / own
    print(f"{contest.name}: {1e9 * own:.1f} ns a sample; {ratio:.1f}x, goal {contest.goal:g}x")
    for name, value in cost.items():
        theirs = found[name]
        ours = found["radlake"][: len(theirs)]
        inner = tuple(slice(min(6, n // 3), n - min(6, n // 3)) for n in theirs.shape)
        agrees = np.corrcoef(ours[inner].ravel(), theirs[inner].ravel())[0, 1]
        print(f"    {name:20} {1e9 * value:9.1f} ns   {value / own:6.1f}x   agrees {agrees:.5f}")
    return ratio >= contest.goal


def main() -> int:
    """Print every operation; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--slices", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="operations whose name holds this word")
    options = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    chosen = [c for c in contests(mr(options.slices)) if options.only in c.name]
    met = [report(c, options.rounds) for c in chosen]
    print(f"{sum(met)} of {len(met)} goals met")
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
