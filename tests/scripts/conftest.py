"""Scripts as modules: they are no package."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="session")
def load_script() -> Callable[[str], ModuleType]:
    def load(path: str) -> ModuleType:
        name, folder = f"script_{Path(path).stem}", str((SCRIPTS / path).parent)
        if folder not in sys.path:  # as Python does for the script that it runs
            sys.path.insert(0, folder)
        found = importlib.util.spec_from_file_location(name, SCRIPTS / path)
        assert found is not None and found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules[name] = module  # dataclasses look their module up
        found.loader.exec_module(module)
        return module

    return load
