"""A synthesis that was left and taken up again, shared out, or refused."""

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stimjax import config, release
from stimjax.disk.pieces import _difference
from stimjax.disk.store import locked
from stimjax.errors import StimjaxError
from stimjax.excite import proxies, shards
from stimjax.excite import synthesize as module
from stimjax.excite.rates import Listener
from stimjax.excite.synthesize import synthesize
from stimjax.learn.teacher import Teacher

SHARD, COUNT = 8, 60


@pytest.fixture(scope="module")
def small(settings: config.Synthesis) -> config.Synthesis:
    return dataclasses.replace(settings, count=COUNT, shard=SHARD, lanes=3, seed=11)


@pytest.fixture(scope="module")
def whole(
    teacher: Teacher, small: config.Synthesis, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """A release that was made in one go."""
    out = tmp_path_factory.mktemp("whole") / "release"
    synthesize(teacher, small, out)
    return content(out)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def interrupted(
    teacher: Teacher, settings: config.Synthesis, out: Path, after: int = 3
) -> list[int]:
    """Make some of the shards; gives the numbers of those that are there."""
    save = release.save_shard

    def stop(folder: Path, number: int, stimuli: object) -> None:
        if number == after:
            raise KeyboardInterrupt
        save(folder, number, stimuli)  # pyright: ignore[reportArgumentType]

    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(release, "save_shard", stop)
        synthesize(teacher, settings, out)
    pieces = out.with_name(f".{out.name}.partial") / "pieces"
    return [int(path.stem.split("-")[1]) for path in sorted(pieces.glob("stimuli-*"))]


def test_what_was_interrupted_ends_with_the_same_bytes(
    teacher: Teacher, small: config.Synthesis, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "release"
    assert interrupted(teacher, small, out) == [0, 1, 2]
    assert not out.exists()
    made: list[int] = []
    save = release.save_shard
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(release, "save_shard", lambda f, n, s: (made.append(n), save(f, n, s)))
        synthesize(teacher, small, out)
    assert made == [3, 4, 5, 6, 7]  # no more than is missing
    assert content(out) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["private", "release"]


def test_any_shards_may_be_missing(
    teacher: Teacher, small: config.Synthesis, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "release"
    interrupted(teacher, small, out, after=5)
    pieces = tmp_path / ".release.partial" / "pieces"
    (pieces / "stimuli-00001.safetensors").unlink()
    (pieces / ".stimuli-00006.safetensors.partial").write_bytes(b"of a process that was killed")
    synthesize(teacher, small, out)
    assert content(out) == whole


@pytest.mark.slow  # six programs are compiled
def test_rounds_go_on_with_the_same_proxies(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxies, "FIT", config.Fit(steps=4, every=2, batch=8))
    assert small.recipe is not None
    terms = dataclasses.replace(small.recipe.terms, disagreement=0.1)
    recipe = dataclasses.replace(small.recipe, rounds=2, terms=terms)
    asked = dataclasses.replace(small, recipe=recipe)
    synthesize(teacher, asked, tmp_path / "whole")
    interrupted(teacher, asked, tmp_path / "release", after=6)
    synthesize(teacher, asked, tmp_path / "release")
    assert content(tmp_path / "release") == content(tmp_path / "whole")


def test_other_settings_are_refused_with_the_difference(
    teacher: Teacher, small: config.Synthesis, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "release"
    interrupted(teacher, dataclasses.replace(small, seed=12), out)
    with pytest.raises(StimjaxError, match=r"settings\.seed: 12 and 11; repeat that one, or add"):
        synthesize(teacher, small, out)
    synthesize(teacher, small, out, overwrite=True)  # begins afresh
    assert content(out) == whole


def test_two_commands_at_once_are_refused(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path
) -> None:
    program = (
        "import pathlib, sys, time; from stimjax.disk.store import locked\n"
        "with locked(pathlib.Path(sys.argv[1])): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / ".release.partial")],
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None and other.stdout.readline() == b"in\n"
    with pytest.raises(StimjaxError, match=r"release\.partial: another command is at work there"):
        synthesize(teacher, small, tmp_path / "release")
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    other.stdout.close()
    synthesize(teacher, small, tmp_path / "release")  # the dead hold no lock


def test_a_lock_that_the_file_system_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*given: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    no_locks = pytest.raises(StimjaxError, match=r"cannot be locked \(No locks available\)")
    with no_locks, locked(tmp_path):
        pass


def test_another_seed_or_count_compiles_nothing(teacher: Teacher, small: config.Synthesis) -> None:
    """Programs that were compiled are kept in a folder: nothing is added to it."""

    def make(seed: int, count: int) -> tuple[int, set[Path]]:
        settings = dataclasses.replace(small, seed=seed, count=count)
        made = len(list(shards.shards(teacher, settings)))
        return made, set(Path(os.environ["JAX_COMPILATION_CACHE_DIR"]).iterdir())

    made, programs = make(1, 16)
    assert made == 2 and programs
    assert make(2, 30) == (4, programs)
    assert make(3, 4) == (1, programs)


def test_finished_shards_are_looked_up_once_in_a_while(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK", 1e9)
    looks: list[Path] = []
    finished = release.finished
    monkeypatch.setattr(release, "finished", lambda f: (looks.append(f), finished(f))[1])
    seen: list[int] = []
    listener = Listener(lambda rates: seen.append(rates.everywhere))
    synthesize(teacher, small, tmp_path / "release", listener=listener)
    assert len(looks) == 3  # twice for what is to be made
    assert seen == sorted(seen)
    assert {SHARD * n for n in range(1, 8)} | {COUNT} <= set(seen)  # own ones are known at once

    pieces = module._Pieces(tmp_path, small, teacher.spec)
    assert pieces.finished() == 0
    (tmp_path / "stimuli-00002.safetensors").touch()  # another process made it
    assert pieces.finished() == 0
    monkeypatch.setattr(module, "LOOK", 0.0)
    assert pieces.finished() == SHARD


def test_more_processes_than_shards(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.hosts, "count", lambda: 9)
    with pytest.raises(StimjaxError, match="9 processes have only 8 shards to make; use fewer"):
        synthesize(teacher, small, tmp_path / "release")


def test_a_difference_names_its_place() -> None:
    old, new = {"a": {"b": 1, "c": 2}, "d": 0}, {"a": {"b": 1, "c": 3}, "d": 0}
    assert _difference(old, old) == ""
    assert _difference(old, new) == "a.c: 2 and 3"
    assert _difference(old, {"a": 1}) == 'a: {"b": 1, "c": 2} and 1'
    assert _difference({}, {"x": None}) == ""
