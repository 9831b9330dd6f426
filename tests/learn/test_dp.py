"""A teacher with a formal guarantee: what one subject can change, what is added, what comes out."""

import dataclasses
import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax import batch, config, models, release
from stimjax.batch import Batch, Spec
from stimjax.config import settings as checks
from stimjax.config.recipes import RECIPES
from stimjax.disk.documents import Audited
from stimjax.errors import StimjaxError
from stimjax.excite import guarantee, synthesize
from stimjax.learn import candidates, dp, ledger, limits, teacher
from stimjax.learn.teacher import Teacher

pytest.importorskip("jax_privacy", reason="the extra `privacy` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:optax.global_norm is deprecated")

CLIP, EXPECTED, EACH, UNITS = 0.7, 5.0, 8, 16
# Few steps on nearly all subjects: noise and epsilon matter here, not what is learned.
WHOLE = config.Dp(numbers="all", clip=1.0, batch=20, windows=4, networks=("mlp",), rate=1e-2)
SHORT = dataclasses.replace(WHOLE, epsilon=2.0, steps=2)
ASKED = dataclasses.replace(WHOLE, epsilon=500.0, steps=60)


@pytest.fixture(scope="module")
def easy(spec: Spec) -> Batch:
    """300 windows of 30 subjects; the class is the sign of a value."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, *spec.shape))
    label = (x[:, 0, 0] > 0).astype(int)
    return batch.make(x, batch.one_hot(label, spec), spec, subject=np.arange(300) // 10)


@pytest.fixture(scope="module")
def trained(easy: Batch) -> Teacher:
    return dp.train(easy, ASKED, seed=3, entropy=0)


@functools.cache
def compiled(network: str, spec: Spec, clip: float = CLIP):
    """A model, and what one unit may change the sum of its clipped gradients by."""
    model = models.classifier(network, spec.shape, 2)
    gradient = dp.clipped(model, clip, EXPECTED, EACH)
    assert gradient.sensitivity() == pytest.approx(1 / EXPECTED)

    @jax.jit
    def total(params, x, y, weights, absent):
        return gradient(params, x, y, weights, is_padding_example=absent)

    return model, total


def drawn(seed: int, spec: Spec) -> tuple[np.ndarray, ...]:
    """The windows of `UNITS` units, `EACH` of each."""
    rng = np.random.default_rng(seed)
    label = batch.one_hot(rng.integers(0, 2, UNITS * EACH), spec).reshape(UNITS, EACH, 2)
    x = rng.normal(size=(UNITS, EACH, *spec.shape)).astype(np.float32)
    return x, label, np.ones((UNITS, EACH), np.float32)


@pytest.mark.parametrize("network", ["mlp", "cnn"])
@given(
    seed=st.integers(0, 99),
    unit=st.integers(0, UNITS - 1),
    size=st.sampled_from([0.0, 1.0, 1e4, 1e30, float("inf"), float("nan")]),
    weight=st.sampled_from([0.0, 1.0, 1e20]),
    removed=st.booleans(),
)
@settings(deadline=None, max_examples=15)
def test_one_unit_changes_the_sum_by_no_more_than_the_noise_is_made_for(
    network, spec, seed, unit, size, weight, removed
):
    model, total = compiled(network, spec)
    params = jax.tree.map(lambda a: 3 * a, model.init(jax.random.key(seed)))
    x, y, weights = drawn(seed, spec)
    absent = np.zeros(UNITS, bool)
    before = total(params, x, y, weights, absent)
    absent[unit] = removed
    x[unit], weights[unit] = size * x[unit], weight
    y[unit] = y[unit, :, ::-1]
    after = total(params, x, y, weights, absent)
    moved = float(optax.tree.norm(jax.tree.map(lambda a, b: a - b, before, after)))
    # Removed: it leaves with at most the bound. Replaced by another: leaves and enters.
    assert moved <= (1 if removed else 2) / EXPECTED * (1 + 1e-4)


def test_long_gradients_are_cut_and_short_ones_left(spec):
    only = np.arange(UNITS) > 0
    norms = []
    for clip in (1e-3, 1e3):
        model, total = compiled("mlp", spec, clip)
        found = total(model.init(jax.random.key(0)), *drawn(0, spec), only)
        norms.append(EXPECTED * float(optax.tree.norm(found)))  # in units of the clip
    assert norms[0] == pytest.approx(1.0, rel=1e-4)
    assert 1e-5 < norms[1] < 1e-2


def test_padding_and_the_number_drawn_do_not_scale_the_sum(spec):
    model, total = compiled("mlp", spec)
    params, windows = model.init(jax.random.key(0)), drawn(0, spec)
    whole = total(params, *windows, np.arange(UNITS) >= 4)
    parts = [total(params, *windows, np.arange(UNITS) != i) for i in range(4)]
    together = jax.tree.map(lambda *a: sum(a), *parts)
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(together), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_noise_has_the_deviation_that_was_asked_for():
    noise = dp.added(0.25, jax.random.key(1))
    gradient = {"a": jnp.full((300, 200), 7.0), "b": jnp.zeros(40_000)}
    state, found = noise.init(gradient), []
    for _ in range(2):
        noisy, state = noise.update(gradient, state)
        parts = jax.tree.leaves(jax.tree.map(lambda a, b: a - b, noisy, gradient))
        found.append(np.concatenate([np.ravel(part) for part in parts]))
        assert found[-1].std() == pytest.approx(0.25, rel=0.01)
        assert abs(found[-1].mean()) < 0.005
    assert abs(np.corrcoef(*found)[0, 1]) < 0.02  # fresh in every step


def test_training_adds_the_noise_that_the_ledger_says(easy, monkeypatch):
    seen = []
    original = dp.added
    monkeypatch.setattr(
        dp, "added", lambda deviation, key: seen.append(deviation) or original(deviation, key)
    )
    spent = dp.train(easy, SHORT, entropy=0).privacy
    assert spent is not None
    gradients = spent.expenses[1]
    assert gradients.sampling == 20 / 30
    assert seen == [pytest.approx(gradients.noise / 20)]  # a mean over 20, each of length 1


@pytest.mark.parametrize("unit", ["subject", "window"])
def test_units_take_part_independently_and_with_windows_of_their_own(easy, unit):
    asked = dataclasses.replace(ASKED, unit=unit, steps=400)
    owner = dp.owners(easy, unit)
    rows = dp.draws(owner, 0.3, asked, np.random.default_rng(0))
    units = len(np.unique(owner))
    assert rows.shape[2] == (4 if unit == "subject" else 1)
    takes_part = np.zeros((400, units), bool)
    for step, index in enumerate(rows):
        present = index[index[:, 0] >= 0]
        assert (present >= 0).all() and (owner[present] == owner[present[:, :1]]).all()
        who = owner[present[:, 0]]
        assert len(set(who)) == len(who)
        takes_part[step, who] = True
    assert takes_part.mean() == pytest.approx(0.3, abs=0.015)
    assert takes_part.mean(axis=0).std() < 1.5 * np.sqrt(0.3 * 0.7 / 400)
    number = takes_part.sum(axis=1)  # of a step: binomial, not fixed
    assert number.var() == pytest.approx(units * 0.3 * 0.7, rel=0.35)


def test_other_draws_have_the_same_shape_even_where_no_one_takes_part(easy):
    owner = dp.owners(easy, "subject")
    shapes = {dp.draws(owner, 0.02, ASKED, np.random.default_rng(seed)).shape for seed in range(5)}
    assert len(shapes) == 1


def test_all_expenses_together_are_the_budget(easy):
    asked = dataclasses.replace(SHORT, networks=("mlp", "cnn", "mlp"))
    share = dp.budget(30, asked)
    assert 0.97 * 2 < share.spent.epsilon <= 2
    assert [e.what.split()[-1] for e in share.spent.expenses] == ["classes", "mlp", "cnn"]
    assert [e.count for e in share.spent.expenses] == [1, 2, 2]
    assert ledger.epsilon(share.spent.expenses, 1e-5) == share.spent.epsilon
    alone = dp.budget(30, SHORT)
    assert alone.noise < 0.8 * share.noise  # two networks share what one has alone


def test_windows_without_subjects_need_the_other_unit(easy):
    nobody = batch.make(easy.x, easy.y, easy.spec)
    with pytest.raises(StimjaxError, match=r"choose --teacher\.dp\.unit window"):
        dp.train(nobody, ASKED)


def test_a_huge_epsilon_learns_an_easy_problem(trained, easy):
    right = trained.probability(easy.x).argmax(axis=1) == easy.y.argmax(axis=1)
    assert right.mean() > 0.95
    assert trained.privacy is not None and trained.privacy.epsilon > 300


def test_a_small_epsilon_does_not_know_who_is_in(easy):
    taught = dp.train(easy, SHORT, entropy=0)
    right = taught.probability(easy.x).argmax(axis=1) == easy.y.argmax(axis=1)
    assert right.mean() < 0.9


def test_noise_is_not_that_of_the_seed(easy):
    one, other = (dp.train(easy, SHORT, seed=3) for _ in range(2))
    assert one.digest != other.digest


def test_a_private_teacher_holds_nothing_that_was_not_paid_for(trained, tmp_path):
    assert set(trained.statistics) == {ledger.PRIOR}
    assert all(one.loss is None and one.accuracy is None for one in trained.members)
    teacher.save(trained, tmp_path)
    loaded = teacher.load(tmp_path)
    assert loaded.dp == trained.dp == ASKED
    assert loaded.privacy == trained.privacy and loaded.digest == trained.digest
    about = json.loads((tmp_path / "teacher.json").read_text())
    teacher_json = about | {"privacy": {"epsilon": 1.0}}
    (tmp_path / "teacher.json").write_text(json.dumps(teacher_json))
    with pytest.raises(StimjaxError, match="its privacy is described wrongly"):
        teacher.load(tmp_path)


def test_validation_is_not_looked_at(easy):
    asked = config.Teacher(dp=SHORT)
    wrong = dataclasses.replace(easy, x=np.full_like(easy.x, np.nan))
    taught = candidates.train(easy, wrong, asked)
    assert taught.privacy is not None and taught.privacy.unit == "subject"


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_every_subject_has_the_same_say_in_the_frequencies(easy, noise):
    owner = dp.owners(easy, "subject")
    rng = np.random.default_rng(0)
    found = dp.prior(easy, owner, dp.Counted(noise, 30), rng)
    by_subject = np.asarray(easy.y).reshape(30, 10, 2).mean(axis=(0, 1))
    assert found == pytest.approx(by_subject, abs=0.06 if noise else 1e-6)
    assert (found == pytest.approx(by_subject, abs=1e-6)) == (noise == 0)


@given(st.integers(1, 40), st.integers(0, 2**31))
@settings(deadline=None, max_examples=20)
def test_one_subject_changes_the_frequencies_by_no_more_than_one(n, seed):
    spec = Spec((5, 1), ("a", "b", "c"), (batch.Channel("f", ""),), 1.0)
    rng = np.random.default_rng(seed)
    y = batch.one_hot(rng.integers(0, 3, n), spec)
    total = np.zeros((1, 3))
    np.add.at(total, np.zeros(n, int), y)
    assert np.linalg.norm(total / n) <= 1 + 1e-9
    given_ = batch.make(np.zeros((n, 5, 1)), y, spec, subject=np.zeros(n))
    alone = dp.prior(given_, np.zeros(n, int), dp.Counted(0.0, 1), rng)
    smoothed = np.maximum(total[0] / n, dp.LEAST)
    np.testing.assert_allclose(alone, smoothed / smoothed.sum(), rtol=1e-5)


@given(st.integers(1, 29), st.sampled_from([24, 40]))
@settings(deadline=None, max_examples=10)
def test_neighbors_of_a_stated_size_spend_and_divide_alike(easy, there, units):
    """What is published tells no number of subjects, and a sum is divided by no such number."""
    tasks = []

    def start_alone(model, start, task, rng, progress):
        tasks.append(task)
        return start

    stated = dataclasses.replace(SHORT, units=units, prior=0.0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dp, "descend", start_alone)
        patched.setattr(ledger, "noise_for", lambda *given, **asked: 5.0)  # seconds
        said = [
            ledger.described(dp.train(easy[:rows], stated, entropy=0).privacy)
            for rows in (10 * there, 10 * there + 10)
        ]
    assert said[0] == said[1] and said[0].units == units
    one, other = tasks
    assert (one.expected, one.share.noise) == (other.expected, other.share.noise)
    assert one.expected == pytest.approx(SHORT.batch)


def test_a_count_is_told_by_what_was_spent(monkeypatch):
    """What a stated number is for: another one more would be another manifest."""
    monkeypatch.setattr(ledger, "noise_for", lambda *given, **asked: 5.0)
    counted = dataclasses.replace(SHORT, prior=0.0)
    said = [ledger.described(dp.budget(there, counted).spent) for there in (24, 25)]
    assert [one.expenses[0]["sampling"] for one in said] == [20 / 24, 20 / 25]
    assert [one.units for one in said] == [None, None]
    with pytest.raises(StimjaxError, match=r"dp\.units"):
        checks.check(config.Teacher(dp=dataclasses.replace(SHORT, units=-1)))


@pytest.fixture(scope="module")
def published(trained: Teacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = config.Synthesis(method="probe", count=60, shard=30, lanes=16)
    out = tmp_path_factory.mktemp("private") / "release"
    synthesize.synthesize(trained, asked, out)
    return out


def test_a_release_says_unit_epsilon_delta_and_what_was_spent(published, trained):
    assert len(release.load(published)) == 60
    said = release.load_manifest(published).privacy
    assert ledger.described(trained.privacy) == said
    assert (said.unit, said.delta) == ("subject", 1e-5)
    card = (published / "README.md").read_text()
    assert "Differential privacy" in card and f"epsilon {said.epsilon:.3g}" in card
    assert guarantee.FIXED in card and "canaries" not in card
    assert said.epsilon is not None and said.delta is not None
    assert limits.sentence(said.epsilon, said.delta, "subject") in card
    assert "How many subjects there were counts as known" in card
    assert "units" not in json.loads((published / "manifest.json").read_text())["privacy"]


def test_a_card_says_that_the_size_was_stated_and_what_an_attack_showed(
    trained, published, tmp_path
):
    manifest = release.load_manifest(published)
    audited = Audited(9, 0.1, 0.2, 0.3, 0.4)
    stated = dataclasses.replace(manifest.privacy, units=40, audited=audited)
    release.finish(tmp_path, trained.spec, dataclasses.replace(manifest, privacy=stated))
    assert release.load_manifest(tmp_path).privacy == stated
    card = (tmp_path / "README.md").read_text()
    assert str(audited) in card
    assert "There are said to be 40 subjects" in card and "counts as known" not in card


def test_a_release_without_a_guarantee_says_so(trained, published, tmp_path):
    manifest = release.load_manifest(published)
    release.finish(
        tmp_path, trained.spec, dataclasses.replace(manifest, privacy=ledger.described(None))
    )
    said = json.loads((tmp_path / "manifest.json").read_text())["privacy"]
    assert said == {"unit": None, "epsilon": None, "delta": None, "expenses": []}
    assert "Differential privacy" not in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("method", sorted(set(RECIPES) - {"probe", "paper", "public"}))
def test_a_private_teacher_refuses_methods_that_need_more(trained, tmp_path, method):
    with pytest.raises(StimjaxError, match="no epsilon was spent on; choose"):
        synthesize.synthesize(trained, config.Synthesis(method=method), tmp_path / "release")
    assert not (tmp_path / "release").exists()


@pytest.mark.slow  # two trainings on 1,500 windows
def test_a_canary_audit_of_one_run_finds_less_than_epsilon(spec):
    """Steinke, Nasr and Jagielski, NeurIPS 2023, arXiv 2305.08846; mislabeled windows."""
    auditing = pytest.importorskip("jax_privacy.auditing")
    found = {
        epsilon: _audited(auditing, spec, epsilon) for epsilon in (2.0, 2000.0)
    }  # fmt: skip
    assert found[2.0] <= 2.0
    assert found[2000.0] > 1.0  # the audit is not blind


def _audited(auditing, spec: Spec, epsilon: float) -> float:
    """A lower bound of epsilon from canaries that a training may or may not have seen."""
    rng = np.random.default_rng(0)
    canaries = 1000
    x = rng.normal(size=(canaries, *spec.shape))
    label = rng.integers(0, 2, canaries)
    inside = rng.random(canaries) < 0.5
    every = batch.make(x, batch.one_hot(label, spec), spec)
    asked = dataclasses.replace(
        WHOLE, epsilon=epsilon, unit="window", steps=300, batch=250, windows=8, prior=0.0
    )
    taught = dp.train(every[inside], asked, entropy=1)
    probability = taught.probability(every.x)[np.arange(canaries), label]
    score = np.log(np.maximum(probability, 1e-9))
    auditor = auditing.CanaryScoreAuditor(score[inside], score[~inside])
    return float(auditor.epsilon_one_run(0.05, asked.delta))


def test_few_numbers_are_biases_and_the_last_layer_and_the_rest_keeps_its_bits(easy, spec):
    """Noise is drawn for few numbers only, and the network is whole again in the end."""
    model = models.classifier("mlp", spec.shape, 2)
    start = model.init(jax.random.key(1))
    few = dataclasses.replace(SHORT, numbers="few")
    changed, own, _ = dp.trained(model, start, few, 2)
    for kept, whole_leaf in zip(
        jax.tree.leaves(own, is_leaf=lambda a: a is None), jax.tree.leaves(start), strict=True
    ):
        assert (kept is None) == (whole_leaf.ndim > 1 and whole_leaf.shape[-1] != 2)
    x = jnp.asarray(easy.x)
    np.testing.assert_array_equal(changed.apply(own, x), model.apply(start, x))
    noise = dp.budget(30, few)
    rng = np.random.default_rng(0)
    task = dp.Task(easy, dp.owners(easy, "subject"), noise, noise.sampling * 30, few)
    after = dp.descend(model, start, task, rng)
    assert jax.tree.structure(after) == jax.tree.structure(start)
    for old, new in zip(jax.tree.leaves(start), jax.tree.leaves(after), strict=True):
        few_leaf = old.ndim <= 1 or old.shape[-1] == 2
        assert np.array_equal(old, new) != few_leaf


def test_few_numbers_want_a_network_that_knows_something():
    alone = config.Prior(first=0)
    few = config.Teacher(dp=dataclasses.replace(SHORT, numbers="few"), prior=alone)
    with pytest.raises(StimjaxError, match=r"dp\.numbers few.*prior\.first"):
        checks.check(dataclasses.replace(few, networks=config.Teacher().networks))
    checks.check(dataclasses.replace(few, prior=config.Prior(first=100)))
    beside = dataclasses.replace(few, prior=config.Prior(first=100, part=0.2))
    with pytest.raises(StimjaxError, match=r"prior\.part"):
        checks.check(beside)


def test_training_starts_where_it_is_told(easy, monkeypatch):
    began = []
    monkeypatch.setattr(dp, "descend", lambda model, params, *rest: began.append(params) or params)
    asked: list[int] = []

    def start(model: models.Model, seed: int) -> models.Params:
        asked.append(seed)
        return jax.tree.map(lambda leaf: jnp.full_like(leaf, 0.25), model.init(jax.random.key(0)))

    found = dp.train(easy, SHORT, seed=3, entropy=0, start=start)
    assert asked == teacher.seeds(3, 1)
    for leaf in jax.tree.leaves((began[0], found.params["members"])):
        assert (leaf == 0.25).all()
    own = dp.train(easy, SHORT, seed=3, entropy=0)
    model = models.classifier("mlp", easy.spec.shape, 2)
    for leaf, expected in zip(
        jax.tree.leaves(own.params["members"]),
        jax.tree.leaves(model.init(jax.random.key(asked[0]))),
        strict=True,
    ):
        np.testing.assert_array_equal(leaf[0], expected)
