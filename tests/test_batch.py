"""`Batch` as a pytree, on disk, and refused when it is unsound."""

import copy
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stimjax import batch
from stimjax.batch import Batch, Channel, Spec
from stimjax.disk import store
from stimjax.errors import StimjaxError

SIGNAL = Spec(
    shape=(4, 2),
    classes=("normal", "apnea"),
    channels=(
        Channel("SpO2", "%", center=95.0, scale=4.0, low=-5.0, high=1.25, resolution=0.25),
        Channel("flow", "", "recording", low=-2.5, high=3.1),
    ),
    rate=1 / 3,  # no decimal number
    label_start=15.0,
    label_seconds=60.0,
)
IMAGE = Spec((3, 5, 1), ("0", "1", "2"), (Channel("intensity", "", low=0.0, high=1.0),))


def random_batch(spec: Spec, n: int, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    y = rng.dirichlet(np.ones(len(spec.classes)), n)
    subject, weight = rng.integers(-1, 9, n), rng.uniform(0, 2, n)
    return batch.make(rng.normal(size=(n, *spec.shape)), y, spec, subject=subject, weight=weight)


def assert_same(one: Batch, other: Batch) -> None:
    assert one.spec == other.spec
    for field in batch.FIELDS:
        a, b = np.asarray(getattr(one, field)), np.asarray(getattr(other, field))
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), field


@pytest.mark.parametrize("spec", [SIGNAL, IMAGE])
def test_pytree(spec):
    original = random_batch(spec, 6)
    leaves, structure = jax.tree.flatten(original)
    assert [leaf is getattr(original, f) for leaf, f in zip(leaves, batch.FIELDS, strict=True)]
    assert_same(jax.tree.unflatten(structure, leaves), original)
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(original)]
    assert paths == [f".{field}" for field in batch.FIELDS]
    doubled = jax.tree.map(lambda a: a + a, original)
    np.testing.assert_array_equal(doubled.x, 2 * original.x)
    assert doubled.spec is spec
    # Leaves may be anything on the way: shapes, nothing, single windows.
    assert jax.tree.map(lambda a: a.shape, original).subject == (6,)
    assert jax.eval_shape(lambda b: b, original).x.shape == (6, *spec.shape)


def test_jit_takes_the_spec_as_static_and_compiles_once_for_equal_ones():
    traced = []

    @jax.jit
    def scale(b: Batch) -> Batch:
        traced.append(b.spec)
        return b if b.spec.rate is None else jax.tree.map(lambda a: a * 2, b)

    first = scale(random_batch(SIGNAL, 3))
    second = scale(random_batch(copy.deepcopy(SIGNAL), 3, seed=1))
    assert traced == [SIGNAL]
    assert first.spec == second.spec == SIGNAL
    np.testing.assert_allclose(first.x, 2 * random_batch(SIGNAL, 3).x, rtol=1e-6)
    scale(random_batch(IMAGE, 3))
    assert traced == [SIGNAL, IMAGE]


def test_vmap_is_a_loop_over_windows():
    original = random_batch(SIGNAL, 5)

    def loss(one: Batch):
        assert one.x.shape == SIGNAL.shape and one.y.shape == (2,) and one.weight.shape == ()
        return one.weight * jnp.sum(one.x) * one.y[0]

    expected = [b.weight * b.x.sum() * b.y[0] for b in map(lambda i: original[i], range(5))]
    np.testing.assert_allclose(jax.vmap(loss)(original), expected, rtol=1e-5)
    stacked = jax.tree.map(lambda *parts: jnp.stack(parts), original, original)
    many = jax.vmap(lambda b: jax.tree.map(lambda a: a[::-1], b))(stacked)
    np.testing.assert_array_equal(many.x[1], original.x[::-1])


def test_gradient_passes_through():
    original = random_batch(SIGNAL, 2)
    grad = jax.grad(lambda b: jnp.sum(b.x**2 * b.weight[:, None, None]), allow_int=True)(original)
    np.testing.assert_allclose(grad.x, 2 * original.x * original.weight[:, None, None], rtol=1e-5)


