"""Spark does what the local engine does, to the bit, also when a file kills its worker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from pydicom.data import get_testdata_file
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from typer.testing import CliRunner

from radlake.cli import app
from radlake.core.errors import UsageError
from radlake.deid import ledger
from radlake.deid.files import Settings
from radlake.deid.keys import load_key
from radlake.engine import registry
from radlake.engine.deidentify import Options, deidentify
from radlake.engine.local import Local
from radlake.engine.pipeline import Pipeline, step
from radlake.engine.spark import NoSpark, Spark, SparkFailed, learning
from radlake.engine.spark.learning import fit, k_means
from radlake.engine.spark.query import sql
from radlake.lake.errors import SqlError
from radlake.learn.bundle import Bundle, load, save
from tests import archive
from tests.engine.conftest import Place

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

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


def test_files_are_cleaned_on_spark_as_by_one_worker_or_two(both: Place, tmp_path: Path) -> None:
    source, key_file = tmp_path / "scans 病人", tmp_path / "key"
    source.mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm", "test-SR.dcm", "MR_truncated.dcm", "README.txt"):
        shutil.copyfile(get_testdata_file(name), source / name)
    settings = Settings(load_key(key_file, create=True), profile="research", pixels="off")
    for name, workers in (("here", 0), ("two", 2)):
        deidentify(source, tmp_path / name, settings, Options(Local(workers)))
    words = ["deidentify", source, "--out", tmp_path / "spark", "--profile", "research", "--pixels", "off"]
    asked = CliRunner().invoke(app, [*map(str, words), "--engine", "spark", "--key-file", str(key_file), "--json"])
    assert (asked.exit_code, json.loads(asked.stdout)["files"]) == (0, {"done": 3, "ignored": 1, "quarantined": 1})
    assert cleaned(tmp_path / "spark") == cleaned(tmp_path / "two") == cleaned(tmp_path / "here")
    again = deidentify(source, tmp_path / "spark", settings, Options(Spark(), key_file=key_file))
    assert (again.worked, ledger.read_run(tmp_path / "spark").wall_clock["workers"]) == (0, 2)
    load_key(tmp_path / "other", create=True)
    with pytest.raises(SparkFailed, match="give every worker the same key file"):
        deidentify(source, tmp_path / "refused", settings, Options(Spark(), key_file=tmp_path / "other"))


def cleaned(dest: Path) -> tuple[dict[str, bytes], list[list[dict[str, object]]]]:
    """Files of a cleaned folder but the run's own account, and the tables of the ledger."""
    files = {p.relative_to(dest).as_posix(): p.read_bytes() for p in dest.rglob("*.dcm")}
    roots = {"files": dest, "audit": dest, "sources": ledger.default_private(dest)}
    return files, [ledger.read_table(root, table).to_pylist() for table, root in roots.items()]


def test_both_engines_answer_the_same_in_sql(both: Place) -> None:
    lake, engine = both.lake("local"), Spark("local[2,4]")
    for text in (
        "SELECT modality, count(*) AS n FROM series GROUP BY modality ORDER BY modality",
        "SELECT level, count(DISTINCT image_id) AS images FROM quality GROUP BY level ORDER BY level",
        "SELECT round(avg(spacing_z), 6) AS z, count(spacing_z) AS n FROM images",
        "SELECT image_id, spacing_z FROM images ORDER BY image_id",
        "SELECT count(*) AS n FROM labels",
    ):
        assert sql(engine, lake, text).to_pylist() == lake.sql(text).to_pylist(), text
    owned = sql(engine, lake, "SELECT count(*) AS n FROM private_sources")
    assert owned["n"].to_pylist() == lake.sql("SELECT count(*) AS n FROM private.sources")["n"].to_pylist()
    with pytest.raises(SqlError, match="no_such_column"):
        sql(engine, lake, "SELECT no_such_column FROM images")


@pytest.fixture(scope="module")
def cases(both: Place) -> tuple[DataFrame, np.ndarray, np.ndarray]:
    """Breast cancer cases as Spark and numpy hold them, in steps coarse enough that both see the same thresholds."""
    data = load_breast_cancer()
    x, y = data.data[:, :8], data.target
    lowest, highest = x.min(axis=0), x.max(axis=0)
    x = np.round((x - lowest) / (highest - lowest) * 40)
    x[::50, 2] = np.nan
    table = pa.table({**{f"f.{i}": x[:, i] for i in range(8)}, "y": y})
    return Spark("local[2,4]").session().createDataFrame(table.to_pandas()), x, y


