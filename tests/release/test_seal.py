"""A release changed behind its reader's back: what a digest and a signature notice."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from small_release import SIGNALS, written

from stimjax.command import main
from stimjax.disk import store
from stimjax.errors import StimjaxError
from stimjax.release import card, folder, seal

KEYGEN = shutil.which("ssh-keygen")
signing = pytest.mark.skipif(KEYGEN is None, reason="OpenSSH is not here")
GUARANTEE = {"unit": "subject", "epsilon": 8.0, "delta": 1e-5, "expenses": []}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    written(tmp_path / "release", SIGNALS)
    promise(tmp_path / "release", 8.0)
    return tmp_path / "release"


def promise(release: Path, epsilon: float, *, card_too: bool = True) -> None:
    """Change epsilon as someone would who makes everything fit."""
    path = release / "manifest.json"
    content = json.loads(path.read_text())
    content["privacy"] = {**GUARANTEE, "epsilon": epsilon}
    path.write_text(json.dumps(content))
    if card_too:
        manifest = folder.load_manifest(release)
        (release / "README.md").write_text(card.render(SIGNALS, manifest))
        content["files"]["README.md"] = store.sha256(release / "README.md")
        path.write_text(json.dumps(content))


@pytest.fixture
def said(capsys):
    def said(*words):
        status = main.main([*map(str, words)])
        out, err = capsys.readouterr()
        assert err.count("\n") <= 1
        return status, out, err

    return said


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with keys of two people, and a file of allowed signers of each and of both."""
    place = tmp_path / "keys"
    place.mkdir()
    lines = []
    for name in ("ann", "bob"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)]
        subprocess.run(command, check=True)
        lines.append(f"{name}@clinic {(place / f'{name}.pub').read_text()}")
        (place / f"{name}.allowed").write_text(lines[-1])
    (place / "both.allowed").write_text("".join(lines))
    return place


def test_verify_prints_a_digest_that_other_tools_find_too(made, said):
    status, out, _ = said("verify", made)
    digest = hashlib.sha256((made / "manifest.json").read_bytes()).hexdigest()
    assert status == 0 and f"sha256:{digest}\n" in out
    for given in (digest, f"sha256:{digest}", digest.upper()):
        status, out, _ = said("verify", made, "--digest", given)
        assert status == 0 and "nothing was changed since" in out


def test_verify_gives_an_object_of_json(made, said):
    _, text, _ = said("verify", made)
    status, out, _ = said("verify", made, "--json")
    found = json.loads(out)
    assert (status, found["ok"]) == (0, True)
    assert f"sha256:{found['digest']}" in text
    assert sum(found["classes"].values()) == found["stimuli"]
    status, out, err = said("verify", made, "--digest", "0" * 64, "--json")
    assert (status, err, json.loads(out)["ok"]) == (1, "", False)


@signing
def test_a_smaller_epsilon_is_found_by_digest_and_signature_alone(made, said, keys):
    digest = seal.digest(made)
    assert said("sign", made, "--key", keys / "ann")[0] == 0
    signed = ("verify", made, "--signer", keys / "both.allowed")
    status, out, _ = said(*signed)
    assert status == 0 and "signed    by ann@clinic (ED25519 key SHA256:" in out

    promise(made, 0.1, card_too=False)
    status, out, err = said("verify", made)  # whoever forgets the card is noticed
    assert (status, out) == (1, "") and "says the guarantee epsilon 8, delta 1e-05" in err

    promise(made, 0.1)
    status, out, _ = said("verify", made)
    assert status == 0 and "not       who made it, nor that nobody changed manifest.json" in out
    status, out, err = said("verify", made, "--digest", digest)
    assert (status, out) == (1, "") and f"not {digest}: it is not the release" in err
    status, out, err = said(*signed)
    assert (status, out) == (1, "") and "no signature of ann@clinic under this manifest" in err


