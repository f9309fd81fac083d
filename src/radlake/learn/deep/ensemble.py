"""Networks that answer together: those that cross-validation has trained and tested anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if

from radlake.learn.calibration import probabilities


def _classify(model: Together) -> bool:
    """Whether the networks tell classes, and no values."""
    return hasattr(model.models[0], "decision_function")


class Together:
    """Trained networks of one kind that answer with the mean of what they say.

    Parameters
    ----------
    models : sequence of ImageClassifier or of ImageRegressor
        Trained on parts of the same images.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        self.models = list(models)

    @property
    def contract_(self) -> dict[str, Any]:
        """What images the networks were trained on, together."""
        contracts = [m.contract_ for m in self.models]
        found = dict(contracts[0])
        for key, join in (("smallest", np.minimum), ("largest", np.maximum)):
            found[key] = join.reduce([c[key] for c in contracts]).tolist()
        return found | {"low": min(c["low"] for c in contracts), "high": max(c["high"] for c in contracts)}

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable label, or the mean value, of each image."""
        if not _classify(self):
            return np.asarray(np.mean([m.predict(X) for m in self.models], axis=0))
        return np.asarray(self.models[0].classes_[np.argmax(self.predict_proba(X), axis=1)])

    @available_if(_classify)  # type: ignore[untyped-decorator] # scikit-learn has no types
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Mean decision value, (N,) or (N, K)."""
        return np.asarray(np.mean([m.decision_function(X) for m in self.models], axis=0))

    @available_if(_classify)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class, (N, K), from the mean decision value."""
        said = self.decision_function(X)
        return probabilities(said[:, None] if said.ndim == 1 else said)

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The networks as plain JSON types and named arrays; `from_parts` makes them again."""
        descriptions: list[dict[str, Any]] = []
        tensors: dict[str, NDArray[Any]] = {}
        for place, model in enumerate(self.models):
            description, values = model.parts()
            descriptions.append(description)
            tensors |= {f"{place}/{name}": value for name, value in values.items()}
        return {"estimator": "Together", "models": descriptions}, tensors


def parts_of_each(
    description: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
) -> list[tuple[Mapping[str, Any], dict[str, NDArray[Any]]]]:
    """Descriptions and tensors of the networks, from what `Together.parts` gave.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the parts do not fit each other.
    """
    own: list[dict[str, NDArray[Any]]] = [{} for _ in description["models"]]
    for name, value in tensors.items():
        place, _, rest = name.partition("/")
        own[int(place)][rest] = value
    if any(d["estimator"] == "Together" for d in description["models"]) or not own:
        raise ValueError("networks that answer together are single networks, at least one")
    return list(zip(description["models"], own, strict=True))
