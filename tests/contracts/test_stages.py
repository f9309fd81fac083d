"""Every registered stage: what its signature promises, and that it adds what it says it adds."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import pickle
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from radlake.core.schema import TABLES, to_table
from radlake.core.stage import Item, Rows, Stage
from radlake.engine import registry
from radlake.engine.parameters import checked, converted, describe
from radlake.engine.pipeline import Pipeline, step
from radlake.engine.registry import stages
from radlake.lake.store import Lake
from tests import archive
from tests.engine.conftest import Place

# Stages that learn need a labelled cohort; the demo's tests and those of the room learn run them.
LEARNING = {"learn.study", "train", "predict", "evaluate", "groups", "nodules.measure", "nodules.study"}
# Steps of commands on a lake that is there, or with a model or scale, which their own tests run.
LATER = {"predict.images", "regions.stored", "nyul.apply"}
EDGES = ("gradient_magnitude", "sobel", "prewitt", "scharr", "laplacian", "laplacian_of_gaussian", "canny")
DENOISING = ("unsharp", "bilateral", "non_local_means", "anisotropic_diffusion")
RESPONSES = ("laplacian_of_gaussian", "laws", "gabor", "wavelet", "simoncelli", "riesz")
GREY = ("dilate", "erode", "opening", "closing", "gradient", "top_hat", "black_hat")


def study(reference: str) -> Pipeline:
    """Every step that needs no labels."""
    steps = [
        step("deid"),
        step("quality"),
        step("fingerprint"),
        step("deid.pixels"),
        step("deid.deface"),
        step("preview"),
        *(step(f"filter.{name}") for name in ("gaussian", "mean", "median")),
        *(step(f"filter.{name}", to=name) for name in DENOISING),
        *(step(f"filter.{name}", to=f"{name}_response") for name in RESPONSES),
        *(step(f"morphology.{name}") for name in GREY),
        *(step(f"edges.{name}") for name in EDGES),
        step("edges.gradient", axis=0),
        *(step(f"enhance.{name}") for name in ("window", "equalize", "clahe", "n4")),
        step("enhance.nyul", percentiles=[1, 50, 99], scale=[0, 50, 100]),
        step("enhance.match_histogram", reference=reference),
        step("resample.to_spacing"),
        step("resample.to_grid", reference=reference, to="laid"),
        step("resample.register", reference=reference, levels=[4]),
        step("resample.reorient"),
        step("resample.crop", start=[0, 2, 2], stop=[3, 20, 20]),
        step("resample.pad", before=[0, 2], after=[0, 2]),
        step("segment.li", to="li"),
        step("segment.triangle", to="triangle"),
        step("segment.multi_otsu", to="multi_otsu"),
        step("segment.k_means", to="k_means"),
        step("segment.gaussian_mixture", to="mixture"),
        step("segment.watershed", image="sobel", markers="multi_otsu"),
        step("segment.random_walker", markers="multi_otsu"),
        step("segment.chan_vese", initial="li", iterations=3),
        step("segment.geodesic", initial="li", iterations=3, to="geodesic"),
        step("segment.grow", seeds_mm=[[0.0, 0.0, 9.0]], low=-100, high=3000),
        step("segment.foreground", to="object"),
        step("segment.body"),
        step("nyul.landmarks", mask="object", kind="ct"),
        step("segment.lungs"),
        step("segment.otsu", image="smooth"),
        step("enhance.z_score"),
        step("resample.crop_to", to="near"),
        *(step(f"morphology.{name}") for name in ("fill_holes", "remove_small", "skeleton", "distance_map")),
        *(step(f"mask.{name}") for name in (*GREY[:4], "components", "largest_component")),
        step("mask.agreement", reference="li"),
        step("mask.majority", mask="li", to="majority"),
        step("mask.staple", mask="k_means", to="staple"),
        step("features"),
        step("features", mask="*"),
        step("features.pyradiomics", parameters='{"featureClass": {"firstorder": null}}'),
        step("features.perturbed", families=["intensity"], turn_degrees=0.0),
        step("features.pyradiomics_perturbed", parameters='{"featureClass": {"firstorder": null}}', shift_mm=0.0),
        step("stability"),
        step("duplicates"),
        step("nyul.scale"),
    ]
    return Pipeline("everything", steps)


STUDY = study("the file of another image")
ALL = sorted(stages().values(), key=lambda s: s.name)
named = pytest.mark.parametrize("stage", ALL, ids=lambda s: s.name)


@named
def test_a_stage_takes_its_item_first_and_everything_else_by_keyword(stage: Stage) -> None:
    first, *rest = inspect.signature(stage.function, eval_str=True).parameters.values()
    assert first.name == ("lake" if stage.shape == "whole" else "item")
    if stage.shape != "whole":
        assert first.annotation is Item
    for parameter in rest:
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.annotation is not inspect.Parameter.empty
        assert "typing." not in describe(parameter.annotation), "help can say what is allowed"


def fitting(annotation: Any) -> Any:
    """Some value that a parameter takes."""
    for value in ("x", 1, [1]):
        with contextlib.suppress(TypeError):
            return converted(value, annotation)
    raise AssertionError(describe(annotation))


@named
def test_defaults_fit_their_annotations_and_json(stage: Stage) -> None:
    needed = {n: fitting(p.annotation) for n, p in stage.parameters.items() if p.default is inspect.Parameter.empty}
    defaults = checked(stage, needed)
    assert checked(stage, json.loads(json.dumps(defaults))) == defaults


@named
def test_a_stage_says_what_it_does_and_which_version_it_is(stage: Stage) -> None:
    assert stage.name == stage.name.lower()
    assert stage.version >= 1
    text = inspect.getdoc(stage.function) or ""
    assert len(text.splitlines()[0]) > 20
    for name in stage.parameters:
        told = rf"^\W*(\w+, )*{name}\b.* : |`{name}`"
        assert re.search(told, text, re.MULTILINE), f"the docstring does not explain {name}"


@named
def test_a_stage_names_places_that_exist(stage: Stage) -> None:
    defaults = dict.fromkeys(stage.parameters, "x")
    for place in (*stage.reads, *stage.adds):
        filled = place.format(**defaults)
        assert filled in TABLES or filled == "headers" or filled.split(":")[0] in ("image", "mask"), place


@named
def test_a_stage_can_travel_to_a_worker(stage: Stage) -> None:
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert stages()[stage.name] is stage


@dataclass
class Seen:
    """What the stages of a run left, by stage."""

    rows: dict[str, Rows] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    images: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    masks: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def watched(stage: Stage, seen: Seen) -> Stage:
    """The stage, with a note of all that it adds."""

    @functools.wraps(stage.function)
    def each(item: Item, **parameters: Any) -> Rows:
        images, masks = set(item.images), set(item.regions)
        rows: Rows = stage.function(item, **parameters)
        seen.rows[stage.name] += rows
        seen.tables[stage.name] |= {table for table, _ in rows}
        seen.images[stage.name] |= set(item.images) - images
        seen.masks[stage.name] |= set(item.regions) - masks
        return rows

    @functools.wraps(stage.function)
    def whole(lake: Lake, **parameters: Any) -> None:
        before = {t: lake.snapshot()[t].version for t in TABLES}
        stage.function(lake, **parameters)
        seen.tables[stage.name] |= {t for t in TABLES if lake.snapshot()[t].version != before[t]}

    return replace(stage, function=whole if stage.shape == "whole" else each)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What each stage added when the generated archive went through all of them."""
    found, place = Seen(), Place(tmp_path_factory.mktemp("stages"))
    archive.build(place.source)
    wrapped = {name: watched(stage, found) for name, stage in stages().items()}
    with pytest.MonkeyPatch.context() as patch:
        rooms = registry._of_room
        patch.setattr(registry, "_of_room", lambda table: {name: wrapped[name] for name in rooms(table)})
        place.run(study=study(str(place.source / "ct one")))
    return found


