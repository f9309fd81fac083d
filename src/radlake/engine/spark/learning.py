"""Classical models on tables that no machine holds: fitted by Spark ML, kept as scikit-learn's.

While the feature table fits into the driver's memory, `radlake.learn` is faster and says more. Above that Spark fits
the same models with the same penalties; what comes back is a fitted scikit-learn pipeline, so that bundles, predictions
and explanations are those of any other model and need no Spark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.engine.spark.session import told
from radlake.learn.validate import Fitted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Floats = NDArray[np.float64]
Settings = Mapping[str, float]
_SAMPLE = 20_000  # rows in which k-means begins
_STARTS = 10  # of k-means, which ends in the nearest optimum: the tightest counts
_STEPS, _STILL = 300, 1e-6  # of k-means, in standard units
_TOLERANCE = 1e-8  # of the optimiser, so that coefficients agree with scikit-learn's to four digits
_MEDIAN_ERROR = 1e-3  # of the ranks of medians


def fit(name: str, frame: DataFrame, inputs: Sequence[str], target: str, settings: Settings, *, seed: int) -> Fitted:
    """A model of two classes, fitted by Spark.

    Parameters
    ----------
    name : {"logistic", "tree", "forest"}
    frame : DataFrame
        A row a case; see `radlake.engine.spark.query.frame`.
    inputs : sequence of str
        Columns of numbers; gaps become the median.
    target : str
        Column of 0 and 1; rows without one are left out.
    settings : mapping
        logistic: C, the inverse strength of the L2 penalty. tree: max_depth, min_samples_leaf, and
        bins, the number of candidates for a threshold (256): with as many as there are values they are scikit-learn's.
        forest: also trees.
    seed : int
        For the forest's drawings.

    Returns
    -------
    Fitted
        To be kept in a `radlake.learn.bundle.Bundle`.

    Raises
    ------
    UsageError
        For another name.
    SparkFailed
        When the job ends, as for a column that is not there.
    """
    if name not in _FITS:
        raise UsageError(f"expected one of {', '.join(_FITS)}, got another model")
    from sklearn.pipeline import make_pipeline

    with told():
        cases, gaps = _without_gaps(frame.dropna(subset=[target]), inputs)
        steps = _FITS[name](cases.withColumnRenamed(target, "_y"), len(inputs), settings, seed)
    return Fitted(dict(settings), make_pipeline(gaps, *steps), None)


def k_means(frame: DataFrame, inputs: Sequence[str], k: int, *, seed: int) -> Any:
    """A scikit-learn pipeline with k-means centres found by Spark, in standard units of each column.

    Lloyd's steps over all rows are Spark's; they begin at the centres that scikit-learn finds on the driver, of several
    starts the tightest, in all rows or a sample of 20,000. Clusters often have several optima that are nearly as tight,
    so starts of Spark's own would end elsewhere.

    Parameters
    ----------
    frame, inputs, seed
        As for `fit`.
    k : int
        Number of clusters.

    Returns
    -------
    Pipeline
        Its `predict` gives the number of the nearest centre for each row.
    """
    from pyspark.mllib.clustering import KMeans, KMeansModel
    from pyspark.mllib.linalg import Vectors
    from sklearn.cluster import KMeans as Centres
    from sklearn.pipeline import make_pipeline

    with told():
        cases, gaps = _without_gaps(frame, inputs)
        scaled, scaler = _in_units(cases)
        share = min(1.0, _SAMPLE / scaler.n_samples_seen_)
        rows = scaled.select("_x") if share == 1.0 else scaled.select("_x").sample(share, seed=seed)
        sample = np.array([row["_x"].toArray() for row in rows.toLocalIterator()])
        model = Centres(k, n_init=_STARTS, random_state=seed).fit(sample - scaler.mean_ / scaler.scale_)
        start = KMeansModel([Vectors.dense(c) for c in model.cluster_centers_ + scaler.mean_ / scaler.scale_])
        vectors = scaled.select("_x").rdd.map(lambda row: Vectors.fromML(row["_x"]))
        found = KMeans.train(vectors, k, maxIterations=_STEPS, epsilon=_STILL, initialModel=start)
    centres = np.array(found.clusterCenters, dtype=np.float64) - scaler.mean_ / scaler.scale_
    model.cluster_centers_ = centres[np.lexsort(centres.T[::-1])]
    return make_pipeline(gaps, scaler, model)


def _without_gaps(frame: DataFrame, inputs: Sequence[str]) -> tuple[DataFrame, Any]:
    """Cases with the inputs as one vector `_x`, gaps filled; and scikit-learn's imputer with the same medians."""
    from pyspark.ml.feature import Imputer, VectorAssembler
    from sklearn.impute import SimpleImputer

    filled = [f"_x{i}" for i in range(len(inputs))]
    numbers = frame.select("*", *[frame[f"`{n}`"].cast("double").alias(f"_in{i}") for i, n in enumerate(inputs)])
    imputer = Imputer(
        strategy="median", inputCols=[f"_in{i}" for i in range(len(inputs))], outputCols=filled,
        relativeError=_MEDIAN_ERROR,
    ).fit(numbers)  # fmt: skip
    row = imputer.surrogateDF.first()
    gaps = SimpleImputer(strategy="median", keep_empty_features=True).fit(np.zeros((1, len(inputs))))
    gaps.statistics_ = np.array([row[f"_in{i}"] for i in range(len(inputs))], dtype=np.float64)
    cases = VectorAssembler(inputCols=filled, outputCol="_x").transform(imputer.transform(numbers))
    return cases.drop(*filled, *[f"_in{i}" for i in range(len(inputs))]), gaps


