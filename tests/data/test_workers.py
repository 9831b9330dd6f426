"""Work on several cores, in order."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from children import python_path

from stimjax.data import workers
from stimjax.errors import StimjaxError

# Functions that a worker can import: of a module that is no test.
HELP = """
import os, sys, time
from stimjax.errors import StimjaxError

def work(task):
    if task == "die":
        os._exit(9)
    if task == "bad":
        raise StimjaxError("bad.edf: is empty")
    if task == "jax":
        return "jax" in sys.modules
    if isinstance(task, float):
        time.sleep(task)
    return task
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("help")
    (folder / "worker_help.py").write_text(HELP)
    sys.path.insert(0, str(folder))
    import worker_help  # pyright: ignore[reportMissingImports]

    yield worker_help.work
    sys.path.remove(str(folder))


@pytest.mark.parametrize("count", [1, 2])
def test_results_and_errors_come_in_order(work, count):
    tasks = [0.2, "bad", *range(8)]
    given = []
    with contextlib.closing(workers.in_order(work, tasks, count)) as results:
        for result in results:
            try:
                given.append(result())
            except StimjaxError as error:
                given.append(str(error))
    assert given == [0.2, "bad.edf: is empty", *range(8)]


def test_a_worker_that_is_gone_is_told_in_a_line(work):
    with (
        contextlib.closing(workers.in_order(work, ["die", 1, 2], 2)) as results,
        pytest.raises(workers.Lost, match=r"memory ran out; .* --workers 1$"),
    ):
        for result in results:
            result()


def test_work_in_flight_is_bounded_and_none_is_left_behind(work):
    taken = []

    class Tasks(list):
        def __iter__(self):
            for task in super().__iter__():
                taken.append(task)
                yield task

    start = time.monotonic()
    with contextlib.closing(workers.in_order(work, Tasks([0.01] * 50), 2)) as results:
        next(results)()
        assert len(taken) <= 2 * workers.AHEAD + 1
    assert time.monotonic() - start < 30


def test_a_script_without_a_guard_does_not_begin_anew(tmp_path):
    """As the Python face is used; and no worker brings jax."""
    (tmp_path / "worker_help.py").write_text(HELP)
    script = tmp_path / "script.py"
    script.write_text(
        "import worker_help\nfrom stimjax.data import workers\nprint('begun')\n"
        "print([r() for r in workers.in_order(worker_help.work, ['jax', 2, 3], 2)])\n"
    )
    path = python_path(Path(workers.__file__).parents[2], tmp_path)
    ended = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert ended.stdout == "begun\n[False, 2, 3]\n", ended.stderr