def test_batches_of_different_meaning_do_not_mix():
    other = Spec.from_json(SIGNAL.to_json() | {"rate": 2.0}, "here")
    one, two = random_batch(SIGNAL, 2), random_batch(other, 2)
    with pytest.raises(ValueError, match=r"rate=2\.0"):
        jax.tree.map(lambda a, b: a + b, one, two)
    with pytest.raises(ValueError):
        batch.concatenate([one, two])


def test_choosing_windows():
    original = random_batch(SIGNAL, 6)
    mask = np.array([True, False, True, False, False, True])
    for index, rows in ((slice(1, 4), [1, 2, 3]), (mask, [0, 2, 5]), (np.array([5, 0]), [5, 0])):
        chosen = original[index]
        assert len(chosen) == len(rows)
        for field in batch.FIELDS:
            np.testing.assert_array_equal(getattr(chosen, field), getattr(original, field)[rows])


def test_one_hot_and_defaults():
    y = batch.one_hot(np.array([2, 0]), IMAGE)
    assert y.tolist() == [[0, 0, 1], [1, 0, 0]]
    made = batch.make(np.zeros((2, 3, 5, 1)), y, IMAGE)
    assert made.subject.tolist() == [-1, -1] and made.weight.tolist() == [1, 1]
    assert [str(getattr(made, field).dtype) for field in batch.FIELDS] == [
        *("float32", "float32", "int32", "float32")
    ]


def test_shards_come_back_in_order_of_their_number(tmp_path):
    parts = [random_batch(SIGNAL, 1 + n % 3, seed=n) for n in range(12)]
    batch.save_spec(SIGNAL, tmp_path)
    for number in np.random.default_rng(0).permutation(12):  # written in any order
        batch.save(parts[number], tmp_path, f"train-{number:04d}")
    batch.save(random_batch(SIGNAL, 9), tmp_path, "test-0000")
    assert_same(batch.load(tmp_path, "train"), batch.concatenate(parts))
    np.testing.assert_array_equal(
        batch.concatenate(parts).x, np.concatenate([part.x for part in parts])
    )


FLOATS = hnp.from_dtype(np.dtype(np.float32), allow_nan=False, allow_infinity=False)


def words(n: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.text(max_size=5), min_size=n, max_size=n)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data(), st.booleans())
def test_saved_and_read_back_bit_for_bit(tmp_path, data, signal):
    n, size, channels, classes = data.draw(st.tuples(*[st.integers(1, 4)] * 4))
    shape = (size, channels) if signal else (size, 2, channels)
    positive = data.draw(hnp.arrays(np.float64, channels + 3, elements=st.floats(1e-6, 1e6)))
    rate, start, seconds, *high = positive.tolist()
    names = data.draw(words(channels))
    spec = Spec(
        shape,
        tuple(data.draw(words(classes))),
        tuple(Channel(name, "", low=-1 / h, high=h) for name, h in zip(names, high, strict=True)),
        rate if signal else None,
        start,
        seconds if signal else None,
    )
    label = data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, classes - 1)))
    original = batch.make(
        data.draw(hnp.arrays(np.float32, (n, *shape), elements=FLOATS)),
        batch.one_hot(label, spec),
        spec,
        subject=data.draw(hnp.arrays(np.int32, n)),
        weight=np.abs(data.draw(hnp.arrays(np.float32, n, elements=FLOATS))),
    )
    batch.save(original, tmp_path, "part-0")
    batch.save_spec(original.spec, tmp_path)
    assert_same(batch.load(tmp_path, "part"), original)


def refused(arrays: dict[str, np.ndarray], folder: Path) -> str:
    store.save_arrays(folder / "a-0.safetensors", arrays)
    batch.save_spec(SIGNAL, folder)
    with pytest.raises(StimjaxError) as error:
        batch.load(folder, "a")
    where, _, reason = str(error.value).partition(": ")
    assert where == str(folder / "a-0.safetensors") and "\n" not in reason
    return reason


def arrays_of(original: Batch) -> dict[str, np.ndarray]:
    return {field: np.array(getattr(original, field)) for field in batch.FIELDS}


