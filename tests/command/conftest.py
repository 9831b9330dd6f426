"""The command from the outside: as a process of its own, and inside the tests' process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stimjax.command import main

COMMAND = [sys.executable, "-m", "stimjax"]


@pytest.fixture(scope="session")
def small_fit() -> list[str]:
    """Options of a training that takes no time."""
    fit = ["--fit.steps=20", "--fit.every=10", "--fit.batch=16"]
    return ["--networks=mlp", "--candidates=1", "--prior.sleepers=4", "--prior.hours=0.5", *fit]


@pytest.fixture(scope="session")
def easy() -> list[str]:
    """Options of a synthesis of 40 stimuli in two shards."""
    return ["--count=40", "--shard=20", "--lanes=4"]


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.Popen]:
    """Start the command as a process in a folder; `before` are words in front of it."""
    cache = str(tmp_path_factory.mktemp("cache"))
    # A shell that runs the tests in the background ignores Ctrl-C, and so would all below it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def process(folder: Path, *words: object, before: tuple[str, ...] = ()) -> subprocess.Popen:
        environment = os.environ | {"XDG_CACHE_HOME": cache}
        for name in ("JAX_NUM_CPU_DEVICES", "JAX_COMPILATION_CACHE_DIR"):
            environment.pop(name, None)
        return subprocess.Popen(
            [*before, *COMMAND, *map(str, words)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return process


@pytest.fixture(scope="session")
def built(
    tmp_path_factory: pytest.TempPathFactory,
    process: Callable[..., subprocess.Popen],
    small_fit: list[str],
    easy: list[str],
) -> tuple[Path, dict[str, tuple[str, str]]]:
    """A folder with what each verb made, called as a user would, and what they said."""
    folder = tmp_path_factory.mktemp("built")
    said = {}
    for verb, *rest in (
        ["simulate", "cohort", "--subjects", "6", "--hours", "0.5"],
        ["prepare", "cohort", "--out", "windows", "--channels", "SpO2,HR", "--rate", "1"],
        ["train", "windows", "--out", "teacher", *small_fit],
        ["synthesize", "teacher", "--out", "release", "--seed", "3", *easy],
        ["verify", "release"],
    ):
        running = process(folder, verb, *rest)
        said[verb] = running.communicate(timeout=120)
        assert running.returncode == 0, said[verb]
    return folder, said


@pytest.fixture(autouse=True)
def _jax_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command, run inside the tests' process, gives jax no devices."""
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "1")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process; gives status, standard output and standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        status = main.main([str(word) for word in words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def refused(run: Callable[..., tuple[int, str, str]]) -> Callable[..., str]:
    """Run the command, which is to refuse in one line with status 2; gives the line."""

    def refused(*words: object) -> str:
        status, out, err = run(*words)
        assert (status, out) == (2, "")
        *before, line = err.splitlines()
        assert line.startswith("stimjax: error: ")
        assert not any("error" in earlier or "Traceback" in earlier for earlier in before)
        return line.removeprefix("stimjax: error: ")

    return refused


@pytest.fixture
def left(tmp_path: Path) -> Callable[[], list[str]]:
    """The names in `tmp_path`: what a command left there, half-written or not."""
    return lambda: sorted(path.name for path in tmp_path.iterdir())
