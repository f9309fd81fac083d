"""A real standalone cluster: the tables of the local engine, whoever is killed, and secrets that stay at home."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from radlake.core.errors import UsageError
from radlake.deid.keys import fingerprint, load_key
from radlake.engine.local import Local
from radlake.engine.spark import Spark
from radlake.engine.spark.check import Worker, lines
from radlake.learn.bundle import load
from radlake.learn.deep import ImageClassifier
from tests import archive
from tests.cluster import Cluster, spark_cluster
from tests.engine.conftest import Place
from tests.engine.driver_of_cluster_test import STUDY
from tests.stores import NoServer

pytestmark = pytest.mark.spark

DRIVER = Path(__file__).with_name("driver_of_cluster_test.py")


@dataclass
class House:
    """A cluster, an archive with its key, and the lake that the local engine makes."""

    cluster: Cluster
    place: Place
    packed: Path

    def start(self, lake: str, *, events: str = "", packed: bool = False) -> subprocess.Popen[str]:
        facts = {
            "master": self.cluster.master,
            "source": self.place.source.name,
            "lake": lake,  # where the driver stands, and no worker
            "key": str(self.place.key_file),
            "fingerprint": fingerprint(load_key(self.place.key_file)),
            "events": events,
            "archive": str(self.packed) if packed else "",
        }
        command = [sys.executable, str(DRIVER), json.dumps(facts)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=self.place.folder
        )


def _environment(folder: Path) -> Path:
    """An environment to ship: this one's packages under a Python of its own."""
    venv.create(folder / "small", symlinks=True)
    site = next((folder / "small" / "lib").glob("python3*")) / "site-packages"
    (site / "here.pth").write_text("\n".join(p for p in sys.path if p))
    with tarfile.open(folder / "small.tar.gz", "w:gz") as packed:
        packed.add(folder / "small", ".")
    return folder / "small.tar.gz"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One cluster for all tests here."""
    folder = tmp_path_factory.mktemp("cluster")
    place = Place(tmp_path_factory.mktemp("study"))
    archive.build(place.source)
    place.run("local", study=STUDY, engine=Local(0))
    here = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    try:
        with spark_cluster(folder, here) as cluster:
            yield House(cluster, place, _environment(tmp_path_factory.mktemp("packed")))
    except NoServer as problem:
        pytest.skip(str(problem))


def test_a_cluster_makes_the_tables_of_one_machine_and_learns_no_secret(house: House) -> None:
    events = house.cluster.folder / "events"
    events.mkdir()
    with house.start("cluster", events=events.as_uri(), packed=True) as driver:
        assert driver.stdout is not None
        said = [json.loads(line) for line in driver.stdout]
    assert driver.returncode == 0
    (_, workers, files) = said
    assert len(workers) == 2
    for _, python, problems in workers:
        assert "radlake_environment/bin/python" in python  # the shipped one
        assert problems == []
    ours, theirs = house.place.tables("local"), house.place.tables("cluster")
    for table, rows in ours.items():
        assert theirs[table] == rows, table
    assert files["done"] == 18

    key = load_key(house.place.key_file)
    secrets = [key, key.hex().encode(), repr(key).encode(), b"Invented^P1"]
    logs = [p for p in house.cluster.folder.rglob("*") if p.is_file()]
    assert any(events in p.parents for p in logs)
    assert not [p for p in logs for secret in secrets if secret in p.read_bytes()]


def test_whoever_is_killed_nothing_is_lost_or_doubled(house: House) -> None:
    _prove(house, rounds=2, seed=7)


@pytest.mark.soak
def test_twenty_kills_of_each_kind_change_nothing(house: House) -> None:
    _prove(house, rounds=20, seed=8)


def test_a_network_is_trained_by_a_process_on_each_worker(house: House, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(64) % 2
    x = rng.normal(size=(64, 16, 16)).astype(np.float32) + y[:, None, None]
    np.save(tmp_path / "图 x.npy", x)
    np.save(tmp_path / "y.npy", y)
    options = ["--target", "bright", "--epochs", "3", "--batch", "16", "--executor-memory", "512m", "--seed", "1"]
    arrays = [str(tmp_path / "图 x.npy"), str(tmp_path / "y.npy"), "--out", str(tmp_path / "model")]
    radlake = [sys.executable, "-c", "from radlake.cli import main; main()", "cluster", "train"]
    subprocess.run([*radlake, *arrays, *options, "--master", house.cluster.master, "--processes", "2"], check=True)
    kept = load(tmp_path / "model")
    alone = ImageClassifier("vgg-small", epochs=3, batch=16, seed=1).fit(x, y)
    assert kept.contract == alone.contract_
    assert np.mean(kept.predict(x) == y) > 0.9
    ours, theirs = kept.fitted.pipeline.parts()[1], alone.parts()[1]
    assert not np.array_equal(ours["0.weight"], theirs["0.weight"])  # each process changed its images in its own way


def _prove(house: House, *, rounds: int, seed: int) -> None:
    """Kill drivers, Python workers and executors at random moments; then the tables are those of a calm run."""
    rng = random.Random(seed)
    expected = house.place.tables("local")
    killed = 0
    for number in range(rounds):
        lake = f"killed {seed} {number}"
        _driver_killed(house, lake, rng)
        killed += _others_killed(house, lake, rng)
        assert house.place.tables(lake) == expected
    assert killed >= rounds  # of two a round; a run that is nearly done may leave nobody to kill


def _driver_killed(house: House, lake: str, rng: random.Random) -> None:
    """A run whose driver is killed, with all that it started on this machine, while its tasks run."""
    with house.start(lake) as driver:
        while driver.poll() is None and not house.cluster.pythons():
            time.sleep(0.1)
        time.sleep(rng.uniform(0.0, 1.5))
        os.killpg(driver.pid, signal.SIGKILL)
        driver.communicate()


def _others_killed(house: House, lake: str, rng: random.Random) -> int:
    """A run to the end, during which a Python worker and then an executor are killed; how many were."""
    kinds = [house.cluster.pythons, house.cluster.executors]
    killed = 0
    with house.start(lake) as driver:
        watcher = threading.Thread(target=driver.communicate)
        watcher.start()
        while watcher.is_alive() and kinds:
            if kinds[0]():
                time.sleep(rng.uniform(0.0, 1.0))
                if found := kinds.pop(0)():
                    killed += _kill(rng.choice(found))
            watcher.join(0.1)
        watcher.join()
    assert driver.returncode == 0
    return killed


def _kill(process: psutil.Process) -> bool:
    """End a process; whether it was there."""
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def test_what_workers_say_is_told_machine_by_machine() -> None:
    good = Worker("a", "3.11.7 (/usr/bin/python3)", ())
    bad = Worker("b", "3.12.1 (/usr/bin/python3)", ("Python 3.12.1, the driver has 3.11.7: ship one with --archive",))
    assert list(lines([good, good, bad])) == [
        "a: 2 cores, Python 3.11.7 (/usr/bin/python3): ready",
        "b: 1 core, Python 3.12.1 (/usr/bin/python3): not ready",
        "  Python 3.12.1, the driver has 3.11.7: ship one with --archive",
    ]


def test_an_archive_that_is_not_there_is_told_before_spark_starts() -> None:
    with pytest.raises(UsageError, match="--archive"):
        Spark("local[2]", archive="/nowhere/environment.tar.gz").session()


def test_spark_connect_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match=r"does not run on Spark Connect .* spark://HOST:7077"):
        Spark("sc://localhost:15002").session()
