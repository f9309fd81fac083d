"""A nose that is left is seen, a face that was removed is not; by code of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from radlake.core.fault import ItemError
from radlake.deid.deface import deface
from radlake.deid.verify.faces import Volume, shows_face, stands_out
from tests.deid.heads import head, write_slices


@pytest.mark.parametrize(("nod", "hu"), [(0, True), (0, False), (15, True), (-15, False)])
def test_a_face_is_seen_until_it_is_removed(nod: float, hu: bool) -> None:
    image = head((4.0, 2.0, 2.0), nod=nod, hu=hu).image
    for shown, expected in ((image, True), (deface(image), False)):
        seen = Volume(shown.array[::-1].astype(np.float32), (4.0, 2.0, 2.0), "CT" if hu else "MR")
        assert stands_out(seen) is expected


def test_slices_in_any_order_and_direction_are_put_together(tmp_path: Path) -> None:
    image = head((5.0, 2.0, 2.0), hu=True).image
    assert shows_face(sorted(write_slices(image, tmp_path / "a")))
    assert not shows_face(sorted(write_slices(deface(image), tmp_path / "b")))
    assert not shows_face(sorted(write_slices(image.with_array(image.array[:30]), tmp_path / "c")))


def test_what_is_no_volume_shows_no_face(tmp_path: Path) -> None:
    slices = write_slices(head((20.0, 2.0, 2.0)).image, tmp_path / "d")
    assert not shows_face(slices[:3])
    for path in slices:
        dataset = dcmread(path)
        del dataset.ImagePositionPatient
        dataset.save_as(path)
    assert not shows_face(slices)


def test_what_cannot_be_read_is_not_taken_for_clean(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"no scan")
    with pytest.raises(ItemError) as problem:
        shows_face([tmp_path / "a.dcm"])
    assert problem.value.code == "unreadable_file"
    slices = write_slices(deface(head((5.0, 2.0, 2.0), hu=True).image), tmp_path / "b")
    slices[20].write_bytes(slices[20].read_bytes()[:-1000])  # of its pixels
    with pytest.raises(ItemError):
        shows_face(slices)


def test_a_scout_among_the_slices_hides_no_face(tmp_path: Path) -> None:
    image = head((5.0, 2.0, 2.0), hu=True).image
    scout = write_slices(image.with_array(image.array[:1, :50]), tmp_path / "scout")
    assert shows_face([*scout, *write_slices(image, tmp_path / "a")])
