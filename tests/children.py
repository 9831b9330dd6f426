"""Child processes of tests."""

import os
from pathlib import Path


def python_path(*folders: Path) -> str:
    """PYTHONPATH of a child: these folders, and then all that this process was given."""
    return os.pathsep.join(filter(None, (*map(str, folders), os.environ.get("PYTHONPATH"))))
