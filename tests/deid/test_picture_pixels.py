from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw, ImageFont

from radlake.core.fault import ItemError
from radlake.core.image import Geometry
from radlake.core.image import Image as Image3D
from radlake.deid import picture_pixels
from radlake.deid.containers import jpeg
from radlake.formats import READERS
from radlake.formats.nifti import to_bytes
from radlake.formats.read import read_image

pytest.importorskip("rapidocr")


def drawn(text: str = "DOE JOHN 1961") -> np.ndarray:
    """A soft grey picture with a line of text in its upper part."""
    y, x = np.mgrid[:240, :320]
    picture = Image.fromarray((60 + 40 * np.sin(x / 60) * np.cos(y / 50)).astype(np.uint8))
    ImageDraw.Draw(picture).text((40, 30), text, fill=230, font=ImageFont.load_default(24))
    return np.asarray(picture)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_text_is_blanked_and_every_other_sample_is_as_it_was(suffix: str, tmp_path: Path) -> None:
    path, name = tmp_path / f"a{suffix}", {".jpg": "jpeg", ".tif": "tiff"}[suffix]
    Image.fromarray(drawn()).save(path)
    found = picture_pixels.read(path, READERS[name])
    assert found[0].boxes
    out = io.BytesIO()
    how = picture_pixels.write_blanked(name, found, path.read_bytes(), out)
    target = tmp_path / ("out.png" if name == "jpeg" else f"out{suffix}")
    target.write_bytes(out.getvalue())
    before, after = read_image(path).array, read_image(target).array
    outside = np.ones(before.shape, bool)
    for top, left, bottom, right in found[0].boxes:
        outside[top:bottom, left:right] = False
    assert np.array_equal(after[outside], before[outside])
    assert outside.mean() > 0.7
    assert len(np.unique(after[~outside])) == 1
    assert "PNG" in how or name != "jpeg"
    assert not picture_pixels.read(target, READERS["png" if name == "jpeg" else name])[0].boxes


def test_the_turn_of_a_jpeg_is_kept_where_it_becomes_a_png(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(drawn()).save(tmp_path / "a.jpg", exif=exif)
    out = io.BytesIO()
    found = picture_pixels.Picture(read_image(tmp_path / "a.jpg"), [(0, 0, 60, 320)])
    cleaned = io.BytesIO()
    jpeg.clean(io.BytesIO((tmp_path / "a.jpg").read_bytes()), cleaned)
    picture_pixels.write_blanked("jpeg", [found], cleaned.getvalue(), out)
    with Image.open(out) as image:
        assert (image.format, dict(image.getexif())) == ("PNG", {0x0112: 6})


def test_all_pages_of_a_file_are_blanked_and_colours_stay_colours(tmp_path: Path) -> None:
    pages = np.random.default_rng(0).integers(1, 256, (3, 20, 30, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
    out = io.BytesIO()
    image = read_image(tmp_path / "a.tif")
    picture_pixels.write_blanked("tiff", [picture_pixels.Picture(image, [(2, 3, 5, 9)])], b"", out)
    written = out.getvalue()
    expected = pages.copy()
    expected[:, 2:5, 3:9] = 0
    assert np.array_equal(tifffile.imread(io.BytesIO(written)), expected)
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        assert not {270, 305, 306} & {tag.code for tag in file.pages[0].tags}


def test_volumes_that_can_hold_no_text_are_not_read_and_others_are_not_written_anew(tmp_path: Path) -> None:
    image = read_image(_saved(tmp_path / "a.tif", np.zeros((4, 50, 60), np.uint8)))
    (tmp_path / "a.nii.gz").write_bytes(to_bytes(image))
    assert picture_pixels.state_of(tmp_path / "a.nii.gz", READERS["nifti"]) == "clean"
    assert picture_pixels.read(tmp_path / "a.nii.gz", READERS["nifti"]) == []
    with pytest.raises(ItemError) as caught:
        picture_pixels.write_blanked("nifti", [picture_pixels.Picture(image, [(0, 0, 1, 1)])], b"", io.BytesIO())
    assert caught.value.code == "text_found"
    assert picture_pixels.state_of(tmp_path / "a.tif", READERS["tiff"]) == "unchecked"


@pytest.mark.parametrize(
    ("name", "word"), [("case_seg.nii", "mask"), ("chest_ct.nii", "ct"), ("x.nii", ""), ("brain_t1w.nii", "mr")]
)
def test_a_new_name_says_the_kind_again(name: str, word: str, tmp_path: Path) -> None:
    image = read_image(_saved(tmp_path / "a.tif", np.zeros((4, 5, 6), np.uint8)))
    (tmp_path / name).write_bytes(to_bytes(image))
    assert picture_pixels.word_of(tmp_path / name, READERS["nifti"]) == word


@pytest.mark.parametrize(
    ("name", "shape", "spacing", "expected"),
    [
        ("x.nii", (180, 200, 200), 1.0, "recognizable"),  # a head fits, and nothing says what it is
        ("abdomen_ct.nii", (100, 500, 500), 0.9, "none"),  # too wide for a head alone
        ("head_ct.nii", (100, 500, 500), 0.9, "recognizable"),
        ("x.nii", (40, 40, 40), 1.0, "none"),
        ("x.nii", (40, 80, 80), 3.0, "none"),
        ("x_seg.nii", (180, 200, 200), 1.0, "none"),
    ],
)
def test_heads_are_flagged(
    name: str, shape: tuple[int, int, int], spacing: float, expected: str, tmp_path: Path
) -> None:
    volume = Image3D(np.zeros(shape, np.uint8), Geometry((spacing,) * 3))
    (tmp_path / name).write_bytes(to_bytes(volume))
    assert picture_pixels.faces_of(tmp_path / name, READERS["nifti"]) == expected


def _saved(path: Path, array: np.ndarray) -> Path:
    tifffile.imwrite(path, array, photometric="minisblack")
    return path
