"""A method of your own: a source, a term, and lanes used directly.

python examples/custom_method.py

A lane is one loop of excitation. Here 64 of them run together on one device: each starts at a sine
of random frequency, changes the window until the teacher is sure of the wanted class, hands it over
and begins the next one within the same step.
"""

import jax
import jax.numpy as jnp
import numpy as np

import stimjax as sj
from stimjax.excite import lanes, methods, objective
from stimjax.excite.terms.cross_entropy import cross_entropy
from stimjax.excite.terms.term import Excited, plain

LANES, STEPS = 64, 60
SPEC = sj.Spec(
    shape=(60, 1),
    classes=("slow", "fast"),
    channels=(sj.Channel("breath", "", low=-3.0, high=3.0),),
    rate=1.0,
)


def breaths(count: int, seed: int) -> sj.Batch:
    """Windows that anybody may have, in place of private ones: slow and fast noisy sines."""
    rng = np.random.default_rng(seed)
    label = rng.integers(2, size=count)
    turn = rng.uniform(0, 2 * np.pi, count)[:, None] + np.arange(60) * (0.3 + 0.5 * label)[:, None]
    x = np.sin(turn) + 0.3 * rng.normal(size=(count, 60))
    return sj.make_batch(np.clip(x, -3, 3)[..., None], np.eye(2)[label], SPEC)


def sines(key: jax.Array, target: jax.Array) -> jax.Array:
    """The source: where a stimulus starts, f32[60, 1]. It uses no data, and not the class."""
    del target
    frequency = jax.random.uniform(key, (), minval=0.05, maxval=1.0)
    return jnp.sin(frequency * jnp.arange(60.0))[:, None]


def calm(excited: Excited) -> jax.Array:
    """The term: the mean squared difference between neighbors in time, to be lowered."""
    return jnp.mean(jnp.diff(excited.window, axis=0) ** 2)


def excite(teacher: sj.Teacher, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Stimuli f32[n, 60, 1], and the teacher's softmax for each, f32[n, class]."""
    recipe = sj.Recipe(
        source="noise", tries=30, accept="threshold", terms=sj.Terms(cross_entropy=1.0), rate=0.05
    )
    terms = {"cross_entropy": plain(cross_entropy), "calm": plain(calm)}
    method = methods.method(SPEC, recipe, {})._replace(
        source=sines, objective=objective.weighted(terms, {"cross_entropy": 1.0, "calm": 2.0})
    )
    networks = lanes.Networks(lambda x: teacher.model.hidden(teacher.params, x))
    advance = jax.jit(lambda state: lanes.advance(method, networks, state))
    state = lanes.start(method, jax.random.key(seed), LANES)
    x, y = [], []
    for _ in range(STEPS):
        state, emitted = advance(state)
        accepted = np.asarray(emitted.accepted)
        x.append(np.asarray(emitted.window)[accepted])
        y.append(np.asarray(emitted.probability)[accepted])
    return np.concatenate(x), np.concatenate(y)


def main() -> None:
    """Train a teacher, excite it, and say what came out."""
    windows = sj.Windows(breaths(600, 0), breaths(200, 1), breaths(200, 2))
    settings = sj.config.Teacher(networks=("mlp",), critic="none", fit=sj.config.Fit(steps=200))
    teacher = sj.train_teacher(windows, settings)
    x, y = excite(teacher)
    for name, share in zip(SPEC.classes, np.bincount(y.argmax(axis=1), minlength=2), strict=True):
        print(f"{share} stimuli that the teacher calls {name}")
    print(f"mean squared difference between neighbors: {np.mean(np.diff(x, axis=1) ** 2):.3f}")


if __name__ == "__main__":
    main()
