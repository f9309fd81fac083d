"""Does a map show anything? Checks that are told with every map: another network, deletion, and the lesion itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn.metrics import Floats

Predict = Callable[[NDArray[Any]], Floats]

_ALIKE = 0.5  # rank correlation with the map of a network that has learned nothing
_STEPS = 20


@dataclass(frozen=True)
class Checked:
    """What the checks of one map say.

    Parameters
    ----------
    random_network : float
        Rank correlation with the map of the same network with random weights: near 0 is good, near 1 shows the image
        and not the model.
    deletion, random_deletion : float
        Mean probability while pixels are removed, those of the map first, and in random order: lower is better.
    shows : bool
        Whether the map passes both.
    words : str
        For people.
    """

    random_network: float
    deletion: float
    random_deletion: float
    shows: bool
    words: str


def randomised(network: Any, *, seed: int = 0) -> Any:
    """A copy of a network that has learned nothing: every weight drawn anew with the spread of its layer.

    References
    ----------
    Adebayo et al. (2018), Sanity checks for saliency maps, NeurIPS.
    """
    import torch

    twin = copy.deepcopy(network)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in twin.parameters():
            spread = weights.std(unbiased=False) if weights.numel() > 1 else weights.abs().mean()
            weights.copy_(torch.randn(weights.shape, generator=draw) * spread)
    return twin


def alike(first: Floats, second: Floats) -> float:
    """Rank correlation of two maps by absolute value; 0 where one is flat."""
    from scipy.stats import rankdata

    a, b = rankdata(np.abs(first).ravel()), rankdata(np.abs(second).ravel())
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def deletion(
    predict: Predict, image: NDArray[Any], shown: Floats, target: int, *, order: Floats | None = None
) -> float:
    """Mean probability of a class while pixels are replaced by the image's mean, the highest of a map first.

    Parameters
    ----------
    predict : callable
        Images (N, C, [Z,] Y, X) to probabilities (N, K).
    image : (C, [Z,] Y, X) array
    shown : ([Z,] Y, X) array
        The map.
    target : int
    order : array, optional
        Instead of the map: a random order for comparison.

    References
    ----------
    Petsiuk, Das and Saenko (2018), RISE: randomized input sampling for explanation of black-box models, BMVC, section
    4.1.
    """
    rank = np.argsort(-(shown if order is None else order).ravel(), kind="stable")
    pictures = np.repeat(image[None], _STEPS + 1, axis=0)
    flat = pictures.reshape(_STEPS + 1, image.shape[0], -1)
    for step in range(_STEPS + 1):
        flat[step][:, rank[: len(rank) * step // _STEPS]] = image.mean()
    return float(np.mean(predict(pictures)[:, target]))


def check(
    predict: Predict, image: NDArray[Any], shown: Floats, of_random: Floats, target: int, *, seed: int = 0
) -> Checked:
    """Both checks of one map.

    Parameters
    ----------
    predict : callable
    image : (C, [Z,] Y, X) array
    shown, of_random : ([Z,] Y, X) arrays
        The map, and that of `randomised` for the same image.
    target : int
    seed : int
        Of the random orders.
    """
    rng = np.random.default_rng(seed)
    correlation = alike(shown, of_random)
    own = deletion(predict, image, np.abs(shown), target)
    random = float(np.mean([deletion(predict, image, shown, target, order=rng.random(shown.shape)) for _ in range(5)]))
    problems = []
    if shown.std() == 0:
        problems.append("it is flat")
    if abs(correlation) > _ALIKE:
        problems.append("a network that has learned nothing gives nearly the same map")
    if own >= random:
        problems.append("removing what it points at changes the answer no more than removing random pixels")
    words = "This map shows nothing about the model: " + "; ".join(problems) if problems else (
        "The map depends on what the model has learned, and removing what it points at changes the answer."
    )  # fmt: skip
    return Checked(correlation, own, random, not problems, words)


@dataclass(frozen=True)
class Overlap:
    """How a map lies on a mask.

    Parameters
    ----------
    inside : float
        Share of the map's weight inside the mask.
    area : float
        Share of the pixels that the mask holds: what a map of noise would have inside.
    hit : bool
        Whether the highest pixel is inside.
    dice : float
        Of the mask and as many of the highest pixels.
    """

    inside: float
    area: float
    hit: bool
    dice: float


def overlap(shown: Floats, mask: NDArray[np.bool_]) -> Overlap | None:
    """How much of a map lies on a lesion; None for an empty mask or map.

    Parameters
    ----------
    shown : ([Z,] Y, X) array
        Negative values speak against and count as none.
    mask : ([Z,] Y, X) bool array

    References
    ----------
    Zhang et al. (2018), Top-down neural attention by excitation backprop, IJCV 126, 1084-1102, for the pointing game.

    Examples
    --------
    >>> overlap(np.array([[0.0, 3.0], [1.0, 0.0]]), np.array([[False, True], [False, False]]))
    Overlap(inside=0.75, area=0.25, hit=True, dice=1.0)
    """
    weight = np.maximum(shown, 0.0)
    if not mask.any() or not weight.sum():
        return None
    highest = np.zeros(mask.size, dtype=np.bool_)
    highest[np.argsort(-weight.ravel(), kind="stable")[: int(mask.sum())]] = True
    return Overlap(
        float(weight[mask].sum() / weight.sum()), float(mask.mean()), bool(mask.ravel()[np.argmax(weight)]),
        float((highest & mask.ravel()).sum() / mask.sum()),
    )  # fmt: skip
