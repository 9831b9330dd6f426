"""What every test may ask for."""

from pathlib import Path

import jax
import pytest
from jaxtyping import install_import_hook

# Shapes and dtypes in signatures are checked while the tests run; an int will do for a float.
install_import_hook(
    "stimjax", "beartype.beartype(conf=__import__('beartype').BeartypeConf(is_pep484_tower=True))"
)

# Most of the time goes into compiling programs that run once. What the command computes as a
# process of its own, and with it the bits of releases, is compiled as users have it.
jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; a test that needs it skips where it is missing."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real recordings are not here ({folder})")
    return folder
