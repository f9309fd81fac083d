"""Search for duplicates: recall and precision on planted copies of real pictures, known leaks, and cost against size.

    python benchmarks/duplicates.py [--pictures FOLDER] [--sizes 10000 100000]

The folder holds `cxr_covid/images`, `us_nerve_seg/images`, `retina_vessels/chasedb1` and `medmnist`, as far as they are
there.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from radlake.core.image import Geometry, Image
from radlake.core.schema import to_table
from radlake.quality.alignment import SIDE
from radlake.quality.duplicates import cluster
from radlake.quality.fingerprint import CROPS, fingerprint

Picture = NDArray[np.uint8]
SETS = ("cxr_covid/images/*", "us_nerve_seg/images/*", "retina_vessels/chasedb1/Image_???.jpg")
LARGEST = 1024  # pixels a side: larger pictures are shrunk first, to keep the run short
SAME_FRAME = {"us_nerve_seg/0146": "us_nerve_seg/0036"}  # frames of one sweep, a few pixels apart: looked at


def turned(a: Picture, rng: np.random.Generator) -> Picture:
    """Mirrored, rotated by a multiple of 90 degrees, or both; never unchanged."""
    k = int(rng.integers(1, 8))
    return np.ascontiguousarray(np.rot90(a[:, ::-1] if k >= 4 else a, k % 4))


def cropped(a: Picture, rng: np.random.Generator) -> Picture:
    """Up to 6% cut from each side."""
    rows, columns = a.shape
    t, b, left, right = rng.uniform(0, 0.06, 4)
    return a[int(t * rows) : rows - int(b * rows), int(left * columns) : columns - int(right * columns)].copy()


def rescaled(a: Picture, rng: np.random.Generator) -> Picture:
    """0.4 to 1.3 times as large, aspect changed by up to 5%."""
    f = rng.uniform(0.4, 1.3)
    how = cv2.INTER_AREA if f < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(a, None, fx=f, fy=f * rng.uniform(0.95, 1.05), interpolation=how))


def recompressed(a: Picture, rng: np.random.Generator) -> Picture:
    """JPEG of quality 20 to 60."""
    _, stored = cv2.imencode(".jpg", a, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 60))])
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE))


def brightened(a: Picture, rng: np.random.Generator) -> Picture:
    """Gamma 0.7 to 1.4, gain 0.8 to 1.2, offset -20 to 20 of 255, clipped."""
    bright = 255 * (a / 255.0) ** rng.uniform(0.7, 1.4) * rng.uniform(0.8, 1.2) + rng.uniform(-20, 20)
    return np.clip(bright, 0, 255).astype(np.uint8)


def everything(a: Picture, rng: np.random.Generator) -> Picture:
    """All of the above, one after the other."""
    for change in (rescaled, cropped, turned, brightened, recompressed):
        a = change(a, rng)
    return a


CHANGES: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "flipped or rotated": turned,
    "cropped": cropped,
    "rescaled": rescaled,
    "recompressed": recompressed,
    "brightened": brightened,
    "all of these at once": everything,
}


def pictures(folder: Path) -> dict[str, Picture]:
    """Real gray pictures by set and file stem."""
    found = {}
    for path in (p for pattern in SETS for p in sorted(folder.glob(pattern))):
        a = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        f = LARGEST / max(a.shape)
        small = cv2.resize(a, None, fx=f, fy=f, interpolation=cv2.INTER_AREA) if f < 1 else a
        found[f"{path.relative_to(folder).parts[0]}/{path.stem}"] = small
    return found


def row(name: str, a: NDArray[np.generic], patient: str | None = None) -> dict[str, object]:
    """One row of `fingerprints`."""
    found = fingerprint(Image(a, Geometry((1.0,) * a.ndim)))
    return {"image_id": name, "patient_id": patient, "series_id": name, **vars(found)}


def clusters(rows: list[dict[str, object]]) -> dict[str, str]:
    """Cluster by image, for images that have one."""
    table = cluster(to_table("fingerprints", rows))
    return dict(zip(table["image_id"].to_pylist(), table["cluster_id"].to_pylist(), strict=True))


def planted(originals: dict[str, Picture], seed: int = 0) -> tuple[dict[str, float], float, int]:
    """Recall by kind of change, precision over all pairs in one cluster, and the number of those pairs."""
    rows = [row(f"{name}|original", a) for name, a in originals.items()]
    for k, (kind, change) in enumerate(CHANGES.items()):
        rng = np.random.default_rng([seed, k])
        rows += [row(f"{name}|{kind}", change(a, rng)) for name, a in originals.items()]
    where = clusters(rows)
    recall = {
        kind: float(np.mean([_together(where, f"{n}|original", f"{n}|{kind}") for n in originals])) for kind in CHANGES
    }
    right = wrong = 0
    for a, b in _pairs(where):
        one, other = (SAME_FRAME.get(x.split("|")[0], x.split("|")[0]) for x in (a, b))
        right, wrong = right + (one == other), wrong + (one != other)
    return recall, right / max(1, right + wrong), right + wrong


def leaks(path: Path) -> dict[str, object]:
    """Of a MedMNIST file: pairs found, how many are byte for byte equal, and test images that training has too."""
    data = np.load(path)
    images = {f"{s}/{k:05}": a for s in ("train", "val", "test") for k, a in enumerate(data[f"{s}_images"])}
    where = clusters([row(name, a) for name, a in images.items()])
    pairs = list(_pairs(where))
    shared = {a for a, b in pairs if a.startswith("test") and b.startswith("train")}
    equal = sum(np.array_equal(images[a], images[b]) for a, b in pairs)
    return {"images": len(images), "pairs": len(pairs), "equal": equal, "test images in train": len(shared)}


def synthetic(count: int, seed: int = 0, repeated: float = 0.02) -> pa.Table:
    """Fingerprints of a cohort that looks alike (chest radiographs): common coefficients plus as strong own ones.

    A share `repeated` of the images are copies with a few changed bits.
    """
    rng = np.random.default_rng(seed)
    frequencies = [p for p in ((s - x, x) for s in range(1, 11) for x in range(s + 1)) if p != (5, 5)]
    u, v = np.array(frequencies).T
    swap = np.array([frequencies.index((x, y)) for y, x in frequencies])
    own = rng.standard_normal((count, 64), dtype=np.float32) + rng.standard_normal(64, dtype=np.float32)
    copies = rng.choice(count, int(repeated * count), replace=False)
    own[copies] = own[rng.integers(0, count, copies.size)] + 0.1 * rng.standard_normal((copies.size, 64))
    turns = [1 - 2 * ((a * u + b * v) % 2) for a, b in itertools.product((0, 1), repeat=2)]
    words = [_words(own[:, order] * sign) for sign in turns for order in (np.arange(64), swap)]
    words += [_words(own + 0.25 * rng.standard_normal(own.shape, dtype=np.float32)) for _ in CROPS]
    hashes = np.stack(words, axis=1)
    offsets = np.arange(0, hashes.size + 1, hashes.shape[1], dtype=np.int32)
    thumbs = [rng.bytes(SIDE * SIDE) for _ in range(256)]
    names = [f"im-{k:08}" for k in range(count)]
    return pa.table(
        {
            "image_id": names,
            "patient_id": names,
            "series_id": names,
            "digest": names,
            "hashes": pa.ListArray.from_arrays(offsets, hashes.ravel()),
            "thumb": pa.array([thumbs[k % 256] for k in range(count)], pa.binary()),
        }
    )


def _words(coefficients: NDArray[np.float32]) -> NDArray[np.int64]:
    """Signs of 64 coefficients as one integer."""
    packed = np.packbits(np.ascontiguousarray(coefficients > 0), axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view("<i8")[:, 0]


def _together(where: dict[str, str], one: str, other: str) -> bool:
    """Whether two images share a cluster."""
    return one in where and where[one] == where.get(other)


def _pairs(where: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of images in one cluster, names in order."""
    members = defaultdict(list)
    for name in sorted(where):
        members[where[name]].append(name)
    for together in members.values():
        yield from itertools.combinations(together, 2)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000])
    given = parser.parse_args()
    originals = pictures(given.pictures)
    if originals:
        recall, precision, pairs = planted(originals)
        print(f"planted copies of {len(originals)} real pictures: precision {precision:.4f} of {pairs} pairs")
        for kind, share in recall.items():
            print(f"  {kind:22} recall {share:.3f}")
    for path in sorted(given.pictures.glob("medmnist/*.npz")):
        print(path.stem, leaks(path))
    for count in given.sizes:
        table = synthetic(count)
        before = time.process_time()
        cluster(table)
        spent, peak = time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{count:9,} images: {spent:7.1f} CPU s, {1e6 * spent / count:6.0f} us an image, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
