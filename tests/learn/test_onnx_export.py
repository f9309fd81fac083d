"""Networks as ONNX: the same answers from another runtime, for classes with a curve and for values; others refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle
from radlake.learn.validate import Fitted, decisions

pytest.importorskip("onnx", reason="an extra")
onnxruntime = pytest.importorskip("onnxruntime", reason="an extra")
pytest.importorskip("torch")

from radlake.learn.deep import ImageClassifier, ImageRegressor  # noqa: E402 - only where torch is
from radlake.learn.deep.ensemble import Together  # noqa: E402
from radlake.learn.onnx_export import CLOSE, export  # noqa: E402

X, Y = load_digits(n_class=3, return_X_y=True)
X = X.reshape(-1, 8, 8)[:90]
Y = Y[:90]


def asked(path: Path, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {"images": x[:, None].astype(np.float32)})[0]
    return found


def classifier(y: np.ndarray, name: str = "cnn-small") -> Bundle:
    """Two networks with a curve."""
    models = [ImageClassifier(name, epochs=2, batch=30, threads=1, seed=s).fit(X, y) for s in (0, 1)]
    both: Any = Together(models)
    curve = make_pipeline(StandardScaler(), LogisticRegression(C=1.0)).fit(decisions(both, X), y)
    classes = tuple(np.unique(y).tolist())
    return Bundle("x", "digit", (), Fitted({}, both, curve, "binary" if len(classes) == 2 else "multiclass", classes))


@pytest.mark.parametrize("y", [Y, (Y > 0).astype(int)], ids=["three classes", "two classes"])
def test_another_runtime_gives_the_same_probabilities(y: np.ndarray, tmp_path: Path) -> None:
    bundle = classifier(y)
    assert export(bundle, tmp_path / "模型.onnx") < CLOSE
    np.testing.assert_allclose(asked(tmp_path / "模型.onnx", X), bundle.predict_proba(X), atol=CLOSE)
    bare = replace(bundle, fitted=replace(bundle.fitted, calibrator=None))
    export(bare, tmp_path / "bare.onnx")
    np.testing.assert_allclose(asked(tmp_path / "bare.onnx", X[:7]), bare.predict_proba(X[:7]), atol=CLOSE)


def test_values_come_out_in_their_unit(tmp_path: Path) -> None:
    model = ImageRegressor("cnn-small", epochs=2, batch=30, threads=1).fit(X, 100 + 10 * X.mean(axis=(1, 2)))
    bundle = Bundle("x", "mean", (), Fitted({}, model, None, "regression", ()))
    export(bundle, tmp_path / "m.onnx")
    np.testing.assert_allclose(asked(tmp_path / "m.onnx", X)[:, 0], model.predict(X), rtol=CLOSE)


def test_what_onnx_cannot_hold_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = classifier(Y)
    table = replace(bundle, fitted=replace(bundle.fitted, pipeline=LogisticRegression()))
    with pytest.raises(UsageError, match="only networks"):
        export(table, tmp_path / "m.onnx")
    model = ImageClassifier("cnn-small", epochs=1, size=(12, 12), threads=1).fit(X, Y)
    with pytest.raises(UsageError, match="resizes its images"):
        export(replace(bundle, fitted=replace(bundle.fitted, pipeline=model)), tmp_path / "m.onnx")
    monkeypatch.setattr("radlake.learn.onnx_export._asked", lambda data, pixels: np.zeros((8, 3)))
    with pytest.raises(UsageError, match="answers differently"):
        export(bundle, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
