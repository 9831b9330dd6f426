"""A release in another format, for programs that do not read safetensors.

Nothing is added to what the release says, and npz and Parquet carry its spec and its manifest
(EDF+, which has no place for them, the names, units and ranges of the channels).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Literal

import numpy as np

from stimjax import release
from stimjax.batch import Batch
from stimjax.disk.documents import Manifest
from stimjax.disk.store import new_file, new_folder
from stimjax.errors import StimjaxError
from stimjax.release import parquet, text
from stimjax.release.folder import SIGNATURE

Format = Literal["npz", "parquet", "csv", "edf"]


def export(folder: Path, to: Format, out: Path, *, overwrite: bool = False) -> int:
    """Write the release in `folder`, once it is verified, as `out`.

    Args:
        folder: of the release.
        to: the format.
        out: the file; of Parquet a folder, unless its name ends with `.parquet`.
        overwrite: replace an earlier file, or a folder that stimjax wrote.

    Returns:
        How many stimuli there are.

    Raises:
        StimjaxError: the release is damaged, the format cannot hold it, or `out` is occupied.
    """
    stimuli, manifest = release.load(folder), release.load_manifest(folder)
    if to == "parquet" and out.suffix != ".parquet":
        if out.resolve() == folder.resolve():
            raise StimjaxError(f"{out}: is the release itself; name another folder")
        with new_folder(out, overwrite=overwrite) as place:
            parquet.write_folder(stimuli, manifest, place)
            _copy(folder, manifest, place)
        return len(stimuli)
    out.parent.mkdir(parents=True, exist_ok=True)
    with new_file(out, overwrite=overwrite) as path:
        _write(to, stimuli, manifest, path)
    return len(stimuli)


def _copy(folder: Path, manifest: Manifest, place: Path) -> None:
    """Copy what a release holds beside its stimuli and its card.

    The manifest too, byte for byte: its digest and its signature can still be checked.
    """
    listed = [name for name in manifest.files if not name.endswith((".safetensors", "README.md"))]
    for name in (*listed, Manifest.FILE, SIGNATURE):
        if (folder / name).exists():
            shutil.copyfile(folder / name, place / name)


def _write(to: Format, stimuli: Batch, manifest: Manifest, path: Path) -> None:
    if to == "npz":
        _npz(stimuli, manifest, path)
    elif to == "parquet":
        parquet.write(stimuli, manifest, path)
    elif to == "csv":
        text.write(stimuli, path)
    else:
        from stimjax.release import edf  # edfio is for this alone

        edf.write(stimuli, path)


def _npz(stimuli: Batch, manifest: Manifest, path: Path) -> None:
    """Every column as in the release; `channels`, `classes`; JSON texts of the rest."""
    spec = stimuli.spec
    columns = {"x": stimuli.x, "y": stimuli.y, "weight": stimuli.weight, **stimuli.columns}
    about = {
        "channels": [channel.name for channel in spec.channels],
        "classes": spec.classes,
        "spec": json.dumps(spec.to_json()),
        "manifest": json.dumps(manifest.to_json()),
    }
    arrays = {name: np.asarray(values) for name, values in (columns | about).items()}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
