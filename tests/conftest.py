"""What every test may ask for."""

import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import install_import_hook

# As many processes as cores run the tests: more threads of gradient boosting only wait.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Most of the suite's time goes to compiling; with fewer optimizations it takes half as long.
# `XLA_FLAGS= pytest` compiles what users run, as tests of equal bits on several devices always do.
# An unknown flag would end every process: other versions of XLA get none.
if metadata.version("jaxlib").startswith("0.10."):
    quick = "--xla_backend_optimization_level=1 --xla_cpu_use_fusion_emitters=false"
    os.environ.setdefault("XLA_FLAGS", quick)

# A busy machine is no defect: no test fails for having taken long.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# Shapes and dtypes in signatures are checked while the tests run; an int will do for a float.
install_import_hook(
    "stimjax", "beartype.beartype(conf=__import__('beartype').BeartypeConf(is_pep484_tower=True))"
)

PROGRAMS = "JAX_COMPILATION_CACHE_DIR"


def pytest_configure() -> None:
    """What one test compiles no later one compiles again; each process of tests by itself."""
    os.environ[PROGRAMS] = tempfile.mkdtemp(prefix="stimjax-tests-")
    from stimjax.machine import runtime  # after the hook above, which brings jax

    seconds = runtime.FROM_SECONDS
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = str(seconds)  # for their programs
    import jax

    jax.config.update("jax_compilation_cache_dir", os.environ[PROGRAMS])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", seconds)


def pytest_unconfigure() -> None:
    """Remove what was compiled."""
    shutil.rmtree(os.environ[PROGRAMS], ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; a test that needs it skips where it is missing."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real recordings are not here ({folder})")
    return folder
