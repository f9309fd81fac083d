"""The command line as a user meets it: what it prints, where to, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from radlake import __version__
from radlake.cli import app, parse_memory
from radlake.engine.registry import stages
from radlake.formats.read import read_image
from radlake.lake.store import Lake
from tests import archive

RADLAKE = [sys.executable, "-c", "from radlake.cli import main; main()"]
COMMANDS = [
    "plan", "run", "demo", "sql", "report", "trace", "release", "whois", "join", "quarantine", "train", "predict",
    "evaluate", "explain", "fetch", "groups",
]  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The last line on standard error, which must be about the problem and no stack trace."""
        assert "Traceback" not in self.err
        return self.err.strip().splitlines()[-1]


@dataclass(frozen=True)
class House:
    """Where a test's archive and lakes are; commands run there."""

    folder: Path

    @property
    def scans(self) -> Path:
        return self.folder / "scans 病人"

    @property
    def lake(self) -> Path:
        return self.folder / "the lake"

    def do(self, *arguments: str | Path) -> Ended:
        """A command in this process."""
        ended = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="radlake")
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    def query(self, text: str) -> list[dict[str, object]]:
        """Rows of a query on the lake."""
        found: list[dict[str, object]] = Lake.open(self.lake).sql(text).to_pylist()
        return found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> House:
    """An archive and the lake that `radlake run` makes of it; not to be changed."""
    house = House(tmp_path_factory.mktemp("my house"))
    archive.build(house.scans)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(house.folder / "config"))
        ended = house.do("run", house.scans, "--out", house.lake, "--workers", "2")
    assert ended.code == 0, ended.err
    (house.folder / "first run").write_text(json.dumps([ended.out, ended.err]))
    return house


@pytest.fixture
def house(made: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A copy of the made lake, with its key; a test may do with it what it likes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(made.folder / "config"))
    monkeypatch.chdir(tmp_path)
    copy = House(tmp_path)
    shutil.copytree(made.lake, copy.lake, copy_function=shutil.copy2)
    copy.scans.symlink_to(made.scans)
    return copy


def write_labels(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


# running


def test_a_run_says_how_many_were_set_aside_and_where_the_report_is(made: House) -> None:
    out, err = json.loads((made.folder / "first run").read_text())
    assert "24 files: 18 done, 5 set aside, 1 with nothing to keep" in out
    assert f"radlake quarantine list '{made.lake}'" in out
    assert out.strip().endswith(f"report: {made.lake / 'report' / 'index.html'}")
    assert "reading headers: started, 24 to do" in err
    assert "reading headers: done: 24 in" in err
    assert str(made.scans) not in err


def test_an_unchanged_rerun_says_so_and_keeps_the_report(house: House, made: House) -> None:
    page = house.lake / "report" / "index.html"
    before = page.stat().st_mtime_ns
    ended = house.do("run", made.scans, "--out", house.lake)
    assert (ended.code, ended.err) == (0, "")
    assert "nothing had changed" in ended.out
    assert page.stat().st_mtime_ns == before


def test_a_report_older_than_its_tables_is_written_anew(house: House, made: House) -> None:
    page = house.lake / "report" / "index.html"
    os.utime(page, (0, 0))
    house.do("run", made.scans, "--out", house.lake)
    assert page.stat().st_mtime > 0


def test_json_is_all_that_is_printed(house: House, made: House) -> None:
    ended = house.do("run", made.scans, "--out", house.lake, "--json")
    told = json.loads(ended.out)
    assert ended.err == ""
    assert told["files"] == {"done": 18, "ignored": 1, "quarantined": 5}
    assert told["worked"] == {"files": 0, "series": 0, "images": 0}


def test_quiet_prints_nothing(house: House, made: House) -> None:
    assert house.do("run", made.scans, "--out", house.lake, "--quiet") == Ended(0, "", "")


def test_a_lake_inside_the_input_is_no_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path)
    house.scans.mkdir()
    shutil.copy(archive_picture(tmp_path), house.scans)
    for _ in range(2):
        ended = house.do("run", house.scans, "--out", house.scans / "lake", "--json", "--workers", "1")
        assert json.loads(ended.out)["files"] == {"done": 1}
    assert json.loads(
        house.do("run", f"../{tmp_path.name}/{house.scans.name}", "--out", house.scans / "lake", "--json").out
    )["files"] == {"done": 1}


