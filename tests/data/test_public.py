"""Recordings that anybody may have, beside private ones."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from night_files import MINUTES, WORDS, Cohort, inside, truth

from stimjax import config
from stimjax.data import prepare, public
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.public import Recorded
from stimjax.data.whole import ANY, NONE
from stimjax.disk.store import load_arrays
from stimjax.errors import StimjaxError

BEFORE, AFTER = 15, 45
Run = Callable[..., tuple[Path, list[str]]]


def spo2(seed: int) -> np.ndarray:
    return np.random.default_rng(100 + seed).integers(60, 101, 60 * MINUTES).astype(float)


def write(
    path: Path, values: np.ndarray, code: str = "Q1", scored: bool = False, **trace: object
) -> Path:
    """A recording of SpO2, whose even minutes are apnea if it is scored."""
    path.parent.mkdir(exist_ok=True)
    minutes = [(60.0 * m, 60.0, WORDS[1 - m % 2]) for m in range(MINUTES)] if scored else []
    given = Trace("SaO2", "%", 1, values, 0.0, 127.0, (0, 127))
    write_edf(path, code, [dataclasses.replace(given, **trace)], minutes)  # pyright: ignore
    return path


@pytest.fixture
def run(cohort: Cohort, tmp_path: Path) -> Run:
    """Prepare the cohort beside public recordings; the folder of windows, and the notes."""

    def call(*paths: Path, **fields: object) -> tuple[Path, list[str]]:
        folder, notes = tmp_path / f"out-{len(list(tmp_path.iterdir()))}", []
        folder.mkdir()
        fields["public"] = tuple(map(str, paths))
        settings = config.Prepare(**fields)  # pyright: ignore[reportArgumentType]
        prepare.prepare([cohort.folder], settings, folder, note=notes.append)
        return folder, notes

    return call


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith("public-")}


def test_a_scored_night_begins_where_it_was_scored_and_another_anywhere(run, tmp_path) -> None:
    write(tmp_path / "free/a.edf", spo2(0), "Q1", scored=True)
    write(tmp_path / "free/b.edf", spo2(1), "Q2")
    folder, notes = run(tmp_path / "free")
    assert "public recordings: 2, of which 1 are scored" in notes
    one, other = public.load(folder)
    for seed, found in enumerate((one, other)):
        np.testing.assert_allclose(found.night.x[:, 0], (spo2(seed) - 95) / 4, atol=1e-6)
        digest = hashlib.sha256(found.night.x.tobytes()).hexdigest()
        assert (found.about.sha256, found.about.samples) == (digest, 60 * MINUTES)
    minutes = inside(BEFORE, AFTER)
    assert [int(at) + BEFORE for at in one.night.scored] == [60 * m for m in minutes]
    assert list(one.night.label) == [1 - m % 2 for m in minutes]
    assert one.about.windows == len(minutes) and other.about.windows == 0
    last = 60 * MINUTES - 120
    carrier = one.night.carrier
    for start in range(0, last + 1):
        minute = round((start + BEFORE) / 60)
        near = [1 - m % 2 for m in (minute, (start + BEFORE) // 60) if m < MINUTES]
        assert carrier[start] in near
    assert (carrier[last + 1 :] == NONE).all()
    assert (other.night.carrier[: last + 1] == ANY).all()
    assert (other.night.carrier[last + 1 :] == NONE).all()
    assert len(truth(spo2(0), minutes[0], BEFORE, AFTER)) == 120


@pytest.mark.parametrize("independent", [False, True])
def test_private_windows_are_the_same_to_the_byte(run, cohort, tmp_path, independent) -> None:
    for number in range(8):  # more, so that each part has some by the hash of their names
        labels = np.arange(MINUTES) % 2
        cohort.add(f"more-{number}", f"T{number}", spo2(20 + number), labels)
    fields: dict = {"rate": 1.0, "subject_from": "header"}
    if independent:
        fields |= {"independent": True, "channels": ("SpO2",)}
    flow = Trace("Flow", "", 8, np.tile(spo2(5), 8), 0.0, 127.0)
    path = tmp_path / "free/wild.edf"
    path.parent.mkdir()
    wide = Trace("SaO2", "%", 4, np.repeat(spo2(2), 4), 0.0, 127.0, (0, 127))
    write_edf(path, "Q9", [wide, flow], [])
    before, _ = run(**fields)
    after, _ = run(path, **fields)
    assert contents(before) == contents(after)
    assert not public.load(before) and len(public.load(after)) == 1
    assert "wild" not in (after / "spec.json").read_text()
    assert "public" not in json.loads((after / "spec.json").read_text())["made"]["settings"]


def slow(seed: int) -> np.ndarray:
    """Whole percents that change as oximeters' do, which a delay of half a second leaves alike."""
    steps = np.random.default_rng(seed).normal(size=60 * MINUTES + 60)
    means = np.convolve(steps, np.hanning(60), "valid")[: 60 * MINUTES]
    return np.round(85 + 8 * means / means.std()).clip(55, 100)


