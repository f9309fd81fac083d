"""Pictures as cases: a published archive of arrays with its own split, a lake, a folder of image files, or one of them.

A lake keeps references to its pixels, not the pixels: they are read again from where they were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import RadlakeError, UsageError
from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.engine import todo
from radlake.engine.chain import Chain, Piece, Step
from radlake.engine.options import Progress, Silent
from radlake.formats import load_image
from radlake.formats.read import read_image
from radlake.lake.store import Lake
from radlake.learn.cases import Cohort, pictured
from radlake.learn.duplicates import near_duplicates
from radlake.learn.images import images, stacked

ROLES = ("train", "val", "test")


def pictures(source: Path, target: str | None = None) -> Cohort:
    """Pictures with their roles and labels, near-duplicates in clusters where there are labels.

    Parameters
    ----------
    source : Path
        A `.npz` in the MedMNIST layout, a folder, or one image.
    target : str, optional
        "label", or "label_0" and so on where each picture has several; needed for labels.

    Raises
    ------
    UsageError
        When there are no pictures, or no such label.
    """
    if source.suffix == ".npz":
        return _archive(source, target)
    if target is not None:
        raise UsageError("pictures in files have no labels; give a .npz with labels, or a lake with --inputs features")
    found = [(i, picture) for i, file in listed(source) if (picture := read(file)) is not None]
    if not found:
        raise UsageError("there is no picture that can be read; `radlake plan` says why")
    ids = np.array([i for i, _ in found])
    return _cohort([p for _, p in found], ids, np.full(len(ids), ""), np.empty(0))


def listed(source: Path) -> list[tuple[str, Path]]:
    """Files of a folder, or one file, each with its id: its place in the order of names, for names may tell."""
    files = sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]
    digits = len(str(len(files)))
    return [(f"picture {i + 1:0{digits}d}", file) for i, file in enumerate(files)]


def numbered(role: str, count: int) -> list[str]:
    """Ids of the pictures of one role of an archive."""
    return [f"{role} {i + 1:06d}" for i in range(count)]


def lake_pictures(
    lake: Lake, target: str | None, *, memory_bytes: int, workers: int = 1, progress: Progress | None = None
) -> Cohort:
    """Images of a lake with their pixels, patients, roles, labels and clusters of duplicates.

    Planes that were stored as volumes of one slice become flat. Images whose pixels are gone or broken are left out.

    Parameters
    ----------
    lake : Lake
        With its private part, which knows where the pixels are.
    target : str or None
        Name of the label; None: all images.
    memory_bytes : int
        Most that all pixels may take.
    workers : int
        Images that are read at once.
    progress : Progress, optional

    Raises
    ------
    UsageError
        When there are no such images, their kinds differ, or they take more memory.
    """
    progress = progress or Silent()
    chain = Chain("images", (Step("load"),))  # never recorded, so that all images are still to be read
    wanted = set(pictured(lake, target, _known(lake)).ids.tolist())
    pieces = [load.piece for load in todo.images(lake, chain).loads if load.piece.id in wanted]
    size = sum(int(piece.row["estimated_bytes"] or 0) for piece in pieces)
    if size > memory_bytes:
        raise UsageError(
            f"the pixels of {len(pieces)} images take about {size / 2**30:.1f} GiB, more than the memory that is"
            " allowed: give more by --memory, or images that were resampled to fewer pixels"
        )
    progress.begin("reading pictures", len(pieces))

    def read(piece: Piece) -> NDArray[Any] | None:
        found = _pixels(piece, memory_bytes)
        progress.advance(1, int(found is None))
        return found

    with ThreadPoolExecutor(workers) as pool:
        arrays = dict(zip((p.id for p in pieces), pool.map(read, pieces), strict=True))
    progress.end()
    there = np.array([i for i, pixels in arrays.items() if pixels is not None], dtype=np.str_)
    cohort = pictured(lake, target, there)
    if not len(cohort.ids):
        raise UsageError("there is no picture that can be read; `radlake status` says why")
    found = _flat([array for i in cohort.ids.tolist() if (array := arrays[i]) is not None])
    return replace(cohort, features=stacked(found))


def _known(lake: Lake) -> NDArray[Any]:
    """Ids of all images."""
    return np.array(lake.sql("SELECT image_id FROM images ORDER BY 1")["image_id"].to_pylist(), dtype=np.str_)


def _pixels(piece: Piece, memory_bytes: int) -> NDArray[Any] | None:
    """Pixels of one image, slices along the first axis; None where they cannot be read."""
    try:
        image: Image = load_image(piece.members, piece.row, memory_bytes=memory_bytes)
    except (ItemError, OSError):
        return None
    return np.asarray(image.array)


def _flat(arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Volumes of one slice as flat images, where all are."""
    single = all(a.ndim in (3, 4) and a.shape[0] == 1 for a in arrays)
    return [a[0] for a in arrays] if single else arrays


def _archive(source: Path, target: str | None) -> Cohort:
    """Images of all roles."""
    try:
        with np.load(source, allow_pickle=False) as arrays:
            roles = [r for r in ROLES if f"{r}_images" in arrays]
            parts = [np.asarray(arrays[f"{r}_images"]) for r in roles]
            labels = [np.asarray(arrays[f"{r}_labels"]).reshape(len(p), -1) for r, p in zip(roles, parts, strict=True)]
    except (OSError, ValueError, KeyError):
        raise UsageError("the archive holds no train_images, train_labels and so on in the MedMNIST layout") from None
    if not parts or len({p.shape[1:] for p in parts}) != 1 or len({lab.shape[1] for lab in labels}) != 1:
        raise UsageError("the archive's parts differ in the size of their images or the number of their labels")
    role = np.repeat(roles, [len(p) for p in parts])
    ids = np.concatenate([numbered(r, len(p)) for r, p in zip(roles, parts, strict=True)])
    y = np.empty(0) if target is None else np.concatenate(labels)[:, _column(target, labels[0].shape[1])]
    return _cohort(np.concatenate(parts), ids, role, y)


def _column(target: str, columns: int) -> int:
    """Place of a label among several."""
    names = ["label"] if columns == 1 else [f"label_{i}" for i in range(columns)]
    if target not in names:
        raise UsageError(f"the archive has no label {target!r}; there is {', '.join(names[:10])}")
    return names.index(target)


def _cohort(
    arrays: NDArray[Any] | Sequence[NDArray[Any]], ids: NDArray[Any], roles: NDArray[Any], y: NDArray[Any]
) -> Cohort:
    """Cases whose features are their pixels."""
    given = images(arrays)
    nothing = np.full(len(ids), "")
    clusters = nothing
    if len(y):
        number, _ = near_duplicates(given)
        sizes = np.bincount(number)
        clusters = np.array([f"du-{n}" if sizes[n] > 1 else "" for n in number.tolist()])
    pixels = arrays if isinstance(arrays, np.ndarray) else stacked(arrays)
    return Cohort("image", ids, nothing, roles, clusters, pixels, (), {}, y, {})


def read(file: Path) -> NDArray[Any] | None:
    """Pixels of a file; None when it holds no picture."""
    try:
        return read_image(file).array
    except (ItemError, RadlakeError):
        return None
