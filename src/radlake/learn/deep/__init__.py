"""Networks on images as scikit-learn estimators: a short trainer in plain PyTorch, and the networks that it trains.

PyTorch is imported when a network is made or read; without it a message names the extra to install.
"""

from __future__ import annotations

from radlake.learn.deep.estimators import ImageClassifier, ImageRegressor
from radlake.learn.deep.segmenter import ImageSegmenter

__all__ = ["ImageClassifier", "ImageRegressor", "ImageSegmenter"]
