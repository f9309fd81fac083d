from __future__ import annotations

import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread

from radlake.core.errors import UsageError
from radlake.core.fault import Ignored, ItemError
from radlake.deid.files import Input, Names, Settings, clean
from radlake.deid.pseudonyms import batch_id, ids
from radlake.deid.verify import verify
from radlake.formats import scan_file
from radlake.formats.read import read_image
from radlake.formats.source import Source

KEY = b"k" * 32
FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
FILE_ID = "fi-mnopqrstuvwx"


def test_a_cleaned_object_is_called_by_its_new_uids(tmp_path: Path) -> None:
    found = clean(Input(FOLDER / "CT_small.dcm", "x.dcm", FILE_ID), tmp_path, Settings(KEY, pixels="off"))
    after = dcmread(tmp_path / found.name)
    assert found.name == "/".join(
        [after.PatientID, after.StudyInstanceUID, after.SeriesInstanceUID, f"{after.SOPInstanceUID}_mnopqrst.dcm"]
    )
    assert (found.format, found.pixel_text) == ("dicom", "clean")
    assert any(row.action == "pseudonym" for row in found.audit)


def test_an_old_path_is_kept_as_far_as_it_names_nobody(tmp_path: Path) -> None:
    before = dcmread(FOLDER / "CT_small.dcm")
    relative = f"liver/{before.PatientID}/{before.PatientName}.dcm"
    found = clean(
        Input(FOLDER / "CT_small.dcm", relative, FILE_ID), tmp_path, Settings(KEY, names="keep", pixels="off")
    )
    assert found.name.startswith("liver/")
    assert str(before.PatientID) not in found.name
    assert (tmp_path / found.name).is_file()


def test_pixels_that_nobody_looked_at_are_unchecked(tmp_path: Path, quiet: None) -> None:
    names = {"examples_ybr_color.dcm": "unchecked", "rtplan.dcm": None}
    for name, expected in names.items():
        assert clean(Input(FOLDER / name, name, FILE_ID), tmp_path, Settings(KEY, pixels="off")).pixel_text == expected


def test_no_copy_says_that_a_face_is_gone_which_is_there(tmp_path: Path) -> None:
    without = Settings(KEY, options=("clean-visual-features",), pixels="off")
    head = dcmread(FOLDER / "CT_small.dcm")
    head.BodyPartExamined, head.SliceThickness = "HEAD", "1"
    head.save_as(tmp_path / "head.dcm")
    flagged = clean(Input(tmp_path / "head.dcm", "h", FILE_ID), tmp_path / "out", Settings(KEY, pixels="off"))
    assert flagged.faces == "recognizable"
    with pytest.raises(ItemError) as caught:
        clean(Input(tmp_path / "head.dcm", "h", FILE_ID), tmp_path / "none", without)
    assert caught.value.code == "face_left"
    assert not (tmp_path / "none").exists()
    other = clean(Input(FOLDER / "rtplan.dcm", "r", FILE_ID), tmp_path / "out", without)
    assert dcmread(tmp_path / "out" / other.name).RecognizableVisualFeatures == "NO"


def test_what_cannot_be_cleaned_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"resourceType": "Patient"}')
    (tmp_path / "a.py").write_text("print(1)")
    for name, kind, code in (("a.json", ItemError, "not_cleanable"), ("a.py", Ignored, "side_file")):
        with pytest.raises(kind) as caught:
            clean(Input(tmp_path / name, name, FILE_ID), tmp_path / "out", Settings(KEY, pixels="off"))
        assert caught.value.code == code
    assert not (tmp_path / "out").exists()


