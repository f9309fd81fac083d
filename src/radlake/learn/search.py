"""The search among families: rules that leave some out, and rounds that keep the better.

Round 1 tries the usual settings of every family on one set of folds; round 2 all settings of the better families;
round 3 repeats the better half of the finalists' settings on new folds, again and again. A family is not pursued where
a more readable one would be taken even if chance had been against it. All folds keep patients together. Before each
piece of work the clock is asked, so that a search ends when its share of the budget does; everything else follows from
data and seed: also where folds run side by side (`radlake.learn.crew`), since a round is judged when all of it is in.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from itertools import takewhile

from radlake.learn.calibration import calibrator
from radlake.learn.clock import Clock
from radlake.learn.crew import Crew, Piece
from radlake.learn.families import CURVES, Family, options
from radlake.learn.journal import Journal
from radlake.learn.probe import Cost
from radlake.learn.problem import Bools, Fingerprint, Ints, Problem
from radlake.learn.split import repeated_folds
from radlake.learn.trial import FoldAnswer, HeldOut, Trial, assembled, fit_quietly
from radlake.learn.validate import Fitted

_FINALISTS = 4
_ROOM = 2.0  # times its cost: a dear family may not take the time in which the others are told apart
_KERNEL_CASES = 20_000


@dataclass(eq=False)
class Search:
    """Everything that was tried, and why the rest was not."""

    trials: list[Trial]
    folds: Ints
    left_out: dict[str, str]

    def best(self) -> dict[str, Trial]:
        """The best trial of each family: most folds first, then least loss, then the simpler settings."""
        found: dict[str, Trial] = {}
        for trial in self.trials:
            other = found.get(trial.name)
            if other is None or (trial.folds, -trial.loss) > (other.folds, -other.loss):
                found[trial.name] = trial
        return found


def prune(families: Mapping[str, Family], found: Fingerprint, *, prefer: str) -> dict[str, str]:
    """Families that are not worth a try on such data, each with the reason.

    Parameters
    ----------
    families : mapping
    found : Fingerprint
    prefer : {"balanced", "accuracy", "readable"}
    """
    reasons = {}
    for name, family in families.items():
        if reason := _reason_against(name, family, found, prefer):
            reasons[name] = reason
    return reasons


def _reason_against(name: str, family: Family, found: Fingerprint, prefer: str) -> str | None:
    """Why a family is not tried, or None."""
    n, d, name = found.cases, found.features, name.partition("+")[0]
    rules = (
        (prefer == "readable" and family.grade in "CD", "nobody can read how it decides, and readable was asked for"),
        (not options(family, cases=n * 3 // 5, features=d), f"{d} features and {n} cases leave it nothing to choose"),
        (name == "linear" and n < 10 * d, f"without a penalty it needs ten cases a feature; there are {n} for {d}"),
        (
            name == CURVES and find_spec("interpret") is None,
            "interpret-core is not installed: pip install 'radlake[ebm]'",
        ),
        (name in {"boosting", CURVES} and n < 150, f"its trees need 20 cases a leaf; there are {n} in all"),
        (
            name in {"forest", "extra-trees"} and found.fewest < 15,
            f"{found.fewest} patients in the rarest class are too few for trees",
        ),
        (
            family.holds_rows and n > _KERNEL_CASES,
            f"it compares with all {n} stored cases; above {_KERNEL_CASES} that is slow",
        ),
        (family.holds_rows and d > n, f"with {d} features and {n} cases all cases are equally far apart"),
    )
    return next((reason for applies, reason in rules if applies), None)


class Searcher:
    """One search: holds the data, the folds and what the clock says.

    Parameters
    ----------
    given : Problem
    families : mapping
        To choose among.
    needs : dict
        What one fit of each costs; seconds are improved by what is measured.
    clock : Clock
    crew : Crew
        Runs the folds.
    part : str
        Name of this search in the plan.
    until : float
        Share of the budget when it must have ended.
    folds, repeats, seed : int
    slack : float
        Standard errors that a more readable family may lie behind the best; 0 leaves readability out.
    journal : Journal, optional
        Keeps trials that have been run.
    cases : (M,) bool array, optional
        Which of the crew's cases `given` is; all by default.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a search needs
        self, given: Problem, families: Mapping[str, Family], needs: dict[str, Cost], clock: Clock, crew: Crew,
        part: str, until: float, folds: int, repeats: int, seed: int, slack: float, journal: Journal | None = None,
        cases: Bools | None = None,
    ) -> None:  # fmt: skip
        self.journal, self.crew, self.cases = journal, crew, cases
        self.given, self.families, self.needs, self.clock = given, families, needs, clock
        self.part, self.until, self.seed, self.slack = part, until, seed, slack
        self.folds = repeated_folds(given.strata, given.groups, folds=folds, seeds=range(seed, seed + repeats))
        self.count = folds

    def run(self) -> Search:
        """All rounds."""
        order = sorted(self.families)
        if self.clock.replay is None:
            order.sort(key=lambda name: self.needs[name].seconds)
        trials = {name: self._trials(name) for name in order}
        left_out: dict[str, str] = {}
        self._run(self._usual(order, trials, left_out), 0)
        better = (trial for name in self._better(order, trials) for trial in trials[name] if not trial.runs)
        self._run((trial for trial in better if self._allowed(trial, 0)), 0)
        found = Search([t for name in self.families for t in trials[name] if t.runs], self.folds, left_out)
        for repeat in range(1, len(self.folds)):
            chosen = self._finalists(found, repeat)
            # The leader comes first: nobody is measured longer than it is.
            self._run(takewhile(partial(self._allowed, repeat=repeat), chosen), repeat)
            if any(len(trial.runs) == repeat for trial in chosen):
                return found
        return found

    def _usual(
        self, order: Sequence[str], trials: Mapping[str, list[Trial]], left_out: dict[str, str]
    ) -> Iterator[Trial]:  # fmt: skip
        """The usual settings of every family that there is time for, and why not of the others."""
        for place, name in enumerate(order):
            usual = trials[name][min(self.families[name].usual, len(trials[name]) - 1)]
            room = _ROOM if len(left_out) < place else 1.0  # something has been tried
            if self._allowed(usual, 0, room=room):
                yield usual
                continue
            most = "the budget left" if room == 1.0 else "half of the time left"
            left_out[name] = f"one round of it takes about {self._cost(usual):.0f} s, more than {most}"

    def _trials(self, name: str) -> list[Trial]:
        """One trial for each of a family's settings."""
        n, d = self.given.features.shape
        seen = n * (self.count - 1) // self.count
        family = self.families[name]
        return [Trial(name, family, s, i) for i, s in enumerate(options(family, cases=seen, features=d))]

    def _cost(self, trial: Trial) -> float:
        """Expected seconds of one repeat, by as many hands as there are."""
        return self.needs[trial.name].seconds * -(-self.count // self.crew.hands)

    def _work(self, trial: Trial, repeat: int) -> str:
        """Name of a trial's repeat, the same in every run."""
        return f"{self.part}/{repeat}/{trial.name}/{trial.place}"

    def _allowed(self, trial: Trial, repeat: int, *, room: float = 1.0) -> bool:
        """Whether the clock allows a repeat; `room` is how many times its cost must be left."""
        needs = room * self._cost(trial)
        return self.clock.allows(self._work(trial, repeat), needs=needs, until=self.until)

    def _run(self, trials: Iterable[Trial], repeat: int) -> None:
        """Run a repeat of trials, which are asked for one by one as somebody is free for them."""
        told: dict[str, tuple[Trial, dict[int, FoldAnswer]]] = {}

        def pieces() -> Iterator[Piece]:
            for trial in trials:
                work = self._work(trial, repeat)
                if (found := None if self.journal is None else self.journal.find(work)) is not None:
                    trial.runs.append(HeldOut.of(*found))
                    continue
                told[work] = trial, {}
                yield from self._pieces(trial, repeat)

        for piece, answer in self.crew.run(pieces()):
            trial, answers = told[piece.work]
            answers[piece.fold] = answer
            if len(answers) == self.count:
                self._keep(trial, repeat, [answers[k] for k in range(self.count)])

    def _pieces(self, trial: Trial, repeat: int) -> Iterator[Piece]:
        """The folds of a repeat; the model of the last one is weighed."""
        for k in range(self.count):
            yield Piece(
                self._work(trial, repeat), trial.name, trial.settings, self.cases, k, self.folds[repeat] == k,
                self.seed, k == self.count - 1, self.needs[trial.name].bytes,
            )  # fmt: skip

    def _keep(self, trial: Trial, repeat: int, answers: Sequence[FoldAnswer]) -> None:
        """Score a repeat whose folds are in, and write it down."""
        started = time.perf_counter()
        run = assembled(trial.family, self.given, self.folds[repeat], answers)
        trial.runs.append(run)
        took = sum(answer.seconds for answer in answers) + time.perf_counter() - started
        self.needs[trial.name] = replace(self.needs[trial.name], seconds=took / self.count)
        if self.journal is not None:
            self.journal.keep(self._work(trial, repeat), *run.parts())
            self.journal.note(self.clock.done, self.clock.elapsed)

    def _better(self, order: list[str], trials: Mapping[str, list[Trial]]) -> list[str]:
        """The better half of the families and all that are nearly as good as the best, unless there is no need."""
        tried = {name: max((t for t in trials[name] if t.runs), key=lambda t: t.mean, default=None) for name in order}
        known = sorted((t for t in tried.values() if t), key=lambda t: (-t.mean, t.name))
        half = {t.name for i, t in enumerate(known) if 2 * i < len(known)}
        kept = {t.name for t in known if (t.name in half or self._near(t, known[0])) and self._needed(t, known)}
        return [name for name in order if name in kept]

    def _finalists(self, found: Search, repeat: int) -> list[Trial]:
        """The better half of the settings, of those that have been through all repeats, of the best families.

        Families too far behind have no chance. Of the others the leader comes first, then what the rule of choice would
        take first.
        """
        best = sorted(found.best().values(), key=lambda t: (-t.mean, t.name))
        good = [t for t in best if self._near(t, best[0]) and self._needed(t, best)]
        if self.slack:
            good[1:] = sorted(good[1:], key=lambda t: (t.family.grade, -t.mean, t.name))
        chosen = []
        for leader in good[:_FINALISTS]:
            rivals = [t for t in found.trials if t.name == leader.name and len(t.runs) == repeat]
            chosen += sorted(rivals, key=lambda t: (t.loss, t.place))[: max(2, (len(rivals) + 1) // 2)]
        return chosen

    def _near(self, trial: Trial, best: Trial) -> bool:
        """Whether a trial is within the tolerance of the best one, at least one standard error."""
        reach = max(1.0, self.slack) * best.standard_error(self.count)
        return best.mean_of(len(trial.runs)) - trial.mean <= reach

    def _needed(self, trial: Trial, others: list[Trial]) -> bool:
        """Whether a trial could turn out so much better than every more readable one that it would be taken."""
        easier = [t for t in others if t.family.grade < trial.family.grade]
        if not self.slack or not easier:
            return True
        rival = max(easier, key=lambda t: (t.mean, t.name))
        repeats = min(len(trial.runs), len(rival.runs))
        hoped = trial.mean_of(repeats) - rival.mean_of(repeats) + trial.standard_error_against(rival, self.count)
        return hoped > self.slack * trial.standard_error(self.count)


def final(trial: Trial, given: Problem, *, seed: int) -> Fitted:
    """The trial's model fitted on all cases, with its curve."""
    model = trial.family.make(trial.settings, given.task, seed)
    fit_quietly(model, given.inputs, given.y)
    return Fitted(
        trial.settings, model, calibrator(trial.family, given, trial.runs[0].decision), given.task, given.classes
    )  # fmt: skip
