"""Families of models of images: what the selection chooses from, as one written-out table.

Networks learn from pixels; classical families from views that need no training (`radlake.learn.deep.views`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from radlake.learn.classical import Settings
from radlake.learn.families import ALL, FAMILIES, Family, Grade, Task

_SEEN = 48_000  # images that a network is shown in all, where there is time
_EPOCHS = (10, 60)


@dataclass(frozen=True)
class ImageFamily(Family):
    """A kind of model of images.

    Parameters
    ----------
    view : str or None
        What it sees: a name in `radlake.learn.deep.views.VIEWS`, or None for pixels.
    spatial : tuple of str
        "yx", "zyx": what images it takes.
    usually : bool
        False where it is tried only when asked for.
    """

    view: str | None
    spatial: tuple[str, ...]
    usually: bool


def _mirrored(name: str, settings: Settings, task: Task, seed: int) -> Any:
    """A family of tables on a view and its mirror image."""
    from radlake.learn.deep.views import OverMirrors

    return OverMirrors(FAMILIES[name].make({"normal": 0, **settings}, task, seed))


def _linear(settings: Settings, task: Task, seed: int) -> Any:
    """Logistic or ridge regression on a view."""
    if task == "regression":
        return _mirrored("ridge", {"alpha": 1 / settings["C"]}, task, seed)
    return _mirrored("logistic", settings, task, seed)


def _kernel(settings: Settings, task: Task, seed: int) -> Any:
    """Support vector machine with a Gaussian kernel on a view."""
    return _mirrored("svm", settings, task, seed)


def make_network(network: str, settings: Settings, task: Task, seed: int, **options: Any) -> Any:
    """An unfitted network.

    Parameters
    ----------
    network : str
    settings : mapping
        `epochs`; `short` is 1 for bfloat16; `last`, where it was probed, is 1 for channels last in memory.
    task : Task
    seed : int
    **options
        Of `radlake.learn.deep.estimators.ImageModel`.
    """
    from radlake.learn.deep.estimators import ImageClassifier, ImageRegressor

    kind = ImageRegressor if task == "regression" else ImageClassifier
    precision: Any = "bfloat16" if settings.get("short") else "float32"
    layout: Any = "auto" if "last" not in settings else "last" if settings["last"] else "first"
    return kind(
        network, epochs=int(settings["epochs"]), precision=precision, layout=layout, threads=1, seed=seed, **options
    )


def _classical(title: str, make: Any, grid: tuple[Settings, ...], grade: Grade, view: str, *text: str) -> ImageFamily:
    """A row of the table for a classical family; kernels hold rows and grow with the square of the cases.

    Each image counts twice, with its mirror image: likelihoods are too sure, so that all need a curve.
    """
    kernel = make is _kernel
    formula, assumes, good_for = text
    return ImageFamily(
        title, ALL, make, grid, len(grid) - 1 if kernel else 1, False, grade, 2.0 if kernel else 1.0, kernel, formula,
        assumes, good_for, view, ("yx", "zyx"), True,
    )  # fmt: skip


def _network(name: str, *, usually: bool) -> ImageFamily:
    """A row of the table for a network; what it is like is said in `radlake.learn.deep.networks`."""
    from radlake.learn.deep.networks import NETWORKS

    network = NETWORKS[name]

    def make(settings: Settings, task: Task, seed: int) -> Any:
        return make_network(name, settings, task, seed)

    return ImageFamily(
        network.title, ALL, make, ({"epochs": 1},), 0, False, "D", 1.0, False,
        network.structure, network.assumes, network.good_for, None, network.spatial, usually,
    )  # fmt: skip


def image_families() -> dict[str, ImageFamily]:
    """The table; networks are in it where PyTorch is installed.

    Raises
    ------
    UsageError
        When PyTorch is not installed.
    """
    from radlake.learn.deep import extra

    extra.torch()
    strengths = tuple({"C": c} for c in (0.001, 0.01, 0.1))
    kernels = tuple({"gamma": g, "C": c} for g in (0.0005, 0.002) for c in (1.0, 10.0))
    return {
        "hog-logistic": _classical(
            "regression on edges and textures", _linear, strengths, "C", "hog",
            "histograms of gradients and of local binary patterns, means on a grid; logistic (ridge) regression",
            "outlines and textures tell, wherever exactly they are in a cell of an eighth of the image",
            "hundreds of images; a baseline in seconds",
        ),
        "hog-svm": _classical(
            "SVM on edges and textures", _kernel, kernels, "D", "hog",
            "as above; f(x) = a + sum_i w_i exp(-gamma |x - x_i|^2) over stored images",
            "as above, and images that lie near each other are alike",
            "hundreds to some thousands of images",
        ),
        "lite0-logistic": _classical(
            "regression on frozen features", _linear, strengths, "D", "lite0",
            "means and maxima of three inner layers of EfficientNet-Lite0 (ImageNet weights, frozen); logistic (ridge)"
            " regression",
            "edges, textures and parts that photographs have are useful here as well",
            "tens to hundreds of images",
        ),
        "lite0-svm": _classical(
            "SVM on frozen features", _kernel, kernels, "D", "lite0",
            "as above; a support vector machine with a Gaussian kernel",
            "as above, and images that lie near each other are alike",
            "hundreds of images: mostly the best of the classical ones",
        ),
        "cnn-small": _network("cnn-small", usually=True),
        "vgg-small": _network("vgg-small", usually=True),
        "gru": _network("gru", usually=True),
        "attention": _network("attention", usually=True),
        "lstm": _network("lstm", usually=False),
        "vit-small": _network("vit-small", usually=False),
        "resnet-18": _network("resnet-18", usually=False),
        "monai-densenet121": _network("monai-densenet121", usually=False),
    }  # fmt: skip


def epochs(cases: int) -> tuple[int, ...]:
    """Epochs that make sense for so many training images, the most first: about 48,000 looks, then less and less.

    Examples
    --------
    >>> epochs(4000), epochs(100)
    ((12, 8, 6, 4, 3), (60, 42, 30, 21, 15))
    """
    low, high = _EPOCHS
    most = min(high, max(low, round(_SEEN / cases)))
    return tuple(round(most * share) for share in (1.0, 0.7, 0.5, 0.35, 0.25))
