"""A release, sealed and signed: that nobody changes it, or what it says of itself, unseen.

`manifest.json` has the SHA-256 of every other file, so that the SHA-256 of its own bytes, the
digest, stands for the whole release. Whoever changes a file, and the manifest with it, gets another
digest. So a digest proves something to those who have it from elsewhere, and a signature to those
who know the key.

Signatures are those of OpenSSH (PROTOCOL.sshsig in its sources; `ssh-keygen -Y`), of the bytes of
`manifest.json`, in the namespace "stimjax-release". They lie beside it as `manifest.json.sig`.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from stimjax.batch import Batch
from stimjax.disk.documents import Manifest
from stimjax.disk.store import new_file, sha256
from stimjax.errors import StimjaxError
from stimjax.release import card, folder

NAMESPACE = "stimjax-release"


@dataclasses.dataclass(frozen=True)
class Verified:
    """What verifying a release found.

    Attributes:
        stimuli: all of them.
        digest: SHA-256 of the manifest, in hexadecimal.
        signed: whether there is a signature.
        signer: who signed it, and with which key; None where nobody asked.
        beside: names of what lies in the folder and is no part of the release.
    """

    stimuli: Batch
    digest: str
    signed: bool
    signer: str | None
    beside: tuple[str, ...]

    @property
    def classes(self) -> dict[str, int]:
        """How many stimuli have each class as their most probable one."""
        names = self.stimuli.spec.classes
        counts = np.bincount(self.stimuli.label, minlength=len(names))
        return dict(zip(names, counts.tolist(), strict=True))

    def to_json(self) -> dict[str, Any]:
        """All, with the number of the stimuli in their place."""
        about = {"digest": self.digest, "signed": self.signed, "signer": self.signer}
        counted = {"stimuli": len(self.stimuli), "classes": self.classes}
        return {**counted, **about, "beside": self.beside}


@dataclasses.dataclass(frozen=True)
class Expected:
    """What whoever verifies a release knows from elsewhere.

    Attributes:
        digest: of its manifest, 64 hexadecimal digits, also with "sha256:" in front; None: unknown.
        signers: a file of allowed signers, as ssh-keygen(1) describes it: lines of a name and a
            public key. None asks for no signature.
        identity: whose signature it has to be; by default anybody's of that file.

    Raises:
        StimjaxError: the digest is none, the file is missing, or an identity stands alone.
    """

    digest: str | None = None
    signers: Path | None = None
    identity: str | None = None

    def __post_init__(self) -> None:
        if self.digest is not None and not re.fullmatch("[0-9a-f]{64}", self.plain_digest):
            raise StimjaxError(
                f"the digest {self.digest} is none; it has 64 hexadecimal digits, as `stimjax "
                "verify` prints them"
            )
        if self.identity is not None and self.signers is None:
            raise StimjaxError("an identity needs the file that has its key; add --signer FILE")
        if self.signers is not None and not self.signers.is_file():
            raise StimjaxError(
                f"{self.signers}: is missing; name a file with a line `NAME ssh-ed25519 KEY` for "
                "each signer"
            )

    @property
    def plain_digest(self) -> str:
        """The digits alone, in lower case."""
        return (self.digest or "").strip().lower().removeprefix("sha256:")


def digest(release: Path) -> str:
    """The SHA-256 of a release's manifest, in hexadecimal.

    Raises:
        StimjaxError: it has no manifest.
    """
    path = release / Manifest.FILE
    if not path.is_file():
        raise StimjaxError(f"{path}: is missing")
    return sha256(path)


def verify(release: Path, expected: Expected) -> Verified:
    """Check a release: its files and numbers, its card, its digest, its signature.

    Args:
        release: folder of the release.
        expected: what the manifest has to be.

    Raises:
        StimjaxError: anything is wrong with it; the line names the file and the reason.
    """
    stimuli, manifest = folder.load(release), folder.load_manifest(release)
    text = (release / "README.md").read_text(encoding="utf-8")
    if said := card.contradiction(text, stimuli.spec, manifest):
        raise StimjaxError(f"{release}/README.md: {said}")
    found = digest(release)
    if expected.digest is not None and found != expected.plain_digest:
        raise StimjaxError(
            f"{release}/{Manifest.FILE}: has the digest {found}, not {expected.plain_digest}: it "
            "is not the release that this digest is of"
        )
    signer = None
    if expected.signers is not None:
        signer = _signer(release, expected.signers, expected.identity)
    signed = (release / folder.SIGNATURE).is_file()
    others = [name for name in folder.beside(release, manifest) if name != folder.SIGNATURE]
    return Verified(stimuli, found, signed, signer, tuple(others))


def sign(release: Path, key: Path, *, overwrite: bool = False) -> Path:
    """Sign a release, once it is verified.

    Args:
        release: folder of the release.
        key: a private SSH key, or the public one of a key that ssh-agent holds.
        overwrite: replace an earlier signature.

    Returns:
        The file with the signature.

    Raises:
        StimjaxError: the release is damaged, it is signed already, the key cannot sign, or there is
            no ssh-keygen.
    """
    if not key.is_file():
        raise StimjaxError(f"{key}: is missing; name a key (`ssh-keygen -t ed25519` makes one)")
    verify(release, Expected())
    with new_file(release / folder.SIGNATURE, overwrite=overwrite) as path:
        done = _ssh_keygen(release, "sign", "-f", str(key), "-n", NAMESPACE)
        if done.returncode:
            raise StimjaxError(f"{key}: cannot sign ({_reason(done)})")
        path.write_text(done.stdout, encoding="ascii")
    return release / folder.SIGNATURE


def require_ssh_keygen() -> None:
    """Refuse to go on without OpenSSH's tool for signatures.

    Raises:
        StimjaxError: it is not there.
    """
    _ssh_keygen(None, "check-novalidate")


def _signer(release: Path, signers: Path, identity: str | None) -> str:
    """Who of `signers` signed the release, in words.

    Raises:
        StimjaxError: nobody of them, or not `identity`.
    """
    signature = release / folder.SIGNATURE
    if not signature.is_file():
        raise StimjaxError(f"{signature}: is missing: the release is not signed")
    known = ("-f", str(signers), "-s", str(signature))
    found = _ssh_keygen(release, "find-principals", *known)
    names = found.stdout.splitlines() if identity is None else [identity]
    if not names:
        raise StimjaxError(
            f"{signature}: is of nobody in {signers} ({_reason(found)}; its lines are NAME "
            "ssh-ed25519 KEY)"
        )
    for name in names:
        done = _ssh_keygen(release, "verify", *known, "-n", NAMESPACE, "-I", name)
        if not done.returncode:
            key = re.search(r"with (\S+) key (\S+)", done.stdout)
            return f"{name} ({key[1]} key {key[2]})" if key else name
    raise StimjaxError(
        f"{signature}: is no signature of {' or '.join(names)} under this manifest "
        f"({_reason(done)})"
    )


def _ssh_keygen(release: Path | None, task: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `ssh-keygen -Y`, with the manifest as its standard input."""
    content = b"" if release is None else (release / Manifest.FILE).read_bytes()
    command = ["ssh-keygen", "-Y", task, *words]
    try:
        done = subprocess.run(command, input=content, capture_output=True, check=False)
    except FileNotFoundError:
        raise StimjaxError("there is no ssh-keygen; install OpenSSH (8.1 or later)") from None
    said = (done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    return subprocess.CompletedProcess(command, done.returncode, *said)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """What ssh-keygen said last."""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    lines = [line for line in lines if line]
    return lines[-1].rstrip(".") if lines else f"ssh-keygen ended with {done.returncode}"
