"""A fitted model on disk: a folder with a manifest in JSON and the pipelines in skops format, never pickle.

`save` writes the same bytes for the same model; `load` checks every file against the manifest's hashes before it is
opened, and refuses types that a pipeline of this room does not hold.
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

from radlake.core.errors import RadlakeError
from radlake.learn.validate import Fitted

FORMAT = 1
_MANIFEST = "bundle.json"
# A number type, nodes of trees (arrays) and the F statistics; all else that skops does not know itself is refused.
_TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.tree._tree.Tree",
)
_FILES = {"pipeline.skops", "calibrator.skops", "evidence.json"}
_LARGEST = 1 << 30
_LIBRARIES = ("radlake", "scikit-learn", "numpy", "skops")


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
        Features in the order of the columns.
    fitted : Fitted
        The pipelines.
    evidence : mapping, optional
        Why this model: JSON values.
    """

    name: str
    target: str
    inputs: tuple[str, ...]
    fitted: Fitted
    evidence: Mapping[str, Any] | None = None

    def probability(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of the second class for each row of an (N, D) array whose columns are `inputs`.

        Raises
        ------
        ValueError
            When the number of columns differs.
        """
        if features.ndim != 2 or features.shape[1] != len(self.inputs):
            raise ValueError(f"expected {len(self.inputs)} columns ({', '.join(self.inputs)}), got {features.shape}")
        return self.fitted.probability(features)


def save(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into a folder, which appears complete or not at all; one that is there is replaced.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        Its parent is made where needed.
    """
    files = {"pipeline.skops": _dumps(bundle.fitted.pipeline)}
    if bundle.fitted.calibrator is not None:
        files["calibrator.skops"] = _dumps(bundle.fitted.calibrator)
    if bundle.evidence is not None:
        files["evidence.json"] = json.dumps(bundle.evidence, indent=1, sort_keys=True).encode()
    manifest = {
        "format": FORMAT,
        "name": bundle.name,
        "target": bundle.target,
        "inputs": list(bundle.inputs),
        "settings": dict(bundle.fitted.settings),
        "task": bundle.fitted.task,
        "classes": list(bundle.fitted.classes),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "versions": {name: version(name) for name in _LIBRARIES},
    }
    files[_MANIFEST] = json.dumps(manifest, indent=1, sort_keys=True).encode()
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
        if not {"pipeline.skops"} <= names <= _FILES:
            raise BundleError(f"the bundle lists files that it cannot have: {', '.join(sorted(names))}")
        data = {name: _checked(folder / name, digest) for name, digest in manifest["files"].items()}
        evidence = json.loads(data.pop("evidence.json", b"null"))
        parts = {name: _loads(content) for name, content in data.items()}
        fitted = Fitted(
            manifest["settings"], parts["pipeline.skops"], parts.get("calibrator.skops"), manifest["task"],
            tuple(manifest["classes"]),
        )  # fmt: skip
        return Bundle(manifest["name"], manifest["target"], tuple(manifest["inputs"]), fitted, evidence)
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


def _checked(path: Path, digest: str) -> bytes:
    """Bytes of a file whose hash is as it should be."""
    try:
        if path.stat().st_size > _LARGEST:
            raise BundleError(f"{path.name} is larger than any model of radlake's")
        data = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path.name} is missing from the bundle") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise BundleError(f"{path.name} is not the file that was saved: its hash differs from the manifest's")
    return data


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
