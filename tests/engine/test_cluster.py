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
from radlake.engine.api import run
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

    def start(
        self, lake: str, *, events: str = "", packed: bool = False, source: Path | None = None
    ) -> subprocess.Popen[str]:
        facts = {
            "master": self.cluster.master,
            "source": str(source or self.place.source.name),
            "tasks": "as they are" if source else "small",
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
def test_a_packed_environment_is_all_that_workers_need(tmp_path: Path) -> None:
    def pip(*what: str) -> bool:
        command = [str(tmp_path / "env" / "bin" / "python"), "-m", "pip", "install", "--quiet", *what]
        return subprocess.run(command, env=clean, check=False).returncode == 0

    root = Path(__file__).parents[2]
    archive.build(tmp_path / "scans")
    venv.create(tmp_path / "env", with_pip=True, symlinks=True)
    clean = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "PYSPARK_PYTHON")}
    clean |= {"PATH": f"{tmp_path / 'env' / 'bin'}:{clean['PATH']}", "VIRTUAL_ENV": str(tmp_path / "env")}
    clean |= {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    if not pip("--constraint", str(root / "constraints.txt"), f"{root}[spark]", "venv-pack"):
        pytest.skip("packages cannot be fetched")
    packed = tmp_path / "environment.tar.gz"
    subprocess.run(["venv-pack", "--quiet", "--output", str(packed)], env=clean, check=True)
    run_it = ["radlake", "run", str(tmp_path / "scans"), "--quiet", "--out"]
    subprocess.run([*run_it, str(tmp_path / "local")], env=clean, check=True)
    # Workers start their own Python, which has no radlake; their user has the key.
    workers = {"PYTHONPATH": "", "PATH": os.defpath, "XDG_CONFIG_HOME": clean["XDG_CONFIG_HOME"]}
    with spark_cluster(tmp_path, workers) as found:
        spark = ["--engine", "spark", "--master", found.master, "--executor-memory", "512m", "--archive", str(packed)]
        subprocess.run([*run_it, str(tmp_path / "spark"), *spark], env=clean, check=True)
    place = Place(tmp_path)
    assert place.tables("spark") == place.tables("local")


@pytest.mark.soak
def test_real_images_give_the_tables_of_one_machine(house: House, shared: Path) -> None:
    run(STUDY, shared, house.place.folder / "real local", key_file=house.place.key_file, engine=Local(2))
    with house.start("real cluster", source=shared) as driver:
        driver.communicate()
    assert driver.returncode == 0
    ours, theirs = house.place.tables("real local"), house.place.tables("real cluster")
    for table, rows in ours.items():
        assert theirs[table] == rows, table
    print({table: len(rows) for table, rows in ours.items()})


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


@dataclass
class Killed:
    """How many of each kind were ended at work."""

    drivers: int = 0
    pythons: int = 0
    executors: int = 0

    def enough(self, rounds: int) -> bool:
        """Whether each kind was ended so often."""
        return min(self.drivers, self.pythons, self.executors) >= rounds


def _prove(house: House, *, rounds: int, seed: int) -> None:
    """Kill each kind at random moments so often; whenever a run comes through, the tables are those of a calm one."""
    rng = random.Random(seed)
    expected = house.place.tables("local")
    killed, lakes = Killed(), 0
    while not killed.enough(rounds):
        lakes += 1
        assert lakes <= 2 * rounds + 2, f"too few were at work when they were to be killed: {killed}"
        lake = f"killed {seed} {lakes}"
        for _ in range(2):
            killed.drivers += _driver_killed(house, lake, rng)
        _others_killed(house, lake, rng, killed)
        assert house.place.tables(lake) == expected
    print(f"{killed}, {lakes} lakes")


def _driver_killed(house: House, lake: str, rng: random.Random) -> bool:
    """A run whose driver is killed, with all that it started on this machine, while its tasks run; whether it was."""
    with house.start(lake) as driver:
        while driver.poll() is None and not house.cluster.pythons():
            time.sleep(0.1)
        time.sleep(rng.uniform(0.0, 1.5))
        died = driver.poll() is None
        if died:
            os.killpg(driver.pid, signal.SIGKILL)
        driver.communicate()
    return died


def _others_killed(house: House, lake: str, rng: random.Random, killed: Killed) -> None:
    """A run to the end, during which two Python workers and two executors are killed in turn."""
    kinds = ["pythons", "executors"] * 2
    with house.start(lake) as driver:
        watcher = threading.Thread(target=driver.communicate)
        watcher.start()
        while watcher.is_alive() and kinds:
            alive = getattr(house.cluster, kinds[0])
            if alive():
                time.sleep(rng.uniform(0.0, 1.0))
                if (found := alive()) and _kill(rng.choice(found)):
                    kind = kinds.pop(0)
                    setattr(killed, kind, getattr(killed, kind) + 1)
            watcher.join(0.1)
        watcher.join()
    assert driver.returncode == 0


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
