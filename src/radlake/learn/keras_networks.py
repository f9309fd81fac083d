"""Keras 3 networks (extra `keras`, on torch) with scikit-learn's contract: the classic small one, or a user's own file.

A `.keras` file is data from somebody else. It is read in Keras' safe mode, and refused before that when it names code:
lambda layers, or classes that are none of Keras' own.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from radlake.core.errors import UsageError
from radlake.learn.metrics import Floats

CLASSIC = "classic"
_LARGEST = 1 << 30
_KERAS = ("keras", "keras.layers", "keras.initializers", "keras.optimizers", "keras.losses", "keras.regularizers",
          "keras.constraints", "keras.metrics", "keras.activations", "keras.models", "keras.saving",
          "keras.src.engine.functional", "keras.src.models.functional", "keras.src.models.sequential",
          "builtins")  # fmt: skip
_CODE = {"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}


def _keras() -> Any:
    """The package on the torch backend, or a message that names the extra."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        import keras
    except ImportError as error:
        raise UsageError("Keras networks need an extra: pip install 'radlake[keras]'") from error
    return keras


def classic(shape: tuple[int, ...], classes: int) -> Any:
    """Conv2D(32) - pool - Conv2D(64) - pool - Dense(128) - softmax, untrained and compiled.

    Parameters
    ----------
    shape : (Y, X, channels)
    classes : int
    """
    keras = _keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def load(path: Path) -> Any:
    """A network from a `.keras` file that holds no code.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UsageError
        When it is no such file, too large, or names code that is not Keras' own.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"the network is larger than {_LARGEST >> 30} GiB")
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except OSError as error:
        raise UsageError(f"the network {path.name!r} cannot be read: {error.strerror}") from None
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise UsageError(f"{path.name!r} is no .keras file of Keras 3: save it again with model.save(...)") from None
    foreign = sorted({name for name in _named(config) if name})
    if foreign:
        raise UsageError(f"the network names code that is not Keras' own ({', '.join(foreign[:5])}) and is not opened")
    try:
        return _keras().models.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path.name!r} cannot be opened by this version of Keras; save it again") from error


def _named(node: Any) -> Iterator[str]:
    """Names of classes in a configuration that could be code."""
    if isinstance(node, dict):
        name, module = node.get("class_name"), node.get("module")
        if isinstance(name, str):
            known = module is None or module in _KERAS or str(module).startswith("keras.src.")
            yield f"{module}.{name}" if not known or name in _CODE or node.get("registered_name") not in (
                None, name) else ""  # fmt: skip
        for value in node.values():
            yield from _named(value)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value)


class KerasClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A Keras network that tells classes of flat images apart.

    Parameters
    ----------
    network : str or path
        "classic", or a `.keras` file whose last layer gives one probability for each class.
    epochs, batch : int
    rate : float
        Of Adam.
    seed : int

    Attributes
    ----------
    classes_ : (K,) array
    network_ : keras.Model
    range_ : (low, high)
        Intensities of the training images, which become 0 and 1.
    """

    def __init__(
        self, network: str | Path = CLASSIC, *, epochs: int = 10, batch: int = 64, rate: float = 1e-3, seed: int = 0
    ) -> None:
        self.network = network
        self.epochs = epochs
        self.batch = batch
        self.rate = rate
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Train.

        Parameters
        ----------
        X : (N, Y, X) or (N, Y, X, C) array
        y : (N,) array

        Raises
        ------
        UsageError
            When the images, the classes or the network do not fit each other.
        """
        keras = _keras()
        images = _images(X)
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2 or len(codes) != len(images):
            raise UsageError(f"expected a label for each of {len(images)} images, of two classes at least")
        self.range_ = (float(images.min()), float(images.max()))
        keras.utils.set_random_seed(self.seed)
        self.network_ = self._made(images.shape[1:])
        self.network_.compile(optimizer=keras.optimizers.Adam(self.rate), loss="sparse_categorical_crossentropy")
        self.network_.fit(self._scaled(images), codes, batch_size=self.batch, epochs=self.epochs, verbose=0)
        return self

    def _made(self, shape: tuple[int, ...]) -> Any:
        """The network for these images and classes."""
        if self.network == CLASSIC:
            return classic(shape, len(self.classes_))
        found = load(Path(self.network))
        takes, gives = found.input_shape[1:], found.output_shape[-1]
        fits = len(takes) == len(shape) and all(t in (None, s) for t, s in zip(takes, shape, strict=True))
        if not fits or gives != len(self.classes_):
            raise UsageError(
                f"the network takes images {takes} and gives {gives} classes; these are {shape} with"
                f" {len(self.classes_)}"
            )
        return found

    def _scaled(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Intensities of the training images from 0 to 1."""
        low, high = self.range_
        return ((images - low) / ((high - low) or 1.0)).astype(np.float32)

    def predict_proba(self, X: Any) -> Floats:
        """Probability of each class, shape (N, K)."""
        check_is_fitted(self, "network_")
        found = self.network_.predict(self._scaled(_images(X)), batch_size=256, verbose=0)
        return np.asarray(found, dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable label of each image."""
        found: NDArray[Any] = self.classes_[np.argmax(self.predict_proba(X), axis=1)]
        return found

    def save(self, path: Path) -> None:
        """Write the trained network as a `.keras` file."""
        check_is_fitted(self, "network_")
        self.network_.save(path)


def _images(inputs: Any) -> NDArray[Any]:
    """Images with channels last."""
    images = np.asarray(inputs)
    if images.dtype.kind not in "biuf" or images.ndim not in (3, 4):
        raise UsageError(f"expected images (N, Y, X) or (N, Y, X, channels) of numbers, got shape {images.shape}")
    if not np.isfinite(images).all():
        raise UsageError("some pixels are no numbers; repair the images first")
    return images[..., None] if images.ndim == 3 else images
