"""Progress: bars on a terminal, lines in a pipe, silence on request."""

from __future__ import annotations

import io
import sys

import pytest

from radlake.engine import progress
from radlake.engine.options import Silent
from radlake.engine.progress import Bars, Lines, shown


class Screen(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        return True


def test_lines_tell_begin_and_end_with_what_was_set_aside() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.begin("reading headers", 1200)
    lines.advance(700, 2)
    lines.advance(500, 1)
    lines.end()
    begin, end = stream.getvalue().splitlines()
    assert begin == "reading headers: started, 1,200 to do"
    assert end.startswith("reading headers: done: 1,200 in ")
    assert end.endswith(" s, 3 set aside")


def test_lines_tell_rate_and_time_left_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    lines = Lines(stream)
    lines.begin("reading images", 100)
    now[0] += 5
    lines.advance(10, 0)
    now[0] += 15
    lines.advance(30, 0)
    assert stream.getvalue().splitlines()[1:] == ["reading images: 40 of 100, 2/s, 30 s left"]


def test_a_phase_without_a_count_is_told_without_one() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.begin("duplicates", None)
    lines.end()
    assert stream.getvalue().startswith("duplicates: started\nduplicates: done: ")


def test_what_is_shown_depends_on_where_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, kind in ((Screen(), Bars), (io.StringIO(), Lines)):
        monkeypatch.setattr(sys, "stderr", stream)
        with shown(quiet=False) as found:
            assert isinstance(found, kind)
        with shown(quiet=True) as found:
            assert isinstance(found, Silent)
        assert stream.getvalue() == ""


@pytest.mark.parametrize("total", [20, None])
def test_bars_give_the_cursor_back_however_the_work_ends(monkeypatch: pytest.MonkeyPatch, total: int | None) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(KeyboardInterrupt), shown(quiet=False) as found:
        found.begin("reading images", total)
        found.advance(5, 2)
        found.end()
        found.begin("more", total)
        raise KeyboardInterrupt
    text = screen.getvalue()
    assert "reading images" in text
    assert ("5/20" in text and "2 set aside" in text) == (total is not None)
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
