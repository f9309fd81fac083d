"""Checks of step parameters against the annotations of the stage's function, which are the only schema."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from radlake.core.errors import UsageError
from radlake.core.stage import Stage
from radlake.engine.registry import UnknownName


class BadParameter(UsageError):  # noqa: N818 - names the problem
    """A value that a step does not take; the message names step, parameter, what is allowed and what came."""


def checked(stage: Stage, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a step: what was given, checked, and the defaults of the rest.

    Parameters
    ----------
    stage : Stage
    given : mapping
        From Python or YAML.

    Raises
    ------
    UnknownName
        For a parameter that the stage lacks.
    BadParameter
        For a missing or unfitting value.
    """
    known = stage.parameters
    for name in given:
        if name not in known:
            raise UnknownName("parameter", name, list(known), of=f" of step {stage.name!r}")
    return {name: _value(stage, name, parameter, given) for name, parameter in known.items()}


def _value(stage: Stage, name: str, parameter: inspect.Parameter, given: Mapping[str, Any]) -> Any:
    """The given value, converted, or the default."""
    if name not in given:
        if parameter.default is inspect.Parameter.empty:
            raise BadParameter(f"step {stage.name!r} needs parameter {name!r} ({describe(parameter.annotation)})")
        return _plain(parameter.default)
    try:
        return converted(given[name], parameter.annotation)
    except TypeError:
        expected = describe(parameter.annotation)
        raise BadParameter(f"step {stage.name!r}: {name} must be {expected}, got {given[name]!r}") from None


def converted(value: Any, annotation: Any) -> Any:
    """The value as the annotation wants it, in types that JSON and YAML know.

    Raises
    ------
    TypeError
        When it does not fit.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _first_fitting(value, arguments)
    if origin is Literal:
        if value in arguments:
            return value
    elif origin in (tuple, list, Sequence):
        if isinstance(value, list | tuple):
            return [converted(v, arguments[0]) for v in value]
    elif annotation is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif annotation in (None, type(None)):
        if value is None:
            return None
    elif (
        isinstance(annotation, type)
        and isinstance(value, annotation)
        and not (annotation is int and isinstance(value, bool))
    ):
        return value
    raise TypeError


def _first_fitting(value: Any, annotations: Sequence[Any]) -> Any:
    """The value by the first annotation of a union that takes it."""
    for annotation in annotations:
        try:
            return converted(value, annotation)
        except TypeError:
            continue
    raise TypeError


def check_pattern(pattern: str | None) -> None:
    """Accept a pattern that names the patient in a path: a regular expression with a group.

    Raises
    ------
    BadParameter
        When it is none.
    """
    try:
        groups = re.compile(pattern).groups if pattern is not None else 1
    except re.error as error:
        raise BadParameter(f"--patient-regex is no regular expression: {error}") from None
    if not groups:
        raise BadParameter("--patient-regex needs a group around the patient, for example '/(P[0-9]+)/'")


def describe(annotation: Any) -> str:
    """An annotation in words for messages and help."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(a) for a in arguments)
    if origin is Literal:
        return "one of " + ", ".join(repr(a) for a in arguments)
    if origin in (tuple, list, Sequence):
        one = describe(arguments[0]).removeprefix("a ")
        return f"a list of {one.replace('list', 'lists', 1) if one.startswith('list') else one + 's'}"
    if annotation in (None, type(None)):
        return "nothing"
    return {"float": "a number", "int": "a whole number", "str": "a text", "bool": "true or false"}.get(
        getattr(annotation, "__name__", ""), str(annotation)
    )


def _plain(value: Any) -> Any:
    """A default in types that JSON and YAML know."""
    return list(value) if isinstance(value, tuple) else value
