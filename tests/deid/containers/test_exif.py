from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from radlake.deid.containers import exif


@pytest.mark.parametrize("turn", range(2, 9))
def test_a_turn_is_read_and_written_as_the_library_does(turn: int) -> None:
    theirs = Image.Exif()
    theirs[0x0112], theirs[0x010F] = turn, "Maker"
    for order in ("<", ">"):
        theirs.endian = order
        assert exif.orientation(theirs.tobytes()[6:]) == turn
    ours = Image.Exif()
    ours.load(exif.block(turn))
    assert dict(ours) == {0x0112: turn}


def test_an_upright_picture_needs_no_exif() -> None:
    assert exif.block(1) == b""


@given(st.binary(max_size=64))
def test_what_is_no_exif_is_upright_or_a_turn(data: bytes) -> None:
    assert exif.orientation(data) in range(1, 9)
    assert exif.orientation(b"MM\0*" + data) in range(1, 9)
