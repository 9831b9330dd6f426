"""Which signals get into windows, and what is refused, through files on disk."""

from pathlib import Path

import numpy as np
import pytest

from stimjax import batch, config
from stimjax.batch import load_spec
from stimjax.data import prepare
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.errors import StimjaxError

SECONDS, RATE = 600, 8
STAGES = ("W", "N1", "N2", "N3", "R")


def night(folder: Path, number: int, traces: dict[str, tuple], words) -> None:
    """A recording; of each trace its unit, its values and its range."""
    length = SECONDS // len(words)
    write_edf(
        folder / f"n{number}.edf",
        f"S{number}",
        [
            Trace(label, unit, len(values) // SECONDS, values, -limit, limit)
            for label, (unit, values, limit) in traces.items()
        ],
        [(float(length * i), float(length), word) for i, word in enumerate(words)],
    )


def wave(seed: int, level: float = 0.0, size: float = 40.0) -> np.ndarray:
    return level + size * np.random.default_rng(seed).normal(0, 1, SECONDS * RATE)


@pytest.fixture
def prepared(tmp_path):
    """Write six nights of the labels that `labels(number)` gives; prepare them."""

    def run(labels, **fields):
        folder, out = tmp_path / "in", tmp_path / "out"
        folder.mkdir()
        out.mkdir()
        staging = fields.get("task") == "stages"
        words = [f"Sleep stage {s}" for s in STAGES * 4] if staging else ["Apnea", "Normal"] * 5
        for number in range(6):
            night(folder, number, labels(number), words)
        notes: list[str] = []
        prepare.prepare([folder], config.Prepare(**fields), out, note=notes.append)
        return [channel.name for channel in load_spec(out).channels], out

    return run


def eeg(*labels, unit="uV"):
    return lambda number: {
        label: (unit, wave(10 * number + i), 400.0) for i, label in enumerate(labels)
    }


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("EOG-L", "EOG-R", "EMG", "EEG1", "EEG2", "EEG3"), ["EEG 1", "EOG left", "EMG"]),
        (("C3", "C4", "A1", "A2", "LOC", "Chin"), ["EEG C3-M2", "EOG left", "EMG"]),
        (("EEG", "EEG(sec)", "EOG(L)", "EMG"), ["EEG", "EOG left", "EMG"]),
        (("EMG", "EMG Leg", "F4-A1"), ["EEG F4-M1", "EMG"]),
        (("C3", "EEG C4-REF"), ["EEG C4-Ref"]),
    ],
)
def test_stages_are_told_from_an_eeg(prepared, labels, names):
    assert prepared(eeg(*labels), task="stages")[0] == names


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (("EOG-L", "Chin", "Brain"), "'EOG-L', 'Chin', 'Brain'"),
        (("EOG-L", "EEG quality"), "'EEG quality'"),
        (("EMG", "M1", "M2"), "'M1', 'M2'"),
        (("EMG", "A1-A2"), "'A1-A2'"),
    ],
)
def test_stages_without_an_eeg_are_refused(prepared, labels, shown):
    with pytest.raises(StimjaxError) as error:
        prepared(eeg(*labels), task="stages")
    message = str(error.value)
    assert message.startswith("n0: stages cannot be told without EEG") and "\n" not in message
    assert shown in message and "--channels EEG=LABEL" in message


def test_an_eeg_that_no_half_of_the_recordings_shares_is_refused(prepared):
    with pytest.raises(StimjaxError, match=r"no EEG that half of all have; it has 'C3-M2'.*EEG=C3"):
        prepared(lambda n: eeg(f"{'CFO'[n % 3]}3-M2", "EMG")(n), task="stages")


def test_patterns_name_a_channel_of_different_labels(prepared):
    def labels(number):
        return eeg(f"{'CFO'[number % 3]}3-M2", "Brain", "EMG")(number)

    wanted = ("EEG=C3*", "EEG=f3-m2", "EEG=Brain", "EMG")
    assert prepared(labels, task="stages", channels=wanted)[0] == ["EEG", "EMG"]


def breath(number):
    return {
        "Thermistor": ("uV", wave(2 * number), 400.0),
        "Nasal Pressure": ("uV", wave(2 * number + 1), 400.0),
    }


@pytest.mark.parametrize(
    ("wanted", "names", "labels"),
    [
        ((), ["flow"], ["Nasal Pressure"]),
        (("Thermistor",), ["flow"], ["Thermistor"]),
        (("flow=therm*",), ["flow"], ["Thermistor"]),
        (("Nasal Pressure", "Thermistor"), ["Nasal Pressure", "Thermistor"], None),
    ],
)
def test_the_flow_in_the_windows_is_that_which_was_asked_for(prepared, wanted, names, labels):
    shown, out = prepared(breath, channels=wanted, before=0.0, after=0.0, rate=float(RATE))
    assert shown == names
    windows = batch.load(out, "train")
    number = int(windows.subject[0])
    for i, label in enumerate(labels or names):
        values = breath(number)[label][1]
        part = windows.x[windows.subject == number][0, :, i]
        assert np.corrcoef(part, values[: 60 * RATE])[0, 1] > 0.999


def test_two_saturations_are_both_treated_as_one(prepared):
    def labels(number):
        random = np.random.default_rng(number)
        return {
            label: ("%", random.integers(80, 100, SECONDS).astype(float), 127.0)
            for label in ("SaO2", "SpO2")
        }

    _, out = prepared(labels, channels=("SaO2", "SpO2"))
    shown = [(c.name, c.unit, c.normalization, c.center) for c in load_spec(out).channels]
    assert shown == [("SaO2", "%", "fixed", 95), ("SpO2", "%", "fixed", 95)]


@pytest.mark.parametrize(
    ("label", "unit", "level", "size", "message"),
    [
        ("SpO2", "mV", 942.0, 3.0, r"'SpO2' \('SpO2'\) is in 'mV' \(values from 9\d\d.* mV\), but"),
        ("SpO2", "V", 0.94, 0.01, "is in 'V' .* but the unit of SpO2 is %; mend the file's header"),
        ("SpO2", "%", 942.0, 3.0, r"no valid value \(values from 9.* %, valid are 50 to 100.5\)"),
        ("HR", "ms", 900.0, 30.0, "is in 'ms' .* but the unit of HR is beats a minute"),
        ("HR", "bpm", 0.9, 0.01, r"no valid value \(values from .* bpm, valid are 20 to 250\)"),
        ("Flow", "1/min", 15.0, 2.0, "is in '1/min'"),
    ],
)
def test_a_unit_that_contradicts_is_refused_with_its_values(
    prepared, label, unit, level, size, message
):
    with pytest.raises(StimjaxError, match=message) as error:
        prepared(lambda n: {label: (unit, wave(n, level, size), 2 * level)})
    assert str(error.value).startswith("n0: ") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("label", "unit", "level", "size", "mean"),
    [
        ("SpO2", "", 0.9, 0.01, 90),
        ("SpO2", "%", 90.0, 1.0, 90),
        ("SpO2", "ratio", 0.9, 0.01, 90),
    ],
)
def test_fractions_are_percent(prepared, label, unit, level, size, mean):
    _, out = prepared(lambda n: {label: (unit, wave(n, level, size), level + 8 * size)})
    assert batch.load(out, "train").x.mean() * 4 + 95 == pytest.approx(mean, abs=0.5)


def test_what_is_asked_for_in_vain_is_named(prepared):
    with pytest.raises(StimjaxError, match=r"no recording has a channel flow=\*Cann\*; there are"):
        prepared(breath, channels=("flow=*Cann*",))
