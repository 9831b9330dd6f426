"""What a release is drawn with: it lets the noise be subtracted, and nothing published has it."""

import dataclasses
import re
import stat
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax import config, models, release
from stimjax.batch import Batch, Channel, Spec, make, one_hot
from stimjax.config.recipes import Recipe
from stimjax.errors import StimjaxError
from stimjax.excite import lanes, methods, secret
from stimjax.excite.rates import Listener
from stimjax.excite.synthesize import synthesize
from stimjax.learn.teacher import Teacher
from stimjax.release import export

SPEC = Spec((8, 2), ("a", "b"), (Channel("x", "", low=-9.0, high=9.0),) * 2, 1.0, 0.0, 8.0)
COUNT = 400
RECIPE = Recipe("mixture", rounded=False)
SETTINGS = config.Synthesis("mixture", COUNT, RECIPE, lanes=COUNT, shard=COUNT)


def windows(seed: int) -> Batch:
    """Windows of few people, each of a covariance of its own."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(140, 16)) @ rng.normal(size=(16, 16)) / 4
    x = mixed.reshape(140, *SPEC.shape).astype(np.float32)
    return make(x, one_hot(np.arange(140) % 2, SPEC), SPEC)


def taught(seed: int) -> Teacher:
    network = models.classifier("mlp", SPEC.shape, 2)
    params = models.ensemble((network,), (1,)).init(jax.random.key(seed))
    bare = Teacher(("mlp",), params, SPEC)
    return dataclasses.replace(bare, statistics=methods.measure(windows(seed), bare))


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return taught(0)


@pytest.fixture(scope="module")
def published(teacher: Teacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "release"
    told: list[str] = []
    synthesize(teacher, SETTINGS, out, listener=Listener(note=told.append))
    assert told == []
    return out


def explained(stimuli: np.ndarray, seeds: list[int]) -> list[float]:
    """How much of the stimuli somebody explains who draws with these seeds, by least squares.

    Whoever does it has statistics of people of their own, and a release's recipe.
    """
    method = methods.method(SPEC, RECIPE, taught(1).statistics)

    @jax.jit
    def drawn(key: jax.Array) -> jax.Array:
        whole = jax.random.fold_in(jax.random.wrap_key_data(key), 0)
        return lanes.start(method, whole, COUNT).lanes.start

    found = []
    target = stimuli.reshape(COUNT, -1) - stimuli.reshape(COUNT, -1).mean(axis=0)
    for seed in seeds:
        own = np.asarray(drawn(jnp.asarray(secret.key(seed)))).reshape(COUNT, -1)
        own = own - own.mean(axis=0)
        rest = target - own @ np.linalg.lstsq(own, target, rcond=None)[0]
        found.append(1 - float((rest**2).sum() / (target**2).sum()))
    return found


def test_the_noise_can_be_subtracted_with_the_seed_and_with_nothing_that_is_published(
    published: Path,
) -> None:
    stimuli = np.asarray(release.load(published).x)
    texts = [path.read_text() for path in published.iterdir() if path.suffix in (".json", ".md")]
    numbers = {int(digits) for text in texts for digits in re.findall(r"\d{1,38}", text)}
    seed = secret.find(published)
    assert seed is not None and seed not in numbers
    known, *guessed = explained(stimuli, [seed, *sorted(numbers | set(range(20)))])
    assert known > 0.9  # all but what is clipped: the statistics lie open
    assert max(guessed) < 0.2  # 16 of 400 numbers fit by chance


def test_no_published_byte_holds_the_seed(published: Path, tmp_path: Path) -> None:
    seed = secret.find(published)
    assert seed is not None and seed >= secret.GUESSED  # one in 2^64 is not
    key = secret.key(seed)
    forms = [str(seed), f"{seed:x}", str(seed % 2**64), f"{seed % 2**64:x}"]
    forms += [str(int(word)) for word in key]
    found = [form.encode() for form in forms]
    found += [seed.to_bytes(16, order)[-8:] for order in ("big", "little")]
    found += [seed.to_bytes(16, "little")[:8], key.tobytes(), key[::-1].tobytes()]
    for to in ("npz", "edf"):
        export.export(published, to, tmp_path / f"stimuli.{to}")
    for path in [*published.iterdir(), *tmp_path.iterdir()]:
        content = path.read_bytes()
        assert not any(form in content for form in found), path
    assert b'"seed"' not in (published / "manifest.json").read_bytes()
    assert b"seed" not in (published / "README.md").read_bytes()


def test_what_is_kept_makes_the_release_again(
    teacher: Teacher, published: Path, tmp_path: Path
) -> None:
    place = secret.place(published)
    assert place == published.parent / "private" / "release.seed.json"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    again = dataclasses.replace(SETTINGS, seed=secret.find(published))
    told: list[str] = []
    synthesize(teacher, again, tmp_path / "again", listener=Listener(note=told.append))
    assert told == []  # 128 bits cannot be guessed
    for path in published.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
    assert secret.find(tmp_path / "again") == again.seed


def test_two_releases_are_drawn_with_different_seeds(
    teacher: Teacher, published: Path, tmp_path: Path
) -> None:
    synthesize(teacher, SETTINGS, tmp_path / "release")
    assert secret.find(tmp_path / "release") != secret.find(published)
    mine, other = (release.load(one).x for one in (tmp_path / "release", published))
    assert not np.array_equal(mine, other)


def test_an_interrupted_release_goes_on_with_its_seed_or_says_that_it_is_gone(
    teacher: Teacher, tmp_path: Path
) -> None:
    settings = dataclasses.replace(SETTINGS, count=3 * COUNT)
    out, aside = tmp_path / "release", tmp_path / ".release.partial"
    save = release.save_shard

    def stop(folder: Path, number: int, stimuli: Batch) -> None:
        if number == 2:
            raise KeyboardInterrupt
        save(folder, number, stimuli)

    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(release, "save_shard", stop)
        synthesize(teacher, settings, out)
    assert stat.S_IMODE(aside.stat().st_mode) == 0o700
    assert stat.S_IMODE((aside / "seed.json").stat().st_mode) == 0o600
    begun = (aside / "seed.json").rename(tmp_path / "elsewhere")
    with pytest.raises(StimjaxError, match=r"seed\.json: is missing, and the shards") as error:
        synthesize(teacher, settings, out)
    assert "\n" not in str(error.value) and "begin afresh" in str(error.value)
    begun.rename(aside / "seed.json")
    synthesize(teacher, settings, out)
    assert not aside.exists()
    again = dataclasses.replace(settings, seed=secret.find(out))
    synthesize(teacher, again, tmp_path / "again")
    for path in out.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@given(st.integers(0, 2**128 - 1))
def test_a_key_is_the_last_64_bits_and_that_of_jax_for_a_small_seed(seed: int) -> None:
    high, low = map(int, secret.key(seed))
    assert high << 32 | low == seed % 2**64
    small = seed % 2**31
    np.testing.assert_array_equal(secret.key(small), jax.random.key_data(jax.random.key(small)))


def test_a_seed_lies_in_a_private_folder_and_follows_its_release(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    old, new = tmp_path / "release", tmp_path / "private" / "refused"
    assert secret.find(old) is None  # the holder lost it
    secret.move(old, new)
    secret.keep(old, 7)
    secret.move(old, new)
    assert secret.find(old) is None and secret.find(new) == 7
    assert secret.place(new) == tmp_path / "private" / "refused.seed.json"
    secret.keep(new, 8)
    assert secret.find(new) == 8


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"schema": 1, "seed": -1, "versions": {}}',
        '{"schema": 1, "seed": "7", "versions": {}}',
        '{"schema": 2, "seed": 7, "versions": {}}',
        f'{{"schema": 1, "seed": {2**128}, "versions": {{}}}}',
    ],
)
def test_a_damaged_seed_is_one_line(tmp_path: Path, content: str) -> None:
    secret.keep(tmp_path / "release", 7)
    secret.place(tmp_path / "release").write_text(content)
    with pytest.raises(StimjaxError, match=r"release\.seed\.json: ") as error:
        secret.find(tmp_path / "release")
    assert "\n" not in str(error.value)


def test_a_file_in_the_folders_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "private").write_text("")
    with pytest.raises(StimjaxError, match="no folder can be made here for the seed of release"):
        secret.keep(tmp_path / "release", 7)
