"""Work on many recordings, on as many cores as wanted, given back in order."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import sys
import types
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from stimjax.errors import StimjaxError

T = TypeVar("T")
R = TypeVar("R")


class Lost(StimjaxError):
    """A worker is gone: no fault of the recording that it read."""


AHEAD = 2  # tasks in flight for each worker: none waits for work, none is done far ahead


def in_order(
    work: Callable[[T], R], tasks: Sequence[T], workers: int
) -> Generator[Callable[[], R], None, None]:
    """For each task, in order, what gives `work(task)` or raises what that raised.

    Close it (`contextlib.closing`) where not all is taken: no worker is left at work then.

    Args:
        work: a function of a module, which workers import; one whose imports are few.
        tasks: what it is given; each has to be small, and so has what it gives.
        workers: processes; 1 works in this one.
    """
    if workers == 1:
        yield from (functools.partial(work, task) for task in tasks)
        return
    waiting: deque[Future[R]] = deque()
    context = multiprocessing.get_context("spawn")  # jax has threads, which no fork survives
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            for task in tasks:
                if len(waiting) == AHEAD * workers:
                    yield functools.partial(_result, waiting.popleft())
                with _told(), _without_main():
                    waiting.append(pool.submit(work, task))
            while waiting:
                yield functools.partial(_result, waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _result(future: Future[R]) -> R:
    with _told():
        return future.result()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say in a line that a worker is gone."""
    try:
        yield
    except BrokenProcessPool as error:
        raise Lost(
            "a worker was ended from outside, most often because memory ran out; fewer of them "
            "take less: --workers 1"
        ) from error


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Let a process that starts here not run the user's script again.

    A new process imports the main module, for functions of it that it may be sent. Here it is
    sent none; and a script without `if __name__ == "__main__"` would begin anew in every worker.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
