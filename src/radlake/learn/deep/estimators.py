"""Networks with scikit-learn's contract: `fit`, `predict`, `predict_proba`, `get_params`, `clone`.

A trained one splits into a description (JSON) and tensors, from which it can be made again: so bundles keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from radlake.core.errors import UsageError
from radlake.learn.deep import extra
from radlake.learn.deep.ensemble import Together
from radlake.learn.deep.parts import DRAWING, HERE_ONLY, load_weights
from radlake.learn.deep.scale import Scale, fit_scale
from radlake.learn.deep.segmenter import ImageSegmenter
from radlake.learn.images import Axes, Images, images
from radlake.learn.split import grouped_folds

_AT_ONCE = 256  # images, when answering
_HELD_OUT = 7  # one case of so many is held out where patience is asked for
_SMALL_WORK = 1 << 18  # pixels of a batch


class ImageModel(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """What the classifier and the regressor share.

    Parameters
    ----------
    network : str
        Name in `radlake.learn.deep.networks.NETWORKS`.
    epochs, batch : int
    rate : float
        Highest learning rate.
    decay : float
        Weight decay.
    average : float
        Decay of the averaged weights; 0 takes the last ones.
    balance : {"weights", "sampler", "none"}
        How rare classes are made up for: they count more in the loss, are drawn more often, or neither.
    augment : str
        Name in `radlake.learn.deep.augment.AUGMENTATIONS`: what images are, and so how they may be changed.
    patience : int, optional
        Hold out every seventh case (whole groups, all classes alike) and stop after so many epochs without a lower
        loss on these.
    size : tuple of int, optional
        Images are brought to it; by default the training images' own where it is common and small.
    axes : {"auto", "yx", "yxc", "zyx", "zyxc"}
        Axes of one image; see `radlake.learn.images.images`.
    precision : {"float32", "bfloat16", "probe"}
        Of convolutions and products while training; `probe` takes bfloat16 where a few steps with it are faster by a
        fifth, and so may decide otherwise on another day: `precision_` says how.
    threads : int, optional
        Of torch; by default one for small images, which are fastest so, and as many as torch has for others. The last
        bits of the result depend on it.
    device : {"auto", "cpu", "cuda"}
    checkpoint : path, optional
        Folder for the state after each epoch: the same `fit` again goes on from there, to the same bits.
    progress : callable, optional
        Given a `radlake.learn.deep.trainer.Progress` after each epoch.
    seed : int

    Attributes
    ----------
    contract_ : dict
        What images it was trained on; see `radlake.learn.images.Images.contract`.
    network_ : torch.nn.Module
    scale_ : Scale
    history_ : radlake.learn.deep.trainer.History
        Losses of each epoch, and into how many pieces batches were cut for want of memory.
    precision_ : str
    """

    _EXTRA: ClassVar[tuple[str, ...]] = ()

    def __init__(  # noqa: PLR0913 - scikit-learn wants every option here
        self, network: str = "vgg-small", *, epochs: int = 20, batch: int = 64, rate: float = 3e-3, decay: float = 0.05,
        average: float = 0.98, balance: Literal["weights", "sampler", "none"] = "weights", augment: str = "mild",
        patience: int | None = None, size: tuple[int, ...] | None = None, axes: Axes = "auto",
        precision: Literal["float32", "bfloat16", "probe"] = "float32", threads: int | None = None,
        device: Literal["auto", "cpu", "cuda"] = "auto", checkpoint: str | Path | None = None,
        progress: Callable[[Any], None] | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        self.network = network
        self.epochs = epochs
        self.batch = batch
        self.rate = rate
        self.decay = decay
        self.average = average
        self.balance = balance
        self.augment = augment
        self.patience = patience
        self.size = size
        self.axes = axes
        self.precision = precision
        self.threads = threads
        self.device = device
        self.checkpoint = checkpoint
        self.progress = progress
        self.seed = seed

    def __sklearn_tags__(self) -> Any:
        """Images are no tables."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def _train(self, inputs: Any, target: NDArray[Any], outputs: int, groups: Any) -> Self:
        """Fit the scale and a fresh network."""
        from radlake.learn.deep import trainer
        from radlake.learn.deep.probe import faster_precision

        network, lesson = self._prepared(inputs, target, outputs, groups)
        with trainer.threads(self._threads()):
            chosen = self.precision
            self.precision_ = faster_precision(network, lesson, self.batch) if chosen == "probe" else chosen
            recipe = trainer.Recipe(
                self.epochs, self.batch, self.rate, self.decay, self.average, self.patience, self.precision_, self.seed
            )  # fmt: skip
            folder = None if self.checkpoint is None else Path(self.checkpoint)
            self.history_ = trainer.train(network, lesson, recipe, folder=folder, progress=self.progress)
        self.network_ = network.cpu()
        return self

    def _prepared(self, inputs: Any, target: NDArray[Any], outputs: int, groups: Any) -> tuple[Any, Any]:
        """A fresh network for the images, and what it is to learn, both on the device."""
        torch = extra.torch()
        from radlake.learn.deep import lessons
        from radlake.learn.deep.augment import augmentation

        given = images(inputs, axes=self.axes)
        if len(given) != len(target):
            raise UsageError(f"expected one outcome for each of the {len(given)} images, got {len(target)}")
        self.contract_ = given.contract()
        self.scale_ = fit_scale(given, self.size)
        device = self._device()
        lesson = lessons.lesson(
            torch.from_numpy(self.scale_.apply(given)).to(device), torch.from_numpy(target).to(device),
            balance=self.balance, how=augmentation(self.augment), held_out=self._held_out(target, groups),
        )  # fmt: skip
        return self._fresh(outputs).to(device), lesson

    def seconds_of_a_step(self, X: Any, y: Any) -> tuple[float, float]:
        """Seconds of one training step on some images here, with float32 and with bfloat16; nothing is fitted.

        Parameters
        ----------
        X, y
            As in `fit`.
        """
        from radlake.learn.deep import probe, trainer

        twin = clone(self)
        target, outputs = twin._target(y)
        network, lesson = twin._prepared(X, target, outputs, None)
        with trainer.threads(twin._threads()):
            plain = probe.seconds_of_a_step(network, lesson, self.batch, "float32")
            return plain, probe.seconds_of_a_step(network, lesson, self.batch, "bfloat16")

    def _target(self, y: Any) -> tuple[NDArray[Any], int]:
        """What the network is to say, and how many numbers that is; notes what turns it back into the outcome."""
        raise NotImplementedError

    def _held_out(self, target: NDArray[Any], groups: Any) -> NDArray[np.bool_] | None:
        """Cases by which the training is stopped, or None where it is not."""
        if self.patience is None:
            return None
        strata = target if target.ndim == 1 else np.zeros(len(target), np.int64)
        groups = np.arange(len(target)) if groups is None else np.asarray(groups)
        try:
            fold = grouped_folds(strata, groups, folds=_HELD_OUT, rng=np.random.default_rng(self.seed))
        except ValueError as error:  # our own message: about classes and folds
            raise UsageError(f"patience needs cases to hold out: {error}, or set patience to None") from None
        return np.asarray(fold == 0)

    def _threads(self) -> int:
        """Threads of torch: one where a step is so small that sharing it costs more than it brings."""
        if self.threads is not None:
            return self.threads
        work = self.batch * int(np.prod(self.scale_.size))
        return 1 if work < _SMALL_WORK else int(extra.torch().get_num_threads())

    def _fresh(self, outputs: int) -> Any:
        """An untrained network for the contract and the scale."""
        torch = extra.torch()
        from radlake.learn.deep import networks

        with DRAWING, torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = networks.build(
                self.network, channels=self.contract_["channels"], outputs=outputs, size=self.scale_.size
            )  # fmt: skip
        flat = len(self.scale_.size) == 2
        return network.to(memory_format=torch.channels_last) if flat else network  # type: ignore[call-overload] # no stub

    def _device(self) -> str:
        """Where to train and answer."""
        if self.device == "auto":
            return "cuda" if extra.torch().cuda.is_available() else "cpu"
        return self.device

    def _scores(self, inputs: Any) -> NDArray[np.float64]:
        """What the network says for each image, shape (N, outputs)."""
        check_is_fitted(self, "network_")
        torch = extra.torch()
        from radlake.learn.deep import trainer
        from radlake.learn.deep.lessons import answered

        given = images(inputs, axes=self.axes).like(self.contract_)
        device = self._device()
        network = self.network_.to(device).eval()
        parts = []
        with trainer.threads(self._threads()):
            for start in range(0, len(given), _AT_ONCE):
                part = Images(given.arrays[start : start + _AT_ONCE], given.spatial, given.channels)
                pixels = torch.from_numpy(self.scale_.apply(part)).to(device)
                parts.append(answered(network, pixels).double().cpu().numpy())
        self.network_ = network.cpu()
        return np.concatenate(parts)

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The trained model as plain JSON types and named arrays; `from_parts` makes it again."""
        check_is_fitted(self, "network_")
        params = {name: value for name, value in self.get_params().items() if name not in HERE_ONLY}
        fitted = {"scale": self.scale_.as_dict(), "contract": self.contract_, "history": asdict(self.history_)}
        params["precision"] = self.precision_  # a probe elsewhere could decide otherwise
        fitted |= {name: _plain(getattr(self, name)) for name in self._EXTRA}
        tensors = {name: value.numpy() for name, value in self.network_.state_dict().items()}
        return {"estimator": type(self).__name__, "params": params, "fitted": fitted}, tensors

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """A trained model from what `parts` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
            When the parts do not fit each other.
        """
        from radlake.learn.deep.trainer import History

        params, fitted = dict(description["params"]), description["fitted"]
        if isinstance(params.get("size"), list):
            params["size"] = tuple(params["size"])
        found = cls(**params)
        found.scale_ = Scale.of(fitted["scale"])
        found.contract_ = dict(fitted["contract"])
        found.history_ = History(**fitted["history"])
        found.precision_ = params["precision"]
        for name in cls._EXTRA:
            setattr(found, name, np.array(fitted[name]))
        found.network_ = load_weights(found._fresh(found._outputs()), tensors)
        return found

    def _outputs(self) -> int:
        """How many scores the network gives."""
        raise NotImplementedError


class ImageClassifier(ClassifierMixin, ImageModel):  # type: ignore[misc] # scikit-learn has no types
    """A network that tells classes of images apart; its options are those of `ImageModel`.

    Attributes
    ----------
    classes_ : (K,) array
        Labels in the order of the columns of `predict_proba`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(60) % 2
    >>> x = rng.normal(size=(60, 8, 8)) + 2 * y[:, None, None]
    >>> model = ImageClassifier("cnn-small", epochs=3, batch=20).fit(x, y)
    >>> bool((model.predict(x) == y).mean() > 0.9), model.predict_proba(x).shape
    (True, (60, 2))
    """

    _EXTRA = ("classes_",)

    def fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Train a fresh network.

        Parameters
        ----------
        X : images
            (N, Y, X), (N, Y, X, C), (N, Z, Y, X), (N, Z, Y, X, C), or a list of single images of mixed sizes.
        y : (N,) array
            Labels.
        groups : (N,) array, optional
            Patient of each image, for what `patience` holds out.

        Raises
        ------
        UsageError
            When the images cannot be used, there is one class only, or no such network.
        """
        return self._train(X, *self._target(y), groups)

    def _target(self, y: Any) -> tuple[NDArray[Any], int]:
        self.classes_, code = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise UsageError("all images have the same label; a model needs two classes: check the label column")
        return code.astype(np.int64), len(self.classes_)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log odds of the second class, shape (N,), or logits of each class, shape (N, K)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class, shape (N, K)."""
        from scipy.special import softmax

        found: NDArray[np.float64] = softmax(self._scores(X), axis=1)
        return found

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable label of each image."""
        best = np.argmax(self._scores(X), axis=1)
        return np.asarray(self.classes_[best])

    def _outputs(self) -> int:
        return len(self.classes_)


