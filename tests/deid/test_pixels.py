from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import dcmread

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.core.stage import Context, Item
from radlake.deid import burned_in, pixels, strokes
from radlake.deid.burned_in import Finder, Picture
from radlake.deid.dataset_file import open_object
from radlake.deid.files import Input, Settings, clean
from radlake.deid.stages import redact
from radlake.deid.strokes import Part
from radlake.formats.dicom.decode import stored_frame

KEY = b"k" * 32
FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
FILE_ID = "fi-mnopqrstuvwx"
CORNERS = np.array([[51, 51], [104, 51], [104, 67], [51, 67]], np.float32)  # in a plane with a rim, twice as large


def finder(sees: Callable[[Picture], bool]) -> Finder:
    """A finder that finds a name at one place of the pictures in which it sees one."""

    def detect(picture: Picture) -> list[tuple[np.ndarray, float]]:
        return [(CORNERS, 0.9)] if sees(picture) else []

    def read(pictures: Sequence[Picture]) -> list[tuple[str, float]]:
        return [("SMITH", 0.9)] * len(pictures)

    return Finder(detect, read)


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planes are looked at as a whole, in one size."""
    monkeypatch.setattr(strokes, "places", lambda picture: [Part(0, 0, *picture.shape)])
    monkeypatch.setattr(burned_in, "_REDUCTIONS", (1,))


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is bright at the place is a name."""
    found = finder(lambda picture: int(picture[54:64, 54:100].max()) > 150)
    monkeypatch.setattr(burned_in, "finder", lambda: found)


def examined(name: str) -> pixels.Examined:
    with open_object(FOLDER / name) as found:
        return pixels.examine(pixels.frames_in(found))


