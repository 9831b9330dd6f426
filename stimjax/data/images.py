"""Images of digits as windows: MNIST's IDX files and scikit-learn's small set."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from stimjax import batch
from stimjax.batch import Batch, Channel, Spec
from stimjax.data.split import PARTS
from stimjax.disk.documents import Dealt, Made
from stimjax.errors import StimjaxError

_CLASSES = tuple(str(digit) for digit in range(10))


def mnist(images: Path, labels: Path) -> Batch:
    """MNIST's images and labels, intensities from 0 to 1 in steps of 1/255.

    Args:
        images: IDX file of bytes `[n, height, width]`, plain or gzipped.
        labels: IDX file of bytes `[n]`.

    Returns:
        `x f32[n, height, width, 1]`, `y` one-hot f32[n, 10].

    Raises:
        StimjaxError: a file is missing, no such IDX file or truncated, they do not belong
            together, or a label is no digit.
    """
    pixels, digit = idx(images, 3), idx(labels, 1)
    if len(pixels) != len(digit):
        raise StimjaxError(
            f"{labels}: has {len(digit)} labels for the {len(pixels)} images of {images}; "
            "name two files that belong together"
        )
    if (digit > 9).any():
        raise StimjaxError(f"{labels}: label {digit.max()} is no digit; name MNIST's label file")
    return _batch(pixels, digit, 255)


def digits() -> Batch:
    """scikit-learn's 1,797 digits of 8 x 8 pixels, intensities from 0 to 1 in steps of 1/16."""
    from sklearn.datasets import load_digits  # here, as it takes a second to import

    pixels, digit = load_digits(return_X_y=True)
    return _batch(np.reshape(pixels, (-1, 8, 8)), np.asarray(digit), 16)


def deal(whole: Batch, folder: Path, *, train: int, validation: int, seed: int) -> None:
    """Fill the empty `folder` with images at random for training, validation and the test.

    It is a folder of windows as `prepare` writes it; the test part is what is left.

    Raises:
        StimjaxError: a part would have no image.
    """
    ends: list[int] = [train, train + validation]
    if train < 1 or validation < 1 or ends[1] >= len(whole):
        raise StimjaxError(
            f"train {train}, validation {validation}: of {len(whole)} images none would be left "
            "for one of the parts"
        )
    order = np.random.default_rng(seed).permutation(len(whole))
    for name, rows in zip(PARTS, np.split(order, ends), strict=True):
        batch.save(whole[rows], folder, f"{name}-0000")
    batch.save_spec(whole.spec, folder, Made(Dealt()))


def idx(path: Path, dimensions: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes (u8), plain or gzipped (yann.lecun.com/exdb/mnist).

    Args:
        path: of the file.
        dimensions: how many the array must have.

    Raises:
        StimjaxError: the file is missing, no such IDX file, or of another size than it says.
    """
    content = _content(path)
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) < start:
        raise StimjaxError(
            f"{path}: is no IDX file of bytes in {dimensions} dimension(s); "
            "name MNIST's images first, then its labels"
        )
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    expected = math.prod(shape)
    if len(content) - start != expected:
        raise StimjaxError(
            f"{path}: is damaged ({expected} bytes expected, {len(content) - start} there); "
            "download it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except FileNotFoundError:
        raise StimjaxError(f"{path}: no such file; check the name") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StimjaxError(f"{path}: is damaged ({error}); download it again") from error
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error


def _batch(pixels: np.ndarray, digit: np.ndarray, steps: int) -> Batch:
    spec = Spec(
        shape=(*pixels.shape[1:], 1),
        classes=_CLASSES,
        channels=(Channel("intensity", "", low=0.0, high=1.0, resolution=1 / steps),),
    )
    x = (pixels / np.float32(steps)).astype(np.float32)[..., None]
    return batch.make(x, batch.one_hot(digit, spec), spec)
