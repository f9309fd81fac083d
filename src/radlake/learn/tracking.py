"""A model's record in MLflow (extra `mlflow`): parameters, scores, the table of the choice, the card; no person.

What is logged is written out here. Neither ids of cases nor held-out answers, hashes of training cases, paths or the
user's name leave the bundle, and MLflow's own telemetry is switched off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from radlake.core.errors import UsageError
from radlake.learn.bundle import Bundle, load
from radlake.learn.card import card

_PARTS = ("evaluation", "test", "test_distinct")
_LONGEST = 500  # characters of a parameter that every MLflow server takes


def _client(uri: str) -> Any:
    """A client of a tracking server or folder, or a message that names the extra."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if "://" not in uri:
        uri = Path(uri).absolute().as_uri()
    if uri.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 asks whether a folder is meant
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise UsageError("logging to MLflow needs an extra: pip install 'radlake[mlflow]'") from error
    try:
        return MlflowClient(tracking_uri=uri)
    except MlflowException as error:
        raise UsageError(
            "MLflow does not know this kind of place: give a folder, or the http(s) address of a tracking server"
        ) from error


def track(folder: Path, uri: str, *, experiment: str = "radlake") -> str:
    """Log a bundle as one finished run, and return the run's id.

    Parameters
    ----------
    folder : Path
        Of a bundle with evidence.
    uri : str
        Folder, or address of a tracking server.
    experiment : str
        Made where it does not exist.

    Raises
    ------
    UsageError
        When MLflow is not installed, the place cannot be reached, or the bundle has no evidence.
    BundleError
        When the folder holds no bundle of ours.
    """
    bundle = load(folder)
    if not bundle.evidence or "table" not in bundle.evidence:
        raise UsageError("the model carries no evidence of its choice: train it with `radlake train`")
    client = _client(uri)
    from mlflow.entities import Metric, Param
    from mlflow.exceptions import MlflowException

    evidence = bundle.evidence
    try:
        known = client.get_experiment_by_name(experiment)
        place = client.create_experiment(experiment) if known is None else known.experiment_id
        run = client.create_run(place, run_name=f"{bundle.name} for {bundle.target}").info.run_id
        client.log_batch(
            run, metrics=[Metric(n, v, 0, 0) for n, v in scores(evidence)],
            params=[Param(n, str(v)[:_LONGEST]) for n, v in parameters(bundle).items()],
        )  # fmt: skip
        client.log_dict(run, {"table": evidence["table"]}, "selection.json")
        client.log_dict(run, {part: evidence[part] for part in _PARTS if part in evidence}, "scores.json")
        client.log_text(run, card(bundle.name, bundle.target, evidence, bundle.contract or {}), "card.md")
        client.set_terminated(run)
    except (MlflowException, OSError) as error:
        raise UsageError(
            f"MLflow did not take the run ({type(error).__name__}); check the address and its state"
        ) from error
    return str(run)


def parameters(bundle: Bundle) -> dict[str, Any]:
    """What was asked for and what was chosen.

    Parameters
    ----------
    bundle : Bundle
        With evidence.
    """
    from importlib.metadata import version

    evidence: Mapping[str, Any] = bundle.evidence or {}
    first, data, plan = evidence["table"][0], evidence["data"], evidence["plan"]
    found = {
        "target": bundle.target, "task": evidence["task"], "family": first["family"], "readability": first["grade"],
        "cases": data["cases"], "patients": data["groups"], "features": data["features"],
        "holds_rows": evidence["holds_rows"], "data_sha256": plan["digest"], "radlake": version("radlake"),
    }  # fmt: skip
    found |= {f"setting.{name}": value for name, value in first["settings"].items()}
    found |= {f"design.{name}": v for name, v in plan["design"].items() if isinstance(v, str | int | float)}
    if point := evidence.get("operating"):
        found["operating"] = point["words"]
    return found


def scores(evidence: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Every score that is defined, with the ends of its interval, by part: names to numbers.

    Parameters
    ----------
    evidence : mapping
        Of a bundle.
    """
    for part in _PARTS:
        for row in evidence.get(part, []):
            for end in ("value", "low", "high"):
                if row[end] is not None:
                    yield f"{part}.{row['metric']}{'' if end == 'value' else '.' + end}", float(row[end])
    if point := evidence.get("operating"):
        yield "operating.threshold", float(point["threshold"])
    first = evidence["table"][0]
    for name in ("fit_seconds", "predict_ms", "megabytes"):
        if first[name] is not None:
            yield f"cost.{name}", float(first[name])
    yield "cost.cpu_seconds", float(evidence["compute"]["cpu_seconds"])
