"""The search among models of images, cheap ones first: looks that cost what is there, then more for the better half.

First every family gets a look within an equal share of the time that is left: its usual settings on as many folds as
run at once, two at least; a network is given fewer epochs where its share is small. So a busy or slow machine sees less
of each family, and drops none. Then the better ones go through their other folds and settings, and
those that chance may have parted through folds drawn anew (successive halving: Jamieson and Talwalkar 2016). Families
are compared on the folds that both have been through.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from radlake.learn.clock import Clock
from radlake.learn.deep.cases import ImageCases
from radlake.learn.deep.families import ImageFamily
from radlake.learn.deep.folds import Ending, FoldRun, OutOfTimeError, assembled, fold_runs, side_by_side
from radlake.learn.deep.progress import Progress
from radlake.learn.journal import Journal
from radlake.learn.search import Search
from radlake.learn.split import repeated_folds
from radlake.learn.trial import Trial, leading

_OVER = 1.05  # of its time: a training that is not over then is given up, or cut short if there is no other model


@dataclass(eq=False)
class Rounds:
    """One search: the cases, the folds and what the clock says.

    Parameters
    ----------
    cases : ImageCases
    families : dict
        Networks with all settings to choose from; afterwards with the one that was taken.
    needs : mapping
        Seconds for one fit of each family, of networks for one epoch; improved by what is measured.
    clock : Clock
    part : str
        Name of this search in the plan.
    until : float
        Share of the budget when it must have ended.
    folds, repeats, seed : int
    journal : Journal, optional
        Keeps folds that have been run.
    """

    cases: ImageCases
    families: dict[str, ImageFamily]
    needs: dict[str, float]
    clock: Clock
    part: str
    until: float
    folds: int
    repeats: int
    seed: int
    journal: Journal | None = None

    def run(self) -> tuple[Search, dict[int, list[Any]]]:
        """All rounds: what was tried, and the networks of each trial's folds by the trial's identity."""
        outcome = self.cases.outcome
        seeds = range(self.seed, self.seed + self.repeats)
        self.drawn = repeated_folds(outcome.strata, outcome.groups, folds=self.folds, seeds=seeds)
        self.parts: dict[tuple[int, int], dict[int, FoldRun]] = {}
        trials, left_out = self._first_looks()
        tried = [t for some in trials.values() for t in some if t.runs]
        if tried:
            best = leading(tried)
            tried.sort(key=lambda t: (-t.lead_over(best), t.name))
            for place, trial in enumerate(tried):
                if 2 * place < len(tried) or self._near(trial, best):
                    for more in (trial, *trials[trial.name]):
                        self._try(more, 0, self.until)
        found = Search([t for n in self.families for t in trials.get(n, []) if t.runs], self.drawn, left_out)
        self._repeat(found)
        return found, {id(t): self._networks(t) for t in found.trials}

    def _first_looks(self) -> tuple[dict[str, list[Trial]], dict[str, str]]:
        """The trials of every family, of which the usual one has been looked at; and why others were not."""
        trials: dict[str, list[Trial]] = {}
        left_out: dict[str, str] = {}
        order = sorted(self.families, key=lambda name: (self._whole(name) if self.clock.replay is None else 0.0, name))
        for place, name in enumerate(order):
            now = self.clock.share
            until = now + max(0.0, self.until - now) / (len(order) - place)
            if (family := self._sized(name, until)) is None:
                left_out[name] = self._too_long(name)
                continue
            self.families[name] = family
            trials[name] = [Trial(name, family, settings, i) for i, settings in enumerate(family.grid)]
            if not self._try(trials[name][family.usual], 0, until, most=1):
                left_out[name] = self._too_long(name)
        return trials, left_out

    def _sized(self, name: str, until: float) -> ImageFamily | None:
        """A network with as many epochs as there is time for on its first folds; None where there is none."""
        family = self.families[name]
        if family.view is not None:
            return family
        folds = self._at_once(family)
        asked = [
            (f"{self.part}/epochs/{name}/{s['epochs']}", self._seconds(name, s["epochs"], folds)) for s in family.grid
        ]
        place = self.clock.first(asked, until=until)
        return None if place is None else replace(family, grid=(family.grid[place],))

    def _too_long(self, name: str) -> str:
        """Why a family was left out."""
        family = self.families[name]
        least = min((s.get("epochs", 1) for s in family.grid), default=1)
        folds = self._at_once(family)
        seconds = self._seconds(name, least, folds)
        what = f"even {least:g} epochs of {folds} folds" if family.view is None else f"{folds} folds of it"
        return f"{what} take about {seconds:.0f} s, more than is left"

    def _whole(self, name: str) -> float:
        """Seconds of one fold with the first settings."""
        return self.needs[name] * self.families[name].grid[0].get("epochs", 1)

    def _at_once(self, family: ImageFamily) -> int:
        """Folds that are asked for together: two at least, so that each is calibrated by others."""
        return max(2, side_by_side(family, self.cases.device, self.folds))

    def _seconds(self, name: str, epochs: float, folds: int) -> float:
        """Expected seconds of so many folds."""
        return self.needs[name] * epochs * -(-folds // side_by_side(self.families[name], self.cases.device, folds))

    def _repeat(self, found: Search) -> None:
        """Draw the folds anew for the best settings of the families within one standard error of the best.

        The best goes first: nobody is measured longer than it is.
        """
        for repeat in range(1, self.repeats):
            best = leading(t for t in found.best().values() if len(t.runs) == repeat) if found.trials else None
            rivals = [t for t in found.best().values() if best is not None and self._near(t, best)]
            for trial in sorted(rivals, key=lambda t: (t is not best, -t.mean, t.name)):
                if not self._try(trial, repeat, self.until):
                    return

    def _near(self, trial: Trial, best: Trial) -> bool:
        """Whether a trial is within one standard error of the best one."""
        return best.lead_over(trial) <= best.standard_error(self.folds)

    def _try(self, trial: Trial, repeat: int, until: float, *, most: int | None = None) -> bool:
        """Run the folds of a repeat that have not been, while the clock allows; whether any has been, now or before.

        `most` is the number of times that folds are asked for together.
        """
        family = self.families[trial.name]
        done = self.parts.setdefault((id(trial), repeat), {})
        if len(trial.runs) >= repeat:
            left = [k for k in range(self.folds) if k not in done]
            size = self._at_once(family)
            for start in list(range(0, len(left), size))[:most]:
                if not self._run(trial, repeat, left[start : start + size], until):
                    break
        return len(trial.runs) > repeat

    def _run(self, trial: Trial, repeat: int, folds: Sequence[int], until: float) -> bool:
        """Run some folds, if the clock allows; whether it did."""
        family, done = self.families[trial.name], self.parts[id(trial), repeat]
        expected = self._seconds(trial.name, trial.settings.get("epochs", 1), len(folds))
        names = {k: f"{self.part}/{repeat}/{trial.name}/{trial.place}/{k}" for k in folds}
        which = [k for k in folds if self.clock.allows(names[k], needs=expected, until=until)]
        if not which:
            return False
        found = {k: run for k in which if (run := self._kept(names[k])) is not None}
        missing = [k for k in which if k not in found]
        started = time.perf_counter()
        try:
            found |= fold_runs(
                trial, family, self.cases, self.drawn[repeat], missing, seed=self.seed + repeat,
                ends=lambda k, told: self._ends(names[k], told),
            )  # fmt: skip
        except OutOfTimeError:
            self.clock.forget(names[k] for k in which)
            return False
        if missing:
            self.needs[trial.name] *= (time.perf_counter() - started) / max(expected, 1e-9)
            self._keep({names[k]: found[k] for k in missing})
        for k, run in found.items():
            if run.epochs and run.epochs < trial.settings["epochs"]:
                self.clock.allows(f"{names[k]}/cut/{run.epochs}", needs=-math.inf, until=1.0)
        done |= found
        if len(done) > 1:
            trial.runs[repeat:] = [assembled(family, self.cases, self.drawn[repeat], done)]
        return len(done) > 1

    def _ends(self, work: str, told: Progress) -> Ending:
        """How a training goes on: when the time is over it is given up, or cut short where there is no other model.

        Where it was cut is part of the plan.
        """
        self.clock.say()
        if self.clock.replay is not None:
            return "cut" if f"{work}/cut/{told.epoch}" in self.clock.replay.done else "go on"
        limit = _OVER * self.until * self.clock.budget
        if any(len(done) > 1 for done in self.parts.values()):
            return "give up" if self.clock.elapsed > limit else "go on"
        ends = self.clock.elapsed + told.seconds / told.epoch > limit and told.epoch < told.epochs
        return "cut" if ends else "go on"

    def _kept(self, work: str) -> FoldRun | None:
        """A fold that was run before a kill."""
        found = None if self.journal is None else self.journal.find(work)
        return None if found is None else FoldRun.of(*found)

    def _keep(self, runs: Mapping[str, FoldRun]) -> None:
        """Write down folds that have been run."""
        if self.journal is not None:
            for work, run in runs.items():
                self.journal.keep(work, *run.parts())
            self.journal.note(self.clock.done, self.clock.elapsed)

    def _networks(self, trial: Trial) -> list[Any]:
        """Networks of all folds that were drawn, in their order; none for classical families."""
        runs = [self.parts.get((id(trial), repeat), {}) for repeat in range(len(trial.runs))]
        return [done[k].network for done in runs for k in sorted(done) if done[k].network is not None]
