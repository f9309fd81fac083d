"""Studies: what passes, what is refused before a file is opened, and YAML there and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.errors import UsageError
from radlake.core.stage import Stage
from radlake.engine.api import run
from radlake.engine.chain import Step
from radlake.engine.local import Local
from radlake.engine.parameters import BadParameter, checked
from radlake.engine.pipeline import DEFAULT, Pipeline, PipelineError, step
from radlake.engine.registry import UnknownName, stages

LUNG = Pipeline(
    "ct-lung-v1",
    [
        step("deid", profile="research"),
        step("quality"),
        step("filter.gaussian", sigma_mm=1.0, to="smooth"),
        step("segment.otsu", image="smooth", to="foreground"),
        step("features", image="original", mask="foreground"),
    ],
)


def test_a_study_becomes_a_chain_for_each_kind_of_item() -> None:
    chains = LUNG.check()
    assert [s.name for s in chains["files"].stages] == ["scan", "deid"]
    assert [s.name for s in chains["series"].stages] == ["series"]
    assert [s.name for s in chains["images"].stages] == [
        "load", "regions", "quality", "filter.gaussian", "segment.otsu", "features",
    ]  # fmt: skip
    assert chains["lake"].stages == []


def test_the_default_study_passes() -> None:
    assert [s.name for s in DEFAULT.check()["lake"].stages] == ["duplicates"]


def test_defaults_written_out_give_the_same_chain() -> None:
    plain = Pipeline("a", [step("deid"), step("filter.gaussian")])
    full = Pipeline("b", [step("deid", profile="research"), step("filter.gaussian", sigma_mm=1, image="original")])
    assert plain.check()["images"].key == full.check()["images"].key


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    int: st.integers(-(10**9), 10**9),
    str: st.text(max_size=12),
    None: st.none(),
    type(None): st.none(),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Values that an annotation of a stage's parameter allows, in types of YAML."""
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    allowed = get_args(annotation)
    if get_origin(annotation) is Literal:
        return st.sampled_from(allowed)
    if get_origin(annotation) in (tuple, list, Sequence):
        return st.lists(values(allowed[0]), max_size=3)
    return st.one_of([values(a) for a in allowed])


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Any registered stage with some of its parameters given."""
    stage: Stage = draw(st.sampled_from(sorted(stages().values(), key=lambda s: s.name)))
    names = [n for n in stage.parameters if draw(st.booleans())]
    return Step(stage.name, {n: draw(values(stage.parameters[n].annotation)) for n in names})


@settings(max_examples=150)
@given(st.builds(Pipeline, st.text(), st.lists(steps(), max_size=6)))
def test_yaml_leads_back_to_the_same_study(study: Pipeline) -> None:
    assert Pipeline.from_yaml(study.to_yaml()) == study


@settings(max_examples=100)
@given(steps())
def test_what_an_annotation_allows_is_accepted_and_stays_equal_when_checked_again(one: Step) -> None:
    stage = stages()[one.stage]
    needed = {n for n, p in stage.parameters.items() if p.default is p.empty} - one.parameters.keys()
    if needed:
        with pytest.raises(BadParameter, match="needs parameter"):
            checked(stage, one.parameters)
        return
    once = checked(stage, one.parameters)
    assert set(once) == set(stage.parameters)
    assert checked(stage, once) == once


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ([step("deid"), step("segment.ots")], "unknown step 'segment.ots'; did you mean 'segment.otsu'"),
        ([step("deid"), step("zzz")], "known: deid, deid.deface, deid.pixels, duplicates"),
        (
            [step("deid"), step("preview", longst=3)],
            "unknown parameter 'longst' of step 'preview'; did you mean 'longest'",
        ),
        ([step("deid"), step("preview", longest="3")], "step 'preview': longest must be a whole number, got '3'"),
        ([step("deid"), step("learn.study")], "step 'learn.study' needs parameter 'target' .a text"),
        ([step("deid"), step("features")], "reads mask:foreground, which no step before it gives"),
        ([step("deid"), step("segment.otsu", image="smooth")], "reads image:smooth, .* there is image:original"),
        ([step("deid"), step("segment.otsu", image="smooth"), step("filter.gaussian")], "reads image:smooth"),
        ([step("deid"), step("duplicates")], "reads fingerprints, .* there is"),
        ([step("deid"), step("duplicates"), step("quality")], "'quality' works on images and must stand before"),
        ([step("quality")], "the first step must be 'deid'"),
        ([], "the first step must be 'deid'"),
        ([step("deid"), step("load")], "'load' is always there"),
        ([step("deid"), step("nodules.measure")], "radlake demo"),
    ],
)
def test_a_study_that_cannot_run_is_refused_with_advice(written: list[Step], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Pipeline("x", written).check()


def test_masks_that_files_may_bring_can_be_asked_for() -> None:
    for mask in ("*", "seg", "rtstruct", "label"):
        Pipeline("x", [step("deid"), step("features", mask=mask)]).check()


def test_nothing_is_opened_or_made_for_a_study_that_cannot_run(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UnknownName):
        run(Pipeline("x", [step("deid"), step("zzz")]), tmp_path / "in", tmp_path / "out", engine=Local(0))
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not YAML, line 2"),
        ("", "a study is a mapping"),
        ("steps: deid", "a list 'steps'"),
        ("steps: []\nstep: []", "unknown key 'step' of a study; did you mean 'steps'"),
        ("steps: [{a: 1, b: 2}]", "a step is a name or a mapping of one name"),
        ("steps: [{deid: 3}]", "a step is a name or a mapping of one name"),
        ("steps: [3]", "a step is a name or a mapping of one name"),
        ("steps: [!!python/object/apply:os.getcwd []]", "not YAML, line 1"),
    ],
)
def test_what_is_no_study_in_yaml_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Pipeline.from_yaml(text + "\n")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="No such file"):
        Pipeline.from_file(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9t\xe9\n")
    with pytest.raises(PipelineError, match="UTF-8"):
        Pipeline.from_file(tmp_path / "latin.yaml")


def test_a_name_in_any_script_stays_readable() -> None:
    assert "肺 CT" in Pipeline("肺 CT", [step("deid")]).to_yaml()


def test_a_study_without_a_name_has_one() -> None:
    assert Pipeline.from_yaml("steps:\n- deid\n- filter.gaussian:\n    sigma_mm: 2\n") == Pipeline(
        "study", [step("deid"), step("filter.gaussian", sigma_mm=2)]
    )
