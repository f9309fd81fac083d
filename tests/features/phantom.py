"""The IBSI 1 phantoms, their reference values by name, and the digital phantom's texture matrices as printed."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Literal

import nibabel
import numpy as np

from radlake.features.texture import Aggregation, Texture, by_direction

Cells = frozenset[tuple[float, float, float]]

_TITLES = {
    "pairs": "Grey level co-occurrence matrix (3D)",
    "pairs in planes": "Grey level co-occurrence matrix (2D)",
    "pairs merged": "Grey level co-occurrence matrix (3D, merged)",
    "runs": "Grey level run length matrix (3D)",
    "runs in planes": "Grey level run length matrix (2D)",
    "runs merged": "Grey level run length matrix (3D, merged)",
    "sizes": "Grey level size zone matrix (3D)",
    "sizes in planes": "Grey level size zone matrix (2D)",
    "distances": "Grey level distance zone matrix (3D)",
    "distances in planes": "Grey level distance zone matrix (2D)",
    "tones": "Neighbourhood grey tone difference matrix (3D)",
    "tones in planes": "Neighbourhood grey tone difference matrix (2D)",
    "dependences": "Neighbouring grey level dependence matrix (3D)",
    "dependences in planes": "Neighbouring grey level dependence matrix (2D)",
}


def tables(texture: Texture, aggregation: Aggregation, which: Literal["pairs", "runs"]) -> list[tuple[np.ndarray, int]]:
    """Matrices of one aggregation, each with its number of voxels."""
    parts = by_direction(texture, aggregation, lambda lines: getattr(lines, which))
    return [(m, int(n)) for counts, voxels in parts for m, n in zip(counts, voxels, strict=True) if n]


def volume(folder: Path) -> tuple[np.ndarray, tuple[float, ...]]:
    """The image of a folder as integers (z, y, x), and its spacing."""
    image = nibabel.load(next(folder.iterdir()))  # type: ignore[attr-defined]
    return np.rint(np.asarray(image.dataobj)).T.astype(np.int16), tuple(map(float, image.header.get_zooms()[::-1]))


def phantom(shared: Path, name: str) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """Image, mask and spacing of "ibsi1_digital_phantom" or "ibsi1_ct_phantom"."""
    image, spacing = volume(shared / "ibsi" / name / "nifti" / "image")
    mask, _ = volume(shared / "ibsi" / name / "nifti" / "mask")
    return image, mask != 0, spacing


def reference_values(shared: Path, table: str) -> dict[str, tuple[float, float]]:
    """Value and tolerance by name; names without a reference value are left out."""
    with (shared / "ibsi" / "reference_values" / "mirp_tags" / table).open() as lines:
        rows = [*csv.reader(lines, delimiter=";")][1:]
    return {name: (float(value), float(tolerance)) for value, tolerance, name in rows if value}


def matrices(shared: Path, kind: str) -> list[Cells]:
    """The matrices of a kind in the order of the manual, each as the set of its cells (i, j, n)."""
    text = (shared / "ibsi" / "reference_values" / "06_Digital_phantom_texture_matrices.rst").read_text()
    title = _TITLES[kind]
    start = text.index(f"\n{title}\n---") + len(title) + 2
    section = re.split(r"\n[^\n]+\n-{10,}\n", text[start:].lstrip("-"), maxsplit=1)[0]
    tables = re.findall(r"(?:^ +[+|].*\n)+", section, flags=re.MULTILINE)
    return [frozenset(_cells(table)) for table in tables]


def _cells(table: str) -> list[tuple[float, float, float]]:
    """Rows of numbers of a printed table."""
    rows = re.findall(r"\| *([\d.]+) *\| *([\d.]+) *\| *([\d.]+) *\|", table)
    return [(float(i), float(j), float(n)) for i, j, n in rows]


def cells(matrix: np.ndarray) -> Cells:
    """The cells of a matrix that are not 0; indices count from 1."""
    return frozenset((i + 1.0, j + 1.0, float(matrix[i, j])) for i, j in np.argwhere(matrix))
