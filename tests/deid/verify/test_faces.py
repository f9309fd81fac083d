"""A nose that is left is seen, a face that was removed is not; by code of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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
    (tmp_path / "a.dcm").write_bytes(b"no scan")
    assert not shows_face([tmp_path / "a.dcm"])
    assert not shows_face(write_slices(head((20.0, 2.0, 2.0)).image, tmp_path / "d")[:3])
