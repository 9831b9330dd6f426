"""A release of the method public: windows of simulated nights, with what is said beside labels."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from children import python_path
from random_teacher import of_sleep, white

from stimjax import batch, config, release
from stimjax.batch import Batch
from stimjax.config.recipes import RECIPES
from stimjax.disk.documents import Manifest
from stimjax.errors import StimjaxError
from stimjax.excite import origin
from stimjax.excite.sources import generic
from stimjax.excite.synthesize import synthesize
from stimjax.machine import versions
from stimjax.prior import known

TEACHER = of_sleep()
RECIPE = dataclasses.replace(RECIPES["public"], random=0.3)
SETTINGS = config.Synthesis("public", 40, RECIPE, lanes=4, shard=10, seed=5)

PROGRAM = """
import dataclasses
import sys
from pathlib import Path
import jax
from random_teacher import of_sleep, white
from stimjax import config
from stimjax.config.recipes import RECIPES
from stimjax.excite.sources import generic
from stimjax.excite.synthesize import synthesize

generic.make = white
recipe = dataclasses.replace(RECIPES["public"], random=0.3)
settings = config.Synthesis("public", 40, recipe, lanes=4, shard=10, seed=5)
synthesize(of_sleep(), settings, Path(sys.argv[1]))
print(jax.local_device_count())
"""


@pytest.fixture(scope="module", autouse=True)
def soon() -> Iterator[None]:
    """Random signals that compile at once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(generic, "make", white)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("public") / "release"
    synthesize(TEACHER, SETTINGS, out)
    return out


@pytest.fixture(scope="module")
def stimuli(folder: Path) -> Batch:
    return release.load(folder)


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    return release.load_manifest(folder)


def test_stimuli_are_windows_of_the_nights_or_random_signals(stimuli: Batch) -> None:
    found = known.strip(TEACHER.prior, TEACHER.spec)
    spec, resolution = TEACHER.spec, TEACHER.spec.channels[0].resolution
    windows = found.x[found.start[:, None] + np.arange(60)]
    kept = np.clip(windows, spec.low, spec.high)
    kept = {row.tobytes() for row in np.round(kept / resolution).astype(int)}
    rows = np.round(np.asarray(stimuli.x) / resolution).astype(int)
    simulated = np.array([row.tobytes() in kept for row in rows])
    np.testing.assert_array_equal(stimuli.columns["origin"] == origin.SIMULATED, simulated)
    # One of four shards, whole.
    assert list((~simulated).reshape(4, 10).sum(axis=1)) == [0, 0, 0, 10]


def test_labels_are_the_classes_that_the_teacher_calls(stimuli: Batch) -> None:
    called = TEACHER.probability(np.asarray(stimuli.x)).argmax(axis=1)
    np.testing.assert_array_equal(stimuli.y, batch.one_hot(called, TEACHER.spec))
    assert np.bincount(stimuli.label).tolist() == [20, 20]
    assert stimuli.columns["origin"].dtype == np.int32


def test_the_manifest_and_the_card_say_what_it_is_made_of(folder: Path, manifest) -> None:
    assert manifest.prior == TEACHER.prior.settings
    assert manifest.versions["simulator"] == versions.SIMULATOR
    assert manifest.people_behind == ()  # but for the range, no statistic of anybody
    card = (folder / "README.md").read_text()
    assert "`origin`" in card and "stimjax prior" in card


def test_left_on_one_device_and_finished_on_two_it_has_the_same_bytes(
    folder: Path, tmp_path: Path
) -> None:
    save, out = release.save_shard, tmp_path / "release"

    def stop(where: Path, number: int, stimuli: Batch) -> None:
        if number == 1:
            raise KeyboardInterrupt
        save(where, number, stimuli)

    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(release, "save_shard", stop)
        synthesize(TEACHER, SETTINGS, out)
    assert [path.name for path in tmp_path.iterdir()] == [".release.partial"]
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
    environment = os.environ | {
        "XLA_FLAGS": flags,
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": python_path(Path(__file__).parents[1]),  # of random_teacher
        "NPROC": "1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(out)],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.split() == [b"2"]
    assert sorted(path.name for path in out.iterdir()) == sorted(
        path.name for path in folder.iterdir()
    )
    for path in sorted(folder.iterdir()):
        assert (out / path.name).read_bytes() == path.read_bytes(), path.name


def test_windows_that_nobody_simulates_are_refused_in_one_line(tmp_path: Path) -> None:
    spec = dataclasses.replace(TEACHER.spec, classes=("cat", "dog"))
    with pytest.raises(StimjaxError, match="nobody simulates such windows") as error:
        synthesize(dataclasses.replace(TEACHER, spec=spec), SETTINGS, tmp_path / "r")
    assert "\n" not in str(error.value)
