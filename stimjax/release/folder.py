"""A release: the folder that is published. Shards of stimuli, a manifest and a data card.

    spec.json                   what the numbers mean
    stimuli-00000.safetensors   x, y, subject (-1: nobody), weight; more shards follow
    README.md                   the data card
    manifest.json               how it was made, and the SHA-256 of every other file

Nothing here names a person, a recording, a path or a date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from stimjax import batch
from stimjax.batch import Batch, Spec
from stimjax.disk.store import load_arrays, read_json, sha256, write_json
from stimjax.errors import StimjaxError

SCHEMA = 1
SHARD = "stimuli"


def save_shard(folder: Path, number: int, stimuli: Batch) -> None:
    """Write one shard of stimuli into a release that is being made."""
    batch.save(stimuli, folder, f"{SHARD}-{number:05d}")


def finished(folder: Path) -> list[int]:
    """The numbers of the shards that are there, which are complete."""
    return sorted(int(p.stem.partition("-")[2]) for p in folder.glob(f"{SHARD}-*.safetensors"))


def load_shard(folder: Path, number: int, spec: Spec) -> Batch:
    """One shard of a release that is being made.

    Raises:
        StimjaxError: it is missing or damaged.
    """
    path = folder / f"{SHARD}-{number:05d}.safetensors"
    return batch.from_arrays(load_arrays(path), spec, str(path))


def finish(folder: Path, spec: Spec, manifest: Mapping[str, Any]) -> None:
    """Write the spec, the data card and, last, the manifest of a release whose shards are there."""
    batch.save_spec(spec, folder, {})
    card = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True).from_string(
        files("stimjax.release").joinpath("card.md.j2").read_text(encoding="utf-8")
    )
    (folder / "README.md").write_text(card.render(spec=spec, manifest=manifest), encoding="utf-8")
    hashes = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    write_json(folder / "manifest.json", {"schema": SCHEMA, **manifest, "files": hashes})


def load_manifest(folder: Path) -> dict[str, Any]:
    """The manifest.

    Raises:
        StimjaxError: there is none, it is damaged, or of another schema.
    """
    path = folder / "manifest.json"
    manifest = read_json(path)
    if manifest.get("schema") != SCHEMA:
        raise StimjaxError(
            f"{path}: has schema {json.dumps(manifest.get('schema'))}; this version reads {SCHEMA}"
        )
    if not isinstance(manifest.get("files"), dict):
        raise StimjaxError(f"{path}: lists no files")
    return manifest


def load(folder: Path) -> Batch:
    """All stimuli of a release, verified: every file is there, unchanged, and sound.

    Raises:
        StimjaxError: anything is wrong with it; the line names the file and the reason.
    """
    if not folder.is_dir():
        raise StimjaxError(f"{folder}: is no release (no such folder)")
    manifest = load_manifest(folder)
    for name in ("spec.json", "README.md"):
        if name not in manifest["files"]:
            raise StimjaxError(f"{folder}/manifest.json: does not list {name}")
    for name, expected in manifest["files"].items():
        path = folder / name
        if Path(name).name != name or name in ("", ".."):
            raise StimjaxError(f"{folder}/manifest.json: names a file outside the release: {name}")
        if not path.is_file():
            raise StimjaxError(f"{path}: is missing; the manifest lists it")
        if sha256(path) != expected:
            raise StimjaxError(f"{path}: was changed or damaged (its SHA-256 is another)")
    for path in sorted(folder.iterdir()):
        if path.name not in manifest["files"] and path.name != "manifest.json":
            raise StimjaxError(f"{path}: is not listed in the manifest")
    stimuli = batch.load(folder, SHARD)
    if len(stimuli) != manifest.get("count"):
        raise StimjaxError(
            f"{folder}: holds {len(stimuli)} stimuli, the manifest says {manifest.get('count')}"
        )
    if (stimuli.subject != batch.NOBODY).any():
        raise StimjaxError(f"{folder}: a stimulus names a subject; no one's window may be in it")
    margin = 1e-4 * (stimuli.spec.high - stimuli.spec.low)
    outside = (stimuli.x < stimuli.spec.low - margin) | (stimuli.x > stimuli.spec.high + margin)
    if outside.any():
        which = int(np.argwhere(outside)[0, 0])
        raise StimjaxError(f"{folder}: stimulus {which} leaves the range that the spec promises")
    return stimuli