def resaved(values: np.ndarray) -> dict[str, tuple[np.ndarray, dict]]:
    return {
        "another name": (values, {}),
        "cut": (values[120:540], {}),
        "another rate": (np.repeat(values, 4), {"rate": 4}),
        "another unit": (values / 100, {"unit": "", "low": 0.0, "high": 1.27}),
        "another precision": (2 * np.round(values / 2), {}),
        "more bits": (values, {"levels": (-32767, 32767), "low": 0.0, "high": 131.0}),
    }


@pytest.mark.parametrize("how", resaved(np.zeros(600)))
def test_signals_of_a_private_recording_are_refused(run, cohort, tmp_path, how: str) -> None:
    cohort.add("night-c", "S4", slow(0), cohort.labels["S4"])
    values, trace = resaved(slow(0))[how]
    write(tmp_path / "free/fine.edf", spo2(0))
    path = write(tmp_path / "free/other.edf", values, "Q7", **trace)
    own = cohort.folder / "night-c.edf"
    for fields in ({}, {"skip_bad": True}):
        with pytest.raises(StimjaxError) as error:
            run(tmp_path / "free", rate=1.0, **fields)
        line = str(error.value)
        assert line.startswith(f"{path}: ") and str(own) in line and "\n" not in line
        assert "which is private" in line


def test_a_private_piece_of_a_public_night_is_refused(run, cohort, tmp_path) -> None:
    long = np.concatenate([spo2(0), cohort.spo2["S4"], spo2(1)])
    write(tmp_path / "free/long.edf", long)
    with pytest.raises(StimjaxError, match=r"long\.edf: shares a piece of a night with .*night-c"):
        run(tmp_path / "free", rate=1.0)


def test_a_person_of_a_private_recording_is_refused_by_the_code(run, tmp_path) -> None:
    path = write(tmp_path / "free/other.edf", spo2(0), "s4")
    with pytest.raises(StimjaxError) as error:
        run(path)
    assert str(error.value).startswith(f"{path}: has the patient code of ")
    assert "night-c.edf" in str(error.value) and "\n" not in str(error.value)


def test_codes_that_name_nobody_are_no_person(run, cohort, tmp_path) -> None:
    cohort.add("blank", "X", spo2(3), np.arange(MINUTES) % 2)
    folder, _ = run(write(tmp_path / "free/other.edf", spo2(0), "X"))
    assert len(public.load(folder)) == 1


def test_what_cannot_be_used_is_refused_or_left_out(run, tmp_path) -> None:
    good = write(tmp_path / "free/good.edf", spo2(0), "Q1")
    bad = tmp_path / "free/bad.edf"
    bad.write_bytes(b"0" * 300)
    flow = Trace("Flow", "", 1, spo2(1), 0.0, 127.0)
    write_edf(tmp_path / "free/flow.edf", "Q2", [flow], [])
    short = write(tmp_path / "free/short.edf", spo2(2)[:60], "Q3")
    for path, reason in ((bad, "bad"), (tmp_path / "free/flow.edf", "SpO2"), (short, "too short")):
        with pytest.raises(StimjaxError, match=reason) as error:
            run(good, path)
        assert path.stem in str(error.value) and "\n" not in str(error.value)
    folder, notes = run(tmp_path / "free", skip_bad=True)
    assert len(public.load(folder)) == 1
    assert sum(line.startswith("left out: ") for line in notes) == 3


def test_nights_are_kept_as_they_are_and_a_damaged_file_is_told(run, tmp_path) -> None:
    given = run(write(tmp_path / "free/a.edf", spo2(0), scored=True))[0]
    nights = public.load(given)
    (tmp_path / "again").mkdir()
    public.save(nights, tmp_path / "again")
    again = public.load(tmp_path / "again")
    assert again == nights and isinstance(again[0], Recorded)
    for one, other in zip(nights[0].night, again[0].night, strict=True):
        np.testing.assert_array_equal(one, other)
    path = public.file(tmp_path / "again", 0)
    assert set(load_arrays(path)) == {"x", "carrier", "scored", "label"}
    path.write_bytes(b"no")
    with pytest.raises(StimjaxError, match=r"public-0000.*damaged"):
        public.load(tmp_path / "again")
