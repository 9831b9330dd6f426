"""Several processes that do one job together, joined by `jax.distributed`. One is the usual case.

`exchanged`, `agreed` and the end of `together` are collectives: every process has to come to them,
in the same order.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from stimjax.errors import StimjaxError

PATIENCE = 60  # seconds to wait for the coordinator
DEPARTURE = 15  # seconds that one who ends waits for the others; all end at once, or something died


class Told(StimjaxError):
    """A problem of one process, raised in all."""


def join(
    coordinator: str | None = None, processes: int | None = None, process: int | None = None
) -> None:
    """Join the other processes, before jax computes anything.

    Without arguments jax finds them where it can: under Slurm, Open MPI, Kubernetes with its
    plugin, on Cloud TPU.

    Args:
        coordinator: HOST:PORT of process 0, reachable from all.
        processes: how many there are.
        process: the number of this one, from 0.

    Raises:
        StimjaxError: nothing was found, or the others were not reached within a minute.
    """
    import jax

    if (coordinator is None) != (processes is None) or (processes is None) != (process is None):
        raise StimjaxError("--coordinator, --processes and --process go together; give all three")
    if processes is not None and not 0 <= (process or 0) < processes:
        raise StimjaxError(f"--process is {process}; it has to be below --processes {processes}")
    # It would take SIGTERM for itself, and the command would not end.
    jax.config.update("jax_enable_preemption_service", False)
    joined: Future[None] = Future()

    def initialize() -> None:
        try:
            jax.distributed.initialize(
                coordinator_address=coordinator,
                num_processes=processes,
                process_id=process,
                initialization_timeout=10 * PATIENCE,
                shutdown_timeout_seconds=DEPARTURE,
            )
            joined.set_result(None)
        except Exception as error:
            joined.set_exception(error)

    # In a thread that may be left behind: where jax's own patience ends, it aborts the process.
    threading.Thread(target=initialize, daemon=True).start()
    try:
        joined.result(PATIENCE)
    except (RuntimeError, ValueError, OSError) as error:  # a TimeoutError, too
        reason = " ".join(str(error).split())[:200]
        if not joined.done():
            reason = f"waited {PATIENCE} s"
            atexit.register(_leave)
        raise StimjaxError(
            f"--distributed: could not join the other processes ({reason}); check that all were "
            "started and reach the first, or give --coordinator HOST:PORT, --processes, --process"
        ) from error


def _leave() -> None:
    """End at once: the thread that still waits would have jax complain at length."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(2)


def count() -> int:
    """How many processes there are."""
    import jax

    return jax.process_count()


def index() -> int:
    """The number of this one, from 0."""
    import jax

    return jax.process_index()


def exchanged(value: Any = None, problem: str = "") -> list[Any]:
    """What each process says, as JSON can say it, in order of their numbers.

    Raises:
        Told: a process has a problem; all raise the first.
    """
    said = json.dumps([value, problem])
    answers = [json.loads(text) for text in _gathered(said)]
    for _, problem in answers:
        if problem:
            raise Told(problem)
    return [value for value, _ in answers]


def _gathered(text: str) -> list[str]:
    if count() == 1:
        return [text]
    import jax
    from jax.experimental import multihost_utils

    said = np.frombuffer(text.encode(), np.uint8)
    try:
        lengths = np.asarray(multihost_utils.process_allgather(np.int32(len(said)))).reshape(-1)
        padded = np.zeros(lengths.max(), np.uint8)
        padded[: len(said)] = said
        rows = np.asarray(multihost_utils.process_allgather(padded)).reshape(count(), -1)
    except jax.errors.JaxRuntimeError as error:
        raise Told(
            "another process is gone; the same command goes on with what is there"
        ) from error
    return [row[:n].tobytes().decode() for row, n in zip(rows, lengths, strict=True)]


def agreed(value: Any) -> Any:
    """What process 0 says."""
    return exchanged(value)[0]


@contextlib.contextmanager
def together(place: Path) -> Iterator[None]:
    """What goes wrong in the block in one process goes wrong in all: none waits for another.

    Args:
        place: what is written to, for the message where the system does not name a file.
    """
    problem = ""
    try:
        yield
    except Told:
        raise
    except StimjaxError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{error.filename or place}: {error.strerror or error}; mend that, and the same "
        problem += "command goes on"
    exchanged(problem=problem)
