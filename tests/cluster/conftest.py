"""A teacher and the release that one process makes with it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Some seconds of work for two processes, in 100 shards.
OPTIONS = ("--count=2000", "--shard=20", "--lanes=4", "--seed=3")


@pytest.fixture(scope="session")
def options() -> tuple[str, ...]:
    """Of the synthesis that is to give the same bytes however it is run."""
    return OPTIONS


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a shell in which stimjax is installed, with a cache of its own."""
    cache = str(tmp_path_factory.mktemp("cache"))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "XDG_CACHE_HOME": cache, "JAX_PLATFORMS": "cpu"}
    for name in ("JAX_NUM_CPU_DEVICES", "JAX_COMPILATION_CACHE_DIR", "XLA_FLAGS"):
        environment.pop(name, None)
    return environment


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, known: dict[str, str]) -> Path:
    """A folder with a `teacher` and the release `alone`."""
    folder = tmp_path_factory.mktemp("cluster")
    fit = ("--networks=mlp", "--candidates=1", "--fit.steps=20", "--fit.every=10", "--fit.batch=16")
    for words in (
        ("simulate", "cohort", "--subjects=6", "--hours=0.5"),
        ("prepare", "cohort", "--out=windows", "--channels=SpO2,HR", "--rate=1"),
        ("train", "windows", "--out=teacher", *fit),
        ("synthesize", "teacher", "--out=alone", *OPTIONS),
    ):
        subprocess.run(["stimjax", *words], cwd=folder, env=known, check=True, timeout=300)
    return folder


@pytest.fixture(scope="session")
def same(folder: Path) -> Callable[[str], bool]:
    """Whether a release in the folder has the bytes of `alone`."""

    def content(name: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (folder / name).iterdir()}

    return lambda name: content(name) == content("alone")


@pytest.fixture(scope="session")
def shards(folder: Path) -> Callable[[str], int]:
    """How many shards of an unfinished release there are."""
    return lambda name: len(list((folder / f".{name}.partial" / "pieces").glob("stimuli-*")))


@pytest.fixture(scope="session")
def scripts() -> Path:
    return Path(__file__).parents[2] / "scripts" / "cluster"
