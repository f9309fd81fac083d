from __future__ import annotations

import json
import shutil
from pathlib import Path

import pydicom
import pytest
import typer
from typer.testing import CliRunner

from radlake.cli import app
from radlake.cli.common import OWN_WORK, WithOwnWork

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
run = CliRunner().invoke


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans 病人"
    folder.mkdir()
    shutil.copyfile(FILES / "CT_small.dcm", folder / "a b.dcm")
    (folder / "broken.dcm").write_bytes(bytes(128) + b"DICM")
    return folder


def group() -> typer.Typer:
    """A group with work of its own and one command."""
    made = typer.Typer(cls=WithOwnWork, no_args_is_help=True, rich_markup_mode=None)

    @made.command(OWN_WORK, hidden=True)
    def own(folder: str, out: str = "") -> None:
        """The work itself."""
        typer.echo(f"own {folder} {out}")

    @made.command()
    def verify(folder: str) -> None:
        """Look at it."""
        typer.echo(f"verify {folder}")

    return made


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["scans"], "own scans"),
        (["scans", "--out", "x"], "own scans x"),
        (["--out", "x", "scans"], "own scans x"),
        (["./verify"], "own ./verify"),
        (["verify", "scans"], "verify scans"),
        (["run"], "own run"),
    ],
)
def test_what_is_no_command_is_the_groups_own_work(args: list[str], said: str) -> None:
    assert run(group(), args).output.strip() == said


def test_the_help_shows_the_own_work_and_the_commands() -> None:
    text = run(group(), ["--help"]).output
    assert "The work itself." in text and "--out" in text and "verify" in text and OWN_WORK not in text
    wrong = run(group(), ["--nix"])
    assert wrong.exit_code == 2 and OWN_WORK not in wrong.output


def test_a_folder_is_cleaned_and_counted(scans: Path, tmp_path: Path) -> None:
    args = [
        "deidentify",
        str(scans),
        "--out",
        str(tmp_path / "out"),
        "--pixels",
        "off",
        "--key-file",
        str(tmp_path / "key"),
    ]
    ended = run(app, [*args, "--workers", "1", "--json"])
    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["files"] == {"done": 1, "quarantined": 1}
    again = run(app, [*args, "--workers", "1"])
    assert "0 taken up now" in again.stdout and "病人" not in again.stdout


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--option", "retain-uid"], "did you mean retain-uids"),
        (["--profile", "lax"], "lax"),
        (["--option", "retain-full-dates", "--option", "retain-modified-dates"], "exclude each other"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(
    extra: list[str], words: str, scans: Path, tmp_path: Path
) -> None:
    key = ["--key-file", str(tmp_path / "key")]
    ended = run(app, ["deidentify", str(scans), "--out", str(tmp_path / "out"), *key, *extra])
    assert ended.exit_code == 2 and words in ended.stderr
    assert not (tmp_path / "out").exists()
