"""The commands `similar` and `stability` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from radlake.cli import app
from radlake.core.schema import to_table
from radlake.deid.keys import load_key
from radlake.lake.store import Lake


def radlake(*arguments: str | Path) -> Result:
    ended = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="radlake")
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lake of three series with a feature each, in a folder with a space and a Chinese name."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    place = tmp_path / "my 湖"
    made = Lake.create(place, key_fingerprint="1f2e")
    series = [{"owner": f"se-{k}", "series_id": f"se-{k}", "patient_id": f"pt-{k}", "modality": "US"} for k in range(3)]
    images = [s | {"owner": f"im-{k}", "image_id": f"im-{k}", "pixel_text": "unsure"} for k, s in enumerate(series)]
    features = [
        {"owner": f"im-{k}", "image_id": f"im-{k}", "family": "shape", "name": "planar_area", "value": float(k * k),
         "unit": "mm2", "settings_id": "s1"} for k in range(3)
    ]  # fmt: skip
    for table, rows in (("series", series), ("images", images), ("features", features)):
        made.replace(table, to_table(table, rows))
    return place


def test_neighbours_are_printed_and_drawn_without_pictures_that_may_hold_text(lake: Path) -> None:
    ended = radlake("similar", lake, "se-0", "--features", "shape")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.index("se-1") < ended.stdout.index("se-2")
    page = lake / "report" / "similar-se-0.html"
    assert f"pictures: {page}" in ended.stdout
    assert page.read_text("utf-8").count("not shown: pixel text unchecked") == 3
    rows = json.loads(radlake("similar", lake, "se-0", "--features", "shape", "--format", "json").stdout)
    assert [row["series_id"] for row in rows] == ["se-1", "se-2"]


def test_a_question_that_cannot_be_answered_says_why(lake: Path) -> None:
    for arguments, code, said in (
        (("se-",), 2, "fits several series"),
        (("se-9",), 2, "is not in the lake"),
        (("se-0", "--features", "glcm"), 1, "no features of glcm; it has: shape"),
        (("se-0", "--most", "0"), 2, "--most"),
    ):
        ended = radlake("similar", lake, *arguments)
        assert (ended.exit_code, said in ended.stderr) == (code, True), ended.stderr


def test_stability_of_a_lake_without_masks_says_so(lake: Path) -> None:
    key = lake.parent / "key"
    load_key(key, create=True)
    ended = radlake("stability", lake, "--key-file", key, "--quiet")
    assert ended.exit_code == 1
    assert "holds no masks of source 'auto'; it has: none at all" in ended.stderr
    assert radlake("stability", lake, "-o", "table.xlsx").exit_code == 2
