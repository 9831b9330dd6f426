"""The bytes of a file, compressed with gzip or not."""

from __future__ import annotations

import contextlib
import gzip
import io
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from stimjax.errors import StimjaxError

Bytes = io.RawIOBase | io.BufferedIOBase  # an open file
CHUNK = 1 << 20  # bytes that are held in memory at once


@contextlib.contextmanager
def stream(path: Path) -> Iterator[Bytes]:
    """A file to be read from its start on, decompressed.

    Raises:
        StimjaxError: it cannot be opened.
    """
    if path.is_dir():
        raise StimjaxError(f"{path}: is a folder, not an EDF file")
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        raise StimjaxError(f"{path}: no such file; check the name") from None
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
    with file:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        else:
            yield file


@contextlib.contextmanager
def opened(path: Path, check: Callable[[Path, Bytes], object]) -> Iterator[Bytes]:
    """A file to be read anywhere, decompressed into a temporary file where it is compressed.

    Args:
        path: of the file.
        check: raises where what is about to be decompressed should not be.

    Raises:
        StimjaxError: it cannot be opened or decompressed.
    """
    with stream(path) as file:
        if path.suffix.lower() != ".gz":
            yield file
            return
        check(path, file)
        with tempfile.TemporaryFile() as unpacked:
            at = 0
            while part := read(path, file, at, CHUNK):
                with _in_one_line(path):
                    unpacked.write(part)
                at += len(part)
            yield unpacked


def read(path: Path, file: Bytes, at: int, count: int) -> bytes:
    """`count` bytes from byte `at` of an open file on, fewer where it ends.

    Raises:
        StimjaxError: they cannot be read or decompressed.
    """
    parts, left = [], count
    with _in_one_line(path):
        file.seek(at)
        while left and (part := file.read(left)):
            parts.append(part)
            left -= len(part)
    return b"".join(parts)


@contextlib.contextmanager
def _in_one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = " ".join(str(error).split())
        raise StimjaxError(
            f"{path}: cannot be decompressed ({reason}); copy it again from its source"
        ) from error
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
