"""Training against formulas written out in NumPy, and against itself in other groupings."""

import contextlib
import dataclasses
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stimjax import batch, models
from stimjax.batch import Batch, Spec
from stimjax.config import Fit
from stimjax.errors import StimjaxError
from stimjax.learn import fit
from stimjax.learn.predict import BLOCK, blocks, probabilities
from stimjax.learn.step import cross_entropy
from stimjax.models import Model, Params

# One setting, two seeds and one size of every part wherever that will do: compiled once.
SETTINGS = Fit(steps=300, batch=16, rate=1e-2, noise=0.05, every=50, patience=6)
IMPATIENT = dataclasses.replace(SETTINGS, every=10, patience=1)


@pytest.fixture(scope="module")
def model(spec: Spec) -> Model:
    return models.classifier("mlp", spec.shape, 2, {"width": 32, "depth": 1, "dropout": 0.1})


@pytest.fixture(scope="module")
def shaky(xor: Batch) -> Batch:
    """Validation windows whose loss does not fall steadily: a third of the labels are wrong."""
    wrong = np.random.default_rng(1).random(100) < 0.33
    return dataclasses.replace(
        xor[:100], y=np.where(wrong[:, None], xor.y[:100, ::-1], xor.y[:100])
    )


def losses(probability: np.ndarray, part: Batch) -> np.ndarray:
    """Weighted cross-entropy of each seed, in float64."""
    y, weight = np.asarray(part.y), np.asarray(part.weight)
    value = -(y * np.log(probability.astype(float))).sum(-1)
    return (weight * value).sum(-1) / weight.sum()


@contextlib.contextmanager
def compilations() -> Iterator[list[str]]:
    """A list that grows by one with every program that is compiled."""
    compiled: list[str] = []

    def listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield compiled


def linear(params: Params, x: jax.Array, key: jax.Array | None = None) -> jax.Array:
    return x.reshape(x.shape[0], -1) @ params


LINEAR = Model(lambda key: jnp.zeros((10, 2)), linear)


# Loss


