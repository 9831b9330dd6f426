from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyedflib
import pytest
from scipy.signal import decimate, welch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.simulate import write_cohort
from stimjax.data.simulate.traits import severity
from stimjax.errors import StimjaxError

SUBJECTS, HOURS = 15, 1.5
RESPIRATORY = ("Obstructive apnea", "Central apnea", "Mixed apnea", "Hypopnea")
STAGES = ("W", "N1", "N2", "N3", "R")
WINDOW = 60  # s


@dataclasses.dataclass
class Night:
    """A file as pyedflib reads it: signals and rates by label, and (onset, duration, text)."""

    signals: dict[str, np.ndarray]
    rates: dict[str, float]
    units: dict[str, str]
    events: list[tuple[float, float, str]]
    seconds: int
    patient: str

    def of(self, *kinds: str) -> list[tuple[float, float]]:
        return [(onset, length) for onset, length, kind in self.events if kind in kinds]

    def cut(self, name: str, start: float, stop: float) -> np.ndarray:
        rate = self.rates[name]
        return self.signals[name][max(0, round(start * rate)) : round(stop * rate)]


def read(path: Path) -> Night:
    with pyedflib.EdfReader(str(path)) as file:
        labels = file.getSignalLabels()
        onset, duration, text = file.readAnnotations()
        return Night(
            {label: file.readSignal(index) for index, label in enumerate(labels)},
            {label: file.getSampleFrequency(index) for index, label in enumerate(labels)},
            {label: file.getPhysicalDimension(index) for index, label in enumerate(labels)},
            [(float(o), float(d), str(t)) for o, d, t in zip(onset, duration, text, strict=True)],
            int(file.file_duration),
            file.getPatientCode(),
        )


@pytest.fixture(scope="module")
def apnea(tmp_path_factory: pytest.TempPathFactory) -> list[Night]:
    folder = tmp_path_factory.mktemp("apnea")
    write_cohort(folder, subjects=SUBJECTS, hours=HOURS, seed=0)
    return [read(path) for path in sorted(folder.glob("*.edf"))]


def test_apnea_files_hold_what_is_promised(apnea):
    assert len(apnea) == SUBJECTS
    for number, night in enumerate(apnea, 1):
        assert night.rates == {"Thor": 16, "Abdo": 16, "Flow": 16, "SpO2": 1, "HR": 1}
        assert list(night.units.values()) == ["mV", "mV", "cmH2O", "%", "bpm"]
        assert night.seconds == HOURS * 3600
        assert night.patient == f"subject-{number:03d}"
        saturation = night.signals["SpO2"]
        assert np.array_equal(saturation, np.round(saturation))
        measured = saturation[saturation > 0]
        assert measured.min() >= 50 and measured.max() <= 100
        assert (saturation == 0).mean() < 0.1
        heart = night.signals["HR"][saturation > 0]
        assert 40 < np.median(heart) < 110
        for label in ("Thor", "Abdo", "Flow"):
            assert night.signals[label].std() > 0.05


