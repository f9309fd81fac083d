from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import dcmread

from radlake.core.fault import ItemError
from radlake.deid.selftest import pixels, selftest
from radlake.deid.selftest.pixels import Drawn, mark_frame, plant, samples
from radlake.deid.selftest.score import Sheet

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
KEY = b"k" * 32


def frame() -> tuple[np.ndarray, Drawn]:
    """A frame of noise with two strokes, and where they are."""
    values = np.random.default_rng(0).integers(100, 200, (60, 90)).astype(np.int16)
    ink, line = np.zeros((60, 90), bool), np.zeros((60, 90), bool)
    ink[20:32, 30:32] = ink[20:32, 40:42] = True
    line[10:42, 15:60] = True
    values[ink] = 250
    return values, Drawn(ink, line)


def marks(before: np.ndarray, after: np.ndarray, drawn: Drawn) -> tuple[list[str], list[str]]:
    sheet = Sheet()
    mark_frame(before, after, drawn, sheet)
    return sorted(sheet.right), sorted(sheet.wrong)


def test_a_black_box_over_the_line_is_right() -> None:
    before, drawn = frame()
    after = before.copy()
    after[15:37, 25:50] = before.min()
    assert marks(before, after, drawn) == (["pixels hidden", "pixels retained"], [])
    colour = [np.repeat(a[..., None], 3, axis=-1).astype(np.uint8) for a in (before, after)]
    assert marks(*colour, drawn) == (["pixels hidden", "pixels retained"], [])


def test_letters_that_stay_in_part_or_whole_are_wrong() -> None:
    before, drawn = frame()
    assert marks(before, before, drawn) == (["pixels retained"], ["pixels hidden"])
    after = before.copy()
    after[15:37, 25:36] = before.min()  # one of two strokes
    assert marks(before, after, drawn) == (["pixels retained"], ["pixels hidden"])
    after = before.copy()
    after[drawn.ink] = before.min()  # a letter in another colour can still be read
    assert marks(before, after, drawn) == (["pixels retained"], ["pixels hidden"])


def test_other_samples_may_neither_change_nor_be_blanked_in_numbers() -> None:
    before, drawn = frame()
    after = before.copy()
    after[15:37, 25:50] = before.min()
    changed = after.copy()
    changed[50, 80] += 1
    assert marks(before, changed, drawn) == (["pixels hidden"], ["pixels retained"])
    after[45:55, 70:85] = before.min()
    assert marks(before, after, drawn) == (["pixels hidden"], ["pixels retained"])


@pytest.mark.parametrize(
    ("name", "frames", "compressed"),
    [
        ("CT_small.dcm", 1, False),
        ("JPEG2000.dcm", 1, False),  # with loss: it could not be written again as it was
        ("examples_jpeg2k.dcm", 1, True),
        ("examples_rgb_color.dcm", 1, False),
        ("SC_rgb_rle_2frame.dcm", 2, True),
        ("examples_ybr_color.dcm", 30, False),
    ],
)
def test_names_are_drawn_in_every_frame_without_loss(
    name: str, frames: int, compressed: bool, tmp_path: Path, quiet: None
) -> None:
    drawn = plant(FOLDER / name, tmp_path / "a.dcm", 3)
    assert drawn is not None
    planted = dcmread(tmp_path / "a.dcm")
    before, after = samples(dcmread(FOLDER / name)), samples(planted)
    assert len(after) == frames
    differs = (before != after) if before.ndim == 3 else (before != after).any(axis=-1)
    assert not differs[:, ~drawn.ink].any() and differs[:, drawn.ink].mean() > 0.9
    assert planted.file_meta.TransferSyntaxUID.is_compressed == compressed


def test_maps_and_small_pictures_hold_no_name(tmp_path: Path, quiet: None) -> None:
    for name in ("rtdose.dcm", "MR_small.dcm", "test-SR.dcm", "MANIFEST"):
        assert plant(FOLDER / name, tmp_path / "a.dcm", 1) is None


def test_a_file_that_is_set_aside_is_wrong_on_both_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: None
) -> None:
    def refuse(*_: object) -> None:
        raise ItemError("text_left")

    monkeypatch.setattr(pixels, "clean", refuse)
    sheet = pixels.examine(FOLDER / "CT_small.dcm", tmp_path, seed=1, profile="strict", key=KEY)
    assert sheet is not None and sorted(sheet.wrong) == ["pixels hidden", "pixels retained"]


def test_a_cleaner_that_does_not_look_is_marked_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: None
) -> None:
    monkeypatch.setattr("radlake.deid.pixels.to_blank", lambda planes, margin: ([], True))
    sheet = pixels.examine(FOLDER / "CT_small.dcm", tmp_path, seed=1, profile="strict", key=KEY)
    assert sheet is not None and list(sheet.wrong) == ["pixels hidden"]


def picked() -> Iterable[Path]:
    return [FOLDER / name for name in ("CT_small.dcm", "SC_rgb_rle_2frame.dcm")]


def test_names_are_hidden_and_the_rest_is_retained(quiet: None) -> None:
    pytest.importorskip("rapidocr")
    found = selftest(list(picked()), seed=5, profile="strict", pictures=2)
    assert found.sheet.rate("pixels hidden") == found.sheet.rate("pixels retained") == 1
    assert found.sheet.right["pixels hidden"] == 3
    assert not [line for line in found.lines() if line.startswith("  pixels") and "not tested" in line]
