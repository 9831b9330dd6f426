"""Where an interrupted training goes on: a folder of checkpoints beside the one that is to appear.

It is called `.NAME.training` and is used again only by the very same training: same settings, same
windows, same versions. Anything else starts afresh.
"""

from __future__ import annotations

import dataclasses
import hashlib
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stimjax import config
from stimjax.disk import pieces
from stimjax.disk.store import sha256
from stimjax.errors import StimjaxError
from stimjax.machine.versions import versions

PARTS = ("train", "validation", "public")  # of the windows: what training looks at


def checkpoints(out: Path, identity: dict[str, Any]) -> AbstractContextManager[Path]:
    """A folder for the checkpoints of what is to become `out`; removed when the block succeeds.

    Args:
        out: the folder that the training will give.
        identity: what makes two trainings the same, see `identify`; as JSON.

    Raises:
        StimjaxError: nothing can be written beside `out`, or another command trains for it.
    """
    return pieces.kept(out, "training", identity, has_checkpoint)


def identify(windows: Path, settings: config.Teacher) -> dict[str, Any]:
    """What makes two trainings the same: settings, the windows' content, versions.

    Raises:
        StimjaxError: `windows` is no folder of windows.
    """
    if not (windows / "spec.json").is_file():
        raise StimjaxError(f"{windows}/spec.json: is missing; `stimjax prepare` makes windows")
    digest = hashlib.sha256()
    files = [file for part in PARTS for file in sorted(windows.glob(f"{part}-*.safetensors"))]
    for file in [windows / "spec.json", *files]:
        digest.update(f"{file.name} {sha256(file)}\n".encode())
    return {
        "settings": dataclasses.asdict(settings),
        "windows": digest.hexdigest(),
        "versions": versions() | {"orbax-checkpoint": version("orbax-checkpoint")},
    }


def has_checkpoint(folder: Path) -> bool:
    """Whether a finished checkpoint (orbax names it by its step) lies in `folder` or one below."""
    return any(step.name.isdigit() for depth in ("*", "*/*") for step in folder.glob(depth))
