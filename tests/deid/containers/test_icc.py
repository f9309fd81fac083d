from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from radlake.deid.containers import icc


@pytest.fixture
def profile() -> bytes:
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def renamed(profile: bytes) -> bytes:
    """The profile with a maker, a device and a day of somebody in its header."""
    return profile[:24] + b"\x07\xe8\0\3\0\1\0\x0c\0\0\0\0" + profile[36:48] + b"QuuxBerg" + profile[56:]


def test_colours_are_the_same_and_words_are_gone(profile: bytes) -> None:
    clean = icc.cleaned(renamed(profile)) or b""
    assert not any(word in clean for word in (b"QuuxBerg", b"l\0i\0t", b"sRGB", b"lcms", b"\x07\xe8\0\3"))
    before, after = (ImageCms.ImageCmsProfile(io.BytesIO(data)) for data in (profile, clean))
    lab = ImageCms.createProfile("LAB")
    picture = Image.linear_gradient("L").convert("RGB")
    shown = [ImageCms.applyTransform(picture, ImageCms.buildTransform(p, lab, "RGB", "LAB")) for p in (before, after)]
    assert shown[0].tobytes() == shown[1].tobytes()


def test_cleaning_twice_changes_nothing(profile: bytes) -> None:
    once = icc.cleaned(profile) or b""
    assert icc.cleaned(once) == once


@given(st.binary(max_size=400))
def test_damaged_profiles_are_none_or_bounded(data: bytes) -> None:
    head = bytes(36) + b"acsp" + bytes(88)
    found = icc.cleaned(head + data)
    assert found is None or len(found) < 1000 + 101 * len(data)


def test_no_profile_is_none() -> None:
    assert icc.cleaned(b"") is None
    assert icc.cleaned(bytes(200)) is None
