"""A real Spark cluster on loopback for tests: one master and two workers of one core, from the pyspark package."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from tests.stores import NoServer, free_ports, running, wait_for

WORKERS = 2


@dataclass(frozen=True)
class Cluster:
    """Where the master is, and the folder of its logs and of its workers' files."""

    master: str
    folder: Path
    pids: tuple[int, ...]

    def executors(self) -> list[psutil.Process]:
        """Java processes that run an application's tasks."""
        return [p for p in self._below() if "CoarseGrainedExecutorBackend" in " ".join(_command(p))]

    def pythons(self) -> list[psutil.Process]:
        """Python processes that do the tasks: Spark's, and the supervised ones below them."""
        return [p for e in self.executors() for p in e.children(recursive=True) if _command(p)]

    def _below(self) -> list[psutil.Process]:
        return [p for pid in self.pids for p in psutil.Process(pid).children(recursive=True)]


@contextmanager
def spark_cluster(folder: Path, environment: dict[str, str]) -> Iterator[Cluster]:
    """A cluster whose workers have this environment."""
    found = find_spec("pyspark")
    if found is None or found.origin is None or shutil.which("java") is None:
        raise NoServer("Spark needs pyspark and Java")
    start = str(Path(found.origin).parent / "bin" / "spark-class")
    port, *pages = free_ports(2 + WORKERS)
    master = f"spark://127.0.0.1:{port}"
    env = os.environ | environment | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    options = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(pages[0])]
    with ExitStack() as stack:
        log = folder / "master.log"
        command = [start, "org.apache.spark.deploy.master.Master", *options]
        head = stack.enter_context(running(command, log, env=env))
        wait_for(lambda: _said(log, "ALIVE"), head, log)
        pids = []
        for number in range(WORKERS):
            log = folder / f"worker{number}.log"
            options = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", str(pages[1 + number])]
            work = folder / f"work {number}"
            command = [start, "org.apache.spark.deploy.worker.Worker", *options, "--work-dir", str(work), master]
            worker = stack.enter_context(running(command, log, env=env))
            wait_for(lambda log=log: _said(log, "Successfully registered"), worker, log)  # type: ignore[misc]
            pids.append(worker.pid)
        yield Cluster(master, folder, tuple(pids))


def _said(log: Path, words: str) -> None:
    """Raise OSError until a log holds these words."""
    if words not in log.read_text(errors="replace"):
        raise FileNotFoundError(words)


def _command(process: psutil.Process) -> list[str]:
    """A process's command line; empty where it is gone."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