def _in_units(cases: DataFrame) -> tuple[DataFrame, Any]:
    """Cases with `_x` divided by each column's standard deviation, and scikit-learn's scaler to standard units.

    Spark does not subtract means here: coefficients and distances are the same, and sparse rows stay sparse.
    """
    from pyspark.ml.feature import ElementwiseProduct
    from pyspark.ml.linalg import Vectors
    from pyspark.ml.stat import Summarizer
    from sklearn.preprocessing import StandardScaler

    metrics = Summarizer.metrics("mean", "variance", "count").summary(cases["_x"]).alias("s")
    summary = cases.select(metrics).first()["s"]
    count = int(summary["count"])
    scaler = StandardScaler().fit(np.zeros((1, len(summary["mean"]))))
    scaler.mean_, scaler.n_samples_seen_ = summary["mean"].toArray(), count
    scaler.var_ = summary["variance"].toArray() * (count - 1) / count  # scikit-learn divides by n, Spark by n - 1
    scaler.scale_ = np.where(scaler.var_ > 0, np.sqrt(scaler.var_), 1.0)
    product = ElementwiseProduct(scalingVec=Vectors.dense(1.0 / scaler.scale_), inputCol="_x", outputCol="_u")
    return product.transform(cases).drop("_x").withColumnRenamed("_u", "_x"), scaler


def _logistic(cases: DataFrame, features: int, settings: Settings, seed: int) -> list[Any]:
    """Logistic regression with an L2 penalty, the intercept free of it."""
    from pyspark.ml.classification import LogisticRegression
    from sklearn.linear_model import LogisticRegression as Model

    scaled, scaler = _in_units(cases)
    # Spark divides the loss by the number of cases, scikit-learn multiplies it by C.
    penalty = 1.0 / (settings["C"] * scaler.n_samples_seen_)
    found = LogisticRegression(
        featuresCol="_x", labelCol="_y", regParam=penalty, elasticNetParam=0.0, standardization=False, maxIter=500,
        tol=_TOLERANCE,
    ).fit(scaled)  # fmt: skip
    model = Model(C=settings["C"])
    model.coef_ = found.coefficients.toArray()[None, :]
    model.intercept_ = np.array([found.intercept + model.coef_[0] @ (scaler.mean_ / scaler.scale_)])
    model.classes_, model.n_features_in_ = np.array([0, 1]), features
    model.n_iter_ = np.array([len(found.summary.objectiveHistory)], dtype=np.int32)
    return [scaler, model]