def archive_picture(folder: Path) -> Path:
    from PIL import Image

    path = folder / "picture.png"
    Image.radial_gradient("L").save(path)
    return path


def test_a_study_a_key_and_a_private_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    house = House(tmp_path)
    (house.scans / "P12").mkdir(parents=True)
    shutil.move(archive_picture(tmp_path), house.scans / "P12")
    study = tmp_path / "study.yaml"
    study.write_text("name: mine\nsteps:\n- deid:\n    profile: strict\n- quality\n")
    options = ["--config", study, "--key-file", tmp_path / "my key", "--private", tmp_path / "hidden", "--strict"]
    options += ["--patient-regex", "/(P[0-9]+)/", "--memory", "512M", "--timeout", "60", "--workers", "1"]
    ended = house.do("run", house.scans, "--out", house.lake, *options)
    assert ended.code == 0, ended.err
    assert not (tmp_path / "config").exists()
    assert not (house.lake / "private").exists()
    (row,) = house.query("SELECT patient_id FROM series")
    assert str(row["patient_id"]).startswith("pt-")
    assert house.query("SELECT count(*) AS n FROM features") == [{"n": 0}]
    assert house.query("SELECT DISTINCT pipeline, profile FROM runs") == [{"pipeline": "mine", "profile": "strict"}]
    said = house.do("run", house.scans, "--out", house.lake, *options, "--patient-regex", "/P([0-9]+)/", "--json")
    assert json.loads(said.out)["worked"]["files"] == 1, "another pattern names other patients"
    assert "--private" in house.do("whois", house.lake, str(row["patient_id"]), "--key-file", tmp_path / "my key").said


# wrong usage ends with 2 and leaves nothing behind


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Missing option '--out'"),
        (["--out", "new", "--memory", "lots"], "'--memory': 'lots' is no size; write for example 4GiB"),
        (["--out", "new", "--memory", "1MiB"], "the least is 256 MiB"),
        (["--out", "new", "--workers", "0"], "'--workers'"),
        (["--out", "new", "--worker", "1"], "--workers"),
        (["--out", "new", "--config", "absent.yaml"], "'absent.yaml' cannot be read"),
        (["--out", "new", "--config", "."], "'.' cannot be read"),
        (["--out", "new", "--patient-regex", "("], "no regular expression"),
        (["--out", "new", "--patient-regex", "P[0-9]"], "needs a group"),
        (["--out", "a file"], "there is a file in the lake's place"),
        (["--out", "a folder"], "not empty and holds no lake"),
    ],
)
def test_a_wrong_run_is_refused_before_anything_is_made(house: House, options: list[str], words: str) -> None:
    Path("a file").write_text("kept")
    Path("a folder").mkdir()
    Path("a folder/mine").write_text("kept")
    ended = house.do("run", house.scans, *options)
    assert ended.code == 2
    assert words in ended.said
    assert not Path("new").exists()
    assert os.listdir("a folder") == ["mine"]  # noqa: PTH208 - names only


