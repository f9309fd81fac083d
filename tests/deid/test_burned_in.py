from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from radlake.deid import burned_in
from radlake.deid.burned_in import Finder, Text, covered, find_texts, to_blank


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
WHOLE = [(374, 364, 426, 436)]  # a box in the middle; what is around it is looked at: a part that begins at 300, 310


def at(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    """Corners of a line in the part around `WHOLE`, as the detector sees it: with a rim of 12, twice as large."""
    return corners(
        *(2 * (edge - start) for edge, start in zip((left, top, right, bottom), (288, 298, 288, 298), strict=True))
    )


def look(*answers: tuple[list[list[float]], float, str, float], margin: np.ndarray | None = None) -> list[Text]:
    return find_texts(PLANE, near=WHOLE, margin=margin, using=told(*answers))


def test_boxes_are_widened_by_a_share_of_the_lines_height() -> None:
    (text,) = look((at(320, 400, 420, 420), 0.9, "SMITH", 0.9))
    assert (text.words, text.may_stay) == ("SMITH", False)
    assert text[:4] == (393, 258, 427, 482)  # 20 high: 3 * 20 + 2 beside, 0.25 * 20 + 2 above


@pytest.mark.parametrize(
    ("box", "score", "words", "read"),
    [
        (at(300, 300, 500, 500), 0.9, "SMITH", 0.7),  # so high a line would be easy to read
        (at(300, 300, 500, 500), 0.9, "00", 0.99),
        (at(300, 300, 360, 320), 0.9, "0", 0.99),  # one character names nobody
        (at(300, 300, 360, 320), 0.5, "SMITH", 0.3),  # neither sure nor legible
        (at(300, 300, 360, 320), 0.9, "--", 0.9),
    ],
)
def test_shapes_that_no_text_has_are_left_out(box: list[list[float]], score: float, words: str, read: float) -> None:
    assert look((box, score, words, read)) == []


def test_beside_the_anatomy_everything_that_looks_like_a_line_is_text() -> None:
    margin = np.zeros(PLANE.shape, bool)
    margin[:400] = True
    illegible = (at(320, 340, 420, 360), 0.45, "0", 0.1)
    assert len(look(illegible, margin=margin)) == 1
    assert look(illegible, margin=~margin) == look(illegible) == []


def test_large_letters_count_when_they_are_legible() -> None:
    (text,) = look((at(320, 310, 490, 430), 0.9, "SMITH", 0.9))
    assert text.words == "SMITH"


def test_the_surest_reading_of_a_place_counts() -> None:
    mark = (at(320, 400, 420, 420), 0.9, "PORTABLE", 0.98)
    (text,) = look(mark, (at(322, 401, 418, 419), 0.9, "P0RTA8LE", 0.6))
    assert text.may_stay
    longer = look(mark, (at(320, 400, 490, 420), 0.9, "PORTABLE SMITH", 0.9))
    assert [t.words for t in longer] == ["PORTABLE SMITH"]


def test_a_mark_does_not_save_its_neighbour() -> None:
    mark, name = (at(320, 400, 400, 420), 0.9, "PORTABLE", 0.99), (at(404, 400, 450, 420), 0.9, "SMITH", 0.8)
    found = look(mark, name)
    assert [t.words for t in found if not t.may_stay] == ["SMITH"]
    half = look(mark, (at(320, 400, 440, 420), 0.9, "PORTABLE SMI", 0.8))
    assert any(t.words == "PORTABLE SMI" and t.left <= 320 and t.right >= 440 for t in half)


def test_nothing_is_looked_at_where_there_are_no_strokes() -> None:
    def detect(picture: burned_in.Picture) -> list[tuple[np.ndarray, float]]:
        raise AssertionError

    assert find_texts(PLANE, using=Finder(detect, lambda _: [])) == []
    with pytest.raises(AssertionError):
        find_texts(page("SMITH"), using=Finder(detect, lambda _: []))


def test_letters_of_any_size_lie_in_what_is_looked_at() -> None:
    for height, thick in ((0.35, 1), (1.0, 2), (3.0, 7), (6.0, 14)):
        plane = np.zeros((512, 640), np.uint8)
        cv2.putText(plane, "SMITH"[: 5 if height < 4 else 3], (40, 300), cv2.FONT_HERSHEY_SIMPLEX, height, 200, thick)
        seen: list[tuple[int, ...]] = []

        def detect(picture: burned_in.Picture, seen: list[tuple[int, ...]] = seen) -> list[tuple[np.ndarray, float]]:
            seen.append(picture.shape)
            return []

        find_texts(plane, using=Finder(detect, lambda _: []))
        assert seen


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
    boxes, gone = to_blank([plane])
    letters = np.abs(plane - page("")) > 100
    assert gone
    assert covered([Text(*box, "", 1.0) for box in boxes], plane.shape)[letters].mean() > 0.99
    assert to_blank([page("PORTABLE", height=0.9)]) == ([], True)
    assert to_blank([page("")]) == ([], True)
