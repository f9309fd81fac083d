"""Why a model was chosen, as a paragraph for somebody who is not a programmer.

Every sentence is made for what happened: one model or many, the best one or one that is as good, with a test on
held-out patients or without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from radlake.learn.families import GRADES, Task
from radlake.learn.problem import Fingerprint
from radlake.learn.verdict import NOT_ASKED, SCORES, TOLERANCE, Figures, Line, Prefer

_MEANS: dict[Task, str] = {
    "binary": "the chance that, of one case with yes and one with no, the case with yes gets the higher probability",
    "multiclass": "the chance that a case of a class is ranked above one of another class, averaged over the classes",
    "regression": "the share of the differences between cases that is explained; 0 is no better than their mean",
}
_WITHIN = {1.0: "one standard error", 2.0: "two standard errors"}


def reason(
    lines: Sequence[Line],
    found: Fingerprint,
    task: Task,
    *,
    prefer: Prefer,
    honest: Figures | None,
    picks: Sequence[str],
    waits: bool = False,
) -> str:
    """Why this model, for somebody who is not a programmer.

    Parameters
    ----------
    lines : sequence of Line
        From `radlake.learn.verdict.table`.
    found : Fingerprint
    task : Task
    prefer : {"balanced", "accuracy", "readable"}
    honest : Figures or None
        Of the outer loop; None when there was no time for it.
    picks : sequence of str
        Family that each outer fold chose.
    waits : bool
        True where a test set is waiting, so that no outer loop was asked for.
    """
    tried = [line for line in lines if line.figures is not None]
    titles = {line.family: line.title for line in lines}
    parts = [
        _chosen(lines[0], len(tried), found),
        _comparison(tried, SCORES[task], prefer),
        _honesty(honest, task, waits=waits),
    ]
    if honest is not None and picks and len(tried) > 1:
        parts.append(_picks([titles[name] for name in picks]))
    for name in found.too_good[:3]:
        parts.append(f"Feature {name!r} alone nearly tells the outcome: make sure that it is known before the outcome.")
    return " ".join([*parts, *_left_out(lines)])


def _chosen(chosen: Line, tried: int, found: Fingerprint) -> str:
    """What was chosen among how many, on whom."""
    whom = f"{found.cases:,} cases" + (f" of {found.groups:,} patients" if found.groups != found.cases else "")
    if found.features:
        whom += f" with {found.features} feature{'s' * (found.features > 1)}"
    grade = f"readability {chosen.grade}: {GRADES[chosen.grade]}"  # type: ignore[index] # a line's grade is one of them
    if tried == 1:
        return f"One kind of model was tried, {chosen.title} ({grade}), on {whom}."
    return f"Of {tried} kinds of model that were tried on {whom}, {chosen.title} was chosen ({grade})."


def _comparison(tried: Sequence[Line], score: str, prefer: Prefer) -> str:
    """The chosen model's score in cross-validation, against the best and against those that are easier to read."""
    chosen = tried[0]
    if len(tried) == 1:
        return f"Its {score} in cross-validation was {_plus_minus(chosen)}; there was nothing to compare it with."
    best = max(tried, key=lambda line: (line.repeats, line.mean or 0.0))
    within = _WITHIN.get(TOLERANCE[prefer], "")
    if chosen is not best:
        return (
            f"The highest {score} in cross-validation was that of {best.title}, {_plus_minus(best)};"
            f" {chosen.title} had {chosen.mean:.3f}, which is within {within} of it: too little to tell which of the"
            f" two is better. {_preferred(chosen, best)}"
        )
    ahead = any((line.mean or 0.0) > (chosen.mean or 0.0) for line in tried)
    among = " of the models that were tested most often" if ahead else ""
    easier = [line for line in tried if line.grade < chosen.grade]
    text = f"It had the highest {score} in cross-validation{among}, {_plus_minus(chosen)}"
    if not within or not easier:
        return f"{text}."
    one = len(easier) == 1
    return (
        f"{text}; {'the one' if one else f'the {len(easier)}'} that {'is' if one else 'are'} easier to read"
        f" fell behind by more than {within}."
    )


def _preferred(chosen: Line, best: Line) -> str:
    """What decides between two models that are equally good."""
    if chosen.grade < best.grade:
        return f"{_capital(chosen.title)} was taken because it is easier to read."
    why = chosen.why.split("; ")[0].partition(", and ")[2]  # see `radlake.learn.verdict.table`
    return f"They are equally hard to read; {chosen.title} was taken because {why}."


def _capital(text: str) -> str:
    """The text with a capital first letter; names such as "k nearest neighbours" as well."""
    return text[:1].upper() + text[1:]


def _plus_minus(line: Line) -> str:
    """A mean score with its standard error."""
    return f"{line.mean:.3f} (standard error {line.standard_error:.3f})"


def _honesty(honest: Figures | None, task: Task, *, waits: bool) -> str:
    """The number to quote."""
    if waits:
        return (
            "This score helped to choose and is optimistic: quote that of the test set, which the choice has not seen."
        )
    if honest is None:
        return (
            "There was no time to repeat the whole choice on held-out patients: this score helped to choose and is"
            " optimistic. Give a larger budget for one to quote."
        )
    rest = (
        f"The mean error was {honest.error:.3g}."
        if honest.error is not None
        else f"The likelier answer was right in {100 * (honest.accuracy or 0.0):.1f}% of the cases."
    )
    return (
        "The number to quote is that of the whole procedure, choice included, on patients it had never seen:"
        f" {SCORES[task]} {honest.score:.3f} (95% interval {honest.low:.3f} to {honest.high:.3f}), {_MEANS[task]}."
        f" {rest}"
    )


def _picks(titles: Sequence[str]) -> str:
    """What the repetitions of the choice on held-out patients took."""
    counts = Counter(titles).most_common()
    if len(counts) == 1:
        whole = "The one repetition" if len(titles) == 1 else f"All {len(titles)} repetitions"
        return f"{whole} of the choice took {titles[0]}."
    told = ", ".join(f"{title} ({n})" for title, n in counts)
    return f"The {len(titles)} repetitions of the choice took: {told}."


def _left_out(lines: Sequence[Line]) -> list[str]:
    """Models that were not tried, those with one reason together; what nobody asked for needs no mention."""
    reasons: dict[str, list[str]] = {}
    for line in lines:
        if line.figures is None and line.why != NOT_ASKED:
            reasons.setdefault(line.why, []).append(line.title)
    told = "; ".join(f"{', '.join(titles)} ({why})" for why, titles in reasons.items())
    return [f"Not tried: {told}."] if told else []
