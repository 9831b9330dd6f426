"""A release, made: the same from the same seed, labeled by the teacher, or refused in one line."""

import dataclasses
import math
import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import config, release
from stimjax.batch import Batch
from stimjax.config.recipes import RECIPES, Recipe, Terms
from stimjax.errors import StimjaxError
from stimjax.excite import shards as filling
from stimjax.excite import synthesize as module
from stimjax.excite.rates import Listener
from stimjax.excite.synthesize import synthesize
from stimjax.learn.teacher import Teacher
from stimjax.models import Model

SHARD, COUNT = 8, 20  # three shards, of which the last is half full


@pytest.fixture(scope="module")
def small(settings: config.Synthesis) -> config.Synthesis:
    return dataclasses.replace(settings, count=COUNT, shard=SHARD, lanes=3, seed=11)


@pytest.fixture(scope="module")
def made(
    teacher: Teacher, small: config.Synthesis, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[tuple[int, int]]]:
    """A release, and what its progress said."""
    out, seen = tmp_path_factory.mktemp("made") / "release", []
    listener = Listener(lambda rates: seen.append((rates.done, rates.total)))
    synthesize(teacher, small, out, listener=listener)
    return out, seen


@pytest.fixture(scope="module")
def folder(made: tuple[Path, list[tuple[int, int]]]) -> Path:
    return made[0]


@pytest.fixture(scope="module")
def stimuli(folder: Path) -> Batch:
    return release.load(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def shards(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("stimuli-*.safetensors"))]


def test_the_count_need_not_be_a_multiple_of_the_shard(folder: Path, stimuli: Batch) -> None:
    assert len(stimuli) == COUNT
    names = sorted(path.name for path in folder.glob("stimuli-*"))
    assert names == [f"stimuli-0000{i}.safetensors" for i in range(math.ceil(COUNT / SHARD))]


def test_stimuli_belong_to_nobody_and_differ(stimuli: Batch, teacher: Teacher) -> None:
    assert (stimuli.subject == -1).all() and (stimuli.weight == 1).all()
    assert stimuli.spec == teacher.spec
    assert len(np.unique(stimuli.x.reshape(COUNT, -1), axis=0)) == COUNT


def test_labels_are_the_teachers_softmax(stimuli: Batch, teacher: Teacher) -> None:
    expected = teacher.probability(stimuli.x)
    np.testing.assert_allclose(stimuli.y, expected, atol=1e-5)
    assert (stimuli.y.max(axis=1) > 0.75).all()


def test_the_manifest_adds_up(folder: Path, small: config.Synthesis, stimuli: Batch) -> None:
    manifest = release.load_manifest(folder)
    accepted, failed, steps = manifest.accepted, manifest.failed, manifest.lane_steps
    assert manifest.count == COUNT <= sum(accepted)
    assert len(accepted) == len(failed) == 3
    assert manifest.hits == accepted  # more than three quarters sure of the wanted class
    # Every lane-step belongs to a try; a try takes 1 to `tries` steps; some are under way.
    blocks = steps / small.lanes
    assert blocks == int(blocks) >= COUNT / small.lanes
    assert small.recipe is not None
    under_way = 3 * small.lanes * small.recipe.tries
    assert sum(accepted) + sum(failed) * small.recipe.tries <= steps
    assert steps <= (sum(accepted) + sum(failed)) * small.recipe.tries + under_way
    # As many or more accepted of each class than are in the release.
    assert manifest.classes == tuple(np.bincount(stimuli.y.argmax(axis=1), minlength=3).tolist())
    assert (np.array(manifest.classes) <= accepted).all()
    assert manifest.method == dataclasses.replace(small, seed=None)


def test_progress_rises_to_the_count(made: tuple[Path, list[tuple[int, int]]]) -> None:
    done = [at for at, _ in made[1]]
    assert done == sorted(done) and {8, 16, 20} <= set(done) and done[-1] == 20
    assert {total for _, total in made[1]} == {20}


