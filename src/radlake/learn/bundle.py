"""A fitted model on disk: a folder with a manifest in JSON, the model in skops or safetensors format, never pickle.

    bundle.json          what the model answers, its input contract, versions, size and SHA-256 of every other file
    pipeline.skops       a scikit-learn pipeline; or, for a network,
    network.json         its estimator, options and what was fitted beside the weights
    weights.safetensors  its weights
    calibrator.skops     from decision values to probabilities, where there is one
    steps.yaml           the pipeline that makes the inputs from images, where there is one
    evidence.json        why this model

`save` writes the same bytes for the same model. `load` trusts in layers: only files of these names, only with the size
and hash of the manifest, then only types that a pipeline of this room holds, and networks of its table whose weights
have the very names and shapes that the description asks for.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import RadlakeError, UsageError
from radlake.learn.clock import Plan
from radlake.learn.validate import Fitted

FORMAT = 2
_MANIFEST = "bundle.json"
# A number type, nodes of trees (arrays) and the F statistics; all else that skops does not know itself is refused.
_TRUSTED = (
    "numpy.dtype",
    "radlake.learn.additive.CurvesClassifier",
    "radlake.learn.additive.CurvesRegressor",
    "radlake.learn.both.ImageScore",
    "radlake.learn.both.Looks",
    "radlake.learn.deep.views.ImageFeatures",
    "radlake.learn.deep.views.OverMirrors",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.tree._tree.Tree",
)
_CLASSICAL = {"pipeline.skops"}
_NETWORK = {"network.json", "weights.safetensors"}
_OPTIONAL = {"calibrator.skops", "steps.yaml", "evidence.json"}
_LARGEST = 1 << 30
_LIBRARIES = ("radlake", "scikit-learn", "numpy", "skops")
_NETWORK_LIBRARIES = ("torch", "safetensors")


class BundleError(RadlakeError):
    """The folder holds no bundle of ours, or not the one that was saved; the message says what differs."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model with what is needed to use it.

    Parameters
    ----------
    name, target : str
        Model, and the label that it gives the probability of.
    inputs : tuple of str
        Features in the order of the columns; empty for a model of images.
    fitted : Fitted
        The model.
    evidence : mapping, optional
        Why this model: JSON values.
    contract : mapping, optional
        What inputs the model accepts, JSON values: its `kind` ("table" or "images") and what was seen in training.
    pipeline : str, optional
        The steps that make the inputs, as YAML.
    """

    name: str
    target: str
    inputs: tuple[str, ...]
    fitted: Fitted
    evidence: Mapping[str, Any] | None = None
    contract: Mapping[str, Any] | None = None
    pipeline: str | None = None

    def probability(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of the second class for each row of an (N, D) array whose columns are `inputs`.

        Raises
        ------
        ValueError
            When the number of columns differs.
        """
        found: NDArray[np.float64] = self.predict_proba(features)[:, 1]
        return found

    def predict_proba(self, inputs: Any) -> NDArray[np.float64]:
        """Probability of each class, shape (N, K), for the rows of a table or for images.

        Parameters
        ----------
        inputs : (N, D) float array whose columns are `inputs`, or images (see `radlake.learn.images.images`)

        Raises
        ------
        ValueError
            When the number of columns differs, or the model predicts a value and no class.
        UsageError
            When the images are not of the kind that the model was trained on.
        """
        return self.fitted.predict_proba(self._checked(inputs))

    def predict(self, inputs: Any) -> NDArray[Any]:
        """Most probable label, or the value, for the rows of a table or for images; errors as in `predict_proba`."""
        return self.fitted.predict(self._checked(inputs))

    def _checked(self, inputs: Any) -> Any:
        """The inputs, if there is one column for each feature; models of images check these themselves."""
        if self.inputs and np.shape(inputs)[1:] != (len(self.inputs),):
            names = ", ".join(self.inputs)
            raise ValueError(f"expected {len(self.inputs)} columns ({names}), got {np.shape(inputs)}")
        return inputs


