"""Keras 3 networks (extra `keras`, on torch) with scikit-learn's contract: the classic small one, or a user's own file.

A `.keras` file is data from somebody else. It is read in Keras' safe mode, and refused before that when it names code:
lambda layers, or classes that are none of Keras' own.
"""

from __future__ import annotations

import copy
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from radlake.core.errors import UsageError
from radlake.learn.deep.device import Device, resolve
from radlake.learn.images import CHANNELS, Images, images
from radlake.learn.metrics import Floats

CLASSIC = "classic"
_LARGEST = 1 << 30
_KERAS = ("keras", "keras.layers", "keras.initializers", "keras.optimizers", "keras.losses", "keras.regularizers",
          "keras.constraints", "keras.metrics", "keras.activations", "keras.models", "keras.saving",
          "keras.src.engine.functional", "keras.src.models.functional", "keras.src.models.sequential",
          "builtins")  # fmt: skip
_SCALING = {"Rescaling", "Normalization"}
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
    _without_code(config)
    try:
        return _keras().models.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path.name!r} cannot be opened by this version of Keras; save it again") from error


def _without_code(config: Any) -> None:
    """Refuse a configuration that names code other than Keras' own."""
    foreign = sorted({name for name in _named(config) if name})
    if foreign:
        raise UsageError(f"the network names code that is not Keras' own ({', '.join(foreign[:5])}) and is not opened")


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
    device : {"auto", "cpu", "cuda"}
        Where it is trained and asked; by default on a GPU where there is one.
    seed : int

    Attributes
    ----------
    classes_ : (K,) array
    network_ : keras.Model
    contract_ : dict
        What images it was trained on; see `radlake.learn.images.Images.contract`.
    range_ : (low, high) or None
        Intensities of the training images, which become 0 and 1; None for a network from a file that was not trained
        here: see `of_file`.
    """

    def __init__(
        self, network: str | Path = CLASSIC, *, epochs: int = 10, batch: int = 64, rate: float = 1e-3,
        device: Device = "auto", seed: int = 0,
    ) -> None:  # fmt: skip
        self.network = network
        self.epochs = epochs
        self.batch = batch
        self.rate = rate
        self.device = device
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
        given = images(X)
        self.contract_ = given.contract()
        pixels = _channels_last(given)
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2 or len(codes) != len(pixels):
            raise UsageError(f"expected a label for each of {len(pixels)} images, of two classes at least")
        self.range_: tuple[float, float] | None = (float(pixels.min()), float(pixels.max()))
        keras.utils.set_random_seed(self.seed)
        with self._where():
            self.network_ = self._made(pixels.shape[1:])
            self.network_.compile(optimizer=keras.optimizers.Adam(self.rate), loss="sparse_categorical_crossentropy")
            self.network_.fit(self._scaled(pixels), codes, batch_size=self.batch, epochs=self.epochs, verbose=0)
        return self

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """A network that was trained elsewhere, with classes 0, 1 and so on.

        It is given whole numbers as shares of the greatest value of their type, unless its first layers bring
        intensities to a scale themselves (Rescaling, Normalization); other numbers as they are.

        Parameters
        ----------
        path : Path
            A `.keras` file whose last layer gives one probability for each class.

        Raises
        ------
        UsageError
            When it cannot be opened, or is no such network.
        """
        network = load(path)
        takes, gives = network.input_shape, network.output_shape
        if len(takes) != 4 or len(gives) != 2 or gives[-1] < 2 or takes[-1] not in CHANNELS:
            raise UsageError(
                "the network must take (N, Y, X, channels) and give one probability for each of two classes or more;"
                f" it takes {takes} and gives {gives}"
            )
        found = cls(path)
        found.network_, found.classes_, found.range_ = network, np.arange(gives[-1]), None
        found.contract_ = {"axes": "yx", "channels": takes[-1], "largest": list(takes[1:3])}
        return found

    def _where(self) -> AbstractContextManager[Any]:
        """The device, chosen for what is done inside."""
        found: AbstractContextManager[Any] = _keras().device(resolve(self.device))
        return found

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

    def _scaled(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Intensities as the network knows them: those of the training images from 0 to 1."""
        if self.range_ is None:
            own = any(type(layer).__name__ in _SCALING for layer in self.network_.layers[:2])
            most = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "iu" and not own else 1
            return (pixels / most).astype(np.float32)
        low, high = self.range_
        return ((pixels - low) / ((high - low) or 1.0)).astype(np.float32)

    def predict_proba(self, X: Any) -> Floats:
        """Probability of each class, shape (N, K)."""
        check_is_fitted(self, "network_")
        pixels = _channels_last(images(X).like(self.contract_))
        if not all(n in (None, m) for n, m in zip(self.contract_["largest"], pixels.shape[1:3], strict=True)):
            raise UsageError(
                f"the network takes images of {' x '.join(map(str, self.contract_['largest']))} pixels, got"
                f" {' x '.join(map(str, pixels.shape[1:3]))}: resample the images"
            )
        with self._where():
            found = self.network_.predict(self._scaled(pixels), batch_size=256, verbose=0)
        return np.asarray(found, dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable label of each image."""
        found: NDArray[Any] = self.classes_[np.argmax(self.predict_proba(X), axis=1)]
        return found

    def save(self, path: Path) -> None:
        """Write the trained network as a `.keras` file."""
        check_is_fitted(self, "network_")
        self.network_.save(path)

    def untrained(self, seed: int) -> Self:
        """The same with weights as before training, from another seed."""
        check_is_fitted(self, "network_")
        keras = _keras()
        keras.utils.set_random_seed(seed)
        twin = copy.copy(self)
        twin.network_ = keras.models.clone_model(self.network_)
        return twin

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The trained network as plain JSON types and named arrays; `from_parts` makes it again."""
        check_is_fitted(self, "network_")
        here_only = {"network", "device"}  # a path and a machine mean nothing elsewhere
        params = {name: value for name, value in self.get_params().items() if name not in here_only}
        fitted = {
            "classes_": self.classes_.tolist(), "range_": self.range_ and list(self.range_),
            "contract_": self.contract_, "config": json.loads(self.network_.to_json()),
        }  # fmt: skip
        tensors = {f"{i:04d}": np.asarray(value) for i, value in enumerate(self.network_.get_weights())}
        return {"estimator": type(self).__name__, "params": params, "fitted": fitted}, tensors

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """A trained network from what `parts` gave, made in Keras' safe mode.

        Raises
        ------
        UsageError
            When the description names code, or Keras is not installed.
        ValueError, KeyError, TypeError
            When the parts do not fit each other.
        """
        fitted = description["fitted"]
        _without_code(fitted["config"])
        found = cls(**description["params"])
        found.classes_, found.contract_ = np.array(fitted["classes_"]), dict(fitted["contract_"])
        found.range_ = fitted["range_"] and (float(fitted["range_"][0]), float(fitted["range_"][1]))
        config = {k: v for k, v in fitted["config"].items() if k != "compile_config"}
        found.network_ = _keras().saving.deserialize_keras_object(config, safe_mode=True)
        found.network_.set_weights([tensors[name] for name in sorted(tensors)])
        return found


def _channels_last(given: Images) -> NDArray[Any]:
    """Flat images of one size with channels last.

    Raises
    ------
    UsageError
        For volumes, and for images of mixed sizes.
    """
    if given.spatial != "yx" or not given.one_size:
        raise UsageError("a Keras network takes flat images of one size, (N, Y, X) or (N, Y, X, channels)")
    return np.moveaxis(given.arrays, 1, -1)
