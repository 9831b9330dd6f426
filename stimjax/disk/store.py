"""Files and folders on disk: whole or not at all.

Everything stimjax writes goes through `new_folder`, which prepares the content beside its final
place and renames it at the end, so that an interrupted or failed command leaves nothing behind
under the final name. What a killed command left beside it, the next of the same name removes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from stimjax.errors import StimjaxError

# One of these lies in every folder that stimjax wrote, and names it: only such a folder is ever
# replaced.
MARKERS = ("config.yaml", "manifest.json", "model.json", "nights.json")


@contextlib.contextmanager
def new_folder(
    path: Path | str, *, overwrite: bool = False, private: bool = False
) -> Iterator[Path]:
    """Give a folder to write into that becomes `path` when the block ends without an error.

    Args:
        path: where the folder appears. It must not exist, or be empty, unless `overwrite`.
        overwrite: replace a folder that stimjax wrote earlier.
        private: give the folder mode 0700 (only its owner may read it).

    Raises:
        StimjaxError: `path` is a file, holds something, or cannot be written.
    """
    path = Path(path).absolute()
    refuse_occupied(path, overwrite)
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _sweep(path)
            aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.partial-", dir=path.parent))
            stack.callback(shutil.rmtree, aside, ignore_errors=True)
            with contextlib.suppress(StimjaxError):  # without locks nothing is ever swept
                stack.enter_context(locked(aside))
            content = aside / "content"
            content.mkdir(mode=0o700 if private else 0o777)
        except OSError as error:
            raise StimjaxError(f"{path.parent}: cannot write here ({error.strerror})") from error
        try:
            yield content
            appear(content, path, overwrite)
        except OSError as error:
            raise StimjaxError(
                f"{error.filename or path}: {error.strerror or error}; nothing was written to "
                f"{path}"
            ) from error


@contextlib.contextmanager
def new_file(path: Path | str, *, overwrite: bool = False, private: bool = False) -> Iterator[Path]:
    """Give a file to write that becomes `path` when the block ends without an error.

    Args:
        path: where the file appears, in an existing folder.
        overwrite: replace a file that is there.
        private: give the file mode 0600 (only its owner may read it).

    Raises:
        StimjaxError: `path` is there (with `overwrite` only a folder is refused), or cannot be
            written.
    """
    path = Path(path).absolute()
    if path.is_dir():
        raise StimjaxError(f"{path}: is a folder and cannot be written; name a file")
    if path.exists() and not overwrite:
        raise StimjaxError(f"{path}: is there already; name another file or add --overwrite")
    try:
        aside = tempfile.TemporaryDirectory(prefix=f".{path.name}.partial-", dir=path.parent)
    except OSError as error:
        raise StimjaxError(f"{path.parent}: cannot write here ({error.strerror})") from error
    with aside as name:
        file = Path(name) / path.name
        try:
            yield file
            if private:
                file.chmod(0o600)
            file.replace(path)
        except OSError as error:
            raise StimjaxError(
                f"{path}: cannot be written ({error.strerror or error}); nothing was"
            ) from error


def _sweep(path: Path) -> None:
    """Remove what commands that are gone left beside `path`: no living process has it locked."""
    for aside in path.parent.glob(f".{glob.escape(path.name)}.partial-*"):
        if (aside / "lock").exists():  # else it was made this very moment, or where are no locks
            with contextlib.suppress(StimjaxError, OSError), locked(aside):
                shutil.rmtree(aside)


def appear(aside: Path, path: Path, overwrite: bool) -> None:
    """Give the complete folder `aside` its final name `path`, on the same file system.

    Raises:
        StimjaxError: `path` holds something, unless stimjax wrote it and `overwrite` is given.
    """
    refuse_occupied(path, overwrite)
    if path.exists() and any(path.iterdir()):
        old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old-", dir=path.parent))
        path.rename(old / "old")
        try:
            aside.rename(path)
        except BaseException:
            (old / "old").rename(path)
            old.rmdir()
            raise
        shutil.rmtree(old, ignore_errors=True)
        return
    if path.exists():
        path.rmdir()
    aside.rename(path)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other process out of `folder`, which is made if need be.

    The lock is the operating system's: it ends with the process, however that ends, and holds on a
    network file system that has locks (NFS with its lock service).

    Raises:
        StimjaxError: another process is in it, or the file system knows no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    while True:
        file = path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise StimjaxError(
                    f"{folder}: another command is at work there; wait for it, or stop it"
                ) from error
            raise StimjaxError(
                f"{path}: cannot be locked ({error.strerror}); name a folder on a file system that "
                "has locks"
            ) from error
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:  # not removed by then
                break
        file.close()
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        file.close()


def refuse_occupied(path: Path, overwrite: bool) -> None:
    """Refuse a place that holds something; with `overwrite` only what stimjax did not write.

    Raises:
        StimjaxError: see above.
    """
    try:
        if not path.exists():
            return
        if not path.is_dir():
            raise StimjaxError(f"{path}: is a file; name a folder that does not exist yet")
        occupied = any(path.iterdir())
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
    if not occupied:
        return
    if not overwrite:
        raise StimjaxError(f"{path}: is not empty; name another folder or add --overwrite")
    if not any(_names_stimjax(path / marker) for marker in MARKERS):
        raise StimjaxError(
            f"{path}: was not written by stimjax and is not replaced; name another folder"
        )


def _names_stimjax(marker: Path) -> bool:
    try:
        return b"stimjax" in marker.read_bytes()
    except OSError:
        return False


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as indented JSON; NaN and infinity are refused by ValueError."""
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        StimjaxError: the file is missing, unreadable, or not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StimjaxError(f"{path}: is missing") from None
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # of the encoding, the syntax, the depth
        raise StimjaxError(f"{path}: is not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise StimjaxError(f"{path}: holds no JSON object")
    return content


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as one safetensors file, which appears when it is complete."""
    # Not `save_file`: it hides a full disk behind an error of its own and gives mode 0600.
    aside = path.with_name(f".{path.name}.partial")
    try:
        with aside.open("wb") as file:
            file.write(save({name: np.asarray(a, order="C") for name, a in arrays.items()}))
            file.flush()
            os.fsync(file.fileno())  # before the name: a file that has it is complete
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read every array of a safetensors file.

    Raises:
        StimjaxError: the file is missing, unreadable or damaged.
    """
    if not path.is_file():
        raise StimjaxError(f"{path}: is missing")
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise StimjaxError(f"{path}: is damaged ({_one_line(error)})") from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_changed(
    document: Path, files: Mapping[str, str], needed: Iterable[str], *, whole: str, lister: str
) -> None:
    """Refuse a folder whose files are not those that its document lists.

    Args:
        document: lies in the folder; for messages.
        files: the SHA-256 of each file, by name, as it lists them.
        needed: names that have to be among these.
        whole: what the folder is, in a message.
        lister: what the document is called there.

    Raises:
        StimjaxError: a name is not listed, a file lies elsewhere, is missing, or was changed.
    """
    for name in needed:
        if name not in files:
            raise StimjaxError(f"{document}: does not list {name}")
    for name, expected in files.items():
        path = document.parent / name
        if Path(name).name != name or name in ("", ".."):
            raise StimjaxError(f"{document}: names a file outside the {whole}: {name}")
        if not path.is_file():
            raise StimjaxError(f"{path}: is missing; {lister} lists it")
        if sha256(path) != expected:
            raise StimjaxError(f"{path}: was changed or damaged (its SHA-256 is another)")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
