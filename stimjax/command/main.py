"""The `stimjax` command: finds the verb, runs it, and says in one line what a user can mend.

`STATUS` lists the exit statuses. Only a mistake in stimjax itself shows a traceback.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import errno
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Annotated, Any, Literal, Union

import tyro

from stimjax.command import options, verbs
from stimjax.errors import StimjaxError


@dataclasses.dataclass(frozen=True)
class Completion:
    """Print a script by which a shell completes commands and options.

    For bash: `stimjax completion bash > ~/.local/share/bash-completion/completions/stimjax`;
    for zsh: `stimjax completion zsh > DIR/_stimjax`, DIR one of those in `$fpath`.

    Attributes:
        shell: bash, zsh or fish.
    """

    shell: tyro.conf.Positional[Literal["bash", "zsh", "fish"]]

    def run(self) -> None:
        of = tuple(
            Annotated[verb, tyro.conf.subcommand(name, prefix_name=False)]
            for name, verb in VERBS.items()
        )
        every: Any = Union[of]  # noqa: UP007
        words = ["--tyro-print-completion", self.shell]
        with contextlib.suppress(SystemExit):  # once the script is printed
            tyro.cli(every, prog="stimjax", args=words, config=options.MARKERS)


VERBS = {
    "demo": verbs.Demo,
    "run": verbs.Run,
    "simulate": verbs.Simulate,
    "prepare": verbs.Prepare,
    "train": verbs.Train,
    "synthesize": verbs.Synthesize,
    "prior": verbs.Prior,
    "fit": verbs.Fit,
    "study": verbs.Study,
    "audit": verbs.Audit,
    "score": verbs.Score,
    "export": verbs.Export,
    "verify": verbs.Verify,
    "sign": verbs.Sign,
    "inspect": verbs.Inspect,
    "completion": Completion,
}
GROUPS = {
    "The whole job": ("demo", "run"),
    "Step by step": ("simulate", "prepare", "train", "synthesize", "study", "audit"),
    "Use a release": ("fit", "score"),
    "What came out": ("export", "prior", "verify", "sign", "inspect"),
    "On your machine": ("completion",),
}
STATUS = {
    "0": "done",
    "1": "verify found something wrong",
    "2": "an error that you can mend; one line on standard error says how",
    "3": "run did not publish, for the audit exceeds your bounds",
    "128+n": "stopped by signal n: 130 by Ctrl-C",
}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Stopped(BaseException):
    """A signal asks the command to end; raised so that half-written folders are removed."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number


def main(args: Sequence[str] | None = None) -> int:
    """Run the command; `args` are those of the process unless given.

    Returns:
        The exit status.
    """
    if args is None:
        args = sys.argv[1:]
        if not sys.warnoptions:  # what libraries deprecate is no news for a user
            warnings.simplefilter("ignore")
    try:
        with _signals():
            return _dispatch(list(args))
    except KeyboardInterrupt:
        print("stimjax: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except Stopped as stop:
        print("stimjax: interrupted", file=sys.stderr)
        return stop.status
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        line = excuse(error)
        if line is None:
            raise
        print(f"stimjax: error: {line}", file=sys.stderr)
        return 2


def _dispatch(args: list[str]) -> int:
    name, rest = (args[0], args[1:]) if args else ("", [])
    if name == "help" and rest[:1]:
        name, rest = rest[0], ["--help"]
    if name in ("-h", "--help", "help"):
        print(overview())
        return 0
    if name == "--version":
        from importlib.metadata import version

        print(f"stimjax {version('stimjax')}")
        return 0
    if name not in VERBS:
        raise StimjaxError(_no_verb(name))
    try:
        verb = options.parse(VERBS[name], rest, f"stimjax {name}")
    except SystemExit:  # --help was printed
        return 0
    return verb.run() or 0


def _no_verb(name: str) -> str:
    if not name or name.startswith("-"):
        return f"name a command first: {', '.join(VERBS)} (stimjax --help says what they do)"
    close = difflib.get_close_matches(name, VERBS, n=1)
    hint = f"did you mean {close[0]}?" if close else "stimjax --help lists all"
    return f"there is no command {name}; {hint}"


def overview() -> str:
    """The text of `stimjax --help`."""
    lines = [
        "usage: stimjax COMMAND [OPTIONS]",
        "",
        "Learn from private sleep recordings and publish only synthetic stimuli.",
    ]
    for title, names in GROUPS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {name:12}{_summary(name)}" for name in names]
    lines += ["", "Exit status:", *(f"  {code:12}{what}" for code, what in STATUS.items())]
    lines += ["", "stimjax help COMMAND explains a command and lists its options."]
    return "\n".join(lines)


def _summary(name: str) -> str:
    return (VERBS[name].__doc__ or "").partition("\n")[0]


def excuse(error: BaseException) -> str | None:
    """The line for an error that the user can mend; None for a mistake of ours."""
    if isinstance(error, StimjaxError):
        return " ".join(str(error).splitlines())
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text:
        return "there is not enough memory; give fewer recordings, --lanes or --batch"
    platforms = os.environ.get("JAX_PLATFORMS", "")
    if isinstance(error, RuntimeError | AssertionError) and platforms and not _has_devices():
        return (
            f"there is no device of the platform that JAX_PLATFORMS={platforms} asks for; unset "
            "it, or install stimjax[cuda] or stimjax[tpu]"
        )
    for number in FULL:  # libraries hide a full disk behind errors of their own
        if os.strerror(number) in text:
            return f"{os.strerror(number)}; nothing was written"
    return None


def _has_devices() -> bool:
    import jax

    try:
        return bool(jax.devices())
    except (RuntimeError, AssertionError):  # the latter of cuda without its plugin
        return False


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let a request to end unwind the command like Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    mine = [number for number, old in handlers.items() if old is signal.SIG_DFL]  # not under nohup
    for number in mine:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)
