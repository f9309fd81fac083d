"""A whole model of images explained on some cases: maps in the pixels of each, checked, and compared with a mask.

Networks are asked by their gradients and by what they attend to; every model by covering parts of the image.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle
from radlake.learn.cases import Cohort
from radlake.learn.explain import saliency
from radlake.learn.explain.sanity import MOVES, Checked, Overlap, by_chance, check, overlap, randomised
from radlake.learn.images import Images, images
from radlake.learn.metrics import Floats
from radlake.learn.training import codes, operating_threshold, predicted
from radlake.learn.trial import fit_quietly
from radlake.learn.validate import Fitted

Masks = Mapping[str, NDArray[np.bool_]]
Mapped = Callable[[NDArray[Any], int], Floats]

CASES = 6
_TWINS = 3  # networks that have learned nothing
_PARTS = {2: (7, 14), 3: (4, 5)}  # squares (cubes) along an axis, and steps of the one that covers


@dataclass(frozen=True, eq=False)
class Map:
    """One map of one case.

    Parameters
    ----------
    method : str
        "grad_cam", "integrated_gradients", "occlusion" or "attention".
    values : ([Z,] Y, X) array
        In the pixels of the image: above zero speaks for the answer, below against it.
    checked : Checked
    overlap : Overlap or None
        With the mask of the case, where there is one.
    """

    method: str
    values: Floats
    checked: Checked
    overlap: Overlap | None


@dataclass(frozen=True, eq=False)
class Picture:
    """One case.

    Parameters
    ----------
    unit_id, why : str
        Which case, and why it is shown.
    answer : int, float or str
        Class, or value.
    probability : float or None
        Of that class.
    truth : int, float, str or None
    image : (C, [Z,] Y, X) array
    mask : ([Z,] Y, X) bool array or None
    maps : tuple of Map
    hidden : bool
        Whether its pixels may carry text that nobody has looked for, so that only maps are shown.
    """

    unit_id: str
    why: str
    answer: Any
    probability: float | None
    truth: Any
    image: NDArray[Any]
    mask: NDArray[np.bool_] | None
    maps: tuple[Map, ...]
    hidden: bool = False


def explain_pictures(
    bundle: Bundle, cohort: Cohort, *, masks: Masks | None = None, hidden: Collection[str] = (), most: int = CASES,
    seed: int = 0,
) -> list[Picture]:  # fmt: skip
    """Maps of a model of images on a few telling cases.

    Parameters
    ----------
    bundle : Bundle
    cohort : Cohort
        Pictures, preferably such as the model has not seen, with labels where there are some.
    masks : mapping, optional
        Outlined regions by the id of the case, each of the shape of its image.
    hidden : collection of str
        Cases whose pixels must not be shown.
    most : int
        Cases to show: with labels the worst mistakes, then the surest answers; without, the surest and least sure.
    seed : int
        Of models that have learned nothing and of random orders.

    Raises
    ------
    UsageError
        When the model is none of images that says a class or a value, or a mask does not fit its image.
    """
    fitted = bundle.fitted
    if bundle.inputs or fitted.task == "segmentation":
        raise UsageError("maps need a model that gives pictures a class or a value")
    given = images(cohort.features)
    said = predicted(fitted, cohort.features)
    known = codes(fitted.classes, cohort.y) if len(cohort.y) else None
    answers = _answers(bundle, said)
    size = np.median(given.sizes, axis=0)
    methods = _methods(fitted, size)
    others = [_methods(twin, size) for twin in _learned_nothing(fitted, cohort.features, known, seed)]
    found = []
    for i, why in _telling(said, answers, known, most):
        image, unit_id = given.arrays[i], str(cohort.ids[i])
        mask = _fitting((masks or {}).get(unit_id), image.shape[1:])
        predict, column = _predict(fitted, float(said[i, 0])), int(answers[i]) if fitted.classes else 0
        chance = by_chance(predict, image, column, seed=seed)
        maps = tuple(
            _map(name, shown, [other[name](image, column) for other in others], mask,
                 partial(check, predict, image, target=column, chance=chance, least=MOVES if fitted.classes else 0.0))
            for name, shown in ((n, method(image, column)) for n, method in methods.items())
        )  # fmt: skip
        classes = fitted.classes
        found.append(Picture(
            unit_id, why, classes[int(answers[i])] if classes else float(answers[i]),
            float(said[i, column]) if classes else None, cohort.y[i].item() if len(cohort.y) else None, image, mask,
            maps, unit_id in hidden,
        ))  # fmt: skip
    return found


def _map(
    name: str, shown: Floats, of_random: Sequence[Floats], mask: NDArray[np.bool_] | None,
    checked: Callable[..., Checked],
) -> Map:  # fmt: skip
    """A map with what its checks say."""
    return Map(
        name, shown, checked(shown=shown, of_random=of_random), None if mask is None else overlap(shown, mask)
    )  # fmt: skip


def _answers(bundle: Bundle, said: Floats) -> Floats:
    """Class numbers, from the operating point on where there is one; or values."""
    point = operating_threshold(bundle.evidence)
    if bundle.fitted.task == "regression":
        return said[:, 0]
    called = said.argmax(axis=1) if point is None or said.shape[1] != 2 else said[:, 1] >= point
    return np.asarray(called, dtype=np.float64)


def _telling(said: Floats, answers: Floats, known: NDArray[Any] | None, most: int) -> list[tuple[int, str]]:
    """Cases to show with the reason: mistakes first where the truth is known, at most half; then from both ends."""
    classes = said.shape[1] > 1
    sure = said.max(axis=1) if classes else -np.abs(said[:, 0] - np.median(said[:, 0]))
    chosen: dict[int, str] = {}
    if known is not None:
        wrong = 1 - said[np.arange(len(said)), known.astype(int)] if classes else np.abs(said[:, 0] - known)
        mistakes = np.flatnonzero(answers != known) if classes else np.arange(len(said))
        for i in mistakes[np.argsort(-wrong[mistakes], kind="stable")][: (most + 1) // 2]:
            chosen[int(i)] = "one of the worst mistakes" if classes else "one of the largest errors"
    right = np.ones(len(said), np.bool_) if known is None or not classes else answers == known
    order = [i for i in np.argsort(-sure, kind="stable").tolist() if right[i] and i not in chosen]
    by_class = (
        {c: [i for i in order if answers[i] == c] for c in np.unique(answers).tolist()} if classes else {0: order}
    )
    turn = 0
    while len(chosen) < min(most, len(said)) and any(by_class.values()):
        for rows in by_class.values():
            if rows and len(chosen) < most:
                end = turn % 2 and known is None
                chosen[rows.pop(-1 if end else 0)] = "one of the least sure answers" if end else (
                    "one of the surest answers" if classes else "a usual case"
                )  # fmt: skip
        turn += 1
    return list(chosen.items())


def _fitting(mask: NDArray[np.bool_] | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """A mask, if it has the shape of its image."""
    if mask is not None and mask.shape != shape:
        raise UsageError(f"a mask has shape {mask.shape}, its picture {shape}; give masks on the grid of the pictures")
    return mask


def _predict(fitted: Fitted, value: float) -> saliency.Predict:
    """Probabilities of images with channels first; for a value how near it stays to what it was, in one column."""

    def predict(pictures: NDArray[Any]) -> Floats:
        said = predicted(fitted, np.moveaxis(pictures, 1, -1))
        return said if fitted.classes else -np.abs(said - value)

    return predict


def _networks(pipeline: Any) -> list[Any]:
    """Trained networks of radlake's own inside a model."""
    return [m for m in getattr(pipeline, "models", [pipeline]) if hasattr(m, "network_") and hasattr(m, "scale_")]


