"""Radiomic features of an organ, a lesion and many small regions: CPU time a family, memory, and ratios to a peer.

    OMP_NUM_THREADS=1 python benchmarks/features.py [--repeats 3] [--peer PYTHON]

PYTHON is the interpreter of an environment that holds PyRadiomics (it need not hold radlake); without it only
radlake is measured. Both get the same arrays, grey levels of 25 units and 3-D matrices; times are of the process's
CPU, the least of the repeats, after one run that warms caches and compiles.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radlake.features import extract
from radlake.features.texture import AGGREGATIONS

SPACING = (2.5, 0.8, 0.8)
WIDTH = 25.0
MATRICES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
FIRST_ORDER = ("shape", "intensity", "histogram", "ivh")
SLOW = ("peak", "autocorrelation", "enclosure")

# Runs in the peer's own environment: reads the arrays, prints the CPU seconds and the number of features.
PEER = """
import json, sys, time
import numpy as np, SimpleITK as sitk
import radiomics
from radiomics.featureextractor import RadiomicsFeatureExtractor
radiomics.setVerbosity(60)
folder, repeats = sys.argv[1], int(sys.argv[2])
data = np.load(folder)
image, mask = (sitk.GetImageFromArray(data[n]) for n in ("image", "mask"))
for i in (image, mask):
    i.SetSpacing([float(v) for v in data["spacing"][::-1]])
extractor = RadiomicsFeatureExtractor(binWidth=float(data["width"]))
seconds = []
for _ in range(repeats + 1):
    start = time.process_time()
    found = extractor.execute(image, mask)
    seconds.append(time.process_time() - start)
number = sum(not k.startswith("diagnostics") for k in found)
print(json.dumps({"seconds": min(seconds[1:] or seconds), "features": number}))
"""


def tissue(shape: tuple[int, ...], radii_mm: tuple[float, float, float]) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """A CT of soft tissue with noise and an ellipsoid in its middle."""
    rng = np.random.default_rng(0)
    image = rng.normal(60, 25, shape)
    image += 80 * np.sin(np.arange(shape[0]) / 9)[:, None, None] * np.cos(np.arange(shape[2]) / 17)
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    distance = sum(((g - n / 2) * s / r) ** 2 for g, n, s, r in zip(grid, shape, SPACING, radii_mm, strict=True))
    return image.astype(np.int16), np.asarray(distance <= 1)


def cpu(call: Callable[[], object], repeats: int) -> float:
    """Least CPU seconds of some calls, after one that is not counted."""
    call()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


def region(name: str, shape: tuple[int, ...], radii: tuple[float, float, float], arguments: argparse.Namespace) -> None:
    """Print the times for one region."""
    image, mask = tissue(shape, radii)
    print(f"\n{name}: {mask.sum():,} voxels in {' x '.join(map(str, shape))}")

    def timed(*families: str, aggregations: tuple[str, ...] = ("3D_comb",)) -> float:
        return cpu(
            lambda: extract(
                image, mask, families=families, aggregations=aggregations, spacing=SPACING, bin_width=WIDTH
            ),
            arguments.repeats,
        )

    for family in (*FIRST_ORDER, *MATRICES, *SLOW):
        print(f"  {family:16} {timed(family):8.3f} s")
    whole = timed(*FIRST_ORDER, *MATRICES)
    print(f"  all, 3-D merged, without {', '.join(SLOW)}: {whole:.3f} s")
    print(
        f"  the same with peak and autocorrelation: {timed(*FIRST_ORDER, *MATRICES, 'peak', 'autocorrelation'):.3f} s"
    )
    merged, every = timed(*MATRICES), timed(*MATRICES, aggregations=AGGREGATIONS)
    print(f"  texture in all six aggregations: {every:.3f} s, {every / merged:.1f} times 3-D merged alone")
    if arguments.peer is not None:
        found = peer(arguments.peer, image, mask, arguments.repeats if mask.sum() < 100_000 else 1)
        print(
            f"  PyRadiomics, {found['features']} features: {found['seconds']:.2f} s, "
            f"{found['seconds'] / whole:.0f} times radlake"
        )


def peer(python: str, image: NDArray[np.int16], mask: NDArray[np.bool_], repeats: int) -> dict[str, float]:
    """What PyRadiomics takes for the same arrays in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.npz"
        np.savez(path, image=image, mask=mask.astype(np.uint8), spacing=SPACING, width=WIDTH)
        done = subprocess.run([python, "-c", PEER, str(path), str(repeats)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def small_regions(repeats: int) -> None:
    """Print the time for small regions of a plane."""
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (40, 40)).astype(np.uint8)
    mask = np.hypot(*np.mgrid[-20:20, -20:20]) < 15
    families = (*FIRST_ORDER, *MATRICES)
    seconds = cpu(lambda: [extract(image, mask, families=families) for _ in range(50)], repeats) / 50
    print(f"\nplane region of {mask.sum()} pixels: {1000 * seconds:.2f} ms each")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer", help="Python of an environment with PyRadiomics")
    arguments = parser.parse_args()
    start = time.process_time()
    extract(np.ones((3, 3, 3)), np.ones((3, 3, 3), bool), families=MATRICES)
    print(f"first texture call, compiled code from the cache where there is one: {time.process_time() - start:.2f} s")
    region("organ", (100, 512, 512), (109.4, 69.4, 69.4), arguments)
    region("lesion", (100, 512, 512), (20.0, 12.7, 12.7), arguments)
    small_regions(arguments.repeats)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
