"""A release: the folder that is published. Shards of stimuli, a manifest and a data card.

    spec.json                   what the numbers mean
    stimuli-00000.safetensors   x, y, subject (-1: nobody), weight; more shards follow
    prepare.py                  makes such windows of a recording (not of images)
    README.md                   the data card
    manifest.json               how it was made, and the SHA-256 of every other file
    manifest.json.sig           a signature of the manifest, if it was signed (`release.seal`)
    report.html, utility.json   how good students are and what an audit found, of a whole run

Nothing here names a person, a recording, a path or a date.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

import numpy as np

from stimjax import batch
from stimjax.batch import Batch, Spec
from stimjax.data import preparation
from stimjax.disk.documents import Manifest
from stimjax.disk.store import load_arrays, new_file, refuse_changed, sha256, write_json
from stimjax.errors import StimjaxError
from stimjax.release import card

SHARD = "stimuli"
SIGNATURE = f"{Manifest.FILE}.sig"
# What git, deposits (Hugging Face, Zenodo) and their users put beside the files of a release.
BESIDE = (
    *(".git", ".gitattributes", ".cache", "LICENSE*", "CITATION.cff", "croissant.json"),
    SIGNATURE,
)
PROGRAM = "prepare.py"  # makes windows of a recording; it is of this package, and needs none of it
OWN = ("spec.json", "README.md", PROGRAM, SIGNATURE, Manifest.FILE)


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


def finish(folder: Path, spec: Spec, manifest: Manifest) -> None:
    """Write the spec, the program, the data card and, last, the manifest: the shards are there.

    The manifest names no files yet: it gets those that are there then.
    """
    recipe = preparation.of(spec)
    batch.save_spec(spec, folder, preparation=recipe)
    if recipe is not None:
        program = files("stimjax.release").joinpath(PROGRAM).read_bytes()
        (folder / PROGRAM).write_bytes(program)
    (folder / "README.md").write_text(card.render(spec, manifest), encoding="utf-8")
    hashes = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    dataclasses.replace(manifest, files=hashes).save(folder)


def load_manifest(folder: Path) -> Manifest:
    """The manifest.

    Raises:
        StimjaxError: there is none, it is damaged, or of another schema.
    """
    return Manifest.load(folder)


def beside(folder: Path, manifest: Manifest) -> list[str]:
    """Names of what lies in a release's folder, is no part of it and does no harm (`BESIDE`)."""
    names = sorted(path.name for path in folder.iterdir() if path.name not in manifest.files)
    return [name for name in names if any(fnmatchcase(name, known) for known in BESIDE)]


def load(folder: Path) -> Batch:
    """All stimuli of a release, verified: every file is there, unchanged, and sound.

    Raises:
        StimjaxError: anything is wrong with it; the line names the file and the reason.
    """
    if not folder.is_dir():
        raise StimjaxError(f"{folder}: is no release (no such folder)")
    manifest = load_manifest(folder)
    if any(folder.glob("*.parquet")) and not finished(folder):
        raise StimjaxError(
            f"{folder}: is an export; its manifest is that of the release, which is what to name"
        )
    document, needed = folder / Manifest.FILE, ("spec.json", "README.md")
    refuse_changed(document, manifest.files, needed, whole="release", lister="the manifest")
    tolerated = {Manifest.FILE, *manifest.files, *beside(folder, manifest)}
    for path in sorted(folder.iterdir()):
        if path.name not in tolerated:
            raise StimjaxError(f"{path}: is not listed in the manifest")
    stimuli = batch.load(folder, SHARD)
    if len(stimuli) != manifest.count:
        raise StimjaxError(
            f"{folder}: holds {len(stimuli)} stimuli, the manifest says {manifest.count}"
        )
    if (stimuli.subject != batch.NOBODY).any():
        raise StimjaxError(f"{folder}: a stimulus names a subject; no one's window may be in it")
    margin = 1e-4 * (stimuli.spec.high - stimuli.spec.low)
    outside = (stimuli.x < stimuli.spec.low - margin) | (stimuli.x > stimuli.spec.high + margin)
    if outside.any():
        which = int(np.argwhere(outside)[0, 0])
        raise StimjaxError(f"{folder}: stimulus {which} leaves the range that the spec promises")
    return stimuli


def add(folder: Path, contents: Mapping[str, str]) -> None:
    """Add text files to a release, or replace those of the same names that were added earlier.

    The manifest, which names them with their hashes, is replaced in one step, after the files are
    there. A command that dies before leaves a release that says which file is not listed.

    Args:
        folder: of a release that is complete.
        contents: the texts, by name.

    Raises:
        StimjaxError: the release is damaged, a name is one of its own files, or nothing can be
            written there.
    """
    load(folder)
    manifest = load_manifest(folder)
    for name in contents:
        if Path(name).name != name or name in OWN or name.startswith(SHARD):
            raise StimjaxError(f"{folder}/{name}: is a file of the release itself; name another")
    for name, text in contents.items():
        with new_file(folder / name, overwrite=True) as file:
            file.write_text(text, encoding="utf-8")
    hashes = dict(manifest.files) | {name: sha256(folder / name) for name in contents}
    manifest = dataclasses.replace(manifest, files=dict(sorted(hashes.items())))
    with new_file(folder / manifest.FILE, overwrite=True) as file:
        write_json(file, manifest.to_json())
