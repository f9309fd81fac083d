"""A network answers for each image of a lake: loaded once, the same in every worker, and never from elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.core.stage import Context, Item
from radlake.engine import predict as module
from radlake.engine.local import Local
from radlake.engine.pipeline import Pipeline, step
from radlake.engine.predict import keep, predict
from radlake.lake.objects import ObjectStore
from radlake.learn.bundle import Bundle, load, save
from radlake.learn.deep.estimators import ImageClassifier
from radlake.learn.validate import Fitted
from tests.engine.conftest import Place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that tells bright pictures from dark ones, saved."""
    rng = np.random.default_rng(3)
    y = np.arange(24) % 2
    x = rng.normal(size=(24, 60, 80)).astype(np.float32) + 4 * y[:, None, None]
    network = ImageClassifier("vgg-small", epochs=2, batch=8, size=(16, 16), seed=1).fit(x, y)
    place = tmp_path_factory.mktemp("model") / "bright"
    save(Bundle("bright", "bright", (), Fitted({}, network, None), contract=network.contract_), place)
    return place


def study(model: str) -> Pipeline:
    return Pipeline("with a model", [step("deid"), step("quality"), step("predict.images", model=model)])


def test_every_image_that_fits_is_answered_for_by_any_number_of_workers(place: Place, folder: Path) -> None:
    answers = []
    for name, engine in (("one", Local(0)), ("two", Local(2))):
        place.run(name, study=Pipeline("first", [step("deid")]), engine=Local(0))
        model = keep(place.lake(name), folder)
        place.run(name, study=study(model), engine=engine, strict=False)
        answers.append(place.tables(name)["predictions"])
    assert answers[0] == answers[1]
    lake = place.lake("one")
    rows = lake.sql("SELECT p.*, i.slices FROM predictions p JOIN images i ON p.unit_id = i.image_id").to_pylist()
    assert len(rows) == 3  # the ultrasound picture and its two copies in other formats: two axes, one channel
    assert {r["target"] for r in rows} == {"bright"}
    assert all(0.0 <= r["probability"] <= 1.0 for r in rows)
    faults = lake.sql("SELECT DISTINCT code FROM faults WHERE unit = 'image' AND stage = 'predict.images'")[
        "code"
    ].to_pylist()
    assert faults == ["unfit_for_model"]
    steps = lake.sql("SELECT steps FROM chains WHERE steps LIKE '%predict%'")["steps"].to_pylist()
    assert all(str(folder) not in s for s in steps)


def item(folder: Path, array: np.ndarray, memory: int = 1 << 30) -> Item:
    context = Context(b"", ObjectStore(folder), memory_bytes=memory, models=folder.parent)
    image = Image(array, Geometry((1.0,) * 2))
    return Item("images", "im-a", {"patient_id": "pt-a"}, context, images={"original": image})


def test_the_answer_is_the_models_and_it_is_loaded_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mo-bright").symlink_to(folder)
    loads = []
    monkeypatch.setattr(module, "load", lambda place: loads.append(place) or load(place))
    module._loaded.cache_clear()
    array = np.full((60, 80), 4.0, np.float32)
    for _ in range(3):
        ((table, row),) = predict(item(tmp_path / "x", array), model="mo-bright")
    assert len(loads) == 1
    assert (table, row["unit_id"], row["patient_id"]) == ("predictions", "im-a", "pt-a")
    assert row["probability"] == pytest.approx(load(folder).predict_proba(array[None])[0, 1], abs=1e-6)


@pytest.mark.parametrize("model", ["mo-none", "../secret", "/elsewhere/model"])
def test_only_models_of_the_lake_answer(tmp_path: Path, model: str) -> None:
    with pytest.raises(ItemError) as caught:
        predict(item(tmp_path / "x", np.zeros((8, 8))), model=model)
    assert caught.value.code == "absent_model"


def test_a_model_larger_than_a_worker_is_not_loaded(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mo-bright").symlink_to(folder)
    module._loaded.cache_clear()
    with pytest.raises(ItemError) as caught:
        predict(item(tmp_path / "x", np.zeros((60, 80)), memory=1000), model="mo-bright")
    assert caught.value.code == "too_large"


def test_a_model_of_tables_is_refused(place: Place, folder: Path, tmp_path: Path) -> None:
    place.run(study=Pipeline("first", [step("deid")]), engine=Local(0))
    whole = load(folder)
    save(Bundle("t", "t", ("a",), whole.fitted, contract={"kind": "table"}), tmp_path / "table")
    with pytest.raises(UsageError, match="images"):
        keep(place.lake(), tmp_path / "table")
