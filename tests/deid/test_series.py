"""Faces in series of files: every slice loses what the volume shows, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from radlake.core.fault import ItemError
from radlake.deid.deface import face_of
from radlake.deid.files import Input, Settings, clean
from radlake.deid.series import by_series, faces_of, find, write_list
from radlake.deid.verify.faces import shows_face
from tests.deid.heads import Head, head, write_enhanced, write_slices

KEY = b"k" * 32
STEP = (5.0, 2.0, 2.0)
WITHOUT = Settings(KEY, options=("clean-visual-features",), pixels="off")
RLE = "1.2.840.10008.1.2.5"


@pytest.fixture(scope="module")
def shown() -> Head:
    """A head on CT."""
    return head(STEP, hu=True)


@pytest.fixture(scope="module")
def slices(shown: Head, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Its files, from bottom to top."""
    return write_slices(shown.image, tmp_path_factory.mktemp("head"))


def test_each_slice_has_the_mask_that_the_volume_has(shown: Head, slices: list[Path]) -> None:
    found, expected = find(sorted(slices)), face_of(shown.image)
    assert expected.any()
    for number, path in enumerate(slices):
        np.testing.assert_array_equal(found.face_in(path), expected[number][None])


def test_a_cleaned_slice_is_black_where_the_face_was_and_equal_elsewhere(
    shown: Head, slices: list[Path], tmp_path: Path
) -> None:
    (name,) = groups = by_series(dict.fromkeys(slices, ""))
    write_list(tmp_path / "lists", name, groups[name])
    settings = Settings(KEY, options=WITHOUT.options, pixels="off", series=tmp_path / "lists")
    expected = face_of(shown.image)
    number = int(shown.nose.sum(axis=(1, 2)).argmax())
    cleaned = clean(Input(slices[number], "a.dcm", "fi-aaaaaaaa", name), tmp_path / "out", settings)
    before, after = dcmread(slices[number]), dcmread(tmp_path / "out" / cleaned.name)
    old, new, face = before.pixel_array, after.pixel_array, expected[number]
    assert face[shown.nose[number]].mean() > 0.9
    assert set(new[face].tolist()) == {int(old.min())}
    np.testing.assert_array_equal(new[~face], old[~face])
    assert cleaned.faces == "removed"
    assert [row.count for row in cleaned.audit if row.action.startswith("face removed")] == [1]
    assert after.RecognizableVisualFeatures == "NO"
    assert "113102" in [item.CodeValue for item in after.DeidentificationMethodCodeSequence]


def test_compressed_slices_stay_in_their_transfer_syntax(shown: Head, tmp_path: Path) -> None:
    paths = write_slices(head((5.0, 2.0, 2.0)).image, tmp_path / "mr", RLE)
    (name,) = groups = by_series(dict.fromkeys(paths, ""))
    write_list(tmp_path / "lists", name, groups[name])
    settings = Settings(KEY, options=WITHOUT.options, pixels="off", series=tmp_path / "lists")
    cleaned = clean(Input(paths[20], "a.dcm", "fi-aaaaaaaa", name), tmp_path / "out", settings)
    after = dcmread(tmp_path / "out" / cleaned.name)
    face = faces_of(tmp_path / "lists", name).face_in(paths[20])[0]
    assert after.file_meta.TransferSyntaxUID == RLE
    np.testing.assert_array_equal(after.pixel_array[~face], dcmread(paths[20]).pixel_array[~face])
    assert len(set(after.pixel_array[face].tolist())) == 1


def test_an_object_of_many_frames_is_a_series_of_its_own(tmp_path: Path) -> None:
    image = head(STEP).image
    write_enhanced(image, tmp_path / "in" / "a.dcm")
    assert shows_face([tmp_path / "in" / "a.dcm"])
    cleaned = clean(Input(tmp_path / "in" / "a.dcm", "a.dcm", "fi-aaaaaaaa"), tmp_path / "out", WITHOUT)
    after, face = dcmread(tmp_path / "out" / cleaned.name).pixel_array, face_of(image)[::-1]
    np.testing.assert_array_equal(after[~face], image.array[::-1][~face])
    assert not shows_face([tmp_path / "out" / cleaned.name])
    assert [row.count for row in cleaned.audit if row.action.startswith("face removed")] == [len(image.array)]


def test_no_file_ends_the_look_for_series(slices: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(source: object) -> None:
        raise RuntimeError

    (tmp_path / "empty.dcm").touch()
    assert by_series({tmp_path / "empty.dcm": "", tmp_path / "none.dcm": "", tmp_path: ""}) == {}
    monkeypatch.setattr("radlake.deid.series.find_reader", crash)
    assert by_series(dict.fromkeys(slices, "")) == {}
    with pytest.raises(ItemError, match="no volume"):
        find(slices).face_in(slices[0])


def test_another_slice_or_content_gives_the_series_another_name(slices: list[Path]) -> None:
    names = [
        set(by_series(files))
        for files in (
            dict.fromkeys(slices, ""),
            dict.fromkeys(slices[1:], ""),
            dict.fromkeys(slices, "") | {slices[3]: "new"},
        )
    ]
    assert all(len(found) == 1 for found in names)
    assert len(set.union(*names)) == 3


def test_a_scout_in_the_series_does_not_keep_the_face(shown: Head, slices: list[Path], tmp_path: Path) -> None:
    scout = dcmread(slices[0])
    scout.SOPInstanceUID, scout.ImageOrientationPatient = "1.2.3", [0, 1, 0, 0, 0, -1]
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.save_as(tmp_path / "scout.dcm")
    found = find([*slices, tmp_path / "scout.dcm"])
    np.testing.assert_array_equal(found.face_in(slices[20])[0], face_of(shown.image)[20])
    with pytest.raises(ItemError, match="volume"):
        found.face_in(tmp_path / "scout.dcm")
    assert clean(Input(tmp_path / "scout.dcm", "s.dcm", "fi-aaaaaaaa"), tmp_path / "out", WITHOUT).faces == "none"


@pytest.mark.parametrize(
    ("left", "why"),
    [(slice(None, None, -52), "volume"), (slice(0, 30), "top of the head"), ([*range(20), *range(21, 52)], "missing")],
)
def test_a_series_in_which_no_face_can_be_found_is_set_aside(
    left: slice | list[int], why: str, slices: list[Path], tmp_path: Path
) -> None:
    chosen = slices[left] if isinstance(left, slice) else [slices[n] for n in left]
    (name,) = groups = by_series(dict.fromkeys(chosen, ""))
    write_list(tmp_path / "lists", name, groups[name])
    settings = Settings(KEY, options=WITHOUT.options, pixels="off", series=tmp_path / "lists")
    for path in chosen[:2]:
        with pytest.raises(ItemError, match=why) as caught:
            clean(Input(path, "a.dcm", "fi-aaaaaaaa", name), tmp_path / "out", settings)
        assert caught.value.code == "face_left"
    assert not (tmp_path / "out").exists()
