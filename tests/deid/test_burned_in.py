from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from radlake.deid import burned_in
from radlake.deid.burned_in import Finder, Text, covered, find_texts, to_blank, windows


def page(
    words: str, *, height: float = 0.6, at: tuple[int, int] = (20, 60), shape: tuple[int, int] = (128, 320)
) -> np.ndarray:
    """Words on a smooth background."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    letters = np.zeros(shape, np.uint8)
    cv2.putText(letters, words, at, cv2.FONT_HERSHEY_SIMPLEX, height, 255, 1, cv2.LINE_AA)
    return (400 + y + x // 2 + letters * 2).astype(np.int16)


def told(*answers: tuple[list[list[float]], float, str, float]) -> Finder:
    """A finder that gives the same corners, scores and readings for every picture."""

    def detect(picture: burned_in.Picture) -> list[tuple[np.ndarray, float]]:
        return [(np.array(corners, np.float32), score) for corners, score, _, _ in answers]

    def read(pictures: Sequence[burned_in.Picture]) -> list[tuple[str, float]]:
        return [(words, score) for _, _, words, score in answers][: len(pictures)]

    return Finder(detect, read)


def corners(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


PLANE = np.tile(np.arange(800, dtype=np.uint16), (800, 1))


def test_boxes_are_widened_by_a_share_of_the_lines_height() -> None:
    (text,) = find_texts(PLANE, using=told((corners(100, 200, 300, 220), 0.9, "SMITH", 0.9)))
    assert (text.words, text.may_stay) == ("SMITH", False)
    assert text[:4] == (193, 84, 227, 316)  # 20 high: 0.7 * 20 + 2 beside, 0.25 * 20 + 2 above


@pytest.mark.parametrize(
    ("box", "score", "words", "read"),
    [
        (corners(0, 0, 700, 700), 0.9, "SMITH", 0.7),  # so high a line would be easy to read
        (corners(0, 0, 700, 700), 0.9, "00", 0.99),
        (corners(0, 0, 60, 20), 0.9, "0", 0.99),  # one character names nobody
        (corners(0, 0, 60, 20), 0.5, "SMITH", 0.3),  # neither sure nor legible
        (corners(0, 0, 60, 20), 0.9, "--", 0.9),
    ],
)
def test_shapes_that_no_text_has_are_left_out(box: list[list[float]], score: float, words: str, read: float) -> None:
    assert find_texts(PLANE, using=told((box, score, words, read))) == []


def test_large_letters_count_when_they_are_legible() -> None:
    (text,) = find_texts(PLANE, using=told((corners(50, 50, 700, 250), 0.9, "SMITH", 0.9)))
    assert text.words == "SMITH"


def test_letters_that_differ_by_hue_alone_show_in_one_window() -> None:
    plane = np.full((60, 200, 3), 85, np.uint8)
    plane[20:30, 40:90] = (255, 0, 0)  # as dark as the background on average
    mean, _, brightest = windows(plane)
    assert np.ptp(mean) == 0 and np.ptp(brightest) == 255
    assert len(windows(np.repeat(plane[..., 1:2], 3, axis=-1))) == 2


def test_the_surest_reading_of_a_place_counts() -> None:
    mark = (corners(100, 200, 300, 220), 0.9, "PORTABLE", 0.98)
    (text,) = find_texts(PLANE, using=told(mark, (corners(102, 201, 298, 219), 0.9, "P0RTA8LE", 0.6)))
    assert text.may_stay
    longer = find_texts(PLANE, using=told(mark, (corners(100, 200, 700, 220), 0.9, "PORTABLE SMITH", 0.9)))
    assert [t.words for t in longer] == ["PORTABLE SMITH"]


def test_windows_show_letters_that_the_percentiles_hide() -> None:
    plane = np.where(np.arange(200) < 100, 0, 4000).astype(np.float32) * np.ones((200, 1), np.float32)
    plane[50:60, 20:60] += 60
    usual, flat, own = windows(plane, (30.0, 120.0))
    assert int(usual[55, 30]) - int(usual[55, 80]) < 6
    assert int(flat[55, 30]) - int(flat[55, 80]) > 10 and own[55, 30] > 100
    assert len(windows(plane, (2000.0, 4000.0))) == 2
    assert all(w.dtype == np.uint8 for w in windows(np.full((5, 5), np.nan)))


def test_covered_marks_every_box() -> None:
    mask = covered([Text(0, 0, 1, 2, "a", 1.0), Text(1, 1, 3, 2, "b", 1.0)], (3, 3))
    assert mask.tolist() == [[True, True, False], [False, True, False], [False, True, False]]


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    burned_in.finder.cache_clear()
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(burned_in.MissingExtra, match=r"radlake\[ocr\]"):
        burned_in.finder()
    burned_in.finder.cache_clear()


def test_names_are_found_and_marks_stay() -> None:
    pytest.importorskip("rapidocr")
    plane = page("SMITH^JOHN 12/03/1956")
    boxes, gone = to_blank([plane], drawn=True)
    letters = np.abs(plane - page("")) > 100
    assert gone
    assert covered([Text(*box, "", 1.0) for box in boxes], plane.shape)[letters].mean() > 0.99
    assert to_blank([page("PORTABLE", height=0.9)], drawn=True) == ([], True)
    assert to_blank([page("")], drawn=True) == ([], True)
