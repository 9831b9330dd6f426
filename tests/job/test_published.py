"""A report is published only where it names nobody."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from stimjax.data.secrets import Secret
from stimjax.disk.documents import Guarantee
from stimjax.job import published
from stimjax.machine.progress import Reporter


class Listener(Reporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, line: str) -> None:
        self.notes.append(line)


def promised(epsilon: float | None) -> SimpleNamespace:
    """A manifest, as far as it is looked at."""
    return SimpleNamespace(privacy=Guarantee(epsilon=epsilon))


def test_a_guarantee_is_not_undone_by_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("stimjax.release.load_manifest", lambda folder: promised(4.0))
    monkeypatch.setattr("stimjax.release.add", lambda folder, contents: pytest.fail("added"))
    listener = Listener()
    published.add_report(None, tmp_path, tmp_path, [], listener)  # pyright: ignore
    assert len(listener.notes) == 1 and "guarantee" in listener.notes[0]


@pytest.mark.parametrize("named", [True, False])
def test_a_report_that_names_somebody_is_left_out(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    added: list[str] = []
    text = "<p>Mrs. Featherstonehaugh slept well</p>" if named else "<p>somebody slept well</p>"
    monkeypatch.setattr("stimjax.report.contents", lambda story: {"report.html": text})
    monkeypatch.setattr("stimjax.data.reader.find", lambda recordings: [])
    secrets = [Secret("patient code", "Featherstonehaugh")]
    monkeypatch.setattr("stimjax.privacy.attacks.files.secrets_of", lambda *given: secrets)
    monkeypatch.setattr("stimjax.release.load_manifest", lambda folder: promised(None))
    monkeypatch.setattr("stimjax.release.add", lambda folder, contents: added.extend(contents))
    listener = Listener()
    published.add_report(None, tmp_path, tmp_path, [], listener)  # pyright: ignore
    assert added == ([] if named else ["report.html"])
    assert bool(listener.notes) == named
    assert "Featherstonehaugh" not in "".join(listener.notes)
