"""The files of a night, read by those who will read them."""

import csv
import dataclasses
import datetime
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyedflib
import pytest
from one_night import APNEA, LOST, MINUTES

from stimjax.data import reader
from stimjax.data.recording import Start
from stimjax.data.scoring import vocabulary
from stimjax.disk.documents import NightFile
from stimjax.errors import StimjaxError
from stimjax.nights import files
from stimjax.nights.night import ScoredNight, summary

MNE = Path(os.environ.get("STIMJAX_MNE", "/nowhere"))  # a Python that has mne


def at(night: ScoredNight, **start) -> ScoredNight:
    """The same night, begun then."""
    header = dataclasses.replace(night.recording.header, start=Start(**start))
    return dataclasses.replace(night, recording=dataclasses.replace(night.recording, header=header))


def annotations(path: Path) -> list[tuple[float, float, str]]:
    with pyedflib.EdfReader(str(path)) as file:
        assert file.signals_in_file == 0
        onset, duration, text = file.readAnnotations()
    return list(zip(onset.tolist(), duration.tolist(), text.tolist(), strict=True))


def test_minutes_as_a_table(night: ScoredNight, tmp_path: Path) -> None:
    files.write_csv(tmp_path / "a.csv", files.minutes(night))
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == MINUTES
    assert (rows[3]["start_s"], rows[3]["end_s"], rows[3]["scorer"]) == ("180", "240", "apnea")
    assert [k for k, row in enumerate(rows) if row["scorer"] == "apnea"] == list(APNEA)
    lost = rows[LOST]
    assert lost["not_scored"] == "masked" and lost["class"] == lost["p_apnea"] == ""
    for k, row in enumerate(rows):
        if k != LOST:
            assert (row["class"] == "apnea") == (float(row["p_apnea"]) > 0.5)
            assert float(row["p_apnea"]) == pytest.approx(night.probability[k, 1], abs=1e-4)
            assert row["not_covered"] == str(int(k % 10 == 0))


def test_a_night_as_json_is_read_back(night: ScoredNight, staged: ScoredNight) -> None:
    for one in (night, staged):
        document = files.document(one, summary(one), "cnn", {"stimjax": "1"})
        text = json.dumps(document.to_json(), allow_nan=False)
        assert NightFile.from_json(json.loads(text), "a night") == document
        assert document.called[LOST] is document.probability[LOST] is None
        assert document.why[LOST] == "masked"


def test_annotations_are_of_every_minute(night: ScoredNight, tmp_path: Path) -> None:
    night = at(night, day=datetime.date(2024, 3, 5), clock=81000.0)
    files.write_edf(tmp_path / "a.edf", night, "cnn")
    one, two, *found = annotations(tmp_path / "a.edf")
    assert (one[2], two[2]) == ("scored by no person", "by stimjax cnn")
    assert [one[:2] for one in found] == [(60.0 * k, 60.0) for k in range(MINUTES)]
    assert found[LOST][2] == "not scored: masked"
    assert found[10][2].endswith(", not covered")
    p = night.probability[3]
    assert found[3][2] == f"{night.classes[p.argmax()]} minute, p {p.max():.2f}"
    with pyedflib.EdfReader(str(tmp_path / "a.edf")) as file:
        assert file.getStartdatetime() == datetime.datetime(2024, 3, 5, 22, 30)
        assert file.file_duration >= night.recording.header.duration


def test_a_day_that_edf_cannot_say_is_left_out(night: ScoredNight, tmp_path: Path) -> None:
    files.write_edf(tmp_path / "a.edf", at(night, day=datetime.date(1950, 3, 5)), "cnn")
    with pyedflib.EdfReader(str(tmp_path / "a.edf")) as file:
        assert file.getStartdatetime().year == 2001


@pytest.mark.parametrize("seconds", [30.0, 60.0])
def test_no_annotation_lies_behind_the_end_where_minutes_are_few(
    staged: ScoredNight, tmp_path: Path, seconds: float
) -> None:
    few = np.arange(len(staged.start)) % 7 == 0
    fields = {"start": staged.start, "why": staged.why, "probability": staged.probability}
    fields |= {"label": staged.label, "uncovered": staged.uncovered}
    some = dataclasses.replace(
        staged, seconds=seconds, **{name: values[few] for name, values in fields.items()}
    )
    files.write_edf(tmp_path / "a.edf", some, "cnn")
    found = annotations(tmp_path / "a.edf")
    onsets = [onset for onset, duration, _ in found if duration > 0]
    assert onsets == some.start.tolist()
    with pyedflib.EdfReader(str(tmp_path / "a.edf")) as file:
        assert file.file_duration >= some.recording.header.duration


def test_nobody_takes_the_annotations_for_a_person_s(night: ScoredNight, tmp_path: Path) -> None:
    files.write_edf(tmp_path / "a.edf", night, "cnn")
    texts = {text for _, _, text in annotations(tmp_path / "a.edf")}
    assert len(texts) > 10 and not any(map(vocabulary.kind, texts))
    with pytest.raises(StimjaxError, match="annotations only"):
        reader.find([tmp_path / "a.edf"])


@pytest.mark.slow
@pytest.mark.skipif(not MNE.exists(), reason="STIMJAX_MNE names no Python that has mne")
def test_mne_opens_the_annotations(night: ScoredNight, tmp_path: Path) -> None:
    files.write_edf(tmp_path / "a.edf", night, "cnn")
    code = (
        "import json, sys, mne; a = mne.io.read_raw_edf(sys.argv[1], verbose='error').annotations;"
        "print(json.dumps([a.onset.tolist(), a.duration.tolist(), list(a.description)]))"
    )
    command = [str(MNE), "-c", code, str(tmp_path / "a.edf")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    onset, duration, text = json.loads(said)
    assert onset[2:] == [60.0 * k for k in range(MINUTES)]
    assert duration[2:] == [60.0] * MINUTES and text[2 + LOST] == "not scored: masked"


def test_names_are_unique_whatever_the_case_of_letters() -> None:
    paths = [Path(p) for p in ("x/night.edf", "y/Night.EDF", "z/index.edf", "night-2.edf.gz")]
    assert files.unique(paths, ("index",)) == ["night", "Night-2", "index-2", "night-2-2"]
