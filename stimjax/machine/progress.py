"""What a running command tells: bars on a terminal, sparse plain lines elsewhere.

All of it goes to standard error; standard output is for results.
"""

from __future__ import annotations

import contextlib
import datetime
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

SECONDS = 5.0  # between two plain lines about one stage


class Reporter:
    """Is told how a command gets on. This one keeps quiet; the others inherit its face."""

    def stage(self, name: str) -> None:
        """A new part of the work begins."""

    def note(self, line: str) -> None:
        """Something that the user should know."""

    def progress(self, done: int, total: int, detail: str = "") -> None:
        """So much of the stage is done; `detail` is a line about how it gets on."""

    def close(self) -> None:
        """No more will follow; an unfinished stage stays unfinished."""


class Logged(Reporter):
    """Tells another reporter all that it is told, and a file, with the time in UTC."""

    def __init__(self, inner: Reporter, file: TextIO) -> None:
        self._inner, self._file, self._lines = inner, file, Lines(say=self.write)

    def write(self, line: str) -> None:
        """Write a line that the other reporter is not told."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._file.write(f"{now} {line}\n")

    def stage(self, name: str) -> None:
        self._inner.stage(name)
        self._lines.stage(name)

    def note(self, line: str) -> None:
        self._inner.note(line)
        self._lines.note(line)

    def progress(self, done: int, total: int, detail: str = "") -> None:
        self._inner.progress(done, total, detail)
        self._lines.progress(done, total, detail)

    def close(self) -> None:
        self._inner.close()


class Lines(Reporter):
    """Plain lines, for a log or a batch job."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    ) -> None:
        self._clock, self._say, self._name, self._last = clock, say, "", -SECONDS

    def stage(self, name: str) -> None:
        self._name, self._last = name, self._clock()
        self.note(name)

    def note(self, line: str) -> None:
        self._say(line)

    def progress(self, done: int, total: int, detail: str = "") -> None:
        if self._clock() - self._last >= SECONDS:
            self._last = self._clock()
            self.note(f"{self._name}: {done} of {total}" + (f" ({detail})" if detail else ""))


class Bars(Reporter):
    """A line for each stage with a bar and the time it took, redrawn in place."""

    def __init__(self, console: Any | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
        columns += (TextColumn("{task.fields[detail]}"),)
        self._bars = Progress(*columns, console=console or Console(stderr=True))
        self._bars.start()
        self._task: Any = None

    def stage(self, name: str) -> None:
        self._finish()
        self._task = self._bars.add_task(name, total=None, detail="")

    def note(self, line: str) -> None:
        self._bars.console.print(line, markup=False, highlight=False)

    def progress(self, done: int, total: int, detail: str = "") -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total, detail=detail)

    def close(self) -> None:
        self._bars.stop()

    def _finish(self) -> None:
        if self._task is not None:
            task = self._bars.tasks[self._task]
            done = task.completed or 1
            self._bars.update(self._task, total=done, completed=done, detail="")
            self._bars.stop_task(self._task)


@contextlib.contextmanager
def reporter(*, quiet: bool = False, file: Path | None = None) -> Iterator[Reporter]:
    """The reporter that fits standard error.

    Args:
        quiet: tell nobody but the file.
        file: to which all is appended, with why the work ended if it failed.

    Raises:
        OSError: the file cannot be written.
    """
    with contextlib.ExitStack() as stack:
        opened = file and stack.enter_context(file.open("a", encoding="utf-8", buffering=1))
        report = Reporter() if quiet else Bars() if sys.stderr.isatty() else Lines()
        logged = Logged(report, opened) if opened else None
        try:
            yield logged or report
        except BaseException as error:
            if logged:
                logged.write(f"ended by {type(error).__name__}: {error}".rstrip(": "))
            raise
        finally:
            report.close()


@contextlib.contextmanager
def log(path: Path | None, process: int = 0) -> Iterator[Callable[[str], None]]:
    """Give a function that appends a line to the file at `path`, at most one in `SECONDS`.

    The last one is always written. Without a path nothing is; every process but the first has
    a file of its own, `.1` and so on behind the name.
    """
    if path is None:
        yield lambda line: None
        return
    if process:
        path = path.with_name(f"{path.name}.{process}")
    written, waiting = -SECONDS, ""

    def write(line: str) -> None:
        nonlocal written, waiting
        waiting = line
        if time.monotonic() - written >= SECONDS:
            file.write(waiting + "\n")
            written, waiting = time.monotonic(), ""

    with path.open("a", encoding="utf-8", buffering=1) as file:  # line by line
        try:
            yield write
        finally:
            if waiting:
                file.write(waiting + "\n")