def save(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into a folder, which appears complete or not at all; one that is there is replaced.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        Its parent is made where needed.
    """
    files = _model_files(bundle.fitted.pipeline)
    libraries = _LIBRARIES + (_NETWORK_LIBRARIES if files.keys() == _NETWORK else ())
    libraries += ("keras",) if type(bundle.fitted.pipeline).__name__ == "KerasClassifier" else ()
    if bundle.fitted.calibrator is not None:
        files["calibrator.skops"] = _dumps(bundle.fitted.calibrator)
    if bundle.evidence is not None:
        files["evidence.json"] = _json(bundle.evidence)
    if bundle.pipeline is not None:
        files["steps.yaml"] = bundle.pipeline.encode()
    manifest = {
        "format": FORMAT,
        "name": bundle.name,
        "target": bundle.target,
        "inputs": list(bundle.inputs),
        "settings": dict(bundle.fitted.settings),
        "task": bundle.fitted.task,
        "classes": list(bundle.fitted.classes),
        "contract": None if bundle.contract is None else dict(bundle.contract),
        "files": {n: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for n, data in files.items()},
        "versions": {name: version(name) for name in libraries},
    }
    files[_MANIFEST] = _json(manifest)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    for name, data in files.items():
        (draft / name).write_bytes(data)
    draft.chmod(0o755)
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(draft, folder)  # noqa: PTH105 - Path.replace is the same call


def load(folder: Path) -> Bundle:
    """Read a bundle back.

    Raises
    ------
    BundleError
        When the manifest is missing or of a newer format, a file is missing or changed, or holds a type that does not
        belong there.
    """
    manifest = _manifest(folder)
    try:
        names = set(manifest["files"])
        if names - _OPTIONAL not in (_CLASSICAL, _NETWORK):
            raise BundleError(f"the bundle lists files that it cannot have: {', '.join(sorted(names))}")
        data = {name: _checked(folder / name, **facts) for name, facts in manifest["files"].items()}
        calibrator = _loads(data["calibrator.skops"]) if "calibrator.skops" in data else None
        fitted = Fitted(
            manifest["settings"], _model(data), calibrator, manifest["task"], tuple(manifest["classes"])
        )  # fmt: skip
        return Bundle(
            manifest["name"], manifest["target"], tuple(manifest["inputs"]), fitted,
            json.loads(data.get("evidence.json", b"null")), manifest["contract"],
            data["steps.yaml"].decode() if "steps.yaml" in data else None,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise BundleError(f"the bundle's {_MANIFEST} or pipelines are incomplete; save the model again") from error


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest, of a format that this version knows."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise BundleError(f"no {_MANIFEST} that can be read in {folder}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleError(f"the bundle is not of format {FORMAT}; use the radlake that saved it")
    return manifest


def _checked(path: Path, *, bytes: int, sha256: str) -> bytes:  # noqa: A002 - the manifest's word
    """Bytes of a file whose size and hash are as they should be."""
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise BundleError(f"{path.name} is larger than any model of radlake's")
        data = path.read_bytes() if size == bytes else b""
    except OSError as error:
        raise BundleError(f"{path.name} is missing from the bundle") from error
    if size != bytes or hashlib.sha256(data).hexdigest() != sha256:
        raise BundleError(f"{path.name} is not the file that was saved: its size or hash differs from the manifest's")
    return data


def _model_files(model: Any) -> dict[str, bytes]:
    """Files of a model: a network says itself what it is made of, all else is a scikit-learn pipeline."""
    if not hasattr(model, "parts"):
        return {"pipeline.skops": _dumps(model)}
    from safetensors.numpy import save as tensor_bytes

    description, tensors = model.parts()
    whole = {name: np.ascontiguousarray(value) for name, value in sorted(tensors.items())}
    return {"network.json": _json(description), "weights.safetensors": tensor_bytes(whole)}


def _model(data: Mapping[str, bytes]) -> Any:
    """The model from its files."""
    if "pipeline.skops" in data:
        return _loads(data["pipeline.skops"])
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load as tensors_of
    except ImportError as error:
        raise BundleError("the bundle holds a network; to open it: pip install 'radlake[deep]'") from error
    try:
        tensors = tensors_of(data["weights.safetensors"])
    except SafetensorError as error:
        raise BundleError("weights.safetensors is no file of weights; save the model again") from error
    description = json.loads(data["network.json"])
    if description["estimator"] == "KerasClassifier":
        from radlake.learn.keras_networks import KerasClassifier

        return KerasClassifier.from_parts(description, tensors)
    from radlake.learn.deep.estimators import from_parts

    return from_parts(description, tensors)


def _json(values: Any) -> bytes:
    """JSON text that is the same for equal values."""
    return json.dumps(values, indent=1, sort_keys=True).encode()


def _loads(data: bytes) -> Any:
    """A pipeline from skops bytes, trusted types only."""
    from skops import io as skops

    foreign = sorted(set(skops.get_untrusted_types(data=data)) - set(_TRUSTED))
    if foreign:
        raise BundleError(f"the bundle holds types that no pipeline of radlake's has: {', '.join(foreign)}")
    return skops.loads(data, trusted=list(_TRUSTED))


def _dumps(pipeline: Any) -> bytes:
    """A pipeline as skops bytes, with memory addresses and times replaced so that equal models give equal bytes."""
    from skops import io as skops

    numbers: dict[str, str] = {}
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(skops.dumps(pipeline))) as source, zipfile.ZipFile(packed, "w") as target:
        schema = _renumbered(json.loads(source.read("schema.json")), numbers)
        arrays = {numbers[Path(n).stem] + Path(n).suffix: n for n in source.namelist() if n != "schema.json"}
        for name in sorted(arrays):
            target.writestr(zipfile.ZipInfo(name), source.read(arrays[name]))
        target.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema, indent=2))
    return packed.getvalue()


def _renumbered(node: Any, numbers: dict[str, str]) -> Any:
    """The schema with ids counted in the order of their appearance; names of array files follow."""
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_renumbered(v, numbers) for v in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for key, value in node.items():
        if key == "__id__":
            found[key] = int(numbers.setdefault(str(value), str(len(numbers))))
        elif key == "file":
            stem, dot, suffix = value.partition(".")
            found[key] = numbers.setdefault(stem, str(len(numbers))) + dot + suffix
        else:
            found[key] = _renumbered(value, numbers)
    return found


def plan_of(path: Path) -> Plan:
    """The plan of a model, or one that was written as JSON.

    Parameters
    ----------
    path : Path
        Folder of a bundle, or a file.

    Raises
    ------
    UsageError
        When there is no plan.
    """
    try:
        found = (load(path).evidence or {})["plan"] if path.is_dir() else json.loads(path.read_bytes())
        return Plan(str(found["digest"]), dict(found["design"]), tuple(map(str, found["done"])))
    except (BundleError, OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            "the plan to replay must be the folder of a model that was chosen, or its plan as JSON with digest, design"
            " and done"
        ) from None
