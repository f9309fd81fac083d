"""What classifiers and regressors of images share: options, training, answering, and plain parts to keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from radlake.core.errors import UsageError
from radlake.learn.deep import extra
from radlake.learn.deep.parts import DRAWING, HERE_ONLY, load_weights
from radlake.learn.deep.scale import Scale, fit_scale
from radlake.learn.images import Axes, Images, images
from radlake.learn.split import grouped_folds

if TYPE_CHECKING:
    from radlake.learn.deep.device import Device
    from radlake.learn.deep.probe import Way

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
        Name in `radlake.learn.deep.augment.AUGMENTATIONS`: what images are, and so how they may be changed. Where they
        may be mirrored, answers are the mean over an image and its mirror image.
    patience : int, optional
        Hold out every seventh case (whole groups, all classes alike) and stop after so many epochs without a lower
        loss on these.
    size : tuple of int, optional
        Images are brought to it; by default the training images' own where it is common and small.
    axes : {"auto", "yx", "yxc", "zyx", "zyxc"}
        Axes of one image; see `radlake.learn.images.images`.
    schedule : {"cycle", "steps"}
        Of the learning rate; see `radlake.learn.deep.trainer.Recipe`.
    precision : {"float32", "bfloat16", "probe"}
        Of convolutions and products while training; `probe` takes bfloat16 where a few steps with it are faster by a
        fifth, and so may decide otherwise on another day: `precision_` says how.
    layout : {"auto", "last", "first"}
        Where channels are in memory. By default last for flat images, first for volumes; with `precision="probe"` on a
        GPU what is faster: `layout_` says which.
    threads : int, optional
        Of torch; by default one for small images, which are fastest so, and as many as torch has for others. The last
        bits of the result depend on it.
    device : {"auto", "cpu", "cuda"}
        Where to train and answer: `auto` takes the GPU where there is one. What was trained on one answers on the
        other, but for the last bits.
    checkpoint : path, optional
        Folder for the state after each epoch: the same `fit` again goes on from there, to the same bits.
    progress : callable, optional
        Given a `radlake.learn.deep.progress.Progress` after each epoch; it may raise `EnoughError` to end the training.
    seed : int

    Attributes
    ----------
    contract_ : dict
        What images it was trained on; see `radlake.learn.images.Images.contract`.
    network_ : torch.nn.Module
    scale_ : Scale
    history_ : radlake.learn.deep.trainer.History
        Losses of each epoch, and into how many pieces batches were cut for want of memory.
    precision_, layout_ : str
    device_ : dict
        Where it was trained: `kind` and, of a GPU, `name`.
    """

    _EXTRA: ClassVar[tuple[str, ...]] = ()

    def __init__(  # noqa: PLR0913 - scikit-learn wants every option here
        self, network: str = "vgg-small", *, epochs: int = 20, batch: int = 64, rate: float = 3e-3, decay: float = 0.05,
        average: float = 0.98, balance: Literal["weights", "sampler", "none"] = "weights", augment: str = "mild",
        patience: int | None = None, size: tuple[int, ...] | None = None, axes: Axes = "auto",
        schedule: Literal["cycle", "steps"] = "cycle",
        precision: Literal["float32", "bfloat16", "probe"] = "float32",
        layout: Literal["auto", "last", "first"] = "auto", threads: int | None = None,
        device: Device = "auto", checkpoint: str | Path | None = None,
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
        self.schedule = schedule
        self.precision = precision
        self.layout = layout
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
        from radlake.learn.deep import distributed, probe, trainer
        from radlake.learn.deep.device import described, resolve

        device = resolve(self.device)
        pixels = self._prepared(inputs, target)
        with trainer.threads(self._threads()):
            way = probe.Way("float32" if self.precision == "probe" else self.precision, self._last())
            if self.precision == "probe":
                way = probe.fastest(self._seconds_of_steps(pixels, target, outputs, device))
            self.precision_, self.layout_ = way.precision, "last" if way.last else "first"
            network, lesson = self._made(
                pixels, target, outputs, device, last=way.last, held_out=self._held_out(target, groups)
            )  # fmt: skip
            recipe = trainer.Recipe(
                self.epochs, self.batch, self.rate, self.decay, self.average, self.patience, self.precision_, self.seed,
                self.schedule,
            )  # fmt: skip
            folder = None if self.checkpoint is None else Path(self.checkpoint)
            train = distributed.train if distributed.is_shared() else trainer.train
            self.history_ = train(network, lesson, recipe, folder=folder, progress=self.progress)
        self.network_, self.device_ = network.cpu(), described(device)
        return self

    def _prepared(self, inputs: Any, target: NDArray[Any]) -> NDArray[np.float32]:
        """Images as the network takes them, those that this process holds; notes contract and scale."""
        from radlake.learn.deep.distributed import own_rows

        given = images(inputs, axes=self.axes)
        if len(given) != len(target):
            raise UsageError(f"expected one outcome for each of the {len(given)} images, got {len(target)}")
        self.contract_ = given.contract()
        self.scale_ = fit_scale(given, self.size)
        return self.scale_.apply(given.part(own_rows(len(given))))

    def _made(
        self, pixels: NDArray[np.float32], target: NDArray[Any], outputs: int, device: str, *, last: bool,
        held_out: NDArray[np.bool_] | None = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        """A fresh network and what it is to learn, on the device."""
        torch = extra.torch()
        from radlake.learn.deep import distributed
        from radlake.learn.deep.augment import augmentation
        from radlake.learn.deep.lessons import lesson

        found = lesson(
            torch.from_numpy(pixels), torch.from_numpy(target), balance=self.balance, how=augmentation(self.augment),
            held_out=held_out, device=device, last=last, first=distributed.own_rows(len(target)).start,
        )  # fmt: skip
        if distributed.is_shared():
            found = distributed.divided(found, len(target), held_out)
        return self._fresh(outputs, last=last).to(device), found

    def seconds_of_steps(self, X: Any, y: Any) -> dict[Way, float]:
        """Seconds of one training step on some images here, in each way that is worth a try; nothing is fitted.

        Parameters
        ----------
        X, y
            As in `fit`.
        """
        from radlake.learn.deep import trainer
        from radlake.learn.deep.device import resolve

        twin: Self = clone(self)
        target, outputs = twin._target(y)
        pixels = twin._prepared(X, target)
        with trainer.threads(twin._threads()):
            return twin._seconds_of_steps(pixels, target, outputs, resolve(twin.device))

    def _seconds_of_steps(
        self, pixels: NDArray[np.float32], target: NDArray[Any], outputs: int, device: str
    ) -> dict[Way, float]:
        """Seconds of a step in each way, on a batch of prepared images."""
        from radlake.learn.deep.probe import seconds_of_steps

        some = slice(self.batch)  # more would be moved to the device for nothing
        found: dict[Way, float] = seconds_of_steps(
            lambda last: self._made(pixels[some], target[some], outputs, device, last=last), device, self.batch,
            last=self._last(),
        )  # fmt: skip
        return found

    def _last(self) -> bool:
        """Whether channels come last in memory, where nothing is probed."""
        return self.layout == "last" or (self.layout == "auto" and len(self.scale_.size) == 2)

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

    def _fresh(self, outputs: int, *, last: bool) -> Any:
        """An untrained network for the contract and the scale."""
        torch = extra.torch()
        from radlake.learn.deep import layers, networks

        with DRAWING, torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = networks.build(
                self.network, channels=self.contract_["channels"], outputs=outputs, size=self.scale_.size
            )  # fmt: skip
        return layers.channels_last(network) if last else network

    def _scores(self, inputs: Any) -> NDArray[np.float64]:
        """What the network says for each image, shape (N, outputs)."""
        check_is_fitted(self, "network_")
        torch = extra.torch()
        from radlake.learn.deep import trainer
        from radlake.learn.deep.augment import augmentation, mirrors
        from radlake.learn.deep.device import repeatable, resolve
        from radlake.learn.deep.lessons import answered

        given = images(inputs, axes=self.axes).like(self.contract_)
        device = resolve(self.device)
        network = self.network_.to(device).eval()
        sides, parts = mirrors(augmentation(self.augment)), []
        with trainer.threads(self._threads()), repeatable(device):
            for start in range(0, len(given), _AT_ONCE):
                part = Images(given.arrays[start : start + _AT_ONCE], given.spatial, given.channels)
                said = answered(
                    network, torch.from_numpy(self.scale_.apply(part)), device, last=self.layout_ == "last", sides=sides
                )  # fmt: skip
                parts.append(said.double().cpu().numpy())
        self.network_ = network.cpu()
        return np.concatenate(parts)

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The trained model as plain JSON types and named arrays; `from_parts` makes it again."""
        check_is_fitted(self, "network_")
        params = {name: value for name, value in self.get_params().items() if name not in HERE_ONLY}
        fitted = {
            "scale": self.scale_.as_dict(), "contract": self.contract_, "history": asdict(self.history_),
            "device": self.device_,
        }  # fmt: skip
        params |= {"precision": self.precision_, "layout": self.layout_}  # a probe elsewhere could decide otherwise
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
        found.precision_, found.layout_ = params["precision"], params["layout"]
        found.device_ = dict(fitted["device"])
        for name in cls._EXTRA:
            setattr(found, name, np.array(fitted[name]))
        found.network_ = load_weights(found._fresh(found._outputs(), last=found.layout_ == "last"), tensors)
        return found

    def _outputs(self) -> int:
        """How many scores the network gives."""
        raise NotImplementedError


def _plain(value: Any) -> Any:
    """Numbers and arrays as plain JSON types."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