class ImageRegressor(RegressorMixin, ImageModel):  # type: ignore[misc] # scikit-learn has no types
    """A network that tells a value of each image; its options are those of `ImageModel`.

    Attributes
    ----------
    center_, spread_ : float
        Mean and standard deviation of the training values.
    """

    _EXTRA = ("center_", "spread_")

    def fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Train a fresh network on the values `y`, (N,); images as in `ImageClassifier.fit`.

        Raises
        ------
        UsageError
            When the images cannot be used, or the values are not finite or all the same.
        """
        return self._train(X, *self._target(y), groups)

    def _target(self, y: Any) -> tuple[NDArray[Any], int]:
        values = np.asarray(y, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all() or not np.ptp(values) > 0:
            raise UsageError("the outcome must be one finite value an image that differs between images")
        self.center_, self.spread_ = values.mean(), values.std()
        return ((values - self.center_) / self.spread_)[:, None].astype(np.float32), 1

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Value of each image, shape (N,)."""
        found = self._scores(X)[:, 0]
        return np.asarray(found * self.spread_ + self.center_)

    def _outputs(self) -> int:
        return 1


def _plain(value: Any) -> Any:
    """Numbers and arrays as plain JSON types."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


ESTIMATORS: dict[str, Any] = {
    "ImageClassifier": ImageClassifier,
    "ImageRegressor": ImageRegressor,
    "ImageSegmenter": ImageSegmenter,
    "Together": Together,
}


def from_parts(description: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Any:
    """A trained model of any kind from what its `parts` gave.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the description names no estimator of this table, or the parts do not fit each other.
    """
    name = description["estimator"]
    if name not in ESTIMATORS:
        raise ValueError("the description names an estimator that radlake does not have")
    return ESTIMATORS[name].from_parts(description, tensors)
