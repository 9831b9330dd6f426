"""What every verb that works for a while may be told about what it says."""

from __future__ import annotations

import dataclasses
import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import tyro

from stimjax.machine import progress

Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]


@dataclasses.dataclass(frozen=True)
class Talk:
    """How much a command says on its way, and in which form what came out.

    Attributes:
        quiet: say nothing on the way; errors and what came out are said all the same.
        log_file: file to which what is said on the way is appended, each line with its time.
        json: what came out as an object of JSON, on standard output.
    """

    quiet: Flag = False
    log_file: Path | None = None
    json: Flag = False

    def reporter(self) -> AbstractContextManager[progress.Reporter]:
        """Where a command says on its way what it does."""
        return progress.reporter(quiet=self.quiet, file=self.log_file)

    def outcome(self, path: Path, line: str = "") -> None:
        """Say what a command left at `path`; as text, with `line` alone if there is one."""
        from stimjax.command import inspect

        if self.json:
            print(json.dumps(inspect.as_object(path), indent=1, ensure_ascii=False))
        else:
            print(line or inspect.describe(path))


TALK = Talk()
