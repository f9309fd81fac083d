"""Spark does what the local engine does, to the bit, also when a file kills its worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from radlake.engine import registry
from radlake.engine.local import Local
from radlake.engine.pipeline import Pipeline, step
from radlake.engine.spark import NoSpark, Spark
from tests import archive
from tests.engine.conftest import Place

pytestmark = pytest.mark.spark

# A package of somebody else, found by its entry point in every process: its step ends the worker that holds an
# ultrasound image.
KILLER = '''
import os, signal
from radlake.core.stage import Item, Rows, Stage

def kill(item: Item) -> Rows:
    """End the process at an ultrasound image."""
    if item.row["modality"] == "US":
        os.kill(os.getpid(), signal.SIGKILL)
    return []

STAGES = {"killer": Stage("killer", 1, "each", "images", ("image:original",), (), kill)}
'''
STUDY = Pipeline(
    "with a killer",
    [
        step("deid"),
        step("quality"),
        step("fingerprint"),
        step("preview"),
        step("segment.otsu"),
        step("features"),
        step("killer"),
        step("duplicates"),
    ],
)


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package that kills, installed."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "killer_package.py").write_text(KILLER)
    facts = folder / "killer_package-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: killer-package\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[radlake.stages]\nkiller = killer_package:STAGES\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        registry.stages.cache_clear()
        yield
    registry.stages.cache_clear()


@pytest.fixture(scope="module")
def both(killer: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An archive and the lakes that both engines make of it."""
    if find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("Spark needs pyspark and Java")
    place = Place(tmp_path_factory.mktemp("both"))
    archive.build(place.source)
    spark = Spark("local[2,4]", timeout_s=60.0)
    place.run("spark", study=STUDY, engine=spark, strict=False)
    place.run("local", study=STUDY, engine=Local(2, timeout_s=60.0), strict=False)
    yield place
    spark.session().stop()


def test_every_table_is_equal_to_the_bit(both: Place) -> None:
    ours, theirs = both.tables("local"), both.tables("spark")
    for table, rows in ours.items():
        assert theirs[table] == rows, table
    assert len(ours["images"]) == 7


def test_an_image_that_kills_its_worker_costs_itself_only(both: Place) -> None:
    found = (
        both.lake("spark").sql("SELECT modality, code FROM images LEFT JOIN faults ON image_id = unit_id").to_pylist()
    )
    assert {r["code"] for r in found if r["modality"] == "US"} == {"worker_died"}
    assert {r["code"] for r in found if r["modality"] == "CT"} == {None}


def test_the_run_is_recorded_as_one_on_spark(both: Place) -> None:
    (row,) = both.lake("spark").sql("SELECT engine, workers, status FROM runs").to_pylist()
    assert row == {"engine": "spark", "workers": 2, "status": "finished"}


def test_an_unchanged_rerun_on_spark_does_nothing(both: Place) -> None:
    assert not any(both.run("spark", study=STUDY, engine=Spark(), strict=False).worked.values())


@pytest.mark.parametrize("environment", [{"PATH": "/nowhere"}, {"JAVA_HOME": "/nowhere"}])
def test_missing_java_is_said_in_one_sentence(tmp_path: Path, environment: dict[str, str]) -> None:
    script = "from radlake.cli import main; main()"
    (tmp_path / "in").mkdir()
    shutil.copyfile(__file__, tmp_path / "in" / "a.dcm")
    command = [sys.executable, "-c", script, "run", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    clean = {n: v for n, v in os.environ.items() if n != "JAVA_HOME"} | {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    ended = subprocess.run(
        [*command, "--engine", "spark", "--quiet"], env=clean | environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == "radlake: Spark needs Java 17 or later: install it and set JAVA_HOME\n"


def test_missing_pyspark_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(NoSpark, match=r"pip install 'radlake\[spark\]'"):
        Spark().session()