def _tree(cases: DataFrame, features: int, settings: Settings, seed: int) -> list[Any]:
    """One tree.

    A tree of values on 0 and 1: the variance p (1 - p) is half of Gini's impurity, so the splits are those of a tree of
    classes; but Spark joins leaves of the same class in those, whatever their probabilities.
    """
    from pyspark.ml.regression import DecisionTreeRegressor

    found = DecisionTreeRegressor(
        featuresCol="_x", labelCol="_y", maxDepth=int(settings["max_depth"]), maxBins=_bins(settings),
        minInstancesPerNode=int(settings.get("min_samples_leaf", 1)), seed=seed,
    ).fit(cases)  # fmt: skip
    return [_as_tree(found, features)]


def _forest(cases: DataFrame, features: int, settings: Settings, seed: int) -> list[Any]:
    """Trees on drawings of cases and features; each is one of values, see `_tree`."""
    from pyspark.ml.regression import RandomForestRegressor
    from sklearn.ensemble import RandomForestClassifier as Model

    found = RandomForestRegressor(
        featuresCol="_x", labelCol="_y", numTrees=int(settings["trees"]), maxDepth=int(settings["max_depth"]),
        maxBins=_bins(settings), minInstancesPerNode=int(settings.get("min_samples_leaf", 1)),
        featureSubsetStrategy="sqrt", seed=seed,
    ).fit(cases)  # fmt: skip
    model = Model(int(settings["trees"]), max_depth=int(settings["max_depth"]), random_state=seed)
    model.estimators_ = [_as_tree(tree, features) for tree in found.trees]
    model.classes_, model.n_classes_ = np.array([0, 1]), 2
    model.n_features_in_, model.n_outputs_ = features, 1
    return [model]


def _bins(settings: Settings) -> int:
    """Candidates for a threshold: quantiles, or all middles between values where there are fewer."""
    return int(settings.get("bins", _BINS))


_BINS = 256  # as scikit-learn's own histograms have
_FITS: dict[str, Callable[[Any, int, Settings, int], list[Any]]] = {
    "logistic": _logistic,
    "tree": _tree,
    "forest": _forest,
}


def _as_tree(found: Any, features: int) -> Any:
    """Spark's tree as a scikit-learn one."""
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.tree._tree import NODE_DTYPE, Tree

    rows: list[tuple[Any, ...]] = []
    values: list[list[float]] = []
    depth = _add(found._call_java("rootNode"), rows, values, 0)  # the only way to a node
    nodes = np.zeros(len(rows), dtype=NODE_DTYPE)
    names = ("left_child", "right_child", "feature", "threshold", "impurity", "n_node_samples")
    for index, row in enumerate(rows):
        for name, value in zip(names, row, strict=True):
            nodes[name][index] = value
    nodes["weighted_n_node_samples"] = nodes["n_node_samples"]
    tree = Tree(features, np.array([2], dtype=np.intp), 1)
    tree.__setstate__(
        {
            "max_depth": depth,
            "node_count": len(rows),
            "nodes": nodes,
            "values": np.array(values, dtype=np.float64)[:, None, :],
        }
    )
    model = DecisionTreeClassifier()
    model.tree_, model.classes_, model.n_classes_ = tree, np.array([0, 1]), 2
    model.n_features_in_, model.n_outputs_, model.max_features_ = features, 1, features
    return model


def _add(node: Any, rows: list[tuple[Any, ...]], values: list[list[float]], depth: int) -> int:
    """Append a node and all below it, children behind their parent as scikit-learn orders them; return the depth."""
    total, ones, *_ = node.impurityStats().stats()  # cases, and the sum of their 0 and 1
    index, gini = len(rows), 2.0 * node.impurity()
    values.append([1.0 - ones / total, ones / total])
    rows.append((-1, -1, -2, -2.0, gini, int(total)))
    if node.getClass().getSimpleName() == "LeafNode":
        return depth
    left = len(rows)
    deepest = _add(node.leftChild(), rows, values, depth + 1)
    right = len(rows)
    deepest = max(deepest, _add(node.rightChild(), rows, values, depth + 1))
    split = node.split()
    rows[index] = (left, right, split.featureIndex(), split.threshold(), gini, int(total))
    return deepest
