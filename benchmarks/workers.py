"""Processes that are measured in turns, each on cores of its own choice.

A worker is a program that prints a line of JSON when it is ready; then, for each line that it
reads, it does its work once and prints a line of JSON about it. It ends with its input. Variants
that take turns see the same machine, so that ratios between them hold.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

REST = 0.2  # seconds after a turn, in which threads of the last one stop to spin


class Worker:
    """A program on given cores."""

    def __init__(self, command: Sequence[str], cores: Sequence[int]) -> None:
        with on(cores):  # a process inherits the cores of the thread that starts it
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self.ready = self.answer()

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError(f"{self._process.args} ended with {self._process.returncode}")
        return json.loads(line)

    def close(self) -> None:
        self._process.communicate()


Start = Callable[[Sequence[str], Sequence[int]], Worker]


@contextmanager
def hired() -> Iterator[Start]:
    """Give what starts a worker from its command and cores; all end with the block, however."""
    with ExitStack() as stack:

        def start(command: Sequence[str], cores: Sequence[int]) -> Worker:
            worker = Worker(command, cores)
            stack.callback(worker.close)
            return worker

        yield start


def sized(full: T, small: T) -> T:
    """`full`; or `small`, where STIMJAX_BENCHMARKS=small asks only whether all runs through."""
    return small if os.environ.get("STIMJAX_BENCHMARKS") == "small" else full


def serve(ready: Mapping[str, Any], work: Callable[[], Mapping[str, Any]]) -> None:
    """Be a worker: say `ready`, then do `work` for each line of the input."""
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        print(json.dumps(work()), flush=True)


def take_turns(
    groups: Mapping[str, Sequence[Worker]], repeats: int
) -> dict[str, list[list[dict[str, Any]]]]:
    """What the workers of each group answered, [turn][worker].

    Groups go one after the other, the workers of a group all at once.
    """
    answers: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in groups}
    for _ in range(repeats):
        for name, workers in groups.items():
            for worker in workers:
                worker.go()
            answers[name].append([worker.answer() for worker in workers])
            time.sleep(REST)
    return answers


def median_rate(turns: Sequence[Sequence[Mapping[str, Any]]], what: str) -> float:
    """The median over turns of `what` a second, the rates of a group's workers added up."""
    return statistics.median(sum(a[what] / a["seconds"] for a in answers) for answers in turns)


@contextmanager
def on(cores: Sequence[int]) -> Iterator[None]:
    """This thread, and what it starts, on `cores`; not every system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cores() -> list[int]:
    """The numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
