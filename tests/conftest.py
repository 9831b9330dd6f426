"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# As many processes as cores run the tests: more threads of gradient boosting only wait.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Shapes and dtypes in signatures are checked while the tests run; an int will do for a float.
install_import_hook(
    "stimjax", "beartype.beartype(conf=__import__('beartype').BeartypeConf(is_pep484_tower=True))"
)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; a test that needs it skips where it is missing."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real recordings are not here ({folder})")
    return folder
