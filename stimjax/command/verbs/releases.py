"""What is done with what came out: `export`, `prior`, `verify`, `sign`, `inspect`."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from stimjax.command.options import Overwrite
from stimjax.command.talk import Flag
from stimjax.command.verbs.names import split_names
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError
from stimjax.machine import runtime

if TYPE_CHECKING:
    from stimjax.release import seal


@dataclasses.dataclass(frozen=True)
class Export:
    """Write a release in another format: npz, Parquet, CSV or EDF+.

    Attributes:
        release: folder of the release.
        to: npz (arrays, for NumPy), parquet (a row for each stimulus, a column for each channel
            and class), csv (the same as text, a column for each value) or edf (the stimuli one
            after another, their classes as annotations).
        out: the file; csv is compressed where its name ends with .gz. Of parquet a folder that
            the library datasets and the Hugging Face Hub open, unless it ends with .parquet.
    """

    release: tyro.conf.Positional[Path]
    to: Literal["npz", "parquet", "csv", "edf"]
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
    """Check a release: every file unchanged, every number in its range, its card, its signature.

    It ends with status 1 where something is wrong. It prints the digest, which stands for the whole
    release. Without --digest or --signer it does not show who made the release: whoever changes
    the manifest as well as a file is not noticed.

    Attributes:
        release: folder of the release.
        digest: the digest that the publisher names; another one is an error.
        signer: file of allowed signers (a name and a public SSH key a line, see ssh-keygen(1));
            the release has to be signed by one of them.
        identity: whose name in that file it has to be.
        json: give what was found as an object of JSON.
    """

    release: tyro.conf.Positional[Path]
    digest: str | None = None
    signer: Path | None = None
    identity: str | None = None
    json: Flag = False

    def run(self) -> int:
        runtime.start()
        from stimjax.release import seal

        expected = seal.Expected(self.digest, self.signer, self.identity)
        if self.signer is not None:
            seal.require_ssh_keygen()
        try:
            found = seal.verify(self.release, expected)
        except StimjaxError as error:
            if self.json:
                print(json.dumps({"ok": False, "error": str(error)}))
            else:
                print(f"stimjax: {error}", file=sys.stderr)
            return 1
        if self.json:
            print(json.dumps({"ok": True, **found.to_json()}, indent=1))
            return 0
        named = ", ".join(f"{name} {count}" for name, count in found.classes.items())
        print(f"{self.release}: ok, {len(found.stimuli)} stimuli ({named})")
        print("\n".join([f"digest    sha256:{found.digest}", *_proven(found, expected)]))
        return 0


def _proven(found: seal.Verified, expected: seal.Expected) -> list[str]:
    """Lines on what verifying a release has shown, and what it has not."""
    lines = []
    if found.beside:
        lines.append(
            f"beside    {', '.join(found.beside)}: no part of it, the digest is not theirs"
        )
    if found.signer:
        lines.append(f"signed    by {found.signer}")
    elif found.signed:
        lines.append("signed    nobody asked by whom: --signer FILE")
    if found.signer or expected.digest:
        whose = "the signer" if found.signer else "whoever named the digest"
        lines.append(f"proven    that nothing was changed since; what it says, {whose} says")
    else:
        lines += [
            "proven    that files and card are as manifest.json says",
            "not       who made it, nor that nobody changed manifest.json, its epsilon, say: "
            "hold the digest against the publisher's (--digest), or have a signature (--signer)",
        ]
    return lines


@dataclasses.dataclass(frozen=True)
class Sign:
    """Sign a release with an SSH key, so that nobody can change it unseen.

    The signature is `manifest.json.sig` in the release. `stimjax verify RELEASE --signer FILE`
    checks it; FILE has a line of your name and your public key.

    Attributes:
        release: folder of the release, as it is to be published.
        key: a private SSH key, or the public one of a key that ssh-agent holds.
        overwrite: replace an earlier signature.
    """

    release: tyro.conf.Positional[Path]
    key: Path
    overwrite: Flag = False

    def run(self) -> None:
        runtime.start()
        from stimjax.release import seal

        path = seal.sign(self.release, self.key, overwrite=self.overwrite)
        print(f"{path}: signature of digest sha256:{seal.digest(self.release)}")


@dataclasses.dataclass(frozen=True)
class Inspect:
    """Show what a recording, a folder of windows, a teacher or a release holds.

    Attributes:
        path: the file or folder.
        json: give all that is shown as an object of JSON; of what stimjax wrote, its documents.
    """

    path: tyro.conf.Positional[Path]
    json: Flag = False

    def run(self) -> None:
        runtime.start()
        from stimjax.command import inspect

        if self.json:
            print(json.dumps(inspect.as_object(self.path), indent=1, ensure_ascii=False))
        else:
            print(inspect.describe(self.path))
