"""What is done with a release, or with what came out: `export`, `prior`, `verify`, `inspect`."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Literal

import tyro

from stimjax.command.options import Overwrite
from stimjax.command.verbs.names import split_names
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError
from stimjax.machine import runtime


@dataclasses.dataclass(frozen=True)
class Export:
    """Write a release as one file of another format: npz, Parquet or EDF+.

    Attributes:
        release: folder of the release.
        to: npz (arrays, for NumPy), parquet (a row for each stimulus, a column for each channel
            and class) or edf (the stimuli one after another, their classes as annotations).
        out: the file.
    """

    release: tyro.conf.Positional[Path]
    to: Literal["npz", "parquet", "edf"]
    out: Path
    overwrite: Overwrite = False

    def run(self) -> None:
        runtime.start()
        from stimjax.release import export

        count = export.export(self.release, self.to, self.out, overwrite=self.overwrite)
        print(f"{self.out}: {count} stimuli")


@dataclasses.dataclass(frozen=True)
class Prior:
    """Make anew the simulated windows (or the images) that a release depends on, with their labels.

    Nobody's data is needed: whoever has a release can have them. They are what students are worth
    without the release, and more windows without a teacher's label.

    Attributes:
        release: folder that `stimjax synthesize` made, of the method public.
        out: folder for the windows: `prior-00000.safetensors` and `spec.json`.
        public: the public recordings that the release depends on as well, if it says so; without
            them the windows are those of simulated sleepers alone.
        channels: as in `stimjax prepare`, where the holder named labels of these recordings.
    """

    release: tyro.conf.Positional[Path]
    out: Path
    public: tuple[Path, ...] = ()
    channels: tuple[str, ...] = ()
    overwrite: Overwrite = False

    def run(self) -> None:
        runtime.start()
        from stimjax import batch, release
        from stimjax.excite import anew, carriers

        manifest, spec = release.load_manifest(self.release), batch.load_spec(self.release)
        try:
            prior = anew.prior(manifest, spec, self.public, split_names(self.channels))
        except StimjaxError as error:
            raise StimjaxError(f"{self.release}: {error}") from error
        windows = carriers.scored(prior, spec)
        with new_folder(self.out, overwrite=self.overwrite) as folder:
            batch.save(windows, folder, "prior-00000")
            batch.save_spec(spec, folder)
        whose = "simulated sleepers" if len(spec.shape) == 2 else "scikit-learn's digits"
        if prior.recorded:
            whose += f" and {len(prior.recorded)} public recordings"
        elif manifest.public:
            whose += (
                f" alone; it also depends on {len(manifest.public)} public recordings (--public)"
            )
        print(f"{self.out}: {len(windows)} windows of {whose}")


@dataclasses.dataclass(frozen=True)
class Verify:
    """Check a release: every file unchanged, every number in its range.

    Attributes:
        release: folder of the release.
    """

    release: tyro.conf.Positional[Path]

    def run(self) -> int:
        runtime.start()
        from stimjax import release

        try:
            stimuli = release.load(self.release)
        except StimjaxError as error:
            print(f"stimjax: {error}", file=sys.stderr)
            return 1
        counts = stimuli.y.argmax(axis=1)
        named = ", ".join(
            f"{name} {int((counts == k).sum())}" for k, name in enumerate(stimuli.spec.classes)
        )
        print(f"{self.release}: ok, {len(stimuli)} stimuli ({named})")
        return 0


@dataclasses.dataclass(frozen=True)
class Inspect:
    """Show what a recording, a folder of windows, a teacher or a release holds.

    Attributes:
        path: the file or folder.
        json: of recordings, give all that is shown as an object of JSON.
    """

    path: tyro.conf.Positional[Path]
    json: bool = False

    def run(self) -> None:
        runtime.start()
        from stimjax.command import inspect

        if self.json:
            print(json.dumps(inspect.as_object(self.path), indent=1, ensure_ascii=False))
        else:
            print(inspect.describe(self.path))
