"""The pool under workers that die, hang, grow and raise."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from radlake.core import pool
from radlake.core.pool import Batch, Done, Limits, Lost, Tick
from radlake.lake.errors import DiskFullError

MIB = 1 << 20


def make(_: Any) -> pool.Work:
    """Work whose items say what shall happen to the worker."""

    def work(items: Sequence[Any], tick: Tick) -> list[Any]:
        done = []
        for index, item in enumerate(items):
            tick(index)
            done.append(_act(item))
        return done

    return work


def _act(item: Any) -> Any:
    if item == "exit":
        os._exit(3)
    if item == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "hang":
        time.sleep(60)
    if item == "grow":
        hoard = bytearray(os.urandom(1)) * (700 * MIB)
        time.sleep(5)
        return len(hoard)
    if item == "raise":
        raise ValueError("secret text of a patient")
    if item == "full disk":
        raise DiskFullError("no room left")
    if item == "slow":
        time.sleep(0.005)
    return item


def outcomes(batches: list[Batch[Any]], **limits: Any) -> tuple[list[Any], list[Lost[Any]]]:
    done: list[Any] = []
    lost: list[Lost[Any]] = []
    for outcome in pool.run(make, None, batches, limits=Limits(**{"workers": 2, **limits})):
        if isinstance(outcome, Done):
            assert list(outcome.items) == outcome.result
            done += outcome.result
        else:
            lost.append(outcome)
    return done, lost


def test_a_bad_item_costs_itself_and_not_its_batch() -> None:
    items = [1, 2, "exit", 3, "segfault", 4, "hang", 5]
    done, lost = outcomes([Batch(items), Batch([6, 7])], timeout_s=1.0)
    assert sorted(done) == [1, 2, 3, 4, 5, 6, 7]
    assert sorted((x.item, x.code) for x in lost) == [
        ("exit", "worker_died"),
        ("hang", "timed_out"),
        ("segfault", "worker_died"),
    ]


def test_a_greedy_item_is_stopped_before_it_takes_the_machine() -> None:
    done, lost = outcomes([Batch([1, "grow", 2])], memory_bytes=300 * MIB)
    assert sorted(done) == [1, 2]
    assert [(x.item, x.code) for x in lost] == [("grow", "out_of_memory")]


def test_random_kills_lose_nothing() -> None:
    rng = random.Random(3)
    stop = threading.Event()
    kills = 0

    def killer() -> None:
        nonlocal kills
        me = psutil.Process()
        while not stop.wait(rng.uniform(0.3, 0.6)):
            workers = [c for c in me.children() if "spawn_main" in " ".join(c.cmdline())]
            if workers and kills < 5:
                rng.choice(workers).send_signal(signal.SIGKILL)
                kills += 1

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        done, lost = outcomes([Batch(["slow"] * 25) for _ in range(40)])
    finally:
        stop.set()
        thread.join()
    assert kills >= 2
    assert len(done) + len(lost) == 1000
    assert len(lost) <= kills // 2


def test_work_that_raises_stops_the_run_and_keeps_its_text_secret() -> None:
    with pytest.raises(pool.WorkerFailed, match="ValueError") as caught:
        outcomes([Batch([1, "raise"])])
    assert "secret" not in str(caught.value)
    assert "_act" in str(caught.value)


def test_an_expected_problem_of_the_machine_is_told_in_its_own_words() -> None:
    with pytest.raises(pool.WorkerFailed, match=r"^no room left$"):
        outcomes([Batch(["full disk"])])


def test_memory_decides_how_many_run_at_once() -> None:
    batches = [Batch([i], bytes=600) for i in range(4)]
    running = 0
    for outcome in pool.run(make, None, batches, limits=Limits(workers=2, memory_bytes=1000)):
        assert isinstance(outcome, Done)
        running = max(running, len([c for c in psutil.Process().children() if "spawn_main" in " ".join(c.cmdline())]))
    assert running == 1


def broken(_: Any) -> pool.Work:
    """Work that cannot even be set up: the process ends."""
    os._exit(1)


def test_workers_that_cannot_start_are_not_blamed_on_the_items() -> None:
    with pytest.raises(pool.WorkerFailed, match="before they could begin"):
        list(pool.run(broken, None, [Batch([1])], limits=Limits(workers=1)))


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(
        "import os, sys, time\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from radlake.core.pool import run, Batch, Limits\n"
        "from tests.core.test_pool import make\n"
        "if __name__ == '__main__':\n"
        "    batches = [Batch(['hang']), Batch(['hang'])]\n"
        "    list(run(make, None, batches, limits=Limits(workers=2)))\n"
    )
    driver = psutil.Popen([sys.executable, str(script), str(Path(__file__).parents[2])])
    deadline = time.monotonic() + 30
    workers: list[psutil.Process] = []
    while len(workers) < 2 and time.monotonic() < deadline:
        workers = [c for c in driver.children() if "spawn_main" in " ".join(c.cmdline())]
        time.sleep(0.1)
    assert len(workers) == 2
    time.sleep(1.0)
    driver.kill()
    driver.wait(10)
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_a_script_that_does_not_guard_its_call_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    script = tmp_path / "a script 脚本.py"
    script.write_text(
        "import os, pathlib\n"
        "from radlake.core import pool\n"
        "from radlake.engine import local\n"
        f"pathlib.Path({str(tmp_path)!r}, str(os.getpid())).touch()\n"
        "from radlake.core.stage import Context\n"
        "from radlake.engine.chain import Chain, Spec, Step\n"
        "spec = Spec(Chain('files', (Step('scan'),)), Context(b'k', None), '.', '.', 'run')\n"
        "done = list(pool.run(local.make_work, spec, [pool.Batch([])], limits=pool.Limits(workers=1)))\n"
        "print(len(done))\n",
        encoding="utf-8",
    )
    found = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert (found.returncode, found.stdout) == (0, "1\n"), found.stderr
    assert len([p for p in tmp_path.iterdir() if p.name.isdigit()]) == 1
