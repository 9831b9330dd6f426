"""What the files of a student that is kept mean: the `model.json` beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

from stimjax import config
from stimjax.config.names import STUDENTS, nearest
from stimjax.config.settings import check
from stimjax.disk.documents.document import Document
from stimjax.errors import StimjaxError

Learned = Literal["release", "windows", "memory"]  # what a student learned from


@dataclasses.dataclass(frozen=True)
class ModelFile(Document):
    """A student's `model.json`.

    Attributes:
        student: its name.
        classes: their names, in the order of the model's answers.
        learned_from: a release; real windows, so that the model is private as they are; or a batch
            in memory, of which nobody knows.
        release: its digest, the SHA-256 of its `manifest.json`; None if it is of no release.
        windows: how many it learned from, those that chose its best step included.
        settings: of its training; one student, one seed.
        columns: the numbers of the classes that a classical student knows; none of a deep one.
        versions: of the software, by name.
        files: SHA-256 of every other file, by name.
    """

    FILE: ClassVar[str] = "model.json"
    SCHEMA: ClassVar[int] = 1

    student: str
    classes: tuple[str, ...]
    learned_from: Learned
    release: str | None
    windows: int
    settings: config.Study
    columns: tuple[int, ...]
    versions: Mapping[str, str]
    files: Mapping[str, str]

    def refuse(self, where: str) -> None:
        """See `Document`: a student that this version has, and classes that there are."""
        if self.student not in STUDENTS:
            raise StimjaxError(
                f"{where}: is of the student {self.student!r}, which this version lacks"
                f"{nearest(self.student, STUDENTS)}"
            )
        if any(not 0 <= number < len(self.classes) for number in self.columns):
            raise StimjaxError(f"{where}: is damaged (a column is of no class)")
        check(self.settings, f"{where}: settings.")
