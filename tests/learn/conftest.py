"""A small task that no linear network solves."""

import numpy as np
import pytest

from stimjax import batch
from stimjax.batch import Batch, Channel, Spec


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