def _methods(fitted: Fitted, size: NDArray[Any]) -> dict[str, Mapped]:
    """What this model can be asked, by name: images (C, [Z,] Y, X) and a class to maps of the same grid."""
    networks = _networks(fitted.pipeline)
    parts, steps = _PARTS[len(size)]
    square = max(1, round(float(size.min()) / parts))
    stride = max(1, round(float(size.min()) / steps))

    def covered(image: NDArray[Any], column: int) -> Floats:
        value = 0.0 if fitted.classes else float(predicted(fitted, np.moveaxis(image[None], 1, -1))[0, 0])
        return saliency.occlusion(_predict(fitted, value), image, column, size=square, stride=stride)

    found: dict[str, Mapped] = {}
    if networks:
        first = networks[0].network_
        if saliency.has_convolution(first):
            found["grad_cam"] = partial(_mean_over, networks, saliency.grad_cam)
        found["integrated_gradients"] = partial(_mean_over, networks, saliency.integrated_gradients)
        if saliency.has_attention(first):
            found["attention"] = partial(_mean_over, networks, lambda net, image, _: saliency.attention(net, image))
    return found | {"occlusion": covered}


def _mean_over(
    networks: Sequence[Any], method: Callable[[Any, NDArray[Any], int], Floats], image: NDArray[Any], column: int
) -> Floats:
    """The mean map of networks that answer together, each from what it sees, back in the pixels of the image."""
    given = Images(image[None], "yx" if image.ndim == 3 else "zyx", len(image))
    maps = [_back(method(m.network_.eval(), m.scale_.apply(given)[0], column), image.shape[1:]) for m in networks]
    return np.asarray(np.mean(maps, axis=0))


def _back(shown: Floats, shape: tuple[int, ...]) -> Floats:
    """A map on a network's grid in the pixels of the image, right to one pixel of the network: the padding is cut off.

    The inverse of `radlake.learn.deep.scale.resized`.
    """
    from radlake.learn.deep.scale import resized

    if shown.shape == shape:
        return shown
    scale = min(n / m for n, m in zip(shown.shape[-2:], shape[-2:], strict=True))
    kept = [max(1, round(n * scale)) for n in shape[-2:]]
    kept = kept if len(shape) == 2 else [shown.shape[0], *kept]
    cut = tuple(slice((n - k) // 2, (n - k) // 2 + k) for n, k in zip(shown.shape, kept, strict=True))
    return np.asarray(resized(shown[cut][None].astype(np.float32), shape)[0], dtype=np.float64)


def _learned_nothing(fitted: Fitted, pictures: NDArray[Any], known: NDArray[Any] | None, seed: int) -> list[Fitted]:
    """The same model without what it learned: networks untrained, thrice; others fitted on shuffled labels, if any."""
    if _networks(fitted.pipeline) or hasattr(fitted.pipeline, "untrained"):
        return [replace(fitted, pipeline=_untrained(fitted.pipeline, seed + 100 * i)) for i in range(_TWINS)]
    if known is None or len(np.unique(known)) < 2 or not hasattr(fitted.pipeline, "get_params"):
        return []
    from sklearn.base import clone

    twin = clone(fitted.pipeline)
    fit_quietly(twin, pictures, np.random.default_rng(seed).permutation(known))
    return [replace(fitted, pipeline=twin, calibrator=None)]


def _untrained(model: Any, seed: int) -> Any:
    """A network, or networks that answer together, as before training."""
    if hasattr(model, "untrained"):
        return model.untrained(seed)
    twin = copy.copy(model)
    if hasattr(twin, "models"):
        twin.models = [_untrained(m, seed + i) for i, m in enumerate(twin.models)]
    else:
        twin.network_ = randomised(model.network_, seed=seed)
    return twin