def _named(path: Path) -> Path:
    """A picture or volume with a name in its own texts, in its file name and in that of its folder."""
    path.parent.mkdir(parents=True)
    grey = np.random.default_rng(0).integers(0, 255, (12, 20)).astype(np.uint8)
    if path.suffix == ".gz":
        image = nib.Nifti1Image(np.stack([grey] * 3), np.diag([2.0, 3.0, 4.0, 1.0]))
        image.header["descrip"], image.header["aux_file"] = "scan of Quuxberg", "Quuxberg"
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Xenia Quuxberg"))
        nib.save(image, path)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, grey, description="Xenia Quuxberg", photometric="minisblack")
    else:
        exif = Image.Exif()
        exif[0x010E] = "Xenia Quuxberg"
        exif.get_ifd(0x8825)[1] = "N"
        Image.fromarray(grey).save(path, exif=exif)
    return path


@pytest.mark.parametrize("names", ["uid", "keep"])
@pytest.mark.parametrize("suffix", [".nii.gz", ".png", ".jpg", ".tif"])
def test_other_formats_keep_their_pixels_and_lose_their_words_and_names(
    suffix: str, names: Names, tmp_path: Path
) -> None:
    path = _named(tmp_path / "in" / "Quuxberg" / f"scan Quuxberg{suffix}")
    relative = path.relative_to(tmp_path / "in").as_posix()
    found = clean(Input(path, relative, FILE_ID), tmp_path / "out", Settings(KEY, names=names, pixels="off"))
    assert found.name.endswith(suffix)
    before, after = read_image(path), read_image(tmp_path / "out" / found.name)
    assert np.array_equal(after.array, before.array)
    assert np.array_equal(after.geometry.affine, before.geometry.affine)
    assert found.pixel_text == ("clean" if suffix == ".nii.gz" else "unchecked")
    assert found.audit
    source = dcmread(FOLDER / "CT_small.dcm")
    source.PatientName = "Quuxberg^Xenia"
    source.save_as(tmp_path / "in" / "source.dcm")
    assert verify(tmp_path / "in", set_aside=False, read_pixels="off").leaks
    assert not verify(tmp_path / "out", tmp_path / "in", set_aside=False, read_pixels="off").leaks


@pytest.mark.parametrize("suffix", [".nii.gz", ".png", ".jpg", ".tif"])
def test_a_damaged_picture_is_refused_and_leaves_nothing(suffix: str, tmp_path: Path) -> None:
    path = _named(tmp_path / "in" / f"a{suffix}")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ItemError):
        clean(Input(path, path.name, FILE_ID), tmp_path / "out", Settings(KEY, pixels="off"))
    assert list((tmp_path / "out").glob("*")) == []


def test_files_of_one_folder_stay_together_under_keyed_names(tmp_path: Path) -> None:
    names = []
    for relative in ("Doe/a.png", "Doe/b_mask.png", "Roe/a.png"):
        path = _named(tmp_path / relative) if not (tmp_path / relative).parent.exists() else tmp_path / relative
        if not path.exists():
            Image.fromarray(np.zeros((9, 9), np.uint8)).save(path)
        names.append(clean(Input(path, relative, FILE_ID), tmp_path / "out", Settings(KEY, pixels="off")).name)
    folders = [name.split("/")[1] for name in names]
    assert folders[0] == folders[1] != folders[2]
    assert len(set(names)) == 3
    assert names[1].endswith("_mask.png")