def test_loss_and_gradient_with_soft_labels_are_the_formulas() -> None:
    rng = np.random.default_rng(0)
    logits, weight = rng.normal(size=(6, 3)), rng.random(6)
    y = rng.dirichlet([1, 1, 1], 6)
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    value = -(weight[:, None] * y * np.log(softmax)).sum() / weight.sum()
    gradient = weight[:, None] * (softmax - y) / weight.sum()
    arrays = [jnp.asarray(a, jnp.float32) for a in (logits, y, weight, weight.sum())]
    found, found_gradient = jax.value_and_grad(cross_entropy)(*arrays)
    np.testing.assert_allclose(found, value, rtol=1e-5)
    np.testing.assert_allclose(found_gradient, gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("many", [16, 128])  # one part, four parts
def test_training_a_linear_network_equals_adamw_written_out(
    spec: Spec, xor: Batch, many: int
) -> None:
    """Clipping, warm-up, cosine, decay, order of windows, noise, soft labels, weights: by hand."""
    rng = np.random.default_rng(2)
    soft = rng.dirichlet([1, 1], 60)
    train = batch.make(5 * xor.x[:60], soft, spec, weight=rng.random(60))
    settings = Fit(steps=30, batch=many, rate=0.05, weight_decay=0.1, noise=0.3, every=5)
    looks: list[int] = []
    with compilations() as compiled:
        run = fit.Run(progress=lambda *_: looks.append(len(compiled)))
        found = fit.fit(LINEAR, train, train, seeds=[7], settings=settings, run=run)

    epochs = range(many // 2)
    order = np.concatenate([np.random.default_rng([7, e]).permutation(60) for e in epochs])
    w, m, v = (np.zeros((10, 2)) for _ in range(3))
    x, best, best_loss = train.x.reshape(60, 10).astype(float), np.zeros((10, 2)), math.inf
    for t in range(30):
        index = order[many * t : many * (t + 1)]
        weight = train.weight[index, None] / train.weight[index].sum()
        noise_key, _ = jax.random.split(jax.random.fold_in(jax.random.key(7), t))
        noise = np.asarray(jax.random.normal(noise_key, (many, 5, 2))).reshape(many, 10)
        noisy = x[index] + 0.3 * noise
        logits = noisy @ w
        softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        gradient = noisy.T @ (weight * (softmax - train.y[index]))
        gradient /= max(1, np.linalg.norm(gradient))
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        rate = 0.05 * (t / 3 if t < 3 else (1 + math.cos(math.pi * (t - 3) / 27)) / 2)
        adam = m / (1 - 0.9 ** (t + 1)) / (np.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8)
        w = w - rate * (adam + 0.1 * w)
        if t % 5 == 4:
            e = np.exp(x @ w)
            value = float(losses(e / e.sum(1, keepdims=True), train))
            if value < best_loss:
                best, best_loss = w, value
    np.testing.assert_allclose(found.params[0], best, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.loss, [best_loss], rtol=1e-4)
    assert found.steps == 30
    # Six looks, one program: what goes in first has the types of what comes out.
    assert len(looks) == 6 and len(set(looks)) == 1


def test_windows_of_weight_0_have_no_influence(model: Model, xor: Batch) -> None:
    weight = np.ones(len(xor), np.float32)
    weight[::3] = 0
    part = dataclasses.replace(xor, weight=weight)
    x, y = np.array(xor.x), np.array(xor.y)
    x[::3], y[::3] = 100 * x[::3] + 7, y[::3, ::-1]
    other = dataclasses.replace(part, x=x, y=y)
    first, second = (
        fit.fit(model, some, some[:200], seeds=[1, 2], settings=SETTINGS) for some in (part, other)
    )
    chex.assert_trees_all_equal(first.params, second.params)
    np.testing.assert_array_equal(first.loss, second.loss)


def test_a_weight_counts_like_so_many_repetitions(model: Model, xor: Batch) -> None:
    times = np.random.default_rng(3).integers(0, 4, 100)
    weighted = dataclasses.replace(xor[:100], weight=times.astype(np.float32))
    repeated = xor[np.repeat(np.arange(100), times)]
    first, second = (
        fit.fit(model, xor, some, seeds=[1, 2], settings=SETTINGS) for some in (weighted, repeated)
    )
    np.testing.assert_allclose(first.loss, second.loss, rtol=1e-5)


# Seeds, looks, stopping


def test_seeds_together_are_runs_of_one_each(model: Model, xor: Batch, shaky: Batch) -> None:
    """Also where one stops early and the others go on."""
    seeds = [3, 4, 5]
    together = fit.fit(model, xor, shaky, seeds=seeds, settings=IMPATIENT)
    alone = [fit.fit(model, xor, shaky, seeds=[seed], settings=IMPATIENT) for seed in seeds]
    for place, single in enumerate(alone):
        of_joint = jax.tree.map(lambda leaf, p=place: leaf[p : p + 1], together.params)
        chex.assert_trees_all_close(single.params, of_joint, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(single.loss[0], together.loss[place], rtol=1e-4)
    steps = [single.steps for single in alone]
    assert min(steps) < max(steps) == together.steps
    assert len(set(together.loss.tolist())) == 3


def test_early_stopping_stops(model: Model, xor: Batch) -> None:
    against = dataclasses.replace(xor[:200], y=xor.y[:200, ::-1])  # what is learned is wrong
    seen: list[tuple[int, int]] = []
    run = fit.Run(progress=lambda *at: seen.append(at))
    fitted = fit.fit(model, xor, against, seeds=[1], settings=IMPATIENT, run=run)
    assert 20 <= fitted.steps < 300
    assert seen == [(step, 300) for step in range(10, fitted.steps + 1, 10)]


def test_what_is_kept_is_the_best_look_and_every_run_the_same(
    model: Model, xor: Batch, shaky: Batch
) -> None:
    fitted, again = (fit.fit(model, xor, shaky, seeds=[3, 4], settings=SETTINGS) for _ in range(2))
    probability = probabilities(model, fitted.params, shaky.x)
    np.testing.assert_allclose(losses(probability, shaky), fitted.loss, rtol=1e-4)
    chex.assert_trees_all_equal(again.params, fitted.params)


def test_learns_what_no_line_separates(model: Model, xor: Batch) -> None:
    fitted = fit.fit(model, xor[:280], xor[200:], seeds=[1, 2], settings=SETTINGS)
    right = probabilities(model, fitted.params, xor.x[:280]).argmax(-1) == xor.y[:280].argmax(-1)
    assert right.mean(axis=1).max() > 0.95


def test_divergence_is_one_line(xor: Batch) -> None:
    settings = dataclasses.replace(SETTINGS, rate=1e38)
    with pytest.raises(StimjaxError, match="diverged from all of 2 seeds; lower the learning rate"):
        fit.fit(LINEAR, xor, xor[:200], seeds=[1, 2], settings=settings)


# Resume


class Interrupted(Exception):
    pass


def interrupt_at(stop: int) -> Callable[[int, int], None]:
    def progress(step: int, steps: int) -> None:
        if step == stop:
            raise Interrupted

    return progress


def test_a_resumed_run_ends_with_the_same_bits(
    model: Model, xor: Batch, shaky: Batch, tmp_path: Path
) -> None:
    state = tmp_path / "state"

    def run(checkpoint: Path | None, progress: Callable[[int, int], None]) -> fit.Fitted:
        how = fit.Run(checkpoint=checkpoint, progress=progress)
        return fit.fit(model, xor, shaky, seeds=[1, 2], settings=SETTINGS, run=how)

    whole = run(None, interrupt_at(-1))
    for stop in (50, 150):
        with pytest.raises(Interrupted):
            run(state, interrupt_at(stop))
    seen: list[int] = []
    resumed = run(state, lambda step, _: seen.append(step))
    assert seen == [200, 250, 300]
    chex.assert_trees_all_equal(resumed.params, whole.params)
    np.testing.assert_array_equal(resumed.loss, whole.loss)

    # A checkpoint is written while training goes on and reuses its buffers: is 250 still 250?
    assert sorted(path.name for path in state.iterdir()) == ["250", "300"]
    shutil.rmtree(state / "300")
    chex.assert_trees_all_equal(run(state, interrupt_at(-1)).params, whole.params)


def test_checkpoints_that_cannot_go_on_are_one_line(
    model: Model, xor: Batch, tmp_path: Path
) -> None:
    def run(seeds: list[int], stop: int) -> None:
        how = fit.Run(checkpoint=tmp_path, progress=interrupt_at(stop))
        fit.fit(model, xor, xor[:200], seeds=seeds, settings=SETTINGS, run=how)

    with pytest.raises(Interrupted):
        run([1, 2], 50)
    with pytest.raises(StimjaxError, match="50: belongs to a run from other seeds"):
        run([1, 3], -1)
    for file in (tmp_path / "50").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(StimjaxError, match="50: cannot be restored") as error:
        run([1, 2], -1)
    assert "\n" not in str(error.value)


# Compilation, blocks, order, prediction


def test_other_seeds_and_a_few_windows_more_or_less_compile_nothing_anew(
    model: Model, xor: Batch
) -> None:
    fitted = fit.fit(model, xor, xor[:200], seeds=[1, 2], settings=SETTINGS)
    probabilities(model, fitted.params, xor.x)
    with compilations() as compiled:
        fitted = fit.fit(model, xor[:290], xor[:190], seeds=[8, 9], settings=SETTINGS)
        probabilities(model, fitted.params, xor.x[:280])
        seen = len(compiled)
        jax.jit(lambda x: x * 3.25)(1.5)
        assert len(compiled) > seen  # the listener does listen
    assert seen == 0


@given(n=st.integers(1, 40_000))
@hypothesis_settings(max_examples=40, deadline=None, derandomize=True)
def test_blocks_hold_every_window_and_come_in_few_sizes(n: int) -> None:
    found = blocks(np.arange(1, n + 1, dtype=np.float32))
    flat = found.reshape(-1)
    np.testing.assert_array_equal(flat[:n], np.arange(1, n + 1))
    assert not flat[n:].any()
    assert len(flat) < 1.25 * n + BLOCK + 1
    leading = len(found)
    while leading % 2 == 0:
        leading //= 2
    assert leading <= 7


@given(
    n=st.integers(1, 50),
    size=st.integers(1, 20),
    every=st.integers(1, 7),
    looks=st.integers(1, 6),
    seed=st.integers(0, 2**31 - 1),
)
@hypothesis_settings(max_examples=50, deadline=None, derandomize=True)
def test_order_is_an_endless_row_of_permutations(
    n: int, size: int, every: int, looks: int, seed: int
) -> None:
    settings = Fit(batch=size, every=every)
    parts = [fit._order(n, seed, step * every, settings) for step in range(looks)]
    assert all(part.shape == (every, size) and part.dtype == np.int32 for part in parts)
    row = np.concatenate(parts).reshape(-1)
    for start in range(0, len(row), n):
        epoch = row[start : start + n]
        assert len(set(epoch.tolist())) == len(epoch)
        assert epoch.min() >= 0 and epoch.max() < n
    again = fit._order(n, seed, (looks - 1) * every, settings)
    np.testing.assert_array_equal(again, parts[-1])


def test_order_differs_between_seeds_and_epochs() -> None:
    settings = Fit(batch=50, every=1)
    rows = [fit._order(50, seed, step, settings).tobytes() for seed in (0, 1) for step in (0, 1)]
    assert len(set(rows)) == 4


@pytest.fixture(scope="module")
def two(model: Model) -> Params:
    return jax.jit(jax.vmap(model.init))(jax.random.split(jax.random.key(0), 2))


@pytest.mark.parametrize("n", [0, 1, 256, 300])
def test_predict_is_the_softmax_of_each_network(
    model: Model, two: Params, xor: Batch, n: int
) -> None:
    found = probabilities(model, two, xor.x[:n])
    assert found.shape == (2, n, 2) and found.dtype == np.float32
    for seed in range(2):
        single = jax.tree.map(lambda leaf, s=seed: leaf[s], two)
        logits = np.asarray(model.apply(single, jnp.asarray(xor.x)), float)[:n]
        expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        np.testing.assert_allclose(found[seed], expected, rtol=1e-4, atol=1e-6)
