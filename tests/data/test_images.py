import gzip
import struct

import numpy as np
import pytest

from stimjax import batch
from stimjax.data import images
from stimjax.data.split import PARTS
from stimjax.errors import StimjaxError

PIXELS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5) * 4
DIGITS = np.array([7, 0, 9], np.uint8)


def encode(array, kind=8):
    head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return head + array.tobytes()


@pytest.fixture
def files(tmp_path):
    """Write content as two files; give their paths."""

    def write(pixels, digits):
        paths = tmp_path / "images", tmp_path / "labels"
        for path, content in zip(paths, (pixels, digits), strict=True):
            path.write_bytes(content)
        return paths

    return write


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_files(files, pack):
    digits = images.mnist(*files(pack(encode(PIXELS)), pack(encode(DIGITS))))
    batch.check(digits, "mnist")
    assert digits.x.shape == (3, 4, 5, 1)
    np.testing.assert_allclose(digits.x[..., 0] * 255, PIXELS, atol=1e-4)
    assert np.argmax(digits.y, axis=1).tolist() == [7, 0, 9]
    assert (digits.subject == batch.NOBODY).all()
    spec = digits.spec
    assert spec.shape == (4, 5, 1)
    assert spec.classes == tuple("0123456789")
    assert (spec.rate, spec.label_seconds) == (None, None)
    (channel,) = spec.channels
    assert (channel.name, channel.low, channel.high) == ("intensity", 0.0, 1.0)
    assert channel.resolution == 1 / 255


def test_scikit_learns_digits():
    digits = images.digits()
    batch.check(digits, "digits")
    assert digits.x.shape == (1797, 8, 8, 1)
    assert (digits.x.min(), digits.x.max()) == (0, 1)
    assert digits.spec.channels[0].resolution == 1 / 16
    assert np.argmax(digits.y, axis=1)[:10].tolist() == list(range(10))


@pytest.mark.parametrize(
    ("pixels", "digits", "message"),
    [
        (b"", encode(DIGITS), "images: is no IDX file of bytes in 3 dim"),
        (b"\x00\x00\x08\x03\x00", encode(DIGITS), "images: is no IDX file"),
        (encode(PIXELS, 13), encode(DIGITS), "images: is no IDX file"),
        (encode(DIGITS), encode(PIXELS), "images: is no IDX file"),
        (encode(PIXELS)[:-1], encode(DIGITS), "images: is damaged .60 bytes expected, 59 there"),
        (encode(PIXELS) + b"x", encode(DIGITS), "images: is damaged .60 bytes expected, 61"),
        (
            gzip.compress(encode(PIXELS), mtime=0)[:-9],
            encode(DIGITS),
            "images: is damaged .*download",
        ),
        (b"\x1f\x8bjunk", encode(DIGITS), "images: is damaged"),
        (
            gzip.compress(b"x" * 99, mtime=0)[:12] + b"\xff" * 30,
            encode(DIGITS),
            "images: is damaged",
        ),
        (encode(PIXELS), encode(DIGITS[:2]), "labels: has 2 labels for the 3 images"),
        (encode(PIXELS), encode(DIGITS + 1), "labels: label 10 is no digit"),
    ],
)
def test_a_bad_file_is_one_clear_line(files, pixels, digits, message):
    with pytest.raises(StimjaxError, match=message) as caught:
        images.mnist(*files(pixels, digits))
    assert "\n" not in str(caught.value)


def test_a_missing_file(files, tmp_path):
    _, labels = files(encode(PIXELS), encode(DIGITS))
    with pytest.raises(StimjaxError, match="none: no such file"):
        images.mnist(tmp_path / "none", labels)
    with pytest.raises(StimjaxError, match="cannot be read"):
        images.mnist(tmp_path, labels)


def test_mnist(shared_data):
    folder = shared_data / "mnist-t10k"
    digits = images.mnist(
        folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz"
    )
    assert digits.x.shape == (10000, 28, 28, 1)
    assert (digits.x.min(), digits.x.max()) == (0, 1)
    assert np.argmax(digits.y, axis=1)[:5].tolist() == [7, 2, 1, 0, 4]


def test_images_are_dealt_to_disjoint_parts(tmp_path):
    whole = images.digits()
    images.deal(whole, tmp_path, train=1000, validation=300, seed=3)
    parts = [batch.load(tmp_path, name) for name in PARTS]
    assert [len(part) for part in parts] == [1000, 300, 497]
    together = np.concatenate([part.x for part in parts]).reshape(len(whole), -1)
    flat = np.asarray(whole.x).reshape(len(whole), -1)
    both = [a[np.lexsort(a.T)] for a in (together, flat)]
    np.testing.assert_array_equal(both[0], both[1])


@pytest.mark.parametrize(("train", "validation"), [(0, 5), (5, 0), (1000, 797)])
def test_a_part_without_images_is_refused(tmp_path, train, validation):
    with pytest.raises(StimjaxError, match="of 1797 images none would be left"):
        images.deal(images.digits(), tmp_path, train=train, validation=validation, seed=0)
    assert not list(tmp_path.iterdir())
