"""What a model accepts: other kinds are refused, odd cases are flagged, like ones are not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.lake.store import Lake
from radlake.learn.cases import Cohort, labelled
from radlake.learn.contract import OutsideContract, contract, outside, refuse, unlike


@pytest.fixture(scope="module")
def cohort(cohort_lake: Lake) -> Cohort:
    return labelled(cohort_lake, "ill")


def test_a_contract_is_json_and_says_what_was_seen(cohort: Cohort) -> None:
    given = json.loads(json.dumps(contract(cohort)))
    assert given["modalities"] == ["CT"]
    assert given["features"]["size"]["low"] == cohort.features[:, 1].min()
    assert given["spacing"] == {"spacing_y": [0.7, 0.7], "spacing_x": [0.7, 0.7]}


def test_training_cases_are_inside_but_for_the_rarest(cohort: Cohort) -> None:
    judged = outside(contract(cohort), cohort)
    assert judged.outside.mean() <= 0.02
    assert all(bool(r) == o for r, o in zip(judged.reasons, judged.outside, strict=True))


def test_each_way_to_lie_outside_has_its_reason(cohort: Cohort) -> None:
    given = contract(cohort)
    some = cohort.part(np.arange(120) < 4)
    features = some.features.copy()
    features[0, 1] = 1e4
    features[1] = np.nan
    origin = dict(some.attributes)
    origin["modality"] = np.array(["CT", "CT", "MR", "CT"], dtype=object)
    origin["spacing_y"] = np.array([0.7, 0.7, 0.7, 3.0], dtype=object)
    judged = outside(given, replace(some, features=features, attributes=origin))
    assert judged.reasons == (
        "size is beyond what was seen in training",
        "100% of the features are missing",
        "modality MR, trained on CT",
        "spacing_y of 3 mm, trained on 0.7 to 0.7 mm",
    )


def test_usual_values_in_an_unusual_combination_are_flagged() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    base = Cohort(
        "image", np.arange(300).astype(str), np.arange(300).astype(str), np.full(300, ""), np.full(300, ""),
        np.stack([x, x + 0.05 * rng.normal(size=300)], axis=1), ("a", "b"), {}, np.empty(0), {},
    )  # fmt: skip
    odd = replace(base.part(np.arange(300) < 1), features=np.array([[1.0, -1.0]]))
    assert outside(contract(base), odd).reasons == ("features in a combination that was not seen in training",)


def test_other_kinds_are_refused(cohort: Cohort) -> None:
    given = contract(cohort)
    refuse(given, cohort)
    other = replace(cohort, attributes={**cohort.attributes, "modality": np.full(120, "US", dtype=object)})
    with pytest.raises(OutsideContract, match="trained on CT, and was given US only"):
        refuse(given, other)
    with pytest.raises(OutsideContract, match="one image at a time, and was given masks"):
        refuse(given, replace(cohort, unit="mask"))
    with pytest.raises(UsageError, match="features that the model needs are not there"):
        refuse(given, replace(cohort, names=("other", "size")))


def pictures(n: int, size: tuple[int, ...], *, modality: str | None = None) -> Cohort:
    pixels = np.random.default_rng(0).uniform(0, 100, (n, *size))
    nothing = np.full(n, "")
    origin = {} if modality is None else {"modality": np.full(n, modality, dtype=object)}
    return Cohort(
        "image", np.arange(n).astype(str), nothing, nothing, nothing, pixels, (), {}, np.empty(0), origin
    )  # fmt: skip


def test_pictures_of_another_extent_range_or_modality_are_flagged() -> None:
    given = {"kind": "images", "axes": "yx", "channels": 1, "smallest": [28, 28], "largest": [28, 32], "low": 0.0,
             "high": 100.0, "modalities": ["US"]}  # fmt: skip
    assert not unlike(given, pictures(3, (28, 30), modality="US")).outside.any()
    assert not unlike({**given, "modalities": []}, pictures(3, (28, 30))).outside.any()
    assert unlike(given, pictures(2, (28, 28), modality="CT")).reasons == ("modality CT, trained on US",) * 2
    assert unlike(given, pictures(1, (224, 224))).reasons == ("224 x 224 pixels, trained on 28 x 28 to 28 x 32",)
    assert unlike(given, pictures(1, (28, 28, 3))).reasons == ("",)
    bright = pictures(1, (28, 28))
    bright.features[0, 0, 0] = 900
    assert unlike(given, bright).reasons[0].endswith("to 900, trained on 0 to 100")
