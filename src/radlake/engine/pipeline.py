"""Declare a study and check it before any file is opened.

A pipeline names steps. `scan`, `series`, `load` and `regions` are always there and never written: they turn files
into images. The rest is sorted by what it works on into chains: over files, series, images, and the whole lake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from radlake.core.errors import UsageError
from radlake.core.schema import TABLES
from radlake.core.stage import Over, Stage
from radlake.engine.chain import Chain, Step
from radlake.engine.parameters import checked
from radlake.engine.registry import UnknownName, stage

_ALWAYS: dict[Over, tuple[str, ...]] = {"files": ("scan",), "series": ("series",), "images": ("load", "regions")}
_ORDER: tuple[Over, ...] = ("files", "series", "images", "lake")


class PipelineError(UsageError):
    """A pipeline that cannot run; the message names the step and what to do."""


@dataclass(frozen=True)
class Pipeline:
    """A named list of steps.

    Parameters
    ----------
    name : str
        Of the study; recorded with every run.
    steps : sequence of Step
        In order; see `step`.

    Examples
    --------
    >>> study = Pipeline("ct", (step("deid"), step("segment.otsu", to="body")))
    >>> Pipeline.from_yaml(study.to_yaml()) == study
    True
    """

    name: str
    steps: tuple[Step, ...]

    def __init__(self, name: str, steps: Sequence[Step]):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "steps", tuple(steps))

    def check(self) -> dict[Over, Chain]:
        """Validate names, parameters and what each step reads; return the chains to run, by unit.

        Raises
        ------
        UnknownName, BadParameter
            For a step or parameter that does not exist or does not fit.
        PipelineError
            When a step reads what no earlier step gives, or comes before a step over smaller things.
        """
        chosen = [(stage(s.stage), s) for s in self.steps]
        self._check_order([s for s, _ in chosen])
        chains: dict[Over, Chain] = {}
        for unit in _ORDER:
            always = [(stage(n), Step(n)) for n in _ALWAYS.get(unit, ())]
            mine = always + [(s, t) for s, t in chosen if s.over == unit]
            steps = tuple(Step(s.name, checked(s, t.parameters)) for s, t in mine)
            chains[unit] = Chain(unit, steps)
        _check_reads([*chains.values()])
        return chains

    def _check_order(self, stages: Sequence[Stage]) -> None:
        """Steps go from files to the whole lake; implied steps are not written; deid is there."""
        for alien in (s for s in stages if s.over not in _ORDER):
            where = {"measures": "radlake features", "cohort": "radlake demo"}[alien.over]
            raise PipelineError(f"step {alien.name!r} is no step of a study; it runs in `{where}`")
        ranks = [_ORDER.index(s.over) for s in stages]
        for first, second in pairwise(stages):
            if _ORDER.index(second.over) < _ORDER.index(first.over):
                raise PipelineError(
                    f"step {second.name!r} works on {second.over} and must stand before {first.name!r}, "
                    f"which works on {first.over}"
                )
        for implied in (n for names in _ALWAYS.values() for n in names):
            if any(s.name == implied for s in stages):
                raise PipelineError(f"step {implied!r} is always there; leave it out")
        if not any(s.name == "deid" for s in stages) or min(ranks) != 0:
            raise PipelineError("the first step must be 'deid': nothing is stored before it has been de-identified")

    def to_yaml(self) -> str:
        """The same study as YAML."""
        steps: list[Any] = [{s.stage: dict(s.parameters)} if s.parameters else s.stage for s in self.steps]
        document = {"name": self.name, "steps": steps}
        text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        if yaml.safe_load(text) == document:
            return text
        # PyYAML leaves line breaks of Unicode such as U+0085 as they are, and reads them as blanks.
        escaped: str = yaml.safe_dump(document, sort_keys=False)
        return escaped

    @classmethod
    def from_yaml(cls, text: str) -> Pipeline:
        """A study from YAML: `name` and `steps`, each a name or a one-key mapping to its parameters.

        Raises
        ------
        PipelineError
            When the text is no such document.
        """
        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise PipelineError(f"not YAML{f', line {mark.line + 1}' if mark else ''}") from None
        if not isinstance(document, dict) or not isinstance(document.get("steps"), list):
            raise PipelineError("a study is a mapping with 'name' and a list 'steps'")
        for key in document:
            if key not in ("name", "steps"):
                raise UnknownName("key", str(key), ["name", "steps"], of=" of a study")
        return cls(str(document.get("name", "study")), [_step_from(entry) for entry in document["steps"]])

    @classmethod
    def from_file(cls, path: str | Path) -> Pipeline:
        """A study from a YAML file.

        Raises
        ------
        PipelineError
            When the file cannot be read or holds no study.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise PipelineError(f"the study {str(path)!r} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise PipelineError(f"the study {str(path)!r} is no text in UTF-8") from None
        return cls.from_yaml(text)


def step(name: str, **parameters: Any) -> Step:
    """A step for a pipeline: the stage's name and its parameters."""
    return Step(name, parameters)


def _step_from(entry: Any) -> Step:
    """One entry of a YAML list."""
    if isinstance(entry, str):
        return Step(entry)
    if isinstance(entry, dict) and len(entry) == 1:
        ((name, parameters),) = entry.items()
        if parameters is None or isinstance(parameters, dict):
            return Step(str(name), dict(parameters or {}))
    raise PipelineError(f"a step is a name or a mapping of one name to its parameters, got {entry!r}")


def _check_reads(chains: Sequence[Chain]) -> None:
    """Every table, image or mask that a step reads is there by then."""
    tables: set[str] = set()
    for chain in chains:
        inside: set[str] = set()
        for current, written in zip(chain.stages, chain.steps, strict=True):
            for need in _named(current.reads, written.parameters):
                there = tables if need in TABLES else inside
                if need not in there:
                    have = ", ".join(sorted(x for x in there if x.split(":")[0] == need.split(":")[0]))
                    raise PipelineError(
                        f"step {current.name!r} reads {need}, which no step before it gives; there is {have or 'none'}"
                    )
            for gain in _named(current.adds, written.parameters):
                (tables if gain in TABLES else inside).add(gain)


def _named(places: Sequence[str], parameters: dict[str, Any]) -> list[str]:
    """Places with the parameters' values filled in; a mask "*" is whatever masks there are, None is none."""
    given = {name: "*" if value is None else value for name, value in parameters.items()}
    filled = [p.format(**given) for p in places]
    return [p for p in filled if not p.endswith(":*")]


DEFAULT = Pipeline(
    "default",
    (
        step("deid"),
        step("quality"),
        step("fingerprint"),
        step("preview"),
        step("segment.otsu"),
        step("features"),
        step("duplicates"),
    ),
)