def test_text_in_a_picture_is_blanked_or_shown_to_its_owner(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    picture = Image.fromarray(np.full((120, 320), 40, np.uint8))
    ImageDraw.Draw(picture).text((20, 20), "DOE JOHN 1961", fill=230, font=ImageFont.load_default(24))
    (tmp_path / "in").mkdir()
    picture.save(tmp_path / "in" / "a.jpg", quality=95)
    source = Input(tmp_path / "in" / "a.jpg", "a.jpg", FILE_ID)
    found = clean(source, tmp_path / "out", Settings(KEY))
    assert (found.pixel_text, found.name[-4:], found.audit[-1].action) == (
        "redacted",
        ".png",
        "blanked, written as PNG",
    )
    with pytest.raises(ItemError) as caught:
        clean(source, tmp_path / "out2", Settings(KEY, pixels="review", review=tmp_path / "review"))
    assert caught.value.code == "text_found"
    assert (tmp_path / "review" / f"{FILE_ID}.png").is_file()
    picture.save(tmp_path / "in" / "a_mask.png")
    with pytest.raises(ItemError, match="places with text") as caught:  # blanking would change regions
        clean(Input(tmp_path / "in" / "a_mask.png", "a_mask.png", FILE_ID), tmp_path / "out2", Settings(KEY))
    assert "label map" in caught.value.hint
    assert not (tmp_path / "out2").exists()


def test_site_and_scanner_get_the_ids_of_a_lake_and_only_under_research(tmp_path: Path) -> None:
    ds = dcmread(FOLDER / "CT_small.dcm")
    ds.InstitutionName, ds.DeviceSerialNumber, ds.Manufacturer = "St. Quirin", "4711", "GE MEDICAL SYSTEMS"
    ds.save_as(tmp_path / "a.dcm")
    (header,) = scan_file(Source(str(tmp_path / "a.dcm")))
    lake = ids(KEY, header.identity, file_id=FILE_ID)
    source = Input(tmp_path / "a.dcm", "a.dcm", FILE_ID)
    research = clean(source, tmp_path / "out", Settings(KEY, "research", pixels="off"))
    assert (research.site_id, research.device_id) == (lake.site_id, lake.device_id)
    assert lake.site_id == batch_id(KEY, "site", "ST. QUIRIN")
    assert (lake.device_id or "").startswith("de-")
    strict = clean(source, tmp_path / "out", Settings(KEY, pixels="off"))
    assert (strict.site_id, strict.device_id) == (None, None)
    ds.InstitutionName, ds.DeviceSerialNumber, ds.StationName = "UNKNOWN", "", ""
    ds.save_as(tmp_path / "a.dcm")
    nobody = clean(source, tmp_path / "out", Settings(KEY, "research", pixels="off"))
    assert (nobody.site_id, nobody.device_id) == (None, None)


def _large(path: Path) -> int:
    """A file with 128 MiB of pixels that take no room on the disk; their number of bytes."""
    size = 128 << 20
    if path.suffix == ".dcm":
        ds = dcmread(FOLDER / "CT_small.dcm")
        ds.Rows, ds.Columns, ds.NumberOfFrames = 1024, 1024, size >> 21
        ds.save_as(path)
        whole = path.read_bytes()
        start = whole.index(b"\xe0\x7f\x10\x00OW\0\0") + 12
        path.write_bytes(whole[: start - 4] + size.to_bytes(4, "little"))
    else:
        head = nib.Nifti1Header()
        head.set_data_dtype(np.uint8)
        head.set_data_shape((1024, 1024, size >> 20))
        head["magic"], head["vox_offset"] = b"n+1", 352
        path.write_bytes(head.binaryblock + bytes(4))
        start = 352
    with path.open("r+b") as stream:
        stream.truncate(start + size)
    return size


@pytest.mark.parametrize("suffix", [".dcm", ".nii"])
def test_a_file_needs_no_memory_for_its_pixels(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    size = _large(path)
    tracemalloc.start()
    try:
        found = clean(Input(path, path.name, FILE_ID), tmp_path / "out", Settings(KEY, pixels="off"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "out" / found.name).stat().st_size > size
    assert peak < size / 8


def test_a_source_is_never_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "liver.dcm"
    place.write_bytes((FOLDER / "CT_small.dcm").read_bytes())
    with pytest.raises(UsageError, match="one file"):
        clean(Input(place, "liver.dcm", FILE_ID), tmp_path, Settings(KEY, names="keep", pixels="off"))
    assert place.read_bytes() == (FOLDER / "CT_small.dcm").read_bytes()


def test_the_key_is_never_shown() -> None:
    assert "kkk" not in repr(Settings(KEY, pixels="off"))
