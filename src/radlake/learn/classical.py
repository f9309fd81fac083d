"""Classical models as scikit-learn pipelines, with the settings that inner cross-validation chooses among.

Everything that learns from data (imputation, scaling) is inside the pipeline, so that it is fitted on training cases
only. Pipelines end in an estimator with `decision_function`: `radlake.learn.validate` turns its values into
probabilities. scikit-learn is imported when a pipeline is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Settings = Mapping[str, float]


@dataclass(frozen=True)
class Model:
    """A kind of model and its settings.

    Parameters
    ----------
    name : str
        As in tables and reports.
    make : callable
        Settings -> an unfitted scikit-learn pipeline with `decision_function`; they change its last step only.
    grid : tuple of mappings
        Settings to choose among, the simplest first: it wins ties.
    calibrated : bool
        True when the estimator's decision values are log odds already.
    """

    name: str
    make: Callable[[Settings], Any]
    grid: tuple[Settings, ...]
    calibrated: bool


def prepared(*steps: Any, normal: bool = True) -> Any:
    """Pipeline: gaps become the median, each feature its normal score or standard units, then the steps.

    Sizes are so skewed that a few large values would rule a linear model and lie outside every kernel; ranks mapped to
    a normal distribution (10 quantiles, linear between them) have neither problem and need no choice per feature.

    Parameters
    ----------
    *steps : scikit-learn estimators
        The last one is the model.
    normal : bool
        False divides by the standard deviation instead, which keeps distances within a feature.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    ranks = QuantileTransformer(n_quantiles=10, subsample=None, output_distribution="normal")
    gaps = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(gaps, ranks if normal else StandardScaler(), *steps)


def make_logistic(settings: Settings) -> Any:
    """Unfitted logistic regression with an L2 penalty; `C` is the inverse strength of the penalty."""
    from sklearn.linear_model import LogisticRegression

    return prepared(LogisticRegression(C=settings["C"], max_iter=2000))


def make_svm(settings: Settings) -> Any:
    """Unfitted support vector machine with a Gaussian kernel; `gamma` is the kernel's inverse square width."""
    from sklearn.svm import SVC

    return prepared(SVC(C=settings["C"], gamma=settings["gamma"]))


LOGISTIC = Model("logistic regression", make_logistic, tuple({"C": c} for c in (0.01, 0.1, 1.0, 10.0)), True)
SVM = Model(
    "SVM (Gaussian kernel)",
    make_svm,
    tuple({"C": c, "gamma": g} for g in (0.003, 0.03) for c in (0.3, 3.0, 30.0)),
    False,
)
# One feature needs no choice: the penalty is so weak that it only keeps separable folds finite.
SINGLE = Model("logistic regression, one feature", make_logistic, ({"C": 1e4},), True)

MODELS: dict[str, Model] = {"logistic": LOGISTIC, "svm": SVM}