@pytest.mark.parametrize(
    ("study", "words"),
    [
        ("steps: [deid, segment.ots]", "unknown step 'segment.ots'; did you mean 'segment.otsu'?"),
        (
            "steps: [deid, {segment.otsu: {imag: a}}]",
            "unknown parameter 'imag' of step 'segment.otsu'; did you mean 'image'",
        ),
        ("step: []\nsteps: [deid]", "unknown key 'step' of a study; did you mean 'steps'"),
        (
            "steps: [deid, {features: {mask: body}}]",
            "reads mask:body, which no step before it gives; there is mask:label",
        ),
        ("steps: [quality]", "the first step must be 'deid'"),
        ("steps: [", "not YAML, line 2"),
        ("- deid", "a study is a mapping"),
    ],
)
def test_a_wrong_study_is_refused_with_the_nearest_name(house: House, study: str, words: str) -> None:
    Path("study.yaml").write_text(study + "\n")
    ended = house.do("run", house.scans, "--out", "new", "--config", "study.yaml")
    assert ended.code == 2
    assert words in ended.said
    assert not Path("new").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["runn"], "Did you mean 'run'"),
        (["run", "nowhere", "--out", "new"], "there is no file or folder 'nowhere'"),
        (["plan", "nowhere"], "there is no file or folder 'nowhere'"),
        (["sql", "nowhere", "select 1"], "holds no lake"),
        (["report", "nowhere"], "holds no lake"),
        (["sql", "the lake", "select 1; select 2"], "one SELECT"),
        (["sql", "the lake", "drop table series"], "one SELECT"),
        (["trace", "the lake", "xx"], "expected the id"),
        (["trace", "the lake", "se-aaaa"], "nothing in the lake"),
        (["whois", "the lake", "xx"], "begins with one of ac-, fi-"),
        (["whois", "the lake", "pt-aaaa"], "nothing in the lake"),
        (["whois", "the lake", "pt-a' OR true --"], "begins with one of"),
        (["quarantine", "retry", "the lake", "--code", "bad"], "no fault has this code"),
        (["join", "the lake", "labels.csv", "--on", "name"], "is not one of"),
        (["join", "the lake", "labels.csv", "--on", "patient_id"], "--target"),
        (["join", "the lake", "absent.csv", "--on", "patient_id", "--keep", "x"], "could not be opened"),
        (["join", "the lake", "labels.csv", "--on", "patient_id", "--keep", "relaps"], "near: relapse"),
        (["join", "the lake", "labels.csv", "--on", "accession", "--keep", "relapse"], "with --column"),
        (["join", "the lake", "x.sqlite", "--on", "path", "--keep", "x"], "--query"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_hint(house: House, command: list[str], words: str) -> None:
    write_labels(Path("labels.csv"), [["patient_id", "relapse"], ["P1", 1]])
    ended = house.do(*command)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.said


# what cannot finish ends with 1


def test_a_lake_that_another_process_writes_is_left_alone(house: House) -> None:
    script = (
        "import sys; from radlake.lake.store import Lake\n"
        "with Lake.open(sys.argv[1]).lock(): print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(house.lake)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        ended = house.do("run", house.scans, "--out", house.lake)
        assert (ended.code, str(other.pid) in ended.said) == (1, True)
        assert house.do("sql", house.lake, "select count(*) n from files", "--format", "csv").out == "n\n24\n"
        other.kill()


def test_another_key_is_refused_wherever_a_key_is_used(house: House) -> None:
    Path("other").write_text("ab" * 32)
    Path("other").chmod(0o600)
    write_labels(Path("labels.csv"), [["patient_id", "relapse"], ["P1", 1]])
    for command in (
        ["run", house.scans, "--out", house.lake],
        ["join", house.lake, "labels.csv", "--on", "patient_id", "--target", "relapse"],
        ["whois", house.lake, str(house.query("SELECT max(patient_id) AS p FROM series")[0]["p"])],
    ):
        ended = house.do(*command, "--key-file", "other")
        assert (ended.code, "not" in ended.said) == (1, True)
        assert "the lake was made with the key" in ended.said


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda p: None, "there is no key at"),
        (lambda p: p.mkdir(), "is no file"),
        (lambda p: (p.write_text("ab" * 32), p.chmod(0o644)), "chmod 600"),
        (lambda p: (p.write_text("no key"), p.chmod(0o600)), "is no key"),
    ],
)
def test_a_key_that_cannot_be_used_is_told(house: House, prepare: object, words: str) -> None:
    prepare(Path("my key"))  # type: ignore[operator]
    ended = house.do("whois", house.lake, "pt-aaaa", "--key-file", "my key")
    assert ended.code == 1
    assert words in ended.said


def test_a_lake_that_lost_its_private_part_is_read_but_not_written(house: House) -> None:
    shutil.rmtree(house.lake / "private")
    assert house.do("sql", house.lake, "select count(*) n from files", "--format", "csv").out == "n\n24\n"
    assert "uri" not in house.do("quarantine", "list", house.lake).out
    assert house.do("whois", house.lake, "pt-aaaa").code == 1
    ended = house.do("run", house.scans, "--out", house.lake)
    assert ended.code == 1
    assert "private part of this lake is not there" in ended.said
    assert not (house.lake / "private").exists()


