"""The command `features` as a user meets it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from radlake.cli import app
from radlake.core.image import Geometry, Image
from radlake.formats.nifti import to_bytes
from tests import archive


def radlake(*arguments: str | Path) -> Result:
    ended = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="radlake")
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an image, a mask and a key of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    home = tmp_path / "my 病人"
    home.mkdir()
    grid = Geometry((2.0, 1.0, 1.0))
    rng = np.random.default_rng(1)
    for name, array in (
        ("ct", rng.integers(0, 99, (5, 9, 9)).astype(np.int16)),
        ("mask", np.ones((5, 9, 9), np.uint8)),
    ):
        (home / f"{name}.nii.gz").write_bytes(to_bytes(Image(array, grid)))
    return home


def test_a_pair_becomes_a_table_and_what_has_no_value_is_told(folder: Path) -> None:
    ended = radlake("features", folder / "ct.nii.gz", folder / "mask.nii.gz", "-o", folder / "out.csv")
    assert ended.exit_code == 0, ended.stderr
    assert "values, settings " in ended.stdout
    with (folder / "out.csv").open(newline="") as lines:
        rows = [*csv.DictReader(lines)]
    assert {"roi", "family", "aggregation", "code", "name", "value", "unit", "settings_id"} <= set(rows[0])
    assert {r["aggregation"] for r in rows} == {"", "3D", "3D_comb"}


def test_wrong_usage_ends_with_2_and_a_line_that_says_what_to_do(folder: Path) -> None:
    pair = (folder / "ct.nii.gz", folder / "mask.nii.gz")
    for arguments, said in (
        ((*pair, "-o", folder / "out.xlsx"), ".csv or .parquet"),
        (pair, "needs -o"),
        ((*pair, "-o", folder / "o.csv", "--preset", "ibsi"), "unknown preset 'ibsi'"),
        ((pair[0], folder / "none.nii", "-o", folder / "o.csv"), "there is no file"),
    ):
        ended = radlake("features", *arguments)
        assert (ended.exit_code, said in ended.stderr) == (2, True), ended.stderr
        assert not (folder / "out.csv").exists()


def test_a_region_that_is_not_there_ends_with_1_and_names_those_that_are(folder: Path) -> None:
    ended = radlake("features", folder / "ct.nii.gz", folder / "mask.nii.gz", "-o", folder / "o.csv", "--roi", "tumor")
    assert ended.exit_code == 1
    assert "no region is called so; there are: label_1" in ended.stderr


def test_a_lake_is_measured_again_and_keeps_the_numbers(folder: Path) -> None:
    archive.build(folder / "scans")
    assert radlake("run", folder / "scans", "--out", folder / "lake", "--workers", "1", "--quiet").exit_code == 0
    (folder / "names.csv").write_text("pattern,name\nlabel_*,core\n")
    ended = radlake(
        "features", folder / "lake", "--masks", "label", "--roi", "core", "--aliases", folder / "names.csv",
        "--workers", "1", "-o", folder / "cohort.parquet",
    )  # fmt: skip
    assert ended.exit_code == 0, ended.stderr
    table = pq.read_table(folder / "cohort.parquet")
    assert table["roi"].unique().to_pylist() == ["core"]
    asked = radlake(
        "sql", folder / "lake", "select count(*) as n from features where owner like '%+%'", "--format", "csv"
    )
    assert asked.stdout.split() == ["n", str(table.num_rows)]
    assert "masks of source 'seg'" in radlake("features", folder / "lake", "--masks", "seg").stderr