def test_annotations_are_scored_as_the_rules_say(apnea):
    for night in apnea:
        stages = [event for event in night.events if event[2].startswith("Sleep stage ")]
        assert [onset for onset, _, _ in stages] == list(range(0, night.seconds, 30))
        assert {length for _, length, _ in stages} == {30.0}
        assert {text.removeprefix("Sleep stage ") for _, _, text in stages} <= set(STAGES)
        events = sorted(night.of(*RESPIRATORY))
        for (onset, length), (following, _) in zip(
            events, [*events[1:], (math.inf, 0)], strict=True
        ):
            assert 10 <= length <= 60
            assert onset + length < min(following, night.seconds)
            assert round(onset, 1) == onset and round(length, 1) == length
            assert stages[int(onset // 30)][2] != "Sleep stage W"
        falls = [
            night.cut("SpO2", onset, onset + 1)
            - night.cut("SpO2", onset + length, onset + length + 1)
            for onset, length in night.of("Desaturation")
        ]
        # Not all: a motion artifact may lie where the fall begins.
        assert np.sum(np.array(falls) >= 3) >= 0.9 * len(falls) - 1
        known = {*RESPIRATORY, "Desaturation", "Arousal"}
        assert {e[2] for e in night.events if not e[2].startswith("Sleep stage ")} <= known


def test_annotations_survive_the_file_exactly(tmp_path):
    rng = np.random.default_rng(0)
    onset = np.round(rng.uniform(0, 300, 280), 1)
    wanted = sorted(
        (float(o), round(float(d), 1), "Hypopnea") for o, d in zip(onset, onset, strict=True)
    )
    values = np.arange(300.0) % 101
    write_edf(tmp_path / "a.edf", "a", [Trace("SpO2", "%", 1, values, 0, 127, (0, 127))], wanted)
    night = read(tmp_path / "a.edf")
    assert sorted(night.events) == wanted
    assert np.array_equal(night.signals["SpO2"], values)


def test_a_full_disk_is_noticed(tmp_path):
    pytest.importorskip("resource")
    # A process of its own: the limit on the size of files is the stand-in for the disk.
    program = """
import resource, signal, sys
from stimjax.data.simulate import write_cohort
from stimjax.disk.store import new_folder
from stimjax.errors import StimjaxError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in (0, 5000, 78000):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with new_folder(sys.argv[1]) as folder:
            write_cohort(folder, subjects=1, hours=0.1, seed=0)
    except StimjaxError as error:
        print(error, flush=True)
"""
    out = tmp_path / "out"
    command = [sys.executable, "-c", program, str(out)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == 3
    assert all("subject-001.edf could not be written whole" in line for line in said)
    assert not out.exists()


def test_same_seed_same_bytes_whatever_the_number_of_subjects(tmp_path):
    for task in ("apnea", "stages"):
        content = []
        for subjects, seed in ((1, 3), (2, 3), (1, 4)):
            folder = tmp_path / f"{task}-{subjects}-{seed}"
            folder.mkdir()
            calls: list[int] = []
            write_cohort(
                folder, subjects=subjects, hours=0.1, seed=seed, task=task, progress=calls.append
            )
            assert calls == list(range(1, subjects + 1))
            assert len(list(folder.iterdir())) == subjects
            content.append((folder / "subject-001.edf").read_bytes())
        assert content[0] == content[1] != content[2]
        folder = tmp_path / f"{task}-2-3"
        first, second = (read(path) for path in sorted(folder.iterdir()))
        assert not any(
            np.array_equal(first.signals[name], second.signals[name]) for name in first.signals
        )


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"subjects": 0}, "subjects is 0"),
        ({"subjects": -3}, "subjects is -3"),
        ({"hours": 0.09}, "hours is 0.09"),
        ({"hours": -1.0}, "hours is -1.0"),
        ({"hours": math.nan}, "hours is nan"),
        ({"hours": math.inf}, "hours is inf"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_line(tmp_path, wrong, named):
    arguments = {"subjects": 1, "hours": 1.0, "seed": 0} | wrong
    with pytest.raises(StimjaxError, match=named) as error:
        write_cohort(tmp_path, **arguments)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_events_come_as_often_as_the_severity_says_and_in_clusters(apnea):
    shares, clustered = [], 0
    for number, night in enumerate(apnea):
        asleep = len([e for e in night.events if e[2][:11] == "Sleep stage" and e[2][-1] != "W"])
        index = len(night.of(*RESPIRATORY)) / (asleep / 120)
        wanted = severity(0, number)
        assert index == pytest.approx(wanted, rel=0.3, abs=2)
        shares.append(labels(night).mean())
        ends = np.array([onset + length for onset, length in sorted(night.of(*RESPIRATORY))])
        clustered += int(np.median(np.diff(ends)) < 0.75 * 3600 / wanted) if len(ends) > 3 else 0
    assert 0.22 < np.mean(shares) < 0.40
    assert clustered >= SUBJECTS / 2


def ratios(apnea: list[Night], kind: str, name: str, part: tuple[float, float] = (0.2, 0.9)):
    """Spread of a channel within events over its spread in the minutes around that are calm."""
    found = []
    for night in apnea:
        everything = night.of(*RESPIRATORY, "Arousal")
        rate = int(night.rates[name])
        calm = np.ones(night.seconds * rate, bool)
        for onset, length in everything:
            calm[int((onset - 2) * rate) : int((onset + length + 15) * rate)] = False
        for onset, length in night.of(kind):
            around = slice(max(0, int((onset - 300) * rate)), int((onset + 300) * rate))
            quiet = night.signals[name][around][calm[around]]
            if len(quiet) < 60 * rate:
                continue
            inside = night.cut(name, onset + part[0] * length, onset + part[1] * length)
            spread = np.diff(np.percentile(quiet, [10, 90]))[0]
            found.append(np.diff(np.percentile(inside, [10, 90]))[0] / spread)
    assert len(found) >= 10
    return np.median(found)


def test_each_kind_of_event_has_its_own_effort(apnea):
    for kind in ("Obstructive apnea", "Central apnea", "Mixed apnea"):
        assert ratios(apnea, kind, "Flow") < 0.3
    assert 0.2 < ratios(apnea, "Hypopnea", "Flow") < 0.75
    for belt in ("Thor", "Abdo"):
        assert ratios(apnea, "Central apnea", belt) < 0.3
        assert ratios(apnea, "Obstructive apnea", belt) > 0.6
        assert 0.3 < ratios(apnea, "Hypopnea", belt) < 1
        assert ratios(apnea, "Mixed apnea", belt, (0.15, 0.35)) < 0.35
        assert ratios(apnea, "Mixed apnea", belt, (0.7, 1.0)) > 0.5
        early = ratios(apnea, "Obstructive apnea", belt, (0.1, 0.5))
        assert ratios(apnea, "Obstructive apnea", belt, (0.5, 1.0)) > early


def test_chest_and_abdomen_part_in_obstruction(apnea):
    inside, outside = [], []
    for night in apnea:
        for onset, length in night.of("Obstructive apnea"):
            if length < 15:
                continue
            for moment, into in ((onset + length - 12, inside), (onset - 12, outside)):
                chest, abdomen = (night.cut(b, moment, moment + 12) for b in ("Thor", "Abdo"))
                into.append(np.corrcoef(chest, abdomen)[0, 1])
    assert np.median(outside) > 0.8
    assert np.median(inside) < np.median(outside) - 0.25


def test_saturation_falls_late_and_the_heart_answers(apnea):
    lags, surges = [], []
    for night in apnea:
        events = sorted(night.of(*RESPIRATORY[:3]))
        others = [onset for onset, _ in night.of(*RESPIRATORY)]
        for onset, length in events:
            end = onset + length
            following = min((other for other in others if other > end), default=math.inf)
            # The next event's fall starts no earlier than 15 s after its onset.
            saturation = night.cut("SpO2", onset + 15, min(end + 45, following + 15))
            if length < 15 or end + 45 > night.seconds or saturation.min() < 50:
                continue
            if saturation[0] - saturation.min() >= 3:
                lowest = np.flatnonzero(saturation == saturation.min())
                lags.append(onset + 15 + np.median(lowest) - end)
            before, after = night.cut("HR", end - 8, end), night.cut("HR", end, end + 12)
            surges.append(after.max() - before.mean())
    assert len(lags) >= 20
    assert 15 < np.median(lags) < 40
    assert np.mean((np.array(lags) > 10) & (np.array(lags) < 45)) > 0.9
    assert np.median(surges) > 5


def labels(night: Night) -> np.ndarray:
    """Whether at least 10 s of each minute are respiratory events."""
    scored = np.zeros(night.seconds, bool)
    for onset, length in night.of(*RESPIRATORY):
        scored[round(onset) : round(onset + length)] = True
    return scored.reshape(-1, WINDOW).sum(axis=1) >= 10


def standardized(night: Night, name: str) -> np.ndarray:
    """A channel in units of its own spread, one row a minute."""
    values = night.signals[name]
    low, middle, high = np.percentile(values, [25, 50, 75])
    values = np.clip((values - middle) / (high - low), -8, 8)
    return values.reshape(night.seconds // WINDOW, -1)


def raw_windows(night: Night) -> np.ndarray:
    fast = [decimate(standardized(night, name), 4, axis=1) for name in ("Thor", "Abdo", "Flow")]
    saturation = (night.signals["SpO2"].reshape(-1, WINDOW) - 95) / 4
    return np.concatenate([*fast, saturation, standardized(night, "HR")], axis=1)


def simple_features(night: Night) -> np.ndarray:
    columns = []
    for name in ("Thor", "Abdo", "Flow"):
        window = standardized(night, name)
        parts = window.reshape(len(window), 12, -1).std(axis=2)
        columns += [window.std(axis=1), parts.min(axis=1), parts.max(axis=1)]
    saturation = night.signals["SpO2"].reshape(-1, WINDOW)
    slope = saturation[:, -10:].mean(axis=1) - saturation[:, :10].mean(axis=1)
    columns += [saturation.min(axis=1), saturation.std(axis=1), slope]
    return np.stack([*columns, night.signals["HR"].reshape(-1, WINDOW).std(axis=1)], axis=1)


def test_apnea_can_be_learned_and_is_not_trivial(apnea):
    y = [labels(night) for night in apnea]
    held_out = np.repeat(np.arange(SUBJECTS) % 3 == 2, [len(part) for part in y])
    y = np.concatenate(y)

    def score(x: np.ndarray, model) -> float:
        model.fit(x[~held_out], y[~held_out])
        return float(balanced_accuracy_score(y[held_out], model.predict(x[held_out])))

    linear = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=300)
    )
    boosted = HistGradientBoostingClassifier(max_iter=30, class_weight="balanced", random_state=0)
    by_features = score(np.concatenate([simple_features(night) for night in apnea]), boosted)
    by_samples = score(np.concatenate([raw_windows(night) for night in apnea]), linear)
    assert 0.80 < by_features < 0.97
    assert by_samples < by_features - 0.1


def test_individuals_are_recognizable_from_another_part_of_their_night(apnea):
    x, who, late = [], [], []
    for subject, night in enumerate(apnea):
        minutes = night.seconds // WINDOW
        spectra = []
        for name in ("Thor", "Abdo", "Flow"):
            frequency, power = welch(standardized(night, name), 16, nperseg=256)
            spectra.append(np.log(power[:, (frequency > 0.1) & (frequency < 2)] + 1e-4))
        x.append(np.concatenate(spectra, axis=1)[~labels(night)])
        late.append((np.arange(minutes) >= minutes / 2)[~labels(night)])
        who.append(np.full(len(x[-1]), subject))
    x, who, late = np.concatenate(x), np.concatenate(who), np.concatenate(late)
    x = StandardScaler().fit_transform(x)
    guess = NearestCentroid().fit(x[~late], who[~late]).predict(x[late])
    assert accuracy_score(who[late], guess) > 4 / SUBJECTS
