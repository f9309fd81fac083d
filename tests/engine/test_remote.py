"""Inputs and lakes in stores: the same tables as on a disk, run, run again, killed and resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from radlake.core.place import Remote, place
from radlake.core.schema import TABLES, stable_columns
from radlake.engine.api import run
from radlake.engine.inputs import NoInput, walk
from radlake.engine.local import Local
from radlake.engine.run import Summary
from radlake.lake.store import Lake
from tests import archive, stores
from tests.conftest import Store
from tests.engine.conftest import Place

# A run in a process of its own, whose lease runs out soon after its end.
DRIVER = """
import sys
from radlake.engine.api import run
from radlake.engine.local import Local
from radlake.lake import lock

lock.LEASE_S = 2.0
if __name__ == "__main__":
    source, lake, private, key = sys.argv[1:]
    run(None, source, lake, private=private, key_file=key, engine=Local(1), strict=True)
"""


@dataclass
class Study:
    """An archive in a store and where its lakes are."""

    store: Store
    folder: Path

    @property
    def source(self) -> str:
        return f"{self.store.root}/the archive"

    def run(self, lake: str, private: str) -> Summary:
        return run(None, self.source, lake, private=private, key_file=self.folder / "key", engine=Local(0), strict=True)


@pytest.fixture
def study(store: Store, tmp_path: Path) -> Study:
    """The archive of the engine's tests, sent to a store."""
    found = Study(store, tmp_path)
    archive.build(tmp_path / "archive")
    for path in sorted((tmp_path / "archive").rglob("*")):
        if path.is_file():
            (place(found.source) / path.relative_to(tmp_path / "archive").as_posix()).write_bytes(path.read_bytes())
    return found


def tables(lake: Lake) -> dict[str, list[str]]:
    found = {}
    for table in (t for t in TABLES if stable_columns(t)):
        rows = [str(row) for row in lake.read(table, columns=stable_columns(table)).to_pylist()]
        found[table] = sorted(set(rows) if table == "runs" else rows)
    return found


def test_a_run_between_stores_is_one_on_a_disk_and_can_be_killed(
    study: Study, done: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    expected = study.run(str(study.folder / "lake"), str(study.folder / "private"))
    on_disk = done.lake().sql("SELECT status, count(*) AS n FROM files GROUP BY 1").to_pylist()
    assert expected.files == {row["status"]: row["n"] for row in on_disk}
    local = tables(Lake.open(study.folder / "lake", private=study.folder / "private"))
    remote = Lake.create(f"{study.store.root}/lake", private=study.store.private, key_fingerprint=_fingerprint(study))

    script = study.folder / "driver.py"
    script.write_text(DRIVER)
    command = [sys.executable, str(script), study.source, str(remote.root), study.store.private]
    for seconds in (3.0, 6.0):
        _killed([*command, str(study.folder / "key")], seconds)
    assert subprocess.run([*command, str(study.folder / "key")], check=False).returncode == 0
    assert tables(remote) == local
    again = study.run(str(remote.root), study.store.private)
    assert again.files == expected.files
    assert not any(again.worked.values())
    _holds_no_secret(remote, capfd.readouterr())


def _fingerprint(study: Study) -> str:
    return Lake.open(study.folder / "lake", private=study.folder / "private").facts.key_fingerprint


def _killed(command: list[str], seconds: float) -> None:
    """Start a run and end it with all its workers, unless it has finished."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _holds_no_secret(lake: Lake, said: tuple[str, str]) -> None:
    """Neither the store's credentials nor the pseudonyms' key are in a lake, its private part, or what was printed."""
    assert isinstance(lake.root, Remote)
    assert isinstance(lake.private, Remote)
    secrets = [stores.S3_KEY.encode(), stores.S3_SECRET.encode()]
    files = [*lake.root.rglob("*"), *lake.private.rglob("*")]
    assert len(files) > 50
    for data in (*(f.read_bytes() for f in files), *(text.encode() for text in said)):
        assert not any(secret in data for secret in secrets)
    for table in (*TABLES, "sources"):
        text = str(lake.read(table).to_pylist()).encode()
        assert not any(secret in text for secret in secrets)


def test_a_changed_object_of_the_same_size_and_second_is_seen(s3: Store) -> None:
    file = place(f"{s3.root}/a.bin")
    file.write_bytes(b"one")  # type: ignore[union-attr]
    (first,) = walk([s3.root])
    file.write_bytes(b"two")  # type: ignore[union-attr]
    (second,) = walk([s3.root])
    assert (first.uri, first.bytes) == (second.uri, second.bytes)
    assert first.input_key != second.input_key


def test_lakes_in_a_store_are_no_input(store: Store) -> None:
    Lake.create(f"{store.root}/lake", private=store.private, key_fingerprint="00")
    place(f"{store.root}/病人/a b.dcm").write_bytes(b"one")  # type: ignore[union-attr]
    assert [f.uri for f in walk([store.root, f"{store.root}/病人/a b.dcm"])] == [f"{store.root}/病人/a b.dcm"]


def test_a_bucket_that_is_not_there_is_told(s3: Store) -> None:
    with pytest.raises(NoInput, match="there is no file or folder"):
        list(walk(["s3://no-such-bucket/scans"]))


def test_the_command_line_takes_addresses(s3: Store, tmp_path: Path) -> None:
    place(f"{s3.root}/a.bin").write_bytes(b"nothing that is known")  # type: ignore[union-attr]
    script = "from radlake.cli import main; main()"
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}
    shutil.rmtree(tmp_path / "none", ignore_errors=True)

    def radlake(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    refused = radlake("run", s3.root, "--out", f"{s3.root}/lake", "--quiet")
    assert refused.returncode == 1
    assert refused.stderr.startswith("radlake: an object store has no file modes")
    private = ["--private", s3.private]
    done = radlake("run", s3.root, "--out", f"{s3.root}/lake", *private, "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert f"report: {s3.root}/lake/report/index.html" in done.stdout
    asked = radlake("sql", f"{s3.root}/lake", "select count(*) as n from files", "--format", "json")
    assert '"n": 1' in asked.stdout, asked.stderr
    if find_spec("pyspark") and shutil.which("java"):
        text = "select f.status, p.bytes from files f join private_sources p using (file_id)"
        asked = radlake("sql", f"{s3.root}/lake", text, *private, "--format", "json", "--engine", "spark")
        assert json.loads(asked.stdout) == [{"status": "ignored", "bytes": 21}], asked.stderr
    wrong = radlake("sql", "gs://bucket/lake", "select 1")
    assert wrong.returncode == 2
    assert "s3://bucket/... or hdfs://host:port/..." in wrong.stderr
