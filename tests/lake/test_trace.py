from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from radlake.lake.errors import PrivatePartError, UnknownIdError
from radlake.lake.store import Lake
from radlake.lake.trace import Trace, Work, trace

Put = Callable[..., None]
SCAN = [{"stage": "scan", "version": 1}, {"stage": "deid", "version": 2, "profile": "research"}]
OTSU = [{"stage": "segment.otsu", "version": 1, "image": "original"}]


@pytest.fixture
def filled(lake: Lake, put: Put) -> Lake:
    """Patient pt-a with the series se-a (fi-1, fi-2), its image, a mask from the file fi-3 and a prediction on it."""
    place = {"series_id": "se-a", "study_id": "st-a", "patient_id": "pt-a"}
    members = [("fi-1", "se-a"), ("fi-2", "se-a"), ("fi-3", "se-seg"), ("fi-9", "se-z")]
    units = [
        ("fi-1", "file"),
        ("fi-2", "file"),
        ("fi-3", "file"),
        ("fi-9", "file"),
        ("se-a", "series"),
        ("im-a", "image"),
    ]
    put(
        {
            "files": [{"file_id": f} for f, _ in members],
            "instances": [
                {"owner": f, "file_id": f, **place, "series_id": s, "patient_id": "pt-z" if s == "se-z" else "pt-a"}
                for f, s in members
            ],
            "file_images": [{"owner": "se-a", "file_id": f, "image_id": "im-a"} for f in ("fi-1", "fi-2")],
            "images": [{"owner": "se-a", "image_id": "im-a", **place}],
            "masks": [{"owner": "im-a", "mask_id": "mk-a", "image_id": "im-a", "file_id": "fi-3"}],
            "predictions": [
                {"owner": "mo-a", "prediction_id": "pr-a", "model_id": "mo-a", "unit_id": "mk-a", "fold": 3},
                {"owner": "mo-a", "prediction_id": "pr-b", "model_id": "mo-a", "unit_id": "nodule 7", "fold": 1},
            ],
            "models": [{"owner": "mo-a", "model_id": "mo-a", "name": "logistic", "settings": "{}"}],
            "work": [
                {"owner": o, "unit": u, "chain_key": f"chain-{u}", "run_id": "r2" if o == "fi-2" else "r1"}
                for o, u in units
            ],
            "chains": [
                {"chain_key": "chain-file", "unit": "file", "steps": json.dumps(SCAN)},
                {"chain_key": "chain-image", "unit": "image", "steps": json.dumps(OTSU)},
            ],
            "runs": [
                {"run_id": "r2", "started": "2026-02-01", "versions": '{"numpy": "2.4"}'},
                {"run_id": "r1", "started": "2026-01-01"},
                {"run_id": "r0", "started": "2025-01-01"},
            ],
            "sources": [{"owner": f, "file_id": f, "uri": f"/scans/{f}.dcm"} for f, _ in members],
        }
    )
    return lake


def test_an_image_leads_to_its_files_steps_and_runs(filled: Lake) -> None:
    found = trace(filled, "im-a")
    assert found.kind == "image"
    assert found.files == ("fi-1", "fi-2")
    assert found.work == (
        Work("file", 2, "chain-file", SCAN, ("r1", "r2")),
        Work("series", 1, "chain-series", [], ("r1",)),
        Work("image", 1, "chain-image", OTSU, ("r1",)),
    )
    assert [r.run_id for r in found.runs] == ["r1", "r2"]
    assert found.runs[1].versions == {"numpy": "2.4"}
    assert (found.model, found.paths) == (None, ())


@pytest.mark.parametrize(
    ("wanted", "files"),
    [
        ("fi-1", ("fi-1",)),
        ("se-a", ("fi-1", "fi-2")),
        ("st-a", ("fi-1", "fi-2", "fi-3", "fi-9")),
        ("pt-a", ("fi-1", "fi-2", "fi-3")),
        ("mk-a", ("fi-1", "fi-2", "fi-3")),
        ("pr-a", ("fi-1", "fi-2", "fi-3")),
        ("pr-b", ()),
    ],
)
def test_every_kind_of_id_leads_to_its_files(filled: Lake, wanted: str, files: tuple[str, ...]) -> None:
    assert trace(filled, wanted).files == files


def test_a_prediction_names_its_model_and_fold(filled: Lake) -> None:
    found = trace(filled, "pr-a")
    assert found.model is not None
    assert {k: found.model[k] for k in ("name", "fold", "unit_id", "settings")} == {
        "name": "logistic",
        "fold": 3,
        "unit_id": "mk-a",
        "settings": "{}",
    }
    assert [w.unit for w in found.work] == ["file", "series", "image"]


def test_paths_are_for_the_owner(filled: Lake) -> None:
    assert trace(filled, "se-a", with_paths=True).paths == ("/scans/fi-1.dcm", "/scans/fi-2.dcm")
    filled.private.rename(filled.root.parent / "taken away")
    assert isinstance(trace(Lake.open(filled.root), "se-a"), Trace)
    with pytest.raises(PrivatePartError):
        trace(Lake.open(filled.root), "se-a", with_paths=True)


@pytest.mark.parametrize("wanted", ["", "im-none", "pr-none", "xx-a", "im-a' OR true --", "Müller"])
def test_an_unknown_id_is_a_named_error(filled: Lake, wanted: str) -> None:
    with pytest.raises(UnknownIdError):
        trace(filled, wanted)
