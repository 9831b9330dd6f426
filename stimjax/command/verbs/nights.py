"""What a model says of nights: `score`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from stimjax.command.options import FLAT, Overwrite, Paths
from stimjax.command.talk import TALK, Flag, Talk
from stimjax.command.verbs.names import split_names
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError
from stimjax.machine import runtime


@dataclasses.dataclass(frozen=True)
class Score:
    """Score nights with a model: minutes, severity, a page of each night, agreement with scorers.

    Attributes:
        model: folder that `stimjax fit` made.
        nights: EDF or WFDB files, or folders with them, scored or not.
        out: folder for what is found; it is private (mode 0700). Open its index.html.
        beside: other models, whose agreement with scorers is shown beside it: one of real windows
            beside one of stimuli, say.
        channels: the nights' own labels for channels of the model, as NAME=LABEL.
        skip_bad: name nights that cannot be scored, instead of stopping.
    """

    model: tyro.conf.Positional[Path]
    nights: Paths
    out: Path
    beside: tuple[Path, ...] = ()
    channels: tuple[str, ...] = ()
    skip_bad: Flag = False
    overwrite: Overwrite = False
    talk: Annotated[Talk, FLAT] = TALK

    def run(self) -> None:
        if not self.nights:
            raise StimjaxError("name the nights: `stimjax score MODEL FOLDER --out DIR`")
        runtime.start()
        from stimjax.command.scored import lines
        from stimjax.data import like as likes
        from stimjax.nights import score

        models = score.load((self.model, *self.beside))
        like = likes.asking(likes.like(self.model), split_names(self.channels))
        with (
            self.talk.reporter() as report,
            new_folder(self.out, overwrite=self.overwrite, private=True) as folder,
        ):
            nights, agreement = score.score(
                models, like, self.nights, folder, skip_bad=self.skip_bad, report=report
            )
        found = [*lines(nights, agreement), f"{self.out / 'index.html'}: look here first"]
        self.talk.outcome(self.out, "\n".join(found))
