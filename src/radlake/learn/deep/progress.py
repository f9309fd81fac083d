"""Where a training is, and the word that ends it."""

from __future__ import annotations

from dataclasses import dataclass


class EnoughError(Exception):
    """Raised by whoever is told of the progress: the training ends here, with the weights that it has."""


@dataclass(frozen=True)
class Progress:
    """Where a training is: given to the callback after each epoch.

    Parameters
    ----------
    epoch, epochs : int
        Done, and in all.
    loss : float
        Mean of the epoch.
    validation : float or None
        Loss on held-out cases.
    seconds, left : float
        Since the start or the resumption; expected until the end.
    """

    epoch: int
    epochs: int
    loss: float
    validation: float | None
    seconds: float
    left: float