def test_damaged_tables_and_manifests_are_named(house: House) -> None:
    for part in (house.lake / "tables" / "series").glob("*.parquet"):
        os.truncate(part, 100)
    ended = house.do("sql", house.lake, "select * from series")
    assert ended.code == 1
    assert "the table series are missing or damaged" in ended.said
    (house.lake / "lake.json").write_text('{"format_version": 99}')
    ended = house.do("run", house.scans, "--out", house.lake)
    assert (ended.code, "upgrade radlake" in ended.said) == (1, True)
    (house.lake / "lake.json").write_text("{")
    assert house.do("report", house.lake).code == 2


def test_a_place_that_cannot_be_made_is_told(house: House) -> None:
    ended = house.do("run", house.scans, "--out", "/proc/lake")
    assert ended.code == 1
    assert "storage failed" in ended.said or "may not be written" in ended.said


def test_what_nobody_foresaw_is_told_without_its_text(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from radlake import cli

    def broken(*_: object, **__: object) -> None:
        raise KeyError("Doe^Jane")

    monkeypatch.setattr(Lake, "sql", broken)
    monkeypatch.setattr(sys, "argv", ["radlake", "sql", str(house.lake), "select 1"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "please report" in said
    assert "KeyError" in said
    assert "Doe" not in said


# asking


def test_sql_prints_tables_csv_and_json(house: House) -> None:
    query = "select modality, count(*) n from series group by 1 order by 1"
    assert house.do("sql", house.lake, query).out.splitlines() == [
        "modality  n",
        "--------  -",
        "CT        2",
        "OT        4",
        "US        1",
    ]
    assert house.do("sql", house.lake, query, "--format", "csv").out == "modality,n\nCT,2\nOT,4\nUS,1\n"
    told = json.loads(house.do("sql", house.lake, query, "--format", "json").out)
    assert told == [{"modality": "CT", "n": 2}, {"modality": "OT", "n": 4}, {"modality": "US", "n": 1}]
    assert "病人" in house.do("sql", house.lake, "select uri from private.sources").out


def test_the_quarantine_is_listed_with_paths_and_tried_again(house: House, made: House) -> None:
    rows = json.loads(house.do("quarantine", "list", house.lake, "--format", "json").out)
    assert {r["code"] for r in rows} == {
        "empty_file", "no_pixels", "not_an_image", "truncated_pixels", "unreadable_header",
    }  # fmt: skip
    assert all(r["hint"] and r["uri"].startswith(str(made.scans)) for r in rows)
    assert house.do("quarantine", "retry", house.lake, "--code", "empty_file").out.startswith("1 ")
    ended = house.do("run", made.scans, "--out", house.lake, "--workers", "1", "--json")
    assert json.loads(ended.out)["worked"]["files"] == 1


def test_a_trace_leads_from_a_series_to_versions_and_parameters(house: House) -> None:
    (row,) = house.query("SELECT max(series_id) AS id FROM series WHERE modality = 'CT'")
    told = json.loads(house.do("trace", house.lake, str(row["id"])).out)
    assert told["id"] == row["id"]
    deid = {"stage": "deid", "version": stages()["deid"].version, "profile": "research"}
    assert deid in told["work"][0]["steps"]


def test_whois_leads_back_to_the_patient_and_the_files(house: House) -> None:
    (row,) = house.query("SELECT patient_id AS id FROM instances WHERE kind = 'ct' GROUP BY 1 HAVING count(*) = 6")
    lines = house.do("whois", house.lake, str(row["id"])).out.splitlines()
    assert lines[0] == "PatientID: P2"
    assert "6 files:" in lines
    assert sum("病人/病人" in line for line in lines) == 6
    (row,) = house.query("SELECT file_id AS id FROM files WHERE fault_code = 'not_an_image'")
    lines = house.do("whois", house.lake, str(row["id"])).out.splitlines()
    assert lines[-1].endswith("program.bin")


def test_the_report_is_written_and_named(house: House) -> None:
    page = house.lake / "report" / "index.html"
    page.unlink()
    assert house.do("report", house.lake).out.strip() == str(page)
    assert page.stat().st_size > 1000


def test_a_release_holds_no_private_part(house: House) -> None:
    assert house.do("release", house.lake, "out").code == 0
    assert Lake.open("out").sql("SELECT count(*) AS n FROM files")["n"].to_pylist() == [24]
    assert not Path("out/private").exists()
    again = house.do("release", house.lake, "out")
    assert (again.code, "in use" in again.said) == (1, True)


def test_a_plan_names_fields_and_faults_and_no_values(house: House, made: House) -> None:
    before = sorted(house.folder.rglob("*"))
    ended = house.do("plan", made.scans)
    assert ended.code == 0
    assert "24 files" in ended.out
    assert "empty_file: copy it again from its source" in ended.out
    assert "PatientID" in ended.out
    assert "P2" not in ended.out
    told = json.loads(house.do("plan", made.scans, "--json").out)
    assert told["files"] == 24
    assert told["modalities"] == {"CT": 13, "OT": 4, "US": 1}
    assert sorted(house.folder.rglob("*")) == before


def test_a_demo_without_its_data_names_what_to_install(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from radlake.formats import lidc

    monkeypatch.setattr(lidc, "locate", lambda: None)
    ended = house.do("demo", "--out", "shown", "--quiet")
    assert ended.code == 1
    assert ended.said == "radlake: the demo's cohort is missing: pip install 'radlake[demo]'"


# joining


def labels_in(house: House) -> list[tuple[object, ...]]:
    rows = house.query("SELECT unit, target, value FROM labels WHERE owner LIKE 'fi-%' ORDER BY ALL")
    return [tuple(r.values()) for r in rows]


def test_labels_are_joined_by_patient_study_series_and_path(house: House) -> None:
    for key, values in (
        ("patient_id", ["P1", "P2", "P9"]),
        ("study_uid", [f"{archive.ROOT_UID}.9.1", f"{archive.ROOT_UID}.9.2", "1.2.3"]),
        ("series_uid", [f"{archive.ROOT_UID}.1", f"{archive.ROOT_UID}.2", "1.2.3"]),
        ("path", ["scan.png", "us.dcm", "absent.png"]),
    ):
        table = write_labels(Path(f"{key}.csv"), [["the key", key + " y"], *zip(values, (0, 1, 1), strict=True)])
        ended = house.do(
            "join", house.lake, table, "--on", key, "--column", "the key", "--target", key + " y", "--json"
        )
        assert ended.code == 0, ended.err
        assert json.loads(ended.out) == {"labels": 2, "clinical": 0, "faults": 1}, key
    units = [unit for unit, _, _ in labels_in(house)]
    assert sorted(set(units)) == ["patient", "series", "study"]


def test_the_same_table_joined_again_replaces_its_rows(house: House) -> None:
    for value in (0, 1):
        write_labels(Path("labels.csv"), [["patient_id", "relapse", "age"], ["P1", value, 50], ["P2", 1, 60]])
        ended = house.do("join", house.lake, "labels.csv", "--on", "patient_id", "--target", "relapse", "--keep", "age")
        assert ended.out == "2 labels, 2 clinical, 0 faults\n"
    assert [value for _, _, value in labels_in(house)] == [1.0, 1.0]


def test_a_label_of_a_region_belongs_to_its_mask(house: House) -> None:
    write_labels(Path("rois.csv"), [["path", "region", "grade", "size"], ["brain.nii.gz", "label_1", 3, 2]])
    house.do("join", house.lake, "rois.csv", "--on", "path", "--roi", "region", "--target", "grade,size")
    assert labels_in(house) == [("mask", "grade", 3.0), ("mask", "size", 2.0)]


def test_excel_parquet_and_sqlite_bring_the_same(house: House) -> None:
    book = openpyxl.Workbook()
    for row in (["patient_id", "relapse"], ["P1", 0], ["P2", 1]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save("t.xlsx")
    pq.write_table(pa.table({"patient_id": ["P1", "P2"], "relapse": [0, 1]}), "t.parquet")
    with sqlite3.connect("t.db") as base:
        base.executescript("CREATE TABLE t (patient_id, relapse); INSERT INTO t VALUES ('P1', 0), ('P2', 1)")
    base.close()
    for name, query in (("t.xlsx", []), ("t.parquet", []), ("t.db", ["--query", "SELECT * FROM t"])):
        ended = house.do("join", house.lake, name, "--on", "patient_id", "--target", "relapse", *query, "--json")
        assert ended.code == 0, ended.err
        assert json.loads(ended.out)["labels"] == 2, name


# help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_each_of_its_options(command: str, tmp_path: Path) -> None:
    shown = House(tmp_path).do(command, "-h")
    assert shown.code == 0
    assert "[OPTIONS]" in shown.out
    if command in ("run", "join", "sql"):
        assert f"radlake {command} " in shown.out.split("Examples:")[1]
    found = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    assert found.help
    for parameter in found.params:
        assert getattr(parameter, "help", None), f"{command} {parameter.name}"


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert House(tmp_path).do("--version").out == f"radlake {__version__}\n"


@pytest.mark.parametrize(
    ("text", "size"), [("4GiB", 4 << 30), ("512M", 512 << 20), ("1.5 g", 3 << 29), ("268435456", 256 << 20)]
)
def test_memory_is_read_in_binary_units(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "4 apples", "-1G", "1e9", "255MiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_memory(text)


# processes and terminals


def environment(house: House, **more: str) -> dict[str, str]:
    return {**os.environ, "XDG_CONFIG_HOME": str(house.folder / "config"), "OMP_NUM_THREADS": "1", **more}


@pytest.mark.slow
def test_ctrl_c_stops_with_a_word_and_the_next_run_goes_on(tmp_path: Path) -> None:
    house = House(tmp_path)
    archive.build(house.scans)
    command = [*RADLAKE, "run", str(house.scans), "--out", str(house.lake), "--workers", "2"]
    with subprocess.Popen(
        command, env=environment(house), stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stderr is not None
        first = running.stderr.readline()
        time.sleep(0.3)  # the workers are importing now, and must not answer
        os.killpg(running.pid, signal.SIGINT)
        rest = running.stderr.read()
    assert first.startswith("reading headers: started")
    assert running.returncode == 1
    assert rest.splitlines()[-1] == "radlake: stopped; run the same command again to go on"
    assert "Traceback" not in rest
    done = subprocess.run([*command, "--json"], env=environment(house), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["files"] == {"done": 18, "ignored": 1, "quarantined": 5}
    assert done.stderr == ""


@pytest.mark.slow
def test_a_pipe_that_closes_early_is_no_stack_trace(made: House) -> None:
    query = "select a.*, b.* from features a, features b"
    with subprocess.Popen(
        [*RADLAKE, "sql", str(made.lake), query], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as asking:
        assert asking.stdout is not None
        assert asking.stderr is not None
        asking.stdout.read(10)
        asking.stdout.close()
        assert asking.stderr.read() == b""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_narrow_terminal_shows_bars_and_one_value_a_line(made: House, tmp_path: Path) -> None:
    house = House(tmp_path)
    house.scans.mkdir()
    shutil.move(archive_picture(tmp_path), house.scans)
    more = {"COLUMNS": "40", "TERM": "xterm", "NO_COLOR": "1"}
    code, shown = in_a_terminal(["run", house.scans, "--out", house.lake], environment(house, **more))
    assert code == 0
    assert "\x1b[31" not in shown
    assert "━" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is given back"
    code, shown = in_a_terminal(
        ["sql", made.lake, "select file_id, code, hint from faults f join files using (file_id) limit 1"],
        environment(made, **more),
    )
    assert code == 0
    assert [line.split()[0] for line in shown.splitlines()[:3]] == ["file_id", "code", "hint"]


def in_a_terminal(arguments: Sequence[object], environ: dict[str, str]) -> tuple[int, str]:
    """Exit code and everything shown, of a command whose three streams are a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*RADLAKE, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    ) as running:
        os.close(theirs)
        shown = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # Linux: the other end has closed
                break
            if not block:
                break
            shown += block
    os.close(ours)
    return running.returncode, shown.decode()


@pytest.mark.slow
def test_a_full_disk_is_told_and_costs_nothing_that_was_there(tmp_path: Path) -> None:
    house = House(tmp_path)
    archive.build(house.scans)
    small = ["bash", "-c", 'ulimit -f 24; exec "$@"', "-", *RADLAKE]  # no file above 24 KiB
    command = ["run", str(house.scans), "--out", str(house.lake), "--workers", "1"]
    ended = subprocess.run([*small, *command], env=environment(house), capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "no room left on the disk" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    done = subprocess.run([*RADLAKE, *command], env=environment(house), capture_output=True, text=True, check=True)
    assert "18 done, 5 set aside" in done.stdout


def test_masks_of_a_series_become_a_segmentation_object_and_are_compared_and_joined(tmp_path: Path) -> None:
    source, out = tmp_path / "series", tmp_path / "出 put"
    out.mkdir()
    for number in range(1, 5):
        archive.ct_slice(source / f"{number}.dcm", number)

    def done(*words: str) -> str:
        result = CliRunner().invoke(app, [str(w) for w in words])
        assert result.exit_code == 0, result.output
        return result.output

    done("segment", "otsu", source, out / "mask.dcm", "--compare", out / "side.png")
    assert (out / "side.png").read_bytes()[:4] == b"\x89PNG"
    for name, threshold in (("a", "otsu"), ("b", "li"), ("c", "triangle")):
        done("segment", threshold, source, out / f"{name}.nrrd")
    done("mask", "dilate", out / "a.nrrd", out / "wide.mha", "--radius-mm", "2")
    assert json.loads(done("agreement", out / "a.nrrd", out / "wide.mha", "--json"))["mask"]["dice"] < 1
    assert "hausdorff_mm" in done("agreement", out / "a.nrrd", out / "a.nrrd")
    done("consensus", *(out / f"{n}.nrrd" for n in "abc"), out / "joint.nii.gz", "--method", "staple")
    done("register", source, source, out / "moved.nii.gz", "--compare", out / "moved.png")
    done("landmarks", source, source, "--out", out / "nyul.json")
    done("enhance", "nyul", source, out / "scaled.nii.gz", "--parameters", out / "nyul.json")


def test_a_wrong_word_for_one_image_costs_one_line(tmp_path: Path) -> None:
    archive.ct_slice(tmp_path / "a.dcm", 1)
    for words, told in (
        (["segment", "otsoo", "a.dcm", "x.png"], "did you mean 'otsu'"),
        (["filter", "mean", "a.dcm", "x.nrd"], "did you mean .nrrd"),
        (["filter", "mean", "a.dcm", "x.dcm"], "holds masks"),
        (["filter", "mean", "a.dcm", "x.png"], "--out-dtype"),
        (["filter", "mean", "a.dcm", "x.nrrd", "--radius-mm", "-1"], "radius must be"),
        (["morphology", "skeleton", "a.dcm", "x.nrrd"], "make a mask by"),
        (["consensus", "a.dcm"], "needs masks"),
    ):
        paths = [str(tmp_path / w) if "." in w and not w.startswith("-") else w for w in words]
        result = CliRunner().invoke(app, paths)
        assert result.exit_code in (1, 2), told
        assert told in result.output
        assert "Traceback" not in result.output
    assert [p.name for p in tmp_path.iterdir()] == ["a.dcm"]


def test_one_image_can_be_filtered_and_segmented_and_looked_at(tmp_path: Path) -> None:
    source = tmp_path / "series"
    for number in range(1, 5):
        archive.ct_slice(source / f"{number}.dcm", number)
    for words in (["filter", "gaussian"], ["segment", "otsu"]):
        out, side = tmp_path / f"{words[0]} 出.nii.gz", tmp_path / f"{words[0]}.png"
        options = ["--sigma-mm", "2"] if words[0] == "filter" else []
        result = CliRunner().invoke(app, [*words, str(source), str(out), "--compare", str(side), *options])
        assert (result.exit_code, result.output) == (0, "")
        assert read_image(out).array.shape == (4, 48, 48)
        assert side.read_bytes()[:4] == b"\x89PNG"
    assert "\ngaussian: " in "\n" + CliRunner().invoke(app, ["filter", "list"]).output
    assert "--radius-mm" in CliRunner().invoke(app, ["filter", "median"]).output
    assert CliRunner().invoke(app, ["filter", "gaussian", str(source)]).exit_code == 2
    assert CliRunner().invoke(app, ["filter", "gaussian", str(tmp_path / "no"), "x.png"]).exit_code == 2
