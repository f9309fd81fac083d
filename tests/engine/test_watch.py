"""Files that arrive are taken up once, when they are whole, whoever is killed meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.engine.inputs import Found
from radlake.engine.watch import Arrivals, watch
from radlake.lake.errors import LakeLockedError
from radlake.lake.store import Lake
from tests import archive

RADLAKE = [sys.executable, "-c", "from radlake.cli import main; main()"]


def test_a_file_waits_until_its_size_and_time_stand_still() -> None:
    arrivals = Arrivals(settle_s=5.0)
    growing = [Found("/in/a", size, mtime) for size, mtime in ((10, 1), (20, 2), (20, 3), (20, 3), (20, 3))]
    looks = [arrivals.look([file], now) for file, now in zip(growing, (0.0, 6.0, 12.0, 16.0, 17.0), strict=True)]
    assert looks == [[], [], [], [], ["/in/a"]]
    assert arrivals.look([Found("/in/a", 20, 3)], 99.0) == []
    assert arrivals.look([Found("/in/a", 21, 4)], 100.0) == []  # changed: it is a new arrival
    assert arrivals.look([Found("/in/a", 21, 4)], 105.0) == ["/in/a"]


@pytest.mark.parametrize("name", [".a.dcm.Xy12", "~$a.xlsx", "a.dcm.part", "a.filepart", "A.TMP", "a.dcm~"])
def test_names_of_copies_under_way_wait(name: str) -> None:
    arrivals = Arrivals(settle_s=0.0)
    found = [Found(f"/in/.hidden folder/{name}", 1, 1), Found("/in/.hidden folder/a.dcm", 1, 1)]
    assert [arrivals.look(found, now) for now in (0.0, 1.0)] == [[], ["/in/.hidden folder/a.dcm"]]


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=3), max_size=12))
def test_each_state_of_a_file_is_taken_up_at_most_once(looks: list[list[tuple[str, int]]]) -> None:
    arrivals = Arrivals(settle_s=1.0)
    current: dict[str, str] = {}
    for now, seen in enumerate(looks):
        files = {name: Found(name, size, 0) for name, size in seen}
        for uri in arrivals.look(files.values(), float(now)):
            assert current.get(uri) != files[uri].input_key
            current[uri] = files[uri].input_key


def test_files_wait_for_another_run(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    asked: list[list[str]] = []

    def begin(files: list[str]) -> str:
        asked.append(files)
        if len(asked) == 1:
            raise LakeLockedError("busy")
        return "done"

    seen = list(watch(begin, [tmp_path], every_s=0.01, settle_s=0.02, idle_s=0.5))  # type: ignore[arg-type]
    assert seen == [(1, "done")]
    assert asked == [[str(tmp_path / "a")]] * 2


@pytest.mark.slow
def test_arrivals_are_taken_up_once_though_the_watch_is_killed(tmp_path: Path) -> None:
    _prove(tmp_path, series=3, kills=1)


@pytest.mark.soak
def test_a_thousand_arrivals_are_taken_up_once(tmp_path: Path) -> None:
    _prove(tmp_path, series=166, kills=20)


def _prove(folder: Path, *, series: int, kills: int) -> None:
    """Drop six slices a series while a watch runs and is killed; one file comes in two halves."""
    rng = random.Random(9)
    incoming, ready = folder / "in coming 来", folder / "ready"
    for number in range(1, series + 1):
        for z in range(1, 7):
            archive.ct_slice(ready / f"{number} {z}.dcm", z, patient=f"P{number}", series=number)
    files = sorted(ready.iterdir())
    rng.shuffle(files)
    incoming.mkdir()
    when = set(rng.sample(range(1, len(files)), kills))
    half, rest = files[0].read_bytes()[:3000], files[0].read_bytes()[3000:]
    (incoming / files[0].name).write_bytes(half)
    process = _start(folder, incoming)
    for count, file in enumerate(files[1:], 1):
        (incoming / f".{file.name}.tmp1").write_bytes(file.read_bytes())
        (incoming / f".{file.name}.tmp1").rename(incoming / file.name)
        _touch_half(incoming / files[0].name, half)
        if count in when:
            time.sleep(rng.uniform(1.0, 4.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
            process = _start(folder, incoming)
    with (incoming / files[0].name).open("ab") as late:
        late.write(rest)
    assert process.wait(1200) == 0
    lake = Lake.open(folder / "lake")
    assert lake.sql("SELECT status, count(*) AS n FROM files GROUP BY 1").to_pylist() == [
        {"status": "done", "n": len(files)}
    ]
    sources = Counter(lake.sql("SELECT uri FROM private.sources")["uri"].to_pylist())
    assert sources == Counter(str(incoming / f.name) for f in files)
    assert set(Counter(lake.sql("SELECT file_id FROM instances")["file_id"].to_pylist()).values()) == {1}
    assert lake.sql("SELECT count(*) AS n FROM images WHERE slices = 6")["n"].to_pylist() == [series]
    assert lake.sql("SELECT count(*) AS n FROM faults")["n"].to_pylist() == [0]  # the half was never taken up


def _touch_half(path: Path, half: bytes) -> None:
    """The first file goes on being copied, slowly."""
    path.write_bytes(half)


def _start(folder: Path, incoming: Path) -> subprocess.Popen[bytes]:
    """A watch that ends when nothing has come for some seconds."""
    options = ["--every", "0.2", "--settle", "1.5", "--idle", "12", "--workers", "1", "--quiet"]
    command = [*RADLAKE, "watch", str(incoming), "--out", str(folder / "lake"), *options]
    return subprocess.Popen(command, env=os.environ | {"XDG_CONFIG_HOME": str(folder / "config")})


def test_ctrl_c_ends_a_watch_with_a_word(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    command = [*RADLAKE, "watch", str(tmp_path / "in"), "--out", str(tmp_path / "lake")]
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "watching; Ctrl-C ends\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "stopped; the same command goes on where this one was\n"
    assert process.returncode == 0
