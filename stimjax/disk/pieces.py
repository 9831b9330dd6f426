"""A folder that is filled piece by piece, and may be left and come back to until it is complete.

The pieces gather beside the folder that is to appear, in `.NAME.partial/pieces` or, where they are
only on the way to it, in `.NAME.WHAT/pieces`. Only one command works there at a time, or one
command's processes on several hosts.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stimjax.disk.store import appear, locked, read_json, refuse_occupied, write_json
from stimjax.errors import StimjaxError
from stimjax.machine import hosts


@contextlib.contextmanager
def folder(out: Path, identity: Mapping[str, Any], *, overwrite: bool = False) -> Iterator[Path]:
    """Give a folder of pieces that becomes `out` when the block ends without an error.

    After an error the pieces stay for the next command of the same identity.

    Args:
        out: where the folder appears; in several processes, on a file system that all see.
        identity: what makes two commands the same, as JSON can say it.
        overwrite: replace an earlier result, and pieces of another identity.

    Raises:
        StimjaxError: `out` is occupied or cannot be written; another command works on it; there
            are pieces of another identity; or the processes were not given the same.
    """
    out = out.absolute()
    aside, first = out.with_name(f".{out.name}.partial"), hosts.index() == 0
    identity = json.loads(json.dumps(identity))
    with contextlib.ExitStack() as stack:
        with hosts.together(out):
            for other in hosts.exchanged(identity):
                if difference := _difference(other, identity):
                    raise StimjaxError(
                        f"{out.name}: the processes were given different {difference}; use the "
                        "same settings and versions on all hosts"
                    )
            if first:
                refuse_occupied(out, overwrite)
                aside.mkdir(mode=0o700, parents=True, exist_ok=True)
                stack.enter_context(locked(aside))
                _open(aside, identity, overwrite, out)
        with hosts.together(out):
            if not (aside / "pieces").is_dir():
                raise StimjaxError(
                    f"{out.parent}: process {hosts.index()} does not see what process 0 writes "
                    "there; name a folder that all hosts share"
                )
        try:
            yield aside / "pieces"
        except BaseException:
            if first and not any((aside / "pieces").iterdir()):
                shutil.rmtree(aside)
            raise
        with hosts.together(out):
            if first:
                appear(aside / "pieces", out, overwrite)
                shutil.rmtree(aside)


@contextlib.contextmanager
def kept(
    out: Path,
    what: str,
    identity: Mapping[str, Any],
    worth: Callable[[Path], bool] = lambda pieces: any(pieces.iterdir()),
) -> Iterator[Path]:
    """Give a folder of pieces on the way to `out`, for its owner only; removed at the end.

    After an error the pieces stay for the next command of the same identity. Those of another are
    removed at the beginning.

    Args:
        out: what is to be made; the pieces lie beside it.
        what: they are, as part of the folder's name.
        identity: what makes two commands the same, as JSON can say it.
        worth: whether pieces are worth keeping.

    Raises:
        StimjaxError: nothing can be written beside `out`, or another command works there.
    """
    out = out.absolute()
    aside = out.with_name(f".{out.name}.{what}")
    with contextlib.ExitStack() as stack:
        try:
            aside.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(locked(aside))
            _open(aside, json.loads(json.dumps(identity)), True, out)
        except OSError as error:
            raise StimjaxError(f"{out.parent}: cannot write here ({error.strerror})") from error
        try:
            yield aside / "pieces"
        except BaseException:
            if not worth(aside / "pieces"):
                shutil.rmtree(aside)
            raise
        shutil.rmtree(aside)


def _open(aside: Path, identity: Any, overwrite: bool, out: Path) -> None:
    """Make the folder of pieces, or see that what is there is of the same identity."""
    about = aside / "identity.json"
    if about.exists():
        try:
            difference = _difference(read_json(about), identity)
        except StimjaxError as error:
            if not overwrite:
                raise
            difference = str(error)
        if difference and not overwrite:
            raise StimjaxError(
                f"{out}: an interrupted command was given different {difference}; repeat that one, "
                "or add --overwrite to begin afresh"
            )
        if difference:
            shutil.rmtree(aside / "pieces", ignore_errors=True)
    write_json(about, identity)
    (aside / "pieces").mkdir(exist_ok=True)


def _difference(old: Any, new: Any, name: str = "") -> str:
    """The first place where two JSON values differ, and how; empty where they do not."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            inside = f"{name}.{key}" if name else key
            if difference := _difference(old.get(key), new.get(key), inside):
                return difference
        return ""
    return "" if old == new else f"{name}: {json.dumps(old)} and {json.dumps(new)}"
