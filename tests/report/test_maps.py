"""The page of maps: verdicts in words, no foreign markup, the maps themselves beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radlake.learn.explain.pictures import Map, Picture
from radlake.learn.explain.sanity import Checked, overlap
from radlake.report.maps import methods, write


@pytest.fixture
def case() -> Picture:
    mask = np.zeros((8, 8), bool)
    mask[2:4, 2:4] = True
    values = np.where(mask, 1.0, -0.1)
    good = Checked(0.1, 0.4, 0.6, (0.9, 0.2, 0.1), (0.9, 0.8, 0.1), True, "It depends on what was learned.")
    bad = replace(good, shows=False, words="This map shows nothing about the model: it is flat.")
    maps = (Map("grad_cam", values, good, overlap(values, mask)), Map("occlusion", values, bad, None))
    return Picture("test 1<b>", "one of the worst mistakes", 1, 0.93, 0, np.zeros((1, 8, 8), np.uint8), mask, maps)


def test_the_page_says_of_each_method_whether_it_shows_anything(case: Picture, tmp_path: Path) -> None:
    page = write([case], tmp_path / "where 哪里", model="small VGG", target="label")
    text = page.read_text("utf-8")
    assert "test 1&lt;b&gt;" in text
    assert "none of 1 map passes its checks: they show nothing about this model" in text
    assert "Answer 1 with a probability of 0.93; the truth is 0." in text
    assert "the outline covers 6.2%" in text
    told = json.loads((page.parent / "explanation.json").read_text())
    assert told["cases"][0]["maps"][0]["overlap"]["hit"] is True
    with np.load(page.parent / "maps.npz") as maps:
        assert maps["test 1<b>/grad_cam"].shape == (8, 8)


def test_maps_are_counted_by_method(case: Picture) -> None:
    blind = replace(case, mask=None, maps=tuple(replace(m, overlap=None) for m in case.maps))
    rows = methods([case, blind])
    assert [(r["name"], r["good"], r["maps"], r["masks"]) for r in rows] == [
        ("grad_cam", 2, 2, 1),
        ("occlusion", 0, 2, 0),
    ]
    assert rows[1]["inside"] is None


def test_volumes_say_which_slice_is_shown(case: Picture, tmp_path: Path) -> None:
    values = np.zeros((5, 8, 8))
    values[3, 2, 2] = 1.0
    maps = (replace(case.maps[0], values=values, overlap=None),)
    pixels = np.zeros((1, 5, 8, 8), np.int16)
    volume = replace(case, image=pixels, mask=None, maps=maps, probability=None, answer=2.5)
    text = write([volume], tmp_path, model="m", target="t").read_text("utf-8")
    assert text.count("slice 4 of 5") == 2  # the picture and its map
    assert ">change<" in text


def test_pixels_that_may_carry_text_are_not_shown(case: Picture, tmp_path: Path) -> None:
    bright = np.full((1, 8, 8), 255, np.uint8)
    text = write([replace(case, image=bright, hidden=True)], tmp_path / "a", model="m", target="t").read_text("utf-8")
    dark = write([replace(case, hidden=True)], tmp_path / "b", model="m", target="t").read_text("utf-8")
    assert text == dark
    assert "not shown: pixel text unchecked" in text
    assert text.count("data:image/png") == 2
