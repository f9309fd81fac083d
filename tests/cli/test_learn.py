"""Models by command, end to end: pictures with labels to a model, the model to answers, scores and a page."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from radlake.cli import app
from radlake.imaging.preview import png_bytes
from radlake.lake.store import Lake
from tests.learn.conftest import measured_lake


def radlake(*words: object) -> Result:
    return CliRunner().invoke(app, [str(w) for w in words])


def discs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of a bright disc on a dark ground; large ones have label 1."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    radius = 4 + 3 * y + rng.normal(0, 0.4, n)
    up, across = np.mgrid[:24, :24] - 12
    inside = up**2 + across**2 <= radius[:, None, None] ** 2
    return np.clip(rng.normal(40, 8, (n, 24, 24)) + 150 * inside, 0, 255).astype(np.uint8), y


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published archive, and a model trained on it."""
    folder = tmp_path_factory.mktemp("models 模型")
    arrays = {}
    for seed, (role, n) in enumerate((("train", 60), ("val", 20), ("test", 40))):
        arrays[f"{role}_images"], arrays[f"{role}_labels"] = discs(n, seed)
    np.savez(folder / "discs.npz", **arrays)
    done = radlake(
        "train", folder / "discs.npz", "--target", "label", "--budget", "5m", "--models", "short,tree", "--operating",
        "sens=0.9", "--workers", 1, "--out", folder / "model", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (folder / "summary.json").write_text(done.stdout)
    return folder


def test_training_prints_what_was_chosen_and_how_good_it_is(place: Path) -> None:
    found = json.loads((place / "summary.json").read_text())
    assert found["chosen"] in ("short", "tree")
    assert found["honest"]["score"] > 0.9
    test = {row["metric"]: row for row in found["test"]}
    assert test["auc"]["value"] > 0.9
    assert "each counts as one, within the published split" in found["notes"][-1]
    assert (place / "model" / "card.md").read_text("utf-8").startswith(f"# {found['title']} for label")


def test_a_picture_is_answered_by_the_models_own_steps(place: Path) -> None:
    small, large = (discs(2, 9)[0][i] for i in (0, 1))
    for name, picture in (("small", small), ("large", large)):
        (place / f"{name}.png").write_bytes(png_bytes(picture))
        done = radlake("predict", place / "model", place / f"{name}.png", "--workers", 1, "--json")
        assert done.exit_code == 0, done.output
        (row,) = json.loads(done.stdout)
        assert row["answer"] == int(name == "large")
        assert row["low"] <= row["probability"] <= row["high"]


def test_a_folder_becomes_a_lake_with_predictions_and_a_table(place: Path) -> None:
    folder = place / "new pictures"
    folder.mkdir()
    for i, picture in enumerate(discs(6, 12)[0]):
        (folder / f"{i}.png").write_bytes(png_bytes(picture))
    done = radlake(
        "predict", place / "model", folder, "--workers", 1, "--key-file", place / "key", "--out", place / "lake"
    )
    assert done.exit_code == 0, done.output
    assert Lake.open(place / "lake").read("predictions").num_rows == 6
    done = radlake("predict", place / "model", place / "lake", "--out", place / "answers.csv")
    assert done.exit_code == 0, done.output
    with (place / "answers.csv").open() as file:
        assert [row["answer"] for row in csv.DictReader(file)].count("1") == 3


def test_the_training_part_is_never_scored(place: Path) -> None:
    done = radlake("evaluate", place / "model", place / "discs.npz", "--workers", 1, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["cases"], found["left_out"]) == (40, 80)
    assert next(r for r in found["scores"] if r["metric"] == "auc")["value"] > 0.9
    refused = radlake("evaluate", place / "model", place / "discs.npz", "--workers", 1, "--split", "train")
    assert refused.exit_code == 2
    assert "no labelled case is left" in refused.output


def test_an_evaluation_has_a_page(place: Path) -> None:
    done = radlake(
        "evaluate", place / "model", place / "discs.npz", "--workers", 1, "--out", place / "on new cases", "--split",
        "test",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    page = (place / "on new cases" / "index.html").read_text("utf-8")
    assert "On the part “test”" in page
    assert "ROC curve" in page
    assert json.loads((place / "on new cases" / "evaluation.json").read_text())["cases"] == 40
    refused = radlake("evaluate", place / "model", place / "discs.npz", "--target", "grade")
    assert "the model answers 'label', not 'grade'" in refused.output


@pytest.mark.filterwarnings("ignore")  # Keras warns of its own calls to torch and numpy
def test_a_bare_network_predicts_and_is_evaluated(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason="an extra")
    with np.load(place / "discs.npz") as data:
        x, y = data["train_images"][..., None] / 255, data["train_labels"]
    layers = keras.layers
    network = keras.Sequential(
        [keras.Input((24, 24, 1)), layers.AveragePooling2D(4), layers.Flatten(), layers.Dense(2, "softmax")]
    )
    network.compile("adam", "sparse_categorical_crossentropy")
    network.optimizer.learning_rate = 0.03
    network.fit(x, y, epochs=60, verbose=0)
    network.save(place / "network.keras")
    done = radlake("predict", place / "network.keras", place / "discs.npz", "--json")
    assert done.exit_code == 0, done.output
    assert {row["answer"] for row in json.loads(done.stdout)} == {0, 1}
    asked = ("evaluate", place / "network.keras", place / "discs.npz", "--split", "test")
    done = radlake(*asked, "--target", "label", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["cases"] == 40
    assert next(r for r in found["scores"] if r["metric"] == "auc")["value"] > 0.9
    assert "name the label by --target" in radlake(*asked).output


def test_features_and_pictures_are_learned_from_together(place: Path, tmp_path: Path) -> None:
    trained = radlake(
        "train", place / "discs.npz", "--target", "label", "--inputs", "both", "--models", "short,logistic+images",
        "--prefer", "accuracy", "--budget", "5m", "--folds", 2, "--workers", 1, "--out", tmp_path / "m", "--json",
    )  # fmt: skip
    assert trained.exit_code == 0, trained.output
    found = json.loads(trained.stdout)
    assert {line["family"] for line in found["table"] if line["mean"] is not None} == {"short", "logistic+images"}
    assert next(r for r in found["test"] if r["metric"] == "auc")["value"] > 0.9
    done = radlake("evaluate", tmp_path / "m", place / "discs.npz", "--workers", 1, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["cases"] == 40


def test_a_model_is_explained_on_a_page(place: Path, tmp_path: Path) -> None:
    lake = measured_lake(tmp_path / "lake")
    trained = radlake("train", lake.root, "--target", "ill", "--models", "tree", "--out", tmp_path / "m", "-q")
    assert trained.exit_code == 0, trained.output
    done = radlake("explain", tmp_path / "m", lake.root, "--out", tmp_path / "why")
    assert done.exit_code == 0, done.output
    assert "deletion:" in done.stdout
    assert "size" in (tmp_path / "why" / "index.html").read_text("utf-8")
    assert lake.read("models").num_rows == 1
    told = radlake("train", lake.root, "--target", "ill", "--models", "tree", "--out", tmp_path / "m")
    assert "decision tree" in told.stdout
    assert "bootstrap over 60 patients" in told.stdout


def test_a_model_of_pictures_shows_where_it_looks(place: Path, tmp_path: Path) -> None:
    archive = place / "discs.npz"
    trained = radlake(
        "train", archive, "--target", "label", "--inputs", "images", "--models", "hog-logistic", "--budget", "5m", "-q",
        "--out", tmp_path / "m",
    )  # fmt: skip
    assert trained.exit_code == 0, trained.output
    page = (tmp_path / "m" / "report.html").read_text("utf-8")
    assert "Worse pictures" in page
    assert "40 pictures were made worse on purpose (AUC" in page
    regions = np.array([picture > 100 for picture in np.load(archive)["test_images"]])
    np.savez(tmp_path / "outlines.npz", test_masks=regions)
    done = radlake(
        "explain", tmp_path / "m", archive, "--masks", tmp_path / "outlines.npz", "--cases", 2, "--out",
        tmp_path / "why",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.stdout.count("occlusion:") == 2
    assert "inside the outline" in done.stdout
    with np.load(tmp_path / "why" / "maps.npz") as maps:
        assert all(name.startswith("test ") and maps[name].shape == (24, 24) for name in maps)
    missing = radlake("explain", tmp_path / "m", archive, "--masks", tmp_path / "absent", "--out", tmp_path / "why")
    assert missing.exit_code == 2
    assert "there is no file or folder" in missing.output


def test_groups_are_told_and_shown(tmp_path: Path) -> None:
    lake = measured_lake(tmp_path / "lake")
    done = radlake("groups", lake.root, "--clusters", 2)
    assert done.exit_code == 0, done.output
    assert "report:" in done.stdout
    assert 'id="groups"' in (lake.root / "report" / "index.html").read_text("utf-8")
    assert json.loads(radlake("groups", lake.root, "--clusters", 2, "--json").stdout)["cases"] == 120
    same = radlake("train", lake.root, "--task", "cluster", "--json")
    assert same.exit_code == 0, same.output
    assert json.loads(same.stdout)["reason"] in " ".join(done.output.split())


def test_training_needs_a_label_and_a_place(tmp_path: Path) -> None:
    done = radlake("train", tmp_path)
    assert done.exit_code == 2
    assert "name the label to learn by --target" in " ".join(done.output.split())


def test_wrong_requests_end_with_2_and_say_what_to_do(place: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    archive = place / "discs.npz"
    for words, told in (
        (("train", archive, "--target", "label", "--operating", "best", "--out", tmp_path / "m"), "sens=0.95"),
        (("train", tmp_path / "absent", "--target", "x", "--out", tmp_path / "m"), "there is no file or folder"),
        (("train", archive, "--target", "label", "--out", tmp_path / "full"), "holds something else than a model"),
        (("predict", place / "model", place / "small.png", "--out", tmp_path / "a.xyz"), ".csv or .parquet"),
    ):
        done = radlake(*words)
        assert done.exit_code == 2, done.output
        assert told in done.output
    assert (tmp_path / "full" / "thesis.txt").exists()
    absent = radlake("predict", tmp_path, place / "small.png")
    assert absent.exit_code == 1
    assert "no bundle.json that can be read" in absent.output
