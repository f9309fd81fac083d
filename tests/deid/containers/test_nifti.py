from __future__ import annotations

import gzip
import io
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.deid.containers import nifti
from radlake.formats.source import Source

NAME = "Quuxberg"
VOXELS = np.random.default_rng(0).integers(-500, 500, (4, 5, 6)).astype(np.int16)


def with_words(kind: type = nib.Nifti1Image) -> nib.Nifti1Image:
    """A volume with a name in every text of its header and in two extensions, everything numeric set."""
    image = kind(VOXELS, np.array([[0, -2, 0, 7], [1.5, 0, 0, -3], [0, 0, 3, 9], [0, 0, 0, 1.0]]))
    head = image.header
    head["descrip"], head["aux_file"], head["intent_name"] = f"chest CT of {NAME}", f"{NAME}.lut", NAME
    if kind is nib.Nifti1Image:
        head["db_name"], head["data_type"] = NAME, NAME
    head.set_intent("t test", (12,), name=NAME)
    head.set_slope_inter(2.0, -5.0)
    head.set_xyzt_units("mm", "sec")
    head.set_qform(image.affine, code=2)
    head["cal_max"], head["cal_min"], head["toffset"], head["slice_duration"] = 300, -300, 1.5, 0.25
    head.set_dim_info(1, 0, 2)
    head.extensions += [nib.nifti1.Nifti1Extension(code, NAME.encode()) for code in ("comment", "afni")]
    return image


def cleaned(path: Path) -> bytes:
    out = io.BytesIO()
    nifti.clean(Source(str(path)), out)
    return out.getvalue()


def stored(path: Path) -> bytes:
    """Bytes of the voxels as nibabel finds them."""
    image = nib.load(path)
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    start = image.dataobj.offset
    return raw[start : start + VOXELS.nbytes]


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_words_and_extensions_go_and_voxels_and_numbers_stay(kind: type, suffix: str, tmp_path: Path) -> None:
    before, after = tmp_path / f"before{suffix}", tmp_path / f"after{suffix}"
    nib.save(with_words(kind), before)
    after.write_bytes(cleaned(before))
    raw = gzip.decompress(after.read_bytes()) if suffix == ".nii.gz" else after.read_bytes()
    assert NAME.encode() not in raw
    assert stored(after) == stored(before)
    old, new = nib.load(before).header, nib.load(after).header
    changed = {name for name in old if old[name].tobytes() != new[name].tobytes()}
    assert changed <= {"descrip", "aux_file", "intent_name", "db_name", "data_type", "vox_offset"}
    assert (str(new["descrip"].astype(str)), len(new.extensions)) == ("chest CT of [...]", 0)
    assert np.array_equal(nib.load(after).affine, nib.load(before).affine)


def test_equal_inputs_give_equal_packed_files_without_a_name_or_time(tmp_path: Path) -> None:
    nib.save(with_words(), tmp_path / f"{NAME}.nii.gz")
    data = cleaned(tmp_path / f"{NAME}.nii.gz")
    assert data == cleaned(tmp_path / f"{NAME}.nii.gz")
    assert data[3:8] == bytes(5)  # RFC 1952 2.3.1: no name, no comment, no time


def test_a_pair_becomes_one_file(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(VOXELS, np.eye(4)), tmp_path / "pair.hdr")
    (tmp_path / "one.nii").write_bytes(cleaned(tmp_path / "pair.hdr"))
    one = nib.load(tmp_path / "one.nii")
    assert isinstance(one, nib.Nifti1Image)
    assert np.array_equal(np.asarray(one.dataobj), VOXELS)


@given(
    st.sampled_from(["u1", "<i2", ">i2", ">f4", "<f8", ">u8"]),
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
)
def test_voxels_of_any_type_and_shape_are_copied_bit_by_bit(dtype: str, shape: list[int]) -> None:
    array = np.random.default_rng(len(shape)).integers(0, 100, shape).astype(dtype)
    image = nib.Nifti1Image(
        array, np.eye(4), nib.Nifti1Header(endianness=np.dtype(dtype).byteorder.replace("|", "<").replace("=", "<"))
    )
    data = image.to_bytes()
    out = io.BytesIO()
    nifti.clean(Source("x.nii", data=data + b"behind"), out)
    assert out.getvalue()[352:] == data[352:]


def test_what_loses_its_meaning_or_is_damaged_is_refused(tmp_path: Path) -> None:
    image = with_words()
    cifti = bytearray(image.to_bytes())
    cifti[68:70] = (3001).to_bytes(2, "little")
    whole = image.to_bytes()
    packed = gzip.compress(whole)
    cases = {
        "not_cleanable": bytes(cifti),
        "truncated_pixels": whole[:-2],
        "unreadable_header": whole[:100],
        "damaged_archive": packed[:-9],
    }
    for code, data in cases.items():
        with pytest.raises(ItemError) as caught:
            nifti.clean(Source("x.nii", data=data), io.BytesIO())
        assert caught.value.code == code
