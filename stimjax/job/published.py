"""The report that may be published, put into the release of a run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stimjax import release
from stimjax.data import reader
from stimjax.machine.progress import Reporter

if TYPE_CHECKING:
    from stimjax import report  # brings matplotlib: imported where a report is written


def add_report(
    story: report.Story,
    folder: Path,
    windows: Path,
    recordings: Sequence[Path],
    reporter: Reporter,
) -> None:
    """Add `report.html` and `utility.json` to a release, and to its manifest.

    They are searched for identifiers as the audit searches the release. What it says of that stays
    true: where they hold one, they are left out and a note says so. They are left out of a release
    with a formal guarantee too, since their numbers were measured on people without noise.

    Args:
        story: of the run.
        folder: of the release.
        windows: that the recordings became.
        recordings: files or folders of which nothing must be named.
        reporter: is told where they are left out.

    Raises:
        StimjaxError: the release is damaged, or nothing can be written there.
    """
    from stimjax import report
    from stimjax.privacy.attacks import files

    if release.load_manifest(folder).privacy.epsilon is not None:
        reporter.note("no report is published: the guarantee does not cover what it measures")
        return
    contents = report.contents(story)
    secrets = files.secrets_of(windows, reader.find(recordings))
    with tempfile.TemporaryDirectory() as aside:
        for name, text in contents.items():
            (Path(aside) / name).write_text(text, encoding="utf-8")
        (found,) = files.search(Path(aside), secrets)
    if found.value:
        reporter.note(f"no report is published: {found.note}")
        return
    release.add(folder, contents)