def changed(field: str, index, value) -> dict[str, np.ndarray]:
    arrays = arrays_of(random_batch(SIGNAL, 3))
    arrays[field][index] = value
    return arrays


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"x": np.zeros((3, 5, 2), np.float32)}, "x has shape (3, 5, 2), the spec says (3, 4, 2)"),
        ({"x": np.zeros((3, 4), np.float32)}, "x has shape (3, 4), the spec says (3, 4, 2)"),
        ({"x": np.array(1, np.float32)}, "x has shape (), the spec says (0, 4, 2)"),
        ({"y": np.ones((3, 3), np.float32)}, "y has shape (3, 3), the spec says (3, 2)"),
        ({"y": np.ones((2, 2), np.float32)}, "y has shape (2, 2), the spec says (3, 2)"),
        ({"subject": np.zeros(4, np.int32)}, "subject has shape (4,), the spec says (3,)"),
        ({"weight": np.zeros((3, 1), np.float32)}, "weight has shape (3, 1), the spec says (3,)"),
        ({"x": np.zeros((3, 4, 2))}, "x has dtype float64, not float32"),
        ({"x": np.zeros((3, 4, 2), np.int32)}, "x has dtype int32, not float32"),
        ({"subject": np.zeros(3, np.int64)}, "subject has dtype int64, not int32"),
        ({"weight": np.zeros(3, np.float16)}, "weight has dtype float16, not float32"),
        (changed("x", (1, 2, 0), np.nan), "x holds NaN or infinite values"),
        (changed("y", (1, 1), np.inf), "y holds NaN or infinite values"),
        (changed("weight", 2, -np.inf), "weight holds NaN or infinite values"),
        (changed("y", 1, [0.7, 0.4]), "label 1 is no probability (sum is not 1)"),
        (changed("y", 2, [1.5, -0.5]), "label 2 is no probability (sum is not 1)"),
        (changed("weight", 2, -0.1), "weight 2 is negative"),
        (arrays_of(random_batch(SIGNAL, 0)), "holds no window"),
    ],
)
def test_what_is_unsound_is_refused_in_one_line(tmp_path, arrays, reason):
    assert refused(arrays_of(random_batch(SIGNAL, 3)) | arrays, tmp_path) == reason


@pytest.mark.parametrize("field", batch.FIELDS)
def test_a_missing_array_is_named(tmp_path, field):
    arrays = arrays_of(random_batch(SIGNAL, 3))
    del arrays[field]
    assert refused(arrays, tmp_path) == f"holds no {field!r}"


def test_a_sum_that_is_off_by_rounding_is_no_error(tmp_path):
    assert len(batch.check(random_batch(SIGNAL, 3), "here")) == 3
    arrays = changed("y", 1, [1 / 3, 2 / 3 + 5e-4])
    assert len(batch.from_arrays(arrays, SIGNAL, "here")) == 3


def test_no_such_part(tmp_path):
    batch.save_spec(SIGNAL, tmp_path)
    with pytest.raises(StimjaxError, match="holds no train windows"):
        batch.load(tmp_path, "train")


def channel(**fields) -> dict:
    plain = Channel("a", "")
    return {"channels": [vars(plain) | fields, vars(plain)]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bogus": 1}, "bogus"),
        (channel(bogus=1), "bogus"),
        ({"shape": [4, 3]}, "does not fit"),
        ({"shape": [2]}, "does not fit"),
        ({"shape": [2, 2, 2, 2]}, "does not fit"),
        ({"shape": "42"}, "shape"),
        ({"shape": [4.5, 2]}, "shape"),
        ({"classes": "ab"}, "classes"),
        ({"classes": [0, 1]}, "classes"),
        ({"channels": 5}, "channels"),
        ({"channels": ["SpO2", "flow"]}, "channels"),
        (channel(normalization="other"), "normalization"),
        (channel(low="0"), "low"),
        (channel(low=2.0), "range of 'a' is empty"),
        (channel(high=float("nan")), "not finite"),
        ({"rate": "1"}, "rate"),
        ({"rate": -1.0}, "negative"),
        ({"label_seconds": float("inf")}, "not finite"),
    ],
)
def test_a_wrong_spec_is_refused_in_one_line(tmp_path, change, reason):
    spec = SIGNAL.to_json() | change
    (tmp_path / "spec.json").write_text(json.dumps({"schema": 1, "spec": spec, "made": {}}))
    with pytest.raises(StimjaxError) as error:
        batch.load_spec(tmp_path)
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'spec.json'}: the spec")
    assert reason in message and "\n" not in message


