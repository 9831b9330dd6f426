"""How windows came to be: the part `made` of the `spec.json` in their folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from stimjax import config
from stimjax.disk.documents.document import plain, refuse_missing, refuse_schema, typed
from stimjax.disk.store import read_json
from stimjax.errors import StimjaxError

FILE, SCHEMA = "spec.json", 1
# Settings that are not written: those that name people or files, and one that changes no byte.
UNWRITTEN = ("test_subjects", "subjects", "public", "workers")
LATER = ("events",)  # written only where they say something: older folders do not have them


@dataclasses.dataclass(frozen=True)
class Dealt:
    """The settings of images that were dealt at random; those of recordings are config.Prepare.

    Attributes:
        split: at random.
        independent: False, for one image more would move others between the parts.
    """

    split: Literal["random"] = "random"
    independent: bool = False


@dataclasses.dataclass(frozen=True)
class Part:
    """What a part of the split holds.

    Attributes:
        windows: how many.
        classes: windows by class.
        subjects: their numbers.
    """

    windows: int
    classes: Mapping[str, int]
    subjects: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Cohort:
    """The recordings that windows were cut from.

    Attributes:
        recordings: that were used.
        skipped: recordings that were left out.
        subjects: people.
        parts: train, validation and test.
        masked: samples by channel and reason.
    """

    recordings: int
    skipped: int
    subjects: int
    parts: Mapping[str, Part]
    masked: Mapping[str, Mapping[str, int]]


@dataclasses.dataclass(frozen=True)
class Made:
    """How windows came to be.

    Attributes:
        settings: of preparing recordings, or of dealing images.
        cohort: of recordings; None for images.
    """

    settings: config.Prepare | Dealt
    cohort: Cohort | None = None

    def to_json(self) -> dict[str, Any]:
        """The part `made` of a `spec.json`; `from_json` reads it back."""
        settings = {
            key: value
            for key, value in plain(self.settings).items()
            if key not in UNWRITTEN and (value or key not in LATER)
        }
        return {"settings": settings, **({} if self.cohort is None else plain(self.cohort))}

    @classmethod
    def from_json(cls, content: Any, where: str) -> Made:
        """Read what `to_json` gave; `where` is named in the error.

        Raises:
            StimjaxError: a key is missing, unknown or of the wrong kind.
        """
        wrong = f"{where}: is damaged"
        if not isinstance(content, Mapping) or "settings" not in content:
            raise StimjaxError(f'{wrong} (missing value for "made.settings")')
        about = {key: value for key, value in content.items() if key != "settings"}
        settings = content["settings"]
        for name in UNWRITTEN:
            if isinstance(settings, Mapping) and name in settings:
                raise StimjaxError(f'{wrong} (can not match "{name}" to any data class field)')
        read = (
            cls(typed(config.Prepare, settings, wrong), typed(Cohort, about, wrong))
            if about
            else cls(typed(Dealt, settings, wrong))
        )
        refuse_missing(read.to_json(), content, where, "made.")
        return read

    @classmethod
    def load(cls, folder: Path) -> Made:
        """How the windows in `folder` came to be.

        Raises:
            StimjaxError: it holds no windows, or its `spec.json` is damaged or of another schema.
        """
        path = folder / FILE
        content = read_json(path)
        refuse_schema(content, SCHEMA, str(path))
        return cls.from_json(content.get("made"), str(path))
