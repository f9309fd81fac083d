from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian

from radlake import deid
from radlake.core.errors import UsageError
from radlake.core.fault import Ignored, ItemError
from radlake.deid.text import clean_text

KEY = b"k" * 32
FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
# Explicit, implicit and big endian; JPEG, JPEG-LS, JPEG 2000, RLE; one and many frames.
KINDS = [
    "CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "JPEG-lossy.dcm",
    "MR_small_jpeg_ls_lossless.dcm", "JPEG2000.dcm", "MR_small_RLE.dcm", "SC_rgb_rle_2frame.dcm", "rtdose.dcm",
]  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_pixels_are_copied_byte_by_byte(name: str, tmp_path: Path, quiet: None) -> None:
    deid.deidentify_file(FOLDER / name, tmp_path / "new" / "out.dcm", key=KEY)
    before, after = dcmread(FOLDER / name), dcmread(tmp_path / "new" / "out.dcm")
    assert after.PixelData == before.PixelData
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.preamble == bytes(128)


def test_file_and_memory_give_the_same(tmp_path: Path) -> None:
    source = FOLDER / "CT_small.dcm"
    audit = deid.deidentify_file(source, tmp_path / "out.dcm", profile="research", key=KEY)
    clean, expected = deid.deidentify(dcmread(source), profile="research", key=KEY)
    written = dcmread(tmp_path / "out.dcm")
    assert (written.to_json_dict(), audit) == (clean.to_json_dict(), [r for r in expected if r.path != "FFFC,FFFC"])


def test_what_follows_the_pixels_and_lies_in_the_preamble_goes(tmp_path: Path) -> None:
    source, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    data = bytearray((FOLDER / "MR_small.dcm").read_bytes())
    data[:16] = b"Quuxberg^Xenia  "
    tail = struct.pack("<HH2sHL", 0xFFFC, 0xFFFC, b"OB", 0, 16) + b"Quuxberg^Xenia  "
    source.write_bytes(bytes(data) + tail)
    deid.deidentify_file(source, out, key=KEY)
    assert b"Quuxberg" not in out.read_bytes()
    np.testing.assert_array_equal(dcmread(out).pixel_array, dcmread(FOLDER / "MR_small.dcm").pixel_array)


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.9, 0.999])
def test_a_file_that_is_cut_off_leaves_nothing_behind(keep: float, tmp_path: Path, quiet: None) -> None:
    data = (FOLDER / "JPEG2000.dcm").read_bytes()
    source = tmp_path / "in.dcm"
    source.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(ItemError):
        deid.deidentify_file(source, tmp_path / "out" / "x.dcm", key=KEY)
    assert not list(tmp_path.glob("out/*"))


def test_what_cannot_be_cleaned_is_set_aside_with_a_reason(tmp_path: Path, quiet: None) -> None:
    text = tmp_path / "text"
    text.write_text("Quuxberg^Xenia " * 100)
    cases = {
        "MR_truncated.dcm": "truncated_pixels",
        "SC_rgb_jpeg.dcm": "contradictory_header",
        str(text): "unreadable_header",
        str(tmp_path / "missing"): "unreadable_file",
    }
    for name, code in cases.items():
        with pytest.raises(ItemError) as caught:
            deid.deidentify_file(FOLDER / name, tmp_path / "out.dcm", key=KEY)
        assert caught.value.code == code
    assert not (tmp_path / "out.dcm").exists()


def test_a_deflated_file_is_inflated_cleaned_and_deflated(tmp_path: Path, quiet: None) -> None:
    out = tmp_path / "out.dcm"
    deid.deidentify_file(FOLDER / "image_dfl.dcm", out, key=KEY)
    before, after = dcmread(FOLDER / "image_dfl.dcm"), dcmread(out)
    assert after.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    assert after.PixelData == before.PixelData
    assert str(after.PatientName) != str(before.PatientName)
    assert out.stat().st_size % 2 == 0


