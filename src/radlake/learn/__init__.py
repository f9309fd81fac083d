"""Tables to validated models: folds by patient, nested validation, scores with intervals, curves, bundles.

Pure functions on arrays; `stages` is the door to tables. scikit-learn is imported when a model is made.

    >>> from radlake import learn
    >>> learn.select.__module__, learn.cluster.__module__
    ('radlake.learn.selection', 'radlake.learn.clustering')
"""

from __future__ import annotations

from radlake.learn.choice import Choice
from radlake.learn.clustering import Clustering, cluster
from radlake.learn.paired import Paired
from radlake.learn.selection import select

__all__ = ["Choice", "Clustering", "Paired", "cluster", "select"]