def test_the_same_seed_gives_the_same_bytes_and_overwrites(
    teacher: Teacher, small: config.Synthesis, folder: Path, tmp_path: Path
) -> None:
    old = tmp_path / "release"
    shutil.copytree(folder, old)
    (old / "stimuli-00000.safetensors").write_bytes(b"spoilt")
    (old / "stimuli-00009.safetensors").write_bytes(b"left over")
    synthesize(teacher, small, old, overwrite=True)
    assert content(old) == content(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["private", "release"]


def test_another_seed_gives_other_stimuli(
    teacher: Teacher, small: config.Synthesis, folder: Path, tmp_path: Path
) -> None:
    other = dataclasses.replace(small, seed=12, count=SHARD)
    synthesize(teacher, other, tmp_path / "release")
    mine = release.load(tmp_path / "release").x.reshape(SHARD, -1)
    assert not (mine[:, None] == release.load(folder).x.reshape(COUNT, -1)).all(axis=2).any()


def test_a_shard_does_not_depend_on_the_count(
    teacher: Teacher, small: config.Synthesis, folder: Path, tmp_path: Path
) -> None:
    synthesize(teacher, dataclasses.replace(small, count=2 * COUNT), tmp_path / "release")
    more, fewer = shards(tmp_path / "release"), shards(folder)
    assert len(more) == 5
    assert more[:2] == fewer[:2]
    stimuli, longer = release.load(folder), release.load(tmp_path / "release")
    np.testing.assert_array_equal(longer.x[:COUNT], stimuli.x)
    np.testing.assert_array_equal(longer.y[:COUNT], stimuli.y)


# Refusals


def refused(
    teacher: Teacher, settings: config.Synthesis, out: Path, overwrite: bool = False
) -> str:
    with pytest.raises(StimjaxError) as error:
        synthesize(teacher, settings, out, overwrite=overwrite)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_hopeless_teacher_is_refused_and_leaves_the_old_release(
    undecided: Teacher,
    small: config.Synthesis,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filling, "HOPELESS", 20)
    old = tmp_path / "release"
    shutil.copytree(folder, old)
    message = refused(undecided, small, old, overwrite=True)
    # 20 steps of 3 lanes.
    assert "accepted no stimulus in 60 steps" in message and "lowest: 0.75" in message
    assert content(old) == content(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["release"]  # not even a part of another


def test_lanes_that_do_not_fit_are_refused_before_they_are_made(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path
) -> None:
    many = dataclasses.replace(small, lanes=10**10)
    message = refused(teacher, many, tmp_path / "release")  # by what the system has
    assert message.startswith("10000000000 lanes and a shard of ")
    assert message.endswith(" GB; use fewer --lanes or a smaller --shard")
    assert list(tmp_path.iterdir()) == []


def test_what_a_step_needs_beside_the_lanes_counts(
    teacher: Teacher, small: config.Synthesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(filling.memory, "refuse", lambda what, need, *rest: asked.append(need))
        first = list(filling.shards(teacher, small))
    held, need = asked  # twice for a release, however many shards it has
    assert held < need < 20 * held
    with pytest.raises(StimjaxError, match="use fewer --lanes or a smaller --shard"):
        list(filling.shards(teacher, small, available=need - 1))
    second = list(filling.shards(teacher, small, available=need))
    for one, other in zip(first, second, strict=True):  # it changes no bits
        assert one.stimuli.x.tobytes() == other.stimuli.x.tobytes()


def test_an_accelerator_makes_more_at_a_time_and_as_many_a_lane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    here = module.methods.resolved(config.Synthesis("mixture"))
    assert (here.lanes, here.shard) == (128, 500)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    there = module.methods.resolved(config.Synthesis("mixture"))
    asked = module.methods.resolved(config.Synthesis("mixture", lanes=3, shard=5))
    assert there.lanes > here.lanes
    assert there.shard / there.lanes == here.shard / here.lanes
    assert (asked.lanes, asked.shard) == (3, 5)


def test_a_lane_lives_through_its_share_of_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = dataclasses.replace(RECIPES["paper"], lanes=4, life=250)
    for backend, wider in (("cpu", 1), ("gpu", module.methods.WIDER)):
        monkeypatch.setattr(jax, "default_backend", lambda backend=backend: backend)

        def shard(count: int, lanes: int = 0, shard: int = 0) -> int:
            settings = config.Synthesis("paper", count, recipe, lanes=lanes, shard=shard)
            return module.methods.resolved(settings).shard

        assert shard(96_000) == wider * 1000  # whole lives of lanes, one shard after the other
        assert shard(wider * 1500) == wider * 750  # not a whole life, and then half of one
        assert shard(90) == 90  # all there is to make
        assert shard(100_000, lanes=2) == 500
        assert shard(100_000, shard=30) == 30


@pytest.mark.parametrize(
    "setting",
    [
        {"count": 0},
        {"count": -3},
        {"shard": -1},
        {"lanes": -1},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path, setting: dict[str, float]
) -> None:
    message = refused(teacher, dataclasses.replace(small, **setting), tmp_path / "release")
    assert message.startswith("synthesis: ") and all(name in message for name in setting)
    assert list(tmp_path.iterdir()) == []


def test_a_class_without_stimuli_is_told(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path
) -> None:
    model = teacher.model
    frozen = jax.tree.map(jnp.zeros_like, teacher.params)
    told: list[str] = []

    def only_the_last(params: Any, x: Any, key: Any = None) -> Any:
        return jnp.zeros((len(x), 3)).at[:, 2].set(9.0) + 0 * model.apply(params, x)

    class Biased(Teacher):
        @property
        def model(self) -> Model:
            return Model(model.init, only_the_last, lambda p, x, _: (only_the_last(p, x), ()))

    biased = Biased(teacher.networks, frozen, teacher.spec)
    synthesize(biased, small, tmp_path / "release", listener=Listener(note=told.append))
    given, *lacking = told
    assert given.startswith("release: its seed was given and is one that can be guessed")
    assert [line.rpartition(" ")[2] for line in lacking] == list(teacher.spec.classes[:2])


@pytest.mark.parametrize(
    "line",
    [
        {"tries": -1},
        {"latent": 0},
        {"lowest": 0.9, "highest": 0.8},
        {"highest": 1.0},
        {"lowest": -0.1},
        {"lowest": math.nan},
        {"unexcited": 1.5},
        {"views": -0.1},
        {"terms": Terms()},
        {"rounds": 0},
    ],
    ids=str,
)
def test_recipes_that_make_no_sense_are_refused(
    teacher: Teacher, small: config.Synthesis, recipe: Recipe, tmp_path: Path, line: dict[str, Any]
) -> None:
    changed = dataclasses.replace(small, recipe=dataclasses.replace(recipe, **line))
    message = refused(teacher, changed, tmp_path / "release")
    assert message.startswith("synthesis: recipe.") and all(name in message for name in line)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_method_is_refused(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path
) -> None:
    unknown = dataclasses.replace(small, method="papers")
    assert "no method 'papers'" in refused(teacher, unknown, tmp_path / "release")
    assert list(tmp_path.iterdir()) == []


def test_a_full_folder_is_only_replaced_when_asked_and_ours(
    teacher: Teacher, small: config.Synthesis, tmp_path: Path
) -> None:
    out = tmp_path / "release"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    assert "--overwrite" in refused(teacher, small, out)
    assert "not written by stimjax" in refused(teacher, small, out, overwrite=True)
    assert [path.read_text() for path in out.iterdir()] == ["mine"]