def declared(stage: Stage) -> set[str]:
    """Places that a stage says it adds, for every way in which the study uses it."""
    used = [s.parameters for s in STUDY.steps if s.stage == stage.name] or [{}]
    return {place.format(**checked(stage, parameters)) for parameters in used for place in stage.adds}


@pytest.mark.parametrize("name", sorted(set(stages()) - LEARNING - LATER))
def test_a_stage_adds_what_it_declares_and_nothing_else(seen: Seen, name: str) -> None:
    adds = declared(stages()[name])
    really = seen.tables[name] | {f"image:{n}" for n in seen.images[name]} | {f"mask:{n}" for n in seen.masks[name]}
    assert really <= adds
    assert really or adds == {"headers"}, "the archive gives every stage something to add"
    assert {a for a in adds if a.startswith("image:")} <= really


@pytest.mark.parametrize(
    "name", sorted(n for n, s in stages().items() if n not in LEARNING | LATER and s.shape != "whole")
)
def test_rows_fit_their_tables_and_name_their_owner(seen: Seen, name: str) -> None:
    for table, row in seen.rows[name]:
        to_table(table, [row])
        assert row.get("owner"), f"{table} has rows of nobody"


def test_the_study_of_this_test_uses_every_stage_that_needs_no_labels(seen: Seen) -> None:
    assert set(stages()) >= LEARNING | LATER
    always = {"scan", "series", "load", "regions"}
    assert {s.stage for s in STUDY.steps} | always | LEARNING | LATER == set(stages())


def test_outside_packages_cannot_replace_a_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Entry:
        """An entry point of another package."""

        def load(self) -> dict[str, Stage]:
            return {n: replace(stages()["deid"], name=n) for n in ("deid", "other.stage")}

    real = stages()
    monkeypatch.setattr(registry, "entry_points", lambda group: [Entry()])
    found = stages.__wrapped__()
    assert found["deid"] is real["deid"]
    assert found["other.stage"].name == "other.stage"
