"""Does a map show anything? Checks that are told with every map: an untrained model, deletion, the lesion itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn.metrics import Floats

Predict = Callable[[NDArray[Any]], Floats]

_ALIKE = 0.5  # rank correlation with the map of a model that has learned nothing
_STEPS = 20
_ORDERS = 5
MOVES = 0.05  # probability: an answer that moves less rests on nothing in the picture


@dataclass(frozen=True)
class Checked:
    """What the checks of one map say.

    Parameters
    ----------
    random_network : float or None
        Mean rank correlation with maps of models that have learned nothing: near 0 is good, near 1 shows the image and
        not the model. None where there is no such map.
    deletion, random_deletion : float
        Mean probability while pixels are removed, those of the map first, and in random order: lower is better.
    curve, random_curve : tuple of float
        The probabilities themselves, from nothing removed to everything.
    shows : bool
        Whether the map passes what could be checked.
    words : str
        For people.
    """

    random_network: float | None
    deletion: float
    random_deletion: float
    curve: tuple[float, ...]
    random_curve: tuple[float, ...]
    shows: bool
    words: str


def randomised(network: Any, *, seed: int = 0) -> Any:
    """A copy of a network that has learned nothing: every layer as it was before training, from another seed.

    References
    ----------
    Adebayo et al. (2018), Sanity checks for saliency maps, NeurIPS.
    """
    import torch

    from radlake.learn.deep.parts import DRAWING

    twin, drawn = copy.deepcopy(network), set()
    with DRAWING, torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for layer in twin.modules():
            if callable(getattr(layer, "reset_parameters", None)):
                layer.reset_parameters()
                drawn |= {id(weights) for weights in layer.parameters(recurse=False)}
        for weights in twin.parameters():
            if id(weights) not in drawn:  # weights that belong to no layer, such as the places of patches
                weights.normal_(0.0, float(weights.std(unbiased=False)) or 1.0)
    return twin


def alike(first: Floats, second: Floats) -> float:
    """Rank correlation of two maps, with their signs; 0 where one is flat.

    Without signs every map that multiplies with the image would be like every other (Adebayo et al. 2018, section 4).
    """
    from scipy.stats import rankdata

    a, b = rankdata(first.ravel()), rankdata(second.ravel())
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def deletion(predict: Predict, image: NDArray[Any], order: Floats, target: int) -> Floats:
    """Probability of a class while pixels are replaced by the image's mean, the highest of a map first, in 20 steps.

    Parameters
    ----------
    predict : callable
        Images (N, C, [Z,] Y, X) to probabilities (N, K).
    image : (C, [Z,] Y, X) array
    order : ([Z,] Y, X) array
        The map, or random numbers for comparison.
    target : int

    References
    ----------
    Petsiuk, Das and Saenko (2018), RISE: randomized input sampling for explanation of black-box models, BMVC, section
    4.1.
    """
    rank = np.argsort(-order.ravel(), kind="stable")
    pictures = np.repeat(image[None], _STEPS + 1, axis=0)
    flat = pictures.reshape(_STEPS + 1, image.shape[0], -1)
    for step in range(_STEPS + 1):
        flat[step][:, rank[: len(rank) * step // _STEPS]] = image.mean()
    return np.asarray(predict(pictures)[:, target], dtype=np.float64)


def by_chance(predict: Predict, image: NDArray[Any], target: int, *, seed: int = 0) -> Floats:
    """Mean curve of `deletion` over random orders: what any map must beat."""
    rng = np.random.default_rng(seed)
    orders = rng.random((_ORDERS, *image.shape[1:]))
    return np.asarray(np.mean([deletion(predict, image, order, target) for order in orders], axis=0))


def check(
    predict: Predict, image: NDArray[Any], shown: Floats, of_random: Sequence[Floats], target: int, *, chance: Floats,
    least: float = MOVES,
) -> Checked:  # fmt: skip
    """Both checks of one map.

    Parameters
    ----------
    predict : callable
    image : (C, [Z,] Y, X) array
    shown : ([Z,] Y, X) array
        The map.
    of_random : sequence of ([Z,] Y, X) arrays
        Maps of models that have learned nothing for the same image; empty where there are none.
    target : int
    chance : array
        From `by_chance`.
    least : float
        How far the answer must move while the image is taken away, for any map to mean something.
    """
    correlation = float(np.mean([alike(shown, other) for other in of_random])) if of_random else None
    curve = deletion(predict, image, shown, target)
    own, random = float(curve.mean()), float(chance.mean())
    problems = []
    if shown.std() == 0:
        problems.append("it is flat")
    if correlation is not None and abs(correlation) > _ALIKE:
        problems.append("a model that has learned nothing gives nearly the same map")
    if float(np.ptp(np.r_[curve, chance])) < least:
        problems.append("the answer hardly depends on the picture")
    if own >= random:
        problems.append("removing what it points at changes the answer no more than removing random pixels")
    return Checked(
        correlation, own, random, tuple(curve.tolist()), tuple(chance.tolist()), not problems,
        _verdict(problems, learned=correlation is not None),
    )  # fmt: skip


def _verdict(problems: list[str], *, learned: bool) -> str:
    """What the checks say, for people."""
    if problems:
        return "This map shows nothing about the model: " + "; ".join(problems) + "."
    first = "The map depends on what the model has learned, and removing" if learned else "Removing"
    last = "" if learned else " Whether it depends on what was learned could not be checked without labels."
    return f"{first} what it points at changes the answer more than removing random pixels.{last}"


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