@signing
def test_a_signature_is_of_whom_it_says(made, said, keys, tmp_path):
    def refused(name, *words):
        status, out, err = said("verify", made, "--signer", keys / name, *words)
        assert (status, out) == (1, "")
        return err

    assert "the release is not signed" in refused("ann.allowed")
    assert said("sign", made, "--key", keys / "ann")[0] == 0
    assert "is of nobody in" in refused("bob.allowed")
    assert "its lines are NAME" in refused("ann.pub")  # a bare key: its name is missing
    assert "no signature of bob@clinic" in refused("both.allowed", "--identity", "bob@clinic")
    words = ("--signer", keys / "both.allowed", "--identity", "ann@clinic")
    assert said("verify", made, *words)[0] == 0
    status, out, _ = said("verify", made)
    assert status == 0 and "nobody asked by whom" in out
    # A signature of the same bytes for another purpose does not count.
    command = ["ssh-keygen", "-Y", "sign", "-f", str(keys / "ann"), "-n", "file"]
    other = subprocess.run(command, input=(made / "manifest.json").read_bytes(), stdout=-1)
    (made / "manifest.json.sig").write_bytes(other.stdout)
    assert "no signature of ann@clinic" in refused("ann.allowed")
    assert "already" in said("sign", made, "--key", keys / "bob")[2]
    assert said("sign", made, "--key", keys / "bob", "--overwrite")[0] == 0
    assert said("verify", made, "--signer", keys / "bob.allowed")[0] == 0


@signing
def test_what_cannot_sign_leaves_nothing(made, said, keys, tmp_path):
    for key, why in ((tmp_path / "none", "is missing"), (keys / "ann.allowed", "cannot sign")):
        status, _, err = said("sign", made, "--key", key)
        assert status == 2 and why in err
    (made / "spec.json").write_text("{}")
    status, _, err = said("sign", made, "--key", keys / "ann")
    assert status == 2 and "spec.json: was changed or damaged" in err
    assert not list(made.glob("*.sig")) and not list(made.glob(".*"))


def test_without_openssh_that_is_said(made, said, tmp_path, monkeypatch):
    (tmp_path / "key").write_text("key")
    monkeypatch.setenv("PATH", str(tmp_path))
    for words in (("sign", made, "--key"), ("verify", made, "--signer")):
        status, _, err = said(*words, tmp_path / "key")
        assert status == 2 and "there is no ssh-keygen" in err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--digest", "abc"), "64 hexadecimal digits"),
        (("--identity", "ann@clinic"), "add --signer"),
        (("--signer", "none"), "none: is missing"),
    ],
)
def test_what_verify_is_given_wrongly_is_status_2(made, said, words, reason):
    status, out, err = said("verify", made, *words)
    assert (status, out) == (2, "") and reason in err


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("25 synthetic windows", "26 synthetic windows", "number of stimuli 26, and the manifest"),
        ("normal 14, apnea 11", "normal 13, apnea 12", "classes normal 13"),
        ("method `probe`", "method `public`", "method public, and the manifest probe"),
        ("teacher's whole softmax", "teacher's most probable class", "that a label is the"),
        ("epsilon 8,", "epsilon 0.1,", "says the guarantee epsilon 0.1"),
        ("whole subject)", "single window)", "for a single window, and the manifest"),
        ("(epsilon 8,", "(nothing,", "does not say the guarantee epsilon 8"),
    ],
)
def test_a_card_that_says_something_else_is_found(made, said, old, new, reason):
    text = (made / "README.md").read_text()
    assert text.count(old) == 1
    (made / "README.md").write_text(text.replace(old, new))
    content = json.loads((made / "manifest.json").read_text())
    content["files"]["README.md"] = store.sha256(made / "README.md")
    (made / "manifest.json").write_text(json.dumps(content))
    status, out, err = said("verify", made)
    assert (status, out) == (1, "") and reason in err


def test_a_card_may_not_promise_what_the_manifest_does_not(tmp_path):
    written(tmp_path / "release", SIGNALS)
    manifest = folder.load_manifest(tmp_path / "release")
    text = card.render(SIGNALS, manifest)
    assert card.contradiction(text, SIGNALS, manifest) is None
    said = card.contradiction(
        text + "(epsilon 1, delta 1e-05, for a whole subject)", SIGNALS, manifest
    )
    assert said and "the manifest has none" in said


def test_what_deposits_add_is_tolerated_and_named(made, said):
    (made / ".git").mkdir()
    for name in (".gitattributes", "LICENSE.txt", "CITATION.cff", "croissant.json"):
        (made / name).write_text("x")
    status, out, _ = said("verify", made)
    assert status == 0
    assert ".git, .gitattributes, CITATION.cff, LICENSE.txt, croissant.json: no part of it" in out
    (made / "more.txt").write_text("x")
    with pytest.raises(StimjaxError, match=r"more.txt: is not listed"):
        folder.load(made)
