"""Folders that appear whole or not at all, and files that are damaged."""

import errno
import hashlib
import json
import os
import stat
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stimjax.disk import store
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError


def one_line(error: pytest.ExceptionInfo) -> str:
    message = str(error.value)
    assert message and "\n" not in message
    return message


def everything(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, hidden ones too, with the content of files."""
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in folder.rglob("*")
    }


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A folder that stimjax wrote earlier."""
    with new_folder(tmp_path / "out") as folder:
        (folder / "manifest.json").write_text('{"versions": {"stimjax": "0"}}')
        (folder / "old").write_text("old")
    return tmp_path / "out"


def test_a_folder_appears_when_it_is_whole(tmp_path):
    out = tmp_path / "deep" / "er" / "out"
    with new_folder(out) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_bytes(b"content")
        assert out.parent in folder.parents  # one file system, so that renaming is atomic
        assert not out.exists()
    assert everything(tmp_path / "deep" / "er") == {
        "out": None,
        "out/sub": None,
        "out/sub/file": b"content",
    }


@pytest.mark.parametrize("kind", [ValueError, StimjaxError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_block_leaves_nothing(tmp_path, kind):
    with pytest.raises(kind, match=r"^stopped$"), new_folder(tmp_path / "out") as folder:
        (folder / "half").write_text("half")
        raise kind("stopped")
    assert everything(tmp_path) == {}


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "out").mkdir()
    with new_folder(tmp_path / "out") as folder:
        (folder / "file").write_text("new")
    assert everything(tmp_path) == {"out": None, "out/file": b"new"}


def test_a_relative_name_stays_where_it_was_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with new_folder("out") as folder:
        (folder / "file").write_text("new")
        monkeypatch.chdir("/")
    assert everything(tmp_path) == {"out": None, "out/file": b"new"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_appears_during_the_block_is_not_replaced(tmp_path, overwrite):
    out = tmp_path / "out"
    with (
        pytest.raises(StimjaxError, match=r"is not empty|was not written by stimjax"),
        new_folder(out, overwrite=overwrite) as folder,
    ):
        (folder / "file").write_text("mine")
        out.mkdir()
        (out / "file").write_text("another's")
    assert everything(tmp_path) == {"out": None, "out/file": b"another's"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_another_wrote_is_never_replaced(tmp_path, overwrite):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("thesis")
    before = everything(tmp_path)
    with pytest.raises(StimjaxError) as error, new_folder(tmp_path / "out", overwrite=overwrite):
        pytest.fail("the block must not run")
    assert ("was not written by stimjax" if overwrite else "add --overwrite") in one_line(error)
    assert everything(tmp_path) == before


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("a file")
    for path in (tmp_path / "out", tmp_path / "out" / "below"):
        with pytest.raises(StimjaxError) as error, new_folder(path, overwrite=True):
            pytest.fail("the block must not run")
        assert str(tmp_path / "out") in one_line(error)
    assert everything(tmp_path) == {"out": b"a file"}


def test_only_overwrite_replaces_what_stimjax_wrote(ours):
    before = everything(ours)
    with pytest.raises(StimjaxError, match=r"is not empty; .* --overwrite$"), new_folder(ours):
        pytest.fail("the block must not run")
    assert everything(ours) == before
    with new_folder(ours, overwrite=True) as folder:
        (folder / "new").write_text("new")
        assert everything(ours) == before
    assert everything(ours.parent) == {"out": None, "out/new": b"new"}


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_the_old_folder_stays_if_the_new_one_fails(ours, kind):
    before = everything(ours.parent)
    with pytest.raises(kind), new_folder(ours, overwrite=True) as folder:
        (folder / "new").write_text("new")
        raise kind
    assert everything(ours.parent) == before


def test_the_old_folder_comes_back_if_the_last_rename_fails(ours, monkeypatch):
    before, rename = everything(ours.parent), Path.rename

    def fail_for_the_new(self, target):
        if ".partial-" in self.parent.name:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with (
        pytest.raises(StimjaxError, match="Input/output error; nothing was written to"),
        new_folder(ours, overwrite=True) as folder,
    ):
        (folder / "new").write_text("new")
    assert everything(ours.parent) == before


def test_modes(tmp_path):
    umask = os.umask(0o022)
    try:
        for name, private in (("private", True), ("public", False)):
            with new_folder(tmp_path / name, private=private) as folder:
                store.save_arrays(folder / "a.safetensors", {"x": np.zeros(2)})
                store.write_json(folder / "a.json", {})
    finally:
        os.umask(umask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert (modes["private"], modes["public"]) == (0o700, 0o755)
    assert modes["a.safetensors"] == modes["a.json"] == 0o644


def test_a_parent_where_nothing_can_be_written():
    # Nobody can, not even root.
    with pytest.raises(StimjaxError) as error, new_folder("/proc/stimjax/out"):
        pytest.fail("the block must not run")
    assert one_line(error).startswith("/proc/stimjax: cannot write here")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_parent_without_permission(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(StimjaxError, match="cannot write here"), new_folder(tmp_path / "locked/o"):
        pytest.fail("the block must not run")


def test_a_name_that_no_file_system_takes(tmp_path):
    path = tmp_path / ("a" * 300)
    with pytest.raises(StimjaxError, match="File name too long"), new_folder(path):
        pytest.fail("the block must not run")


def test_any_system_error_in_the_block_is_one_line(tmp_path):
    with pytest.raises(StimjaxError) as error, new_folder(tmp_path / "out") as folder:
        (folder / "first").write_text("first")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    out = tmp_path / "out"
    assert one_line(error) == f"{out}: No space left on device; nothing was written to {out}"
    assert everything(tmp_path) == {}


HELD = """
import sys, time
from stimjax.disk import store
with store.new_folder(sys.argv[1]) as folder:
    (folder / "half").write_text("half")
    print(folder.parent, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_command_left_is_removed_and_what_a_living_one_holds_is_not(tmp_path):
    def start(name):
        command = [sys.executable, "-c", HELD, tmp_path / name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    def kill(process):
        process.kill()
        process.communicate()

    (dead, left), (other, of_another_name) = start("o*t"), start("out")
    kill(dead)
    kill(other)
    living, held = start("o*t")
    assert not left.exists()  # already gone
    with new_folder(tmp_path / "o*t") as folder:
        (folder / "new").write_text("new")
    assert held.exists() and of_another_name.exists()
    kill(living)
    with new_folder(tmp_path / "out") as folder:
        (folder / "new").write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [held.name, "o*t", "out"]
    assert everything(tmp_path / "o*t") == {"new": b"new"}


def test_without_locks_a_folder_is_made_all_the_same(tmp_path, monkeypatch):
    def none(*given):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    (tmp_path / ".out.partial-x").mkdir()
    (tmp_path / ".out.partial-x" / "lock").touch()
    with new_folder(tmp_path / "out") as folder:
        (folder / "new").write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.partial-x", "out"]


FULL = """
import resource, sys
import numpy as np
from stimjax.disk import store
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
content = "x" * 30_000 if sys.argv[2] == "json" else np.zeros(30_000, np.float32)
try:
    with store.new_folder(sys.argv[1]) as folder:
        if sys.argv[2] == "json":
            store.write_json(folder / "file", {"content": content})
        else:
            store.save_arrays(folder / "file", {"content": content})
except store.StimjaxError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("kind", ["json", "safetensors"])
def test_a_write_that_the_system_cuts_short(tmp_path, kind):
    """A true failure in the middle of a write, as a full disk gives; the limit stands for it."""
    out = tmp_path / "out"
    ended = subprocess.run(
        [sys.executable, "-c", FULL, out, kind], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == f"{out}: File too large; nothing was written to {out}\n"
    assert everything(tmp_path) == {}


def test_json(tmp_path):
    content = {"ä": [1, 2.5, None, True], "b": {"c": 1e-300}}
    store.write_json(tmp_path / "a", content)
    assert json.loads((tmp_path / "a").read_text(encoding="utf-8")) == content
    assert store.read_json(tmp_path / "a") == content
    for number in (np.nan, np.inf):
        with pytest.raises(ValueError, match="JSON"):
            store.write_json(tmp_path / "b", {"x": number})


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b'{"a": 1', b"[1, 2]", b"3", b"null", b"\xff\xfe{}"),
        *(b"[" * 100_000, b"9" * 5_000, np.random.default_rng(0).bytes(1000)),
    ],
)
def test_bad_json_is_one_line(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(StimjaxError) as error:
        store.read_json(path)
    assert one_line(error).startswith(f"{path}: ")


def test_json_that_is_not_there(tmp_path):
    with pytest.raises(StimjaxError, match=r"none\.json: is missing$"):
        store.read_json(tmp_path / "none.json")
    with pytest.raises(StimjaxError, match="cannot be read"):
        store.read_json(tmp_path)


def test_arrays_are_laid_out_as_the_format_says(tmp_path):
    """Read back by the format's description: a length, a JSON header, the bytes."""
    rng = np.random.default_rng(0)
    arrays = {
        "x": rng.normal(size=(5, 4, 2)).astype(np.float32)[::2, ::-1],  # not contiguous
        "i": np.arange(3, dtype=np.int32),
        "scalar": np.array(2, np.int32),
    }
    store.save_arrays(tmp_path / "a", arrays)
    content = (tmp_path / "a").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    for name, dtype in (("x", "<f4"), ("i", "<i4"), ("scalar", "<i4")):
        start, end = header[name]["data_offsets"]
        data = np.frombuffer(content[8 + length :][start:end], dtype)
        np.testing.assert_array_equal(data.reshape(header[name]["shape"]), arrays[name])
    for name, array in store.load_arrays(tmp_path / "a").items():
        np.testing.assert_array_equal(array, arrays[name])


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 199), st.integers(0, 255), st.booleans())
def test_whatever_happens_to_a_file_of_arrays_only_our_error_comes(tmp_path, at, value, cut):
    path = tmp_path / "a.safetensors"
    store.save_arrays(path, {"x": np.ones((3, 2), np.float32), "y": np.ones(2, np.int32)})
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at] = value
    path.write_bytes(content[:at] if cut else content)
    try:
        store.load_arrays(path)
    except StimjaxError as error:
        assert "\n" not in str(error) and str(error).startswith(f"{path}: is damaged")
    else:
        assert not cut


@pytest.mark.parametrize("dtype", ["F8_E4M3", "X"])
def test_a_type_that_numpy_lacks_is_damage(tmp_path, dtype):
    header = json.dumps({"x": {"dtype": dtype, "shape": [2], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "a").write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0")
    with pytest.raises(StimjaxError, match="a: is damaged"):
        store.load_arrays(tmp_path / "a")


def test_arrays_that_are_not_there(tmp_path):
    (tmp_path / "noise").write_bytes(np.random.default_rng(0).bytes(1000))
    for name, message in (("none", "is missing"), (".", "is missing"), ("noise", "is damaged")):
        with pytest.raises(StimjaxError, match=message) as error:
            store.load_arrays(tmp_path / name)
        one_line(error)


def test_sha256_is_that_of_hashlib_and_of_the_standard(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert store.sha256(path).startswith("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61")
    content = np.random.default_rng(0).bytes(3_000_001)
    path.write_bytes(content)
    assert store.sha256(path) == hashlib.sha256(content).hexdigest()
