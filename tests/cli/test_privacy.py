from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from pydicom import dcmread
from pydicom.data import get_testdata_file
from typer.testing import CliRunner

from radlake import deid
from radlake.cli import app
from radlake.deid import ledger
from radlake.lake.parts import write_part
from radlake.lake.store import Change, Lake


def call(*words: object) -> Result:
    """A command's end."""
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="radlake")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A source in a folder with a difficult name, and its cleaned copy."""
    source, dest = tmp_path / "in 患者", tmp_path / "out 患者"
    source.mkdir()
    ds = dcmread(str(get_testdata_file("CT_small.dcm")))
    ds.PatientName, ds.PatientID = "Quuxberg^Xenia", "HQX-471108"
    ds.save_as(source / "a.dcm")
    deid.deidentify_file(source / "a.dcm", dest / "a.dcm", key=b"k" * 32)
    return source, dest


def test_verify_ends_with_zero_or_one_and_tells_no_value(folders: tuple[Path, Path]) -> None:
    source, dest = folders
    assert call("deidentify", "verify", dest, "--against", source, "--pixels", "off").exit_code == 0
    (dest / "b.txt").write_text("Xenia Quuxberg")
    looked = call("deidentify", "verify", dest, "--against", source, "--pixels", "off", "--look-only")
    assert (looked.exit_code, (dest / "b.txt").exists()) == (1, True)
    assert "name at text" in looked.output
    assert "Quuxberg" not in looked.output
    moved = call("deidentify", "verify", dest, "--against", source, "--pixels", "off", "--json")
    assert json.loads(moved.output)["findings"] == {"name": 1}
    assert not (dest / "b.txt").exists()


def test_selftest_prints_the_score_table(folders: tuple[Path, Path]) -> None:
    ended = call("deidentify", "selftest", folders[0], "--seed", 3)
    assert ended.exit_code == 0
    assert ended.output.count("0 listed, 0 unlisted; 0 crashes") == 2
    assert "profile strict: 1 files" in ended.output


def test_the_way_back_is_written_on_request_and_not_printed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    source, out = folders[0], tmp_path / "clean 患者"
    assert call("deidentify", source, "--out", out, "--pixels", "off", "--key-file", tmp_path / "key").exit_code == 0
    ended = call("deidentify", "crosswalk", out)
    assert (ended.exit_code, "1 files" in ended.output, "HQX" in ended.output) == (0, True, False)
    assert ledger.read_table(ledger.default_private(out), "crosswalk")["patient_id"].to_pylist() == ["HQX-471108"]
    assert call("deidentify", "crosswalk", folders[1]).exit_code == 2


def test_a_certificate_is_printed_or_written(folders: tuple[Path, Path], tmp_path: Path) -> None:
    dest = folders[1]
    assert call("deidentify", "certificate", dest).exit_code == 2
    ledger.write_run(dest, ledger.Run("strict", (), "uid", "off", "5288-3be3-6852-772a"))
    assert "5288-3be3-6852-772a" in call("deidentify", "certificate", dest).output
    assert call("deidentify", "certificate", dest, "--format", "html", "--out", tmp_path / "c.html").exit_code == 0
    assert "<h1>" in (tmp_path / "c.html").read_text()


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Twenty women and five men."""
    lake = Lake.create(tmp_path / "lake", key_fingerprint="1f2e")
    rows = [
        {"owner": f"se-{i}", "series_id": f"se-{i}", "patient_id": f"pt-{i}", "patient_known": True,
         "sex": "F" if i < 20 else "M", "age_years": 50.0}
        for i in range(25)
    ]  # fmt: skip
    part = write_part(lake.root, lake.private, "series", rows, name="a")  # type: ignore[arg-type]
    lake.commit("run1", 0, [Change("series", (part,))])
    return tmp_path / "lake"


def test_statistics_withhold_small_cells(lake: Path) -> None:
    ended = call("statistics", lake, "--count", "--mean", "age", "--by", "sex", "--k", 11)
    assert ended.exit_code == 0
    assert ended.output.splitlines()[:4] == [
        "sex\tpatients\tmean age", "F\twithheld\twithheld", "M\twithheld\twithheld", "(all)\t25\t50",
    ]  # fmt: skip
    assert call("statistics", lake, "--by", "sexx").exit_code == 2
    assert call("statistics", lake, "--by", "age", "--bins", "age=9,1").exit_code == 2


def test_statistics_with_noise_tell_what_is_left(lake: Path) -> None:
    pytest.importorskip("opendp")
    words = ("statistics", lake, "--by", "age", "--bins", "age=0,40,91", "--epsilon", 1, "--budget", 1.5)
    assert "0.5 of the budget is left" in call(*words).output
    assert call(*words).exit_code == 1


def test_anonymity_is_reported_and_reached(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("age,d\n20,x\n21,y\n50,x\n52,y\n")
    assert "k = 1, 4 rows are alone" in call("anonymity", table, "--quasi", "age", "--sensitive", "d").output
    ended = call("anonymity", table, "--quasi", "age", "--reach", 2, "--out", tmp_path / "b.csv", "--json")
    assert json.loads(ended.output)["k"] == 2
    assert "20-21" in (tmp_path / "b.csv").read_text()


def test_forget_erases_and_writes_the_report_anew(lake: Path) -> None:
    ended = call("forget", lake, "pt-3")
    assert (ended.exit_code, ended.output) == (0, "1 rows of series\n")
    assert (lake / "report" / "index.html").exists()
    assert call("forget", lake, "pt-3").output == "nothing of this person is left\n"
    assert Lake.open(lake).read("series").num_rows == 24