@pytest.mark.parametrize("field", ["shape", "classes", "channels"])
def test_a_spec_without_a_field_is_refused(field):
    spec = SIGNAL.to_json()
    del spec[field]
    with pytest.raises(StimjaxError, match=f'^here: the spec is wrong .*"{field}"'):
        Spec.from_json(spec, "here")


@pytest.mark.parametrize("spec", [None, [], "spec", 3, {}])
def test_a_spec_that_is_none_is_refused(tmp_path, spec):
    (tmp_path / "spec.json").write_text(json.dumps({"schema": 1, "spec": spec}))
    with pytest.raises(StimjaxError, match="the spec is wrong"):
        batch.load_spec(tmp_path)


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_another_schema_is_refused(tmp_path, schema):
    (tmp_path / "spec.json").write_text(json.dumps({"schema": schema, "spec": SIGNAL.to_json()}))
    with pytest.raises(StimjaxError) as error:
        batch.load_spec(tmp_path)
    assert str(error.value).endswith(f"has schema {json.dumps(schema)}; this version reads 1")


def test_a_spec_written_by_hand_may_have_whole_numbers():
    assert Spec.from_json(SIGNAL.to_json() | {"label_start": 15}, "here") == SIGNAL
    assert isinstance(Spec.from_json(SIGNAL.to_json() | {"rate": 4}, "here").rate, float)


# Columns


def with_columns(spec: Spec, n: int) -> Batch:
    rng = np.random.default_rng(3)
    columns = {
        "linear": batch.one_hot(rng.integers(len(spec.classes), size=n), spec),
        "origin": rng.integers(2, size=n).astype(np.int32),
    }
    return dataclasses.replace(random_batch(spec, n), columns=columns)


def assert_columns(one: Batch, other: Mapping[str, batch.Array]) -> None:
    assert set(one.columns) == set(other)
    for name, values in one.columns.items():
        assert values.dtype == other[name].dtype
        np.testing.assert_array_equal(values, other[name])


def test_columns_go_where_their_windows_go(tmp_path):
    original = with_columns(SIGNAL, 9)
    told = dict(original.columns)
    rows = np.array([4, 0, 4])
    assert_columns(original[rows], {name: values[rows] for name, values in told.items()})
    assert_columns(original[2:5], {name: values[2:5] for name, values in told.items()})
    assert_columns(batch.concatenate([original[:4], original[4:]]), told)
    doubled = jax.tree.map(lambda a: a + a, original)
    assert_columns(doubled, {name: 2 * values for name, values in told.items()})
    assert_columns(jax.jit(lambda b: b)(original), told)
    batch.save_spec(SIGNAL, tmp_path)
    for number, part in enumerate((original[:5], original[5:])):
        batch.save(part, tmp_path, f"stimuli-{number}")
    assert_columns(batch.load(tmp_path, "stimuli"), told)
    given = batch.make(original.x, original.y, SIGNAL, columns={"origin": jnp.arange(9)})
    np.testing.assert_array_equal(given.columns["origin"], np.arange(9))


@pytest.mark.parametrize(
    "values",
    [np.zeros(8, np.float32), np.zeros(()), np.full(9, np.nan), np.full((9, 2), np.inf)],
    ids=["short", "a number", "nan", "inf"],
)
def test_a_bad_column_is_refused_in_one_line(tmp_path, values):
    arrays = {field: np.asarray(getattr(random_batch(SIGNAL, 9), field)) for field in batch.FIELDS}
    with pytest.raises(StimjaxError, match="the column 'origin'") as error:
        batch.from_arrays(arrays | {"origin": values}, SIGNAL, "here")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "other", [{}, {"origin": np.zeros((9, 2), np.int32)}], ids=["none", "wide"]
)
def test_parts_with_other_columns_are_refused_in_one_line(tmp_path, other):
    batch.save_spec(SIGNAL, tmp_path)
    first = dataclasses.replace(random_batch(SIGNAL, 9), columns={"origin": np.zeros(9, np.int32)})
    batch.save(first, tmp_path, "stimuli-0")
    batch.save(dataclasses.replace(first, columns=other), tmp_path, "stimuli-1")
    with pytest.raises(StimjaxError, match=r"stimuli-1.*other columns than stimuli-0") as error:
        batch.load(tmp_path, "stimuli")
    assert "\n" not in str(error.value)