INPUTS = [f"f.{i}" for i in range(8)]


def test_logistic_regression_by_spark_has_scikit_learns_coefficients(cases: tuple[DataFrame, ...]) -> None:
    frame, x, y = cases
    ours = fit("logistic", frame, INPUTS, "y", {"C": 0.5}, seed=1)
    theirs = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(C=0.5, tol=1e-8))
    theirs.fit(x, y)
    np.testing.assert_allclose(ours.pipeline[-1].coef_, theirs[-1].coef_, rtol=1e-3, atol=1e-4)  # two optimisers
    np.testing.assert_allclose(ours.probability(x), theirs.predict_proba(x)[:, 1], atol=1e-4)


def test_a_tree_by_spark_is_scikit_learns(cases: tuple[DataFrame, ...]) -> None:
    frame, x, y = cases
    ours = fit("tree", frame, INPUTS, "y", {"max_depth": 3, "min_samples_leaf": 5}, seed=1)
    theirs = make_pipeline(SimpleImputer(strategy="median"), DecisionTreeClassifier(max_depth=3, min_samples_leaf=5))
    theirs.fit(x, y)
    # Both look at every threshold; of splits that are equally good, either may be taken.
    assert ours.pipeline[-1].tree_.node_count == theirs[-1].tree_.node_count
    assert np.mean(ours.predict(x) == theirs.predict(x)) > 0.99
    losses = [log_loss(y, p) for p in (ours.probability(x), theirs.predict_proba(x)[:, 1])]
    assert abs(losses[0] - losses[1]) < 0.01
    impurity = [model.tree_.impurity[0] for model in (ours.pipeline[-1], theirs[-1])]
    assert impurity[0] == pytest.approx(impurity[1])


def test_a_forest_by_spark_is_as_good_as_scikit_learns_and_can_be_kept(
    cases: tuple[DataFrame, ...], tmp_path: Path
) -> None:
    frame, x, y = cases
    ours = fit("forest", frame, INPUTS, "y", {"trees": 20, "max_depth": 5}, seed=1)
    theirs = make_pipeline(SimpleImputer(strategy="median"), RandomForestClassifier(20, max_depth=5, random_state=1))
    theirs.fit(x, y)
    ours_auc, theirs_auc = roc_auc_score(y, ours.probability(x)), roc_auc_score(y, theirs.predict_proba(x)[:, 1])
    assert abs(ours_auc - theirs_auc) < 0.01  # other drawings
    save(Bundle("forest", "y", tuple(INPUTS), ours), tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").probability(x), ours.probability(x))


@pytest.mark.parametrize("k", [2, 3])
def test_k_means_by_spark_is_scikit_learns(cases: tuple[DataFrame, ...], k: int) -> None:
    frame, x, _ = cases
    ours = k_means(frame, INPUTS, k, seed=1)
    theirs = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), KMeans(k, n_init=10, random_state=1))
    theirs.fit(x)
    spread = [-model.score(x) for model in (ours, theirs)]
    assert spread[0] == pytest.approx(spread[1], rel=1e-3)  # scikit-learn stops earlier
    assert adjusted_rand_score(ours.predict(x), theirs.predict(x)) > 0.95


def test_k_means_by_spark_goes_on_from_a_sample_with_all_rows(
    cases: tuple[DataFrame, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, x, _ = cases
    monkeypatch.setattr(learning, "_SAMPLE", 100)
    ours = k_means(frame, INPUTS, 2, seed=1)  # these cases have one clear optimum
    scaled = ours[:-1].transform(x)
    nearest = ours.predict(x)
    for number, centre in enumerate(ours[-1].cluster_centers_):
        np.testing.assert_allclose(scaled[nearest == number].mean(axis=0), centre, atol=1e-3)  # of all rows
    theirs = KMeans(2, n_init=10, random_state=1).fit(scaled)
    assert adjusted_rand_score(nearest, theirs.labels_) > 0.95


def test_another_model_is_refused_by_name(cases: tuple[DataFrame, ...]) -> None:
    with pytest.raises(UsageError, match="logistic, tree, forest"):
        fit("svm", cases[0], INPUTS, "y", {}, seed=1)


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