def test_a_deflated_file_that_is_cut_off_is_refused(tmp_path: Path, quiet: None) -> None:
    data = (FOLDER / "image_dfl.dcm").read_bytes()
    for keep in (0.5, 0.99):
        (tmp_path / "in.dcm").write_bytes(data[: int(keep * len(data))])
        with pytest.raises(ItemError) as caught:
            deid.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", key=KEY)
        assert caught.value.code == "truncated_pixels"
    (tmp_path / "in.dcm").write_bytes(data[:400] + bytes(reversed(data[400:])))
    with pytest.raises(ItemError):
        deid.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", key=KEY)


def test_a_file_that_only_mentions_the_deflated_syntax_is_read_as_it_is(tmp_path: Path) -> None:
    dataset = dcmread(FOLDER / "CT_small.dcm")
    dataset.preamble = b"1.2.840.10008.1.2.1.99".ljust(128, b"\0")
    dataset.save_as(tmp_path / "in.dcm")
    deid.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", key=KEY)
    assert dcmread(tmp_path / "out.dcm").PixelData == dataset.PixelData


def test_a_directory_of_files_is_ignored(tmp_path: Path) -> None:
    with pytest.raises(Ignored):
        deid.deidentify_file(FOLDER / "dicomdirtests" / "DICOMDIR", tmp_path / "out.dcm", key=KEY)


def test_a_file_is_never_cleaned_in_place(tmp_path: Path) -> None:
    source = tmp_path / "in.dcm"
    source.write_bytes(Path(str(get_testdata_file("CT_small.dcm"))).read_bytes())
    with pytest.raises(UsageError, match="one file"):
        deid.deidentify_file(source, tmp_path / "." / "in.dcm", key=KEY)


def test_published_pairs_lose_what_their_publisher_removed(shared: Path, tmp_path: Path, quiet: None) -> None:
    folder = shared / "deid" / "tcia_pseudo_phi_mr"
    seen = 0
    for original in sorted((folder / "original").glob("*.dcm")):
        deid.deidentify_file(original, tmp_path / original.name, key=KEY)
        before, ours = dcmread(original), dcmread(tmp_path / original.name)
        theirs = dcmread(folder / "deidentified_by_penn_profile" / original.name)
        for element in before:
            published, own = theirs.get(element.tag), ours.get(element.tag)
            changed = published is None or published.value != element.value
            # Descriptions of which the vocabulary knows every word stay by the option on descriptors.
            told = element.VR in {"LO", "LT", "SH"} and clean_text(str(element.value)) == element.value
            if changed and element.value not in {None, ""} and not told:
                assert own is None or own.value != element.value, element.keyword
                seen += 1
        assert ours.PixelData == before.PixelData
    assert seen > 100
    names = {str(dcmread(p).PatientName).split("^")[0] for p in (folder / "original").glob("*.dcm")}
    for path in tmp_path.glob("*.dcm"):
        assert not any(name.encode() in path.read_bytes() for name in names)


def test_a_file_takes_no_more_memory_for_being_large(tmp_path: Path) -> None:
    dataset = dcmread(FOLDER / "CT_small.dcm")
    dataset.NumberOfFrames, frame = 12_288, len(dataset.PixelData)  # 384 MiB
    dataset.save_as(tmp_path / "large.dcm")
    start = (tmp_path / "large.dcm").read_bytes().rindex(struct.pack("<HH", 0x7FE0, 0x0010))
    with (tmp_path / "large.dcm").open("r+b") as file:
        file.seek(start + 8)
        file.write(struct.pack("<L", frame * dataset.NumberOfFrames))
        file.truncate(start + 12 + frame * dataset.NumberOfFrames)
    script = (
        "import resource, sys; from pathlib import Path; from radlake.deid import deidentify_file\n"
        "for name in sys.argv[1:]:\n"
        "    deidentify_file(Path(name), Path(name).with_suffix('.out'), key=b'k' * 32)\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)\n"
    )
    shutil.copyfile(FOLDER / "CT_small.dcm", tmp_path / "small.dcm")
    names = [str(tmp_path / f"{size}.dcm") for size in ("small", "large")]
    told = subprocess.run([sys.executable, "-c", script, *names], check=True, capture_output=True, text=True)
    before, after = (int(line) for line in told.stdout.split())
    assert after - before < 32  # MiB; the file has twelve times as many
    assert (tmp_path / "large.out").stat().st_size > frame * dataset.NumberOfFrames
    for path in tmp_path.glob("large.*"):
        path.unlink()
