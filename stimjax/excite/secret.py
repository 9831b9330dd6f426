"""The seed of a release: from the operating system, kept by the holder, published nowhere.

Whoever knows what a release was drawn with draws the same random numbers, and is left with the
statistics and the teacher that were put between them and the stimuli. Of a release NAME it lies in
`private/NAME.seed.json` beside it, for its owner only, or beside the release itself if that lies in
a folder `private` already.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import UInt32

from stimjax.config.settings import LARGEST_SECRET
from stimjax.disk.documents.document import Document
from stimjax.disk.store import new_file, read_json, write_json
from stimjax.errors import StimjaxError
from stimjax.machine.versions import versions

WORD = 2**32
GUESSED = WORD**2  # a seed below was not drawn but written down by someone, and can be guessed


@dataclasses.dataclass(frozen=True)
class Secret(Document):
    """What a release was drawn with.

    Attributes:
        seed: a number of up to 128 bits.
        versions: of the software, by name.
    """

    FILE: ClassVar[str] = "seed.json"
    SCHEMA: ClassVar[int] = 1

    seed: int
    versions: Mapping[str, str]

    def refuse(self, where: str) -> None:
        """See `Document`."""
        if not 0 <= self.seed <= LARGEST_SECRET:
            raise StimjaxError(f"{where}: is damaged (no seed of a release is {self.seed})")


def drawn() -> int:
    """128 bits of the operating system's."""
    return secrets.randbits(LARGEST_SECRET.bit_length())


def key(seed: int) -> UInt32[np.ndarray, "2"]:
    """The data of a key of threefry: the last 64 bits, which are all that it has.

    A seed below 2^32 gives the key that `jax.random.key` makes of it.
    """
    return np.array([seed // WORD % WORD, seed % WORD], np.uint32)


def place(release: Path) -> Path:
    """Where the seed of a release lies."""
    release = release.absolute()
    beside = release.parent
    folder = beside if beside.name == "private" else beside / "private"
    return folder / f"{release.name}.{Secret.FILE}"


def keep(release: Path, seed: int) -> None:
    """Keep the seed of a release, in place of an earlier one of the same name.

    Raises:
        StimjaxError: it cannot be written.
    """
    path = place(release)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StimjaxError(
            f"{path.parent}: no folder can be made here for the seed of {release.name} "
            f"({error.strerror}); name a release elsewhere"
        ) from error
    _write(path, seed)


def find(release: Path) -> int | None:
    """The seed that a release was drawn with; None where the holder no longer has it.

    Raises:
        StimjaxError: its file is damaged.
    """
    path = place(release)
    return _read(path) if path.exists() else None


def move(old: Path, new: Path) -> None:
    """Let the seed, if there is one, follow a release that was renamed from `old` to `new`."""
    with contextlib.suppress(FileNotFoundError):
        place(old).rename(place(new))


def of_pieces(folder: Path, *, begun: bool) -> int:
    """The seed that shards are drawn with, kept in `folder` until the release is complete.

    Args:
        folder: beside the shards.
        begun: some of them are there, so that the others have to be drawn with the same.

    Raises:
        StimjaxError: shards are there, and what they were drawn with is gone.
    """
    path = folder / Secret.FILE
    if begun and not path.exists():
        raise StimjaxError(
            f"{path}: is missing, and the shards that are there were drawn with it; put it back, "
            f"or delete {folder} to begin afresh"
        )
    if begun:
        return _read(path)
    seed = drawn()
    _write(path, seed)
    return seed


def _write(path: Path, seed: int) -> None:
    with new_file(path, overwrite=True, private=True) as file:
        write_json(file, Secret(seed, versions()).to_json())
        with file.open("rb") as written:
            os.fsync(written.fileno())  # a shard that is drawn with it is on the disk for sure


def _read(path: Path) -> int:
    return Secret.from_json(read_json(path), str(path)).seed