def test_everything_is_looked_at_but_computed_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(pixels, "to_blank", lambda planes, margin: (looked.append(len(planes)), ([], True))[1])
    assert examined("rtdose.dcm").state == "clean" and not looked
    for number, name in enumerate(("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "examples_rgb_color.dcm"), 1):
        assert examined(name).state == "clean" and len(looked) == number


def test_text_that_the_header_tells_of_and_nobody_finds_leaves_an_object_unsure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = dcmread(FOLDER / "CT_small.dcm")
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(tmp_path / "a.dcm")
    monkeypatch.setattr(pixels, "to_blank", lambda planes, margin: ([], True))
    with open_object(tmp_path / "a.dcm") as found:
        assert pixels.examine(pixels.frames_in(found)).state == "unsure"


def test_text_is_blanked_and_read_again(letters: None, quiet: None) -> None:
    found = examined("examples_rgb_color.dcm")
    assert found.state == "redacted"
    ((top, left, bottom, right),) = found.boxes
    assert top < 14 and left < 14 and bottom > 21 and right > 40  # the plane was enlarged for reading


def test_text_that_blanking_does_not_remove_leaves_an_object_unsure(
    monkeypatch: pytest.MonkeyPatch, quiet: None
) -> None:
    monkeypatch.setattr(burned_in, "finder", lambda: finder(lambda _: True))
    assert examined("examples_rgb_color.dcm").state == "unsure"


def test_of_a_long_object_some_frames_and_their_extremes_are_read(letters: None, quiet: None) -> None:
    with open_object(FOLDER / "examples_ybr_color.dcm") as found:
        frames = pixels.frames_in(found)
        assert frames.count == 30
        planes = pixels.planes_to_read(frames.count, lambda index: stored_frame(frames, index))
    every = dcmread(FOLDER / "examples_ybr_color.dcm").pixel_array
    assert len(planes) == 10 and planes[-2].shape == every[0].shape
    assert planes[-2].min() >= planes[-1].min()
    assert (planes[-2] >= planes[0]).all() and (planes[-1] <= planes[3]).all()


def test_a_redacted_file_says_so_and_holds_no_letters(letters: None, tmp_path: Path, quiet: None) -> None:
    source = FOLDER / "examples_rgb_color.dcm"
    found = clean(Input(source, "x.dcm", FILE_ID), tmp_path, Settings(KEY))
    after = dcmread(tmp_path / found.name)
    assert found.pixel_text == "redacted"
    assert after.BurnedInAnnotation == "NO"
    assert "113101" in {item.CodeValue for item in after.DeidentificationMethodCodeSequence}
    assert [r.count for r in found.audit if r.path == "7FE0,0010"] == [1]
    assert (after.pixel_array[15:21, 16:38] == 0).all()


def test_review_sets_the_file_aside_with_a_picture(letters: None, tmp_path: Path, quiet: None) -> None:
    settings = Settings(KEY, pixels="review", review=tmp_path / "review")
    with pytest.raises(ItemError) as caught:
        clean(Input(FOLDER / "examples_rgb_color.dcm", "x.dcm", FILE_ID), tmp_path / "out", settings)
    assert caught.value.code == "text_found"
    assert (tmp_path / "review" / f"{FILE_ID}.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_cleared_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: None) -> None:
    monkeypatch.setattr(burned_in, "finder", lambda: finder(lambda _: True))
    with pytest.raises(ItemError) as caught:
        clean(Input(FOLDER / "examples_rgb_color.dcm", "x.dcm", FILE_ID), tmp_path, Settings(KEY))
    assert caught.value.code == "text_left"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("channel", "shape"), [(None, (100, 90)), (None, (3, 100, 90)), (2, (100, 90, 3)), (0, (3, 100, 90))]
)
def test_images_of_a_lake_lose_their_text_on_every_plane(
    channel: int | None, shape: tuple[int, ...], letters: None
) -> None:
    array = np.full(shape, 7, np.uint8)
    letters_at = np.s_[..., 16:19, 18:36] if channel != 2 else np.s_[16:19, 18:36, :]
    array[letters_at] = 200
    array[..., 0] = 0  # something that stays
    image, state, boxes = pixels.blank_image(
        Image(array, Geometry((1.0,) * (len(shape) - (channel is not None))), channel_axis=channel)
    )
    assert (state, boxes) == ("redacted", 1)
    assert image.array.shape == shape and image.channel_axis == channel
    assert image.array.max() <= 7 and (image.array[..., 70:, 1:] == array[..., 70:, 1:]).all()


def test_label_maps_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burned_in, "finder", lambda: pytest.fail("it was read"))
    item = Item("images", "im-a", {"pixel_text": "clean"}, Context(KEY, None))  # type: ignore[arg-type]
    item.images["original"] = Image(np.zeros((9, 9), np.uint8), Geometry((1.0, 1.0)), kind="label")
    assert redact(item) == []


def test_a_blanked_image_gets_its_preview(letters: None) -> None:
    array = np.zeros((100, 90), np.uint8)
    array[16:19, 18:36] = 200
    item = Item("images", "im-a", {"pixel_text": "unchecked"}, Context(KEY, None))  # type: ignore[arg-type]
    item.images["original"] = Image(array, Geometry((1.0, 1.0)))
    ((table, row),) = redact(item)
    assert (table, row["state"], row["boxes"]) == ("pixel_texts", "redacted", 1)
    assert item.row["pixel_text"] == "redacted"
    assert item.images["original"].array.max() == 0


def test_known_files_lose_their_names(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rapidocr")
    monkeypatch.undo()
    source = shared / "deid" / "burned_in" / "us_greyscale_image.dcm"
    found = clean(Input(source, "x.dcm", FILE_ID), tmp_path, Settings(KEY))
    assert found.pixel_text == "redacted"
    banner = dcmread(tmp_path / found.name).pixel_array[:20]
    bright = dcmread(source).pixel_array[:20] > 120
    assert bright.sum() > 500  # letters of name, number, date of birth, hospital and date
    assert (banner[bright] > 120).mean() < 0.01
