"""A U-Net that learns to outline: scikit-learn's contract on images and their masks of labels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from radlake.core.errors import UsageError
from radlake.learn.deep import extra
from radlake.learn.deep.parts import DRAWING, HERE_ONLY, load_weights
from radlake.learn.deep.windows import cut, over_windows, padded, random_corner
from radlake.learn.images import Axes, Images, images

if TYPE_CHECKING:
    from radlake.learn.deep.device import Device

Floats = NDArray[np.float32]

_LARGEST = {"yx": 256, "zyx": 64}  # pixels an axis of a patch, where no size is asked for
_TAILS = (0.5, 99.5)  # percentiles: rarer intensities are metal and noise


class ImageSegmenter(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A U-Net with patches, deep supervision and sliding windows.

    Parameters
    ----------
    epochs, batch : int
        In an epoch one patch is cut from every image.
    rate, decay, average : float
        Highest learning rate, weight decay, decay of the averaged weights.
    widths : sequence of int
        Channels at each depth.
    patch : tuple of int, optional
        Pixels along y and x, or z, y and x; by default the median size in steps of eight, at most 256 (volumes: 64).
    intensity : {"image", "cohort"}
        Standard units of each image (MR, ultrasound), or of all together (CT: units mean something).
    augment : str
        Name in `radlake.learn.deep.augment.AUGMENTATIONS`; where it mirrors, answers are the mean over both sides.
    axes, precision, threads, device, checkpoint, progress, seed
        As in `radlake.learn.deep.estimators.ImageModel`.

    Attributes
    ----------
    classes_ : (K,) int array
        Labels, background first.
    patch_ : tuple of int
    contract_, network_, history_, device_
        As in `ImageModel`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> masks = (np.hypot(*np.indices((16, 16)) - 8) < 5).astype(int)[None].repeat(8, axis=0)
    >>> x = rng.normal(size=masks.shape) + 3 * masks
    >>> model = ImageSegmenter(epochs=6, widths=(4, 8), rate=0.02, average=0.5, threads=1).fit(x, masks)
    >>> bool((model.predict(x)[0] == masks[0]).mean() > 0.9)
    True
    """

    def __init__(  # noqa: PLR0913 - scikit-learn wants every option here
        self, *, epochs: int = 50, batch: int = 2, rate: float = 5e-3, decay: float = 1e-3, average: float = 0.98,
        widths: Sequence[int] = (16, 32, 64), patch: tuple[int, ...] | None = None,
        intensity: Literal["image", "cohort"] = "image", augment: str = "mild", axes: Axes = "auto",
        precision: Literal["float32", "bfloat16"] = "float32", threads: int | None = None,
        device: Device = "auto", checkpoint: str | Path | None = None,
        progress: Callable[[Any], None] | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        self.epochs = epochs
        self.batch = batch
        self.rate = rate
        self.decay = decay
        self.average = average
        self.widths = widths
        self.patch = patch
        self.intensity = intensity
        self.augment = augment
        self.axes = axes
        self.precision = precision
        self.threads = threads
        self.device = device
        self.checkpoint = checkpoint
        self.progress = progress
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Train a fresh U-Net.

        Parameters
        ----------
        X : images
            See `radlake.learn.images.images`.
        y : masks
            One of whole numbers for each image, of its size along z, y and x; 0 is the background.

        Raises
        ------
        UsageError
            When images or masks cannot be used, their sizes differ, or nothing is labelled.
        """
        from radlake.learn.deep import trainer
        from radlake.learn.deep.device import described, resolve

        device = resolve(self.device)
        given = images(X, axes=self.axes)
        labels = self._labels(given, y)
        self.contract_ = given.contract()
        self.patch_ = self._patch_for(given)
        ready = [padded(image, self.patch_, edge=True)[0] for image in self._standard(given, fit=True)]
        marked = [padded(mask[None], self.patch_, edge=False)[0] for mask in labels]
        network = self._fresh().to(device)
        recipe = trainer.Recipe(
            self.epochs, self.batch, self.rate, self.decay, self.average, None, self.precision, self.seed
        )  # fmt: skip
        folder = None if self.checkpoint is None else Path(self.checkpoint)
        with trainer.threads(self._threads()):
            self.history_ = trainer.train(
                network, self._lesson(ready, marked, device), recipe, folder=folder, progress=self.progress
            )  # fmt: skip
        self.network_, self.device_ = network.cpu(), described(device)
        return self

    def predict_proba(self, X: Any) -> list[Floats]:
        """Probability of each class at each pixel: for each image (K, [Z,] Y, X).

        Raises
        ------
        UsageError
            When the images are not of the kind that it was trained on.
        """
        check_is_fitted(self, "network_")
        torch = extra.torch()
        from radlake.learn.deep import trainer
        from radlake.learn.deep.augment import augmentation, mirrors
        from radlake.learn.deep.device import repeatable, resolve

        given = images(X, axes=self.axes).like(self.contract_)
        device = resolve(self.device)
        network = self.network_.to(device).eval()

        sides = mirrors(augmentation(self.augment))

        def answer(window: Floats) -> Floats:
            pixels = torch.from_numpy(np.ascontiguousarray(window)).to(device)
            with torch.inference_mode():
                said = [network(pixels.flip(axes)).float().softmax(dim=1).flip(axes) for axes in sides]
                found: Floats = torch.stack(said).mean(dim=0).cpu().numpy()
            return found

        with trainer.threads(self._threads()), repeatable(device):
            ready = self._standard(given, fit=False)
            found = [over_windows(image, self.patch_, answer, len(self.classes_)) for image in ready]
        self.network_ = network.cpu()
        return found

    def predict(self, X: Any) -> list[NDArray[np.int64]]:
        """Label of each pixel: for each image an array of its size."""
        return [self.classes_[p.argmax(axis=0)] for p in self.predict_proba(X)]

    def _labels(self, given: Images, masks: Any) -> list[NDArray[np.int64]]:
        """Masks as class numbers; notes the classes."""
        found = [np.asarray(mask) for mask in masks]
        if len(found) != len(given):
            raise UsageError(f"expected one mask for each of the {len(given)} images, got {len(found)}")
        for i, (mask, size) in enumerate(zip(found, given.sizes.tolist(), strict=True)):
            if list(mask.shape) != size:
                raise UsageError(f"mask {i} has shape {mask.shape}, its image {tuple(size)}; resample one to the other")
            if mask.dtype.kind not in "biu":
                raise UsageError(f"mask {i} must hold whole numbers (labels), got {mask.dtype}")
        self.classes_ = np.unique(np.concatenate([[0], *[np.unique(mask) for mask in found]])).astype(np.int64)
        if len(self.classes_) < 2:
            raise UsageError("no mask holds a label above 0: there is nothing to learn to outline")
        return [np.searchsorted(self.classes_, mask) for mask in found]

    def _patch_for(self, given: Images) -> tuple[int, ...]:
        """Size of the patches."""
        if self.patch is not None:
            return tuple(self.patch)
        middle = np.median(given.sizes, axis=0)
        return tuple(int(n) for n in np.minimum(8 * np.ceil(middle / 8), _LARGEST[given.spatial]))

    def _standard(self, given: Images, *, fit: bool) -> list[Floats]:
        """Images in standard units, float32; the cohort's range is noted when fitting."""
        if self.intensity == "cohort" and fit:
            values = np.concatenate([image.ravel()[::7] for image in given.arrays]).astype(np.float64)
            self.range_ = _range(values)
        found = []
        for image in given.arrays:
            low, high, mean, sd = self.range_ if self.intensity == "cohort" else _range(image)
            found.append(((np.clip(image, low, high) - mean) / sd).astype(np.float32))
        return found

    def _fresh(self) -> Any:
        """An untrained U-Net."""
        torch = extra.torch()
        from radlake.learn.deep.unet import UNet, strides_for

        with DRAWING, torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            strides = strides_for(self.patch_, len(self.widths))
            return UNet(self.contract_["channels"], len(self.classes_), tuple(self.widths), strides)

    def _lesson(self, ready: list[Floats], marked: list[NDArray[np.int64]], device: str) -> Any:
        """Patches and their labels as the training loop wants them: cut on the device from images that are kept there.

        Where they do not fit, patches are cut on the processor.
        """
        torch = extra.torch()
        from radlake.learn.deep.augment import augmentation, coloured, movements, resample
        from radlake.learn.deep.device import fits
        from radlake.learn.deep.trainer import Lesson
        from radlake.learn.deep.unet import segmentation_loss

        how, size = augmentation(self.augment), self.patch_
        place = device if fits(sum(a.nbytes for side in (ready, marked) for a in side), device) else "cpu"
        sides = [[torch.from_numpy(a).to(place) for a in side] for side in (ready, marked)]

        def batch(numbers: Any, generator: Any) -> tuple[Any, Any]:
            cases = numbers.tolist()
            rng = np.random.default_rng([generator.initial_seed(), *cases])  # in an epoch each case comes once
            corners = [random_corner(marked[i], size, rng) for i in cases]
            pixels, labels = (
                torch.stack([cut(side[i], c, size) for i, c in zip(cases, corners, strict=True)]).to(device)
                for side in sides
            )
            if how is not None:
                maps = movements(pixels, how, generator)
                pixels = coloured(resample(pixels, maps), how, generator)
                labels = resample(labels.float(), maps, nearest=True).long()
            return pixels, labels[:, 0]

        digest = hashlib.sha256(repr((how, size)).encode())
        for image, mask in zip(ready, marked, strict=True):
            digest.update(image.tobytes() + mask.tobytes())
        number = len(ready)
        return Lesson(
            batch, segmentation_loss, lambda rng: rng.permutation(number), None, digest.hexdigest(), resident=False
        )  # fmt: skip

    def _threads(self) -> int:
        """Threads of torch."""
        return self.threads or int(extra.torch().get_num_threads())

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The trained model as plain JSON types and named arrays; `from_parts` makes it again."""
        check_is_fitted(self, "network_")
        params = {name: value for name, value in self.get_params().items() if name not in HERE_ONLY}
        fitted = {
            "classes": self.classes_.tolist(), "patch": list(self.patch_), "contract": self.contract_,
            "range": getattr(self, "range_", None), "history": asdict(self.history_), "device": self.device_,
        }  # fmt: skip
        tensors = {name: value.numpy() for name, value in self.network_.state_dict().items()}
        return {"estimator": "ImageSegmenter", "params": params, "fitted": fitted}, tensors

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
        params["patch"] = None if params["patch"] is None else tuple(params["patch"])
        found = cls(**{**params, "widths": tuple(params["widths"])})
        found.classes_, found.patch_ = np.array(fitted["classes"]), tuple(fitted["patch"])
        found.contract_, found.history_ = dict(fitted["contract"]), History(**fitted["history"])
        found.device_ = dict(fitted["device"])
        if fitted["range"] is not None:
            found.range_ = tuple(fitted["range"])
        found.network_ = load_weights(found._fresh(), tensors)
        return found


def _range(values: NDArray[Any]) -> tuple[float, float, float, float]:
    """Range that is kept, mean and standard deviation in it."""
    low, high = (float(v) for v in np.percentile(values, _TAILS))
    kept = np.clip(values.astype(np.float64), low, high)
    return low, high, float(kept.mean()), float(kept.std()) or 1.0
