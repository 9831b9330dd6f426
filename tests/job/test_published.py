"""A report is published only where it names nobody."""

from pathlib import Path

import pytest

from stimjax.data.secrets import Secret
from stimjax.job import published
from stimjax.machine.progress import Reporter


class Listener(Reporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, line: str) -> None:
        self.notes.append(line)


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
    monkeypatch.setattr("stimjax.release.add", lambda folder, contents: added.extend(contents))
    listener = Listener()
    published.add_report(None, tmp_path, tmp_path, [], listener)  # pyright: ignore
    assert added == ([] if named else ["report.html"])
    assert bool(listener.notes) == named
    assert "Featherstonehaugh" not in "".join(listener.notes)
