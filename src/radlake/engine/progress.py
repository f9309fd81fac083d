"""How far a run is: a Rich bar on a terminal, plain lines in a pipe, nothing when asked to be quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from radlake.engine.options import Progress, Silent

_LINE_SECONDS = 10.0


class Bars:
    """Rich bars with rate and time left, on standard error."""

    def __init__(self) -> None:
        self.bar: RichProgress | None = None

    def begin(self, title: str, total: int | None) -> None:
        """Show a bar."""
        title_column, console = TextColumn("{task.description:<18}"), Console(stderr=True)
        if total is None:
            self.bar = RichProgress(title_column, BarColumn(), TimeElapsedColumn(), console=console)
        else:
            self.bar = RichProgress(
                title_column,
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[aside]}"),
                console=console,
            )
        self.bar.start()
        self.bar.add_task(title, total=total, rate="", aside="")
        self.aside, self.started, self.done = 0, time.monotonic(), 0

    def advance(self, done: int, set_aside: int) -> None:
        """Move the bar."""
        if not self.bar:
            return
        self.done, self.aside = self.done + done, self.aside + set_aside
        rate = self.done / max(time.monotonic() - self.started, 1e-3)
        aside = f"{self.aside} set aside" if self.aside else ""
        self.bar.update(self.bar.task_ids[0], advance=done, rate=f"{rate:,.0f}/s", aside=aside)

    def end(self) -> None:
        """Leave the finished bar on the screen."""
        if self.bar and self.bar.tasks[0].total is None:
            self.bar.update(self.bar.task_ids[0], total=1, completed=1)
        self.stop()

    def stop(self) -> None:
        """Leave the bar as it is, and give the cursor back."""
        if self.bar:
            self.bar.stop()
            self.bar = None


class Lines:
    """A line when a phase starts, every ten seconds, and when it ends."""

    def __init__(self, stream: TextIO):
        self.stream = stream

    def begin(self, title: str, total: int | None) -> None:
        """Name the phase."""
        self.title, self.total, self.done, self.aside = title, total, 0, 0
        self.started = self.said = time.monotonic()
        self._say("started" + (f", {total:,} to do" if total else ""))

    def advance(self, done: int, set_aside: int) -> None:
        """Say something now and then."""
        self.done, self.aside = self.done + done, self.aside + set_aside
        now = time.monotonic()
        if now - self.said > _LINE_SECONDS:
            self.said = now
            rate = self.done / max(now - self.started, 1e-3)
            left = f", {((self.total or 0) - self.done) / rate:.0f} s left" if rate and self.total else ""
            self._say(f"{self.done:,} of {self.total or 0:,}, {rate:,.0f}/s{left}")

    def end(self) -> None:
        """Sum up."""
        counts = f" {self.done:,} in" if self.total else ""
        aside = f", {self.aside:,} set aside" if self.aside else ""
        self._say(f"done:{counts} {time.monotonic() - self.started:.1f} s{aside}")

    def _say(self, text: str) -> None:
        print(f"{self.title}: {text}", file=self.stream, flush=True)


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """The progress that fits where standard error goes; however the work ends, the terminal is left as it was."""
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        yield Lines(sys.stderr)
    else:
        bars = Bars()
        try:
            yield bars
        finally:
            bars.stop()
