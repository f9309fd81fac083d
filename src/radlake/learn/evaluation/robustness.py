"""How much noise, blur and shift a model of images bears before its answers change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radlake.learn.images import CHANNELS
from radlake.learn.metrics import Floats

Kind = Literal["noise", "blur", "shift"]
LEVELS: dict[Kind, tuple[float, ...]] = {"noise": (0.02, 0.05, 0.1), "blur": (0.5, 1.0, 2.0), "shift": (1.0, 2.0, 4.0)}
UNITS: dict[Kind, str] = {"noise": "of the range of intensities", "blur": "pixels (sigma)", "shift": "pixels"}


@dataclass(frozen=True)
class Borne:
    """How a model did on pictures that were made worse.

    Parameters
    ----------
    kind : {"noise", "blur", "shift"}
    level : float
        In the unit of `UNITS`.
    score : float
    change : float
        Mean distance of the probabilities from those of the pictures as they are.
    """

    kind: Kind
    level: float
    score: float
    change: float


def worse(pictures: NDArray[Any], kind: Kind, level: float, *, rng: np.random.Generator) -> NDArray[Any]:
    """Pictures with noise, blur or shift, of the same type and within the same range.

    Parameters
    ----------
    pictures : (N, [Z,] Y, X) array
        One channel; use one call for each channel.
    kind : {"noise", "blur", "shift"}
        Gaussian noise; Gaussian blur along all axes of a picture; a shift along y or x by whole pixels, where the edge
        is repeated.
    level : float
        In the unit of `UNITS`.
    rng : numpy.random.Generator
        Draws the noise and the directions.

    Examples
    --------
    >>> worse(np.arange(12.0).reshape(1, 3, 4), "shift", 1.0, rng=np.random.default_rng(0)).shape
    (1, 3, 4)
    """
    from scipy.ndimage import gaussian_filter

    low, high = float(pictures.min()), float(pictures.max())
    found = pictures.astype(np.float64)
    if kind == "noise":
        found = found + rng.normal(0.0, level * (high - low), size=found.shape)
    elif kind == "blur":
        found = gaussian_filter(found, [0.0, *(level for _ in found.shape[1:])], mode="nearest")
    else:
        found = np.stack([_shifted(picture, round(level), int(rng.integers(4))) for picture in found])
    found = np.clip(found, low, high)
    return (np.rint(found) if pictures.dtype.kind in "iu" else found).astype(pictures.dtype)


def _shifted(picture: Floats, by: int, direction: int) -> Floats:
    """A picture moved up, down, left or right, its edge repeated."""
    axis, sign = picture.ndim - 2 + direction // 2, 1 if direction % 2 else -1
    place = np.clip(np.arange(picture.shape[axis]) - sign * by, 0, picture.shape[axis] - 1)
    return np.take(picture, place, axis=axis)


def robustness(
    predict: Callable[[NDArray[Any]], Floats], pictures: NDArray[Any], score: Callable[[Floats], float], *,
    kinds: Sequence[Kind] = ("noise", "blur", "shift"), seed: int = 0,
) -> list[Borne]:  # fmt: skip
    """Score and change of the answers at each level of each kind; level 0 is the pictures as they are.

    Parameters
    ----------
    predict : callable
        Pictures to probabilities, shape (N, K).
    pictures : (N, [Z,] Y, X) or (N, [Z,] Y, X, C) array with C of 1, 3 or 4, or sequence of single pictures
        As models of images take them.
    score : callable
        Of probabilities (N, K).
    kinds : sequence
    seed : int
    """
    before = predict(pictures)
    found = []
    for kind in kinds:
        found.append(Borne(kind, 0.0, score(before), 0.0))
        for level in LEVELS[kind]:
            rng = np.random.default_rng([seed, round(1000 * level)])
            after = predict(_made_worse(pictures, kind, level, rng))
            found.append(Borne(kind, level, score(after), float(np.abs(after - before).mean())))
    return found


def _made_worse(pictures: NDArray[Any], kind: Kind, level: float, rng: np.random.Generator) -> NDArray[Any]:
    """Pictures of any layout: channels by themselves, with one shift for all; pictures of mixed sizes one by one."""
    if pictures.dtype == np.object_:
        found = np.empty_like(pictures)
        for i, picture in enumerate(pictures):
            found[i] = _made_worse(picture[None], kind, level, rng)[0]
        return found
    if pictures.ndim < 4 or pictures.shape[-1] not in CHANNELS:
        return worse(pictures, kind, level, rng=rng)
    state = rng.bit_generator.state
    layers = []
    for channel in range(pictures.shape[-1]):
        if kind == "shift":
            rng.bit_generator.state = state  # colours move together
        layers.append(worse(pictures[..., channel], kind, level, rng=rng))
    return np.stack(layers, axis=-1)
