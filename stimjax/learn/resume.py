"""Where an interrupted training goes on: a folder of checkpoints beside the one that is to appear.

It is called `.NAME.training`, may be read by its owner only, and is kept until the result is
complete. It is used again only by the very same training: same settings, same windows, same
versions. Anything else starts afresh.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stimjax import config
from stimjax.store import StimjaxError, read_json, sha256, write_json
from stimjax.versions import versions

PARTS = ("train", "validation")  # of the windows: what training looks at


@contextlib.contextmanager
def checkpoints(out: Path, identity: dict[str, Any]) -> Iterator[Path]:
    """A folder for the checkpoints of what is to become `out`; removed when the block succeeds.

    Args:
        out: the folder that the training will give.
        identity: what makes two trainings the same, see `identify`; as JSON.

    Raises:
        StimjaxError: nothing can be written beside `out`.
    """
    out = out.absolute()
    folder = out.with_name(f".{out.name}.training")
    try:
        if _read(folder) != json.loads(json.dumps(identity)):
            _remove(folder)
            folder.mkdir(parents=True, mode=0o700)
            write_json(folder / "identity.json", identity)
    except OSError as error:
        raise StimjaxError(f"{folder.parent}: cannot write here ({error.strerror})") from error
    try:
        yield folder / "checkpoints"
    except BaseException:
        if not has_checkpoint(folder / "checkpoints"):
            _remove(folder)
        raise
    _remove(folder)


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


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        return read_json(folder / "identity.json")
    except StimjaxError:
        return None


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
