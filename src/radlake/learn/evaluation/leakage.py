"""Ways in which an answer gets into the question: patients or pictures on both sides, sites that tell, single features.

Every check ends as one line with a verdict, also when there was nothing to find or nothing to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_TELLING = 0.3  # Cramer's V from which a site tells much about the outcome (Cohen 1988: a medium effect)

Level = Literal["good", "look", "bad", "unknown"]


@dataclass(frozen=True)
class Check:
    """One way to leak.

    Parameters
    ----------
    name : str
    level : {"good", "look", "bad", "unknown"}
        Nothing found; look at it; the score cannot be trusted; could not be checked.
    count : int
        Cases concerned.
    message : str
        In plain words, with what to do.
    """

    name: str
    level: Level
    count: int
    message: str


def crossing(name: str, what: str, keys: NDArray[Any] | None, side: NDArray[Any], advice: str) -> Check:
    """Whether cases with one key lie on both sides of a split.

    Parameters
    ----------
    name, what : str
        Of the check, and of the keys in words (plural).
    keys : (N,) array or None
        "" or None: the case has none. None instead of an array: not known for any.
    side : (N,) array
        Side of each case, such as "train" and "test"; cases outside the split are "".
    advice : str

    Examples
    --------
    >>> side = np.array(["train", "test", "test"])
    >>> crossing("patients", "patients", np.array(["a", "a", "b"]), side, "split anew").level
    'bad'
    """
    if keys is None or not any(keys.tolist()):
        return Check(name, "unknown", 0, f"{what} are not known, so that nobody can say whether some are on both sides")
    known = np.array([bool(k) for k in keys.tolist()]) & (side != "")
    _, which = np.unique(keys[known].astype(str), return_inverse=True)
    sides, place = np.unique(side[known], return_inverse=True)
    table = np.zeros((int(which.max(initial=-1)) + 1, len(sides)), dtype=np.int64)
    np.add.at(table, (which, place), 1)
    torn = (table > 0).sum(axis=1) > 1
    cases = int(table[torn].sum())
    if not cases:
        return Check(name, "good", 0, f"no {what} on both sides")
    return Check(name, "bad", cases, f"{int(torn.sum())} {what} are on both sides ({cases} cases): {advice}")


def site(sites: NDArray[Any] | None, y: NDArray[Any]) -> Check:
    """Whether the site or scanner alone tells the outcome.

    Parameters
    ----------
    sites : (N,) array or None
        "" or None where it is not known.
    y : (N,) int array
        Class numbers.

    References
    ----------
    Cramer (1946), Mathematical methods of statistics, p. 282; Zech et al. (2018), Variable generalization performance
    of a deep learning model to detect pneumonia in chest radiographs, PLoS Medicine 15, e1002683, for why.

    Examples
    --------
    >>> site(np.repeat(["A", "B"], 20), np.repeat([0, 1], 20)).level
    'bad'
    """
    if sites is None or not any(sites.tolist()):
        return Check("site", "unknown", 0, "the site or scanner is not known")
    known = np.array([bool(s) for s in sites.tolist()])
    names, place = np.unique(sites[known].astype(str), return_inverse=True)
    if len(names) < 2:
        return Check("site", "look", 0, "all cases are of one site or scanner: nothing is known about any other")
    v = cramers_v(place, y[known])
    text = f"{len(names)} sites or scanners; how much they tell about the outcome: {v:.2f} (0 nothing, 1 all)"
    if v < _TELLING:
        return Check("site", "good", 0, text)
    advice = "a model may learn the scanner instead of the disease: test on a site that it has not seen"
    return Check("site", "bad" if v > 2 * _TELLING else "look", int(known.sum()), f"{text}; {advice}")


def cramers_v(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Association of two classifications, 0 to 1, corrected for chance.

    References
    ----------
    Bergsma (2013), A bias-correction for Cramer's V, Journal of the Korean Statistical Society 42, 323-328.

    Examples
    --------
    >>> round(cramers_v(np.repeat([0, 1], 50), np.repeat([0, 1], 50)), 3)
    1.0
    """
    _, first = np.unique(a, return_inverse=True)
    _, second = np.unique(b, return_inverse=True)
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    n = table.sum()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    phi = float(((table - expected) ** 2 / expected).sum() / n)
    r, c = table.shape
    if n < 2 or min(r, c) < 2:
        return 0.0
    corrected = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    least = min(rows, columns) - 1
    return float((corrected / least) ** 0.5) if least > 0 else 0.0


def single_features(names: Sequence[str]) -> Check:
    """Features that alone nearly tell the outcome, by `radlake.learn.problem.fingerprint`."""
    if not names:
        return Check("single features", "good", 0, "no feature alone nearly tells the outcome")
    shown = ", ".join(names[:5])
    return Check(
        "single features", "look", len(names),
        f"{shown} alone nearly tell the outcome: make sure that they are known before the outcome is",
    )  # fmt: skip
