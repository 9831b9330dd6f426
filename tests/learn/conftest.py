"""A small task that no linear network solves."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from stimjax import batch, models
from stimjax.batch import Batch, Channel, Spec
from stimjax.models import Params


def pytest_configure(config: pytest.Config) -> None:
    """Let orbax forget coroutines when a damaged checkpoint stops it, whichever test runs then."""
    unraisable = "Exception ignored in. <coroutine object _read"
    for ignored in (
        "coroutine .* was never awaited",
        f"{unraisable}:pytest.PytestUnraisableExceptionWarning",
        "Exception ignored in. None:pytest.PytestUnraisableExceptionWarning",  # its event loop
    ):
        config.addinivalue_line("filterwarnings", f"ignore:{ignored}")


@pytest.fixture(scope="module")
def spec() -> Spec:
    channels = (Channel("SpO2", "%"), Channel("Flow", "1"))
    return Spec(shape=(5, 2), classes=("normal", "apnea"), channels=channels, rate=1.0)


@pytest.fixture(scope="module")
def xor(spec: Spec) -> Batch:
    """300 windows; the class is whether two of their values have the same sign."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, *spec.shape))
    x[:, 0] = np.sign(x[:, 0]) * (0.5 + np.abs(x[:, 0]))  # a margin between the classes
    label = (x[:, 0, 0] * x[:, 0, 1] > 0).astype(int)
    return batch.make(x, batch.one_hot(label, spec), spec)


@pytest.fixture(scope="module")
def made_up(spec: Spec) -> Callable[[str, int], Params]:
    """`(network, seed) -> parameters` of the right shapes, at no cost."""

    def made(network: str, seed: int) -> Params:
        model = models.classifier(network, spec.shape, len(spec.classes))
        rng = np.random.default_rng(seed)
        return jax.tree.map(
            lambda leaf: jnp.asarray(0.3 * rng.normal(size=leaf.shape), leaf.dtype),
            jax.eval_shape(model.init, jax.random.key(0)),
        )

    return made


@pytest.fixture(scope="module")
def stacked(made_up: Callable[[str, int], Params]) -> Callable[..., Params]:
    """`(network, *seeds) -> parameters`, those of `made_up` side by side."""
    return lambda network, *seeds: jax.tree.map(
        lambda *leaves: jnp.stack(leaves), *(made_up(network, seed) for seed in seeds)
    )
