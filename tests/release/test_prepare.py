"""The program that lies in a release, held against `stimjax prepare --like`."""

import ast
import contextlib
import io
import json
import subprocess
import sys
import venv
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from stimjax.batch import Channel, Spec, save_spec
from stimjax.data import like as likes
from stimjax.data import preparation, simulate
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.windows import why_not
from stimjax.release import folder as releases
from stimjax.release import prepare as program

SPO2 = Channel("SpO2", "%", "fixed", 95.0, 4.0)
BREATHING = ("chest", "abdomen", "flow", "HR")
SLEEP = ("EEG C4-M1", "EOG left", "EMG")
SOURCE = Path(program.__file__)
USAGE = "usage: python prepare.py RECORDING OUT.npz [NAME=LABEL ...]"


def apnea(rate: float, *names: str) -> Spec:
    channels = tuple(SPO2 if n == "SpO2" else Channel(n, "", "recording") for n in names)
    return Spec((round(120 * rate), len(names)), ("normal", "apnea"), channels, rate, 15.0, 60.0)


def stages(rate: float, *names: str) -> Spec:
    channels = tuple(Channel(name, "", "recording") for name in names)
    classes = ("W", "N1", "N2", "N3", "R")
    return Spec((round(30 * rate), len(names)), classes, channels, rate, 0.0, 30.0)


def released(folder: Path, spec: Spec) -> Path:
    """A folder with what the program needs of a release."""
    folder.mkdir(exist_ok=True)
    save_spec(spec, folder, preparation=preparation.of(spec))
    (folder / "prepare.py").write_bytes(SOURCE.read_bytes())
    return folder


def recipe_of(folder: Path) -> dict:
    return json.loads((folder / "spec.json").read_text())["preparation"]


def same(path: Path, folder: Path, **labels: str) -> float:
    """How far the program's windows are from ours, where both use the same ones."""
    made = program.prepare(path, recipe_of(folder), labels)
    like = likes.asking(likes.like(folder), [f"{k}={v}" for k, v in labels.items()])
    night = likes.night(path, like)
    at = np.round((made["start"] - like.plan.before) * like.plan.rate).astype(int)
    why = why_not(at, night.conditioned, like.plan, like.max_missing)
    np.testing.assert_array_equal(made["usable"], why == "")
    assert made["x"].dtype == np.float32 and len(made["x"]) == made["usable"].sum()
    x = night.conditioned.x[at[why == "", None] + np.arange(like.plan.length)]
    return float(np.abs(made["x"] - x).max())


@pytest.mark.parametrize("rate", [4.0, 1.0])
def test_windows_of_breathing_are_ours(tmp_path: Path, rate: float) -> None:
    simulate.write_cohort(tmp_path, subjects=1, hours=0.5, seed=3, task="apnea")
    path = tmp_path / "subject-001.edf"
    folder = released(tmp_path / "release", apnea(rate, *BREATHING, "SpO2"))
    assert same(path, folder) < 1e-5


def test_windows_of_sleep_are_ours(tmp_path: Path) -> None:
    simulate.write_cohort(tmp_path, subjects=1, hours=0.2, seed=3, task="stages")
    path = tmp_path / "subject-001.edf"
    assert same(path, released(tmp_path / "release", stages(64.0, *SLEEP))) < 1e-5


def traces(**of: tuple) -> list[Trace]:
    """Signals of 20 minutes by label: unit, rate, level, spread."""
    rng = np.random.default_rng(11)
    made = []
    for label, (unit, rate, level, spread) in of.items():
        values = level + spread * np.cumsum(rng.normal(size=1200 * rate)) / rate
        low, high = level - 100 * spread, level + 100 * spread
        made.append(Trace(label, unit, rate, values.clip(low, high), low, high))
    return made


def test_electrodes_units_and_lost_pieces_are_treated_alike(tmp_path: Path) -> None:
    made = traces(
        C4=("mV", 50, 0, 0.05), A1=("uV", 50, 0, 40), LOC=("uV", 50, 0, 20), M2=("uV", 50, 0, 9)
    )
    made += traces(**{"Chin 1": ("uV", 50, 0, 30), "EMG Chin": ("", 20, 0, 30)})
    write_edf(tmp_path / "sleep.edf", "Q", made, [])
    folder = released(tmp_path / "sleep", stages(30.0, *SLEEP))
    assert same(tmp_path / "sleep.edf", folder) < 1e-5
    rng = np.random.default_rng(12)
    fraction = np.repeat(rng.integers(80, 101, 240) / 100, 5)
    fraction[300:390] = 0  # a lost probe
    flat = traces(**{"Resp nasal": ("cmH2O", 8, 0, 1), "Thorax 1": ("mV", 8, 0, 1)})
    flat[0].values[8 * 700 : 8 * 835] = flat[0].values[8 * 700]  # a dead sensor
    made = [Trace("SpO2 [%]", "fraction", 1, fraction, 0.0, 1.0), *flat]
    made += traces(**{"Thor": ("Hz", 25, 0, 1), "Flow Th": ("mV", 25, 0, 1)})
    write_edf(tmp_path / "breath.edf", "Q", made, [])
    folder = released(tmp_path / "breath", apnea(2.0, "SpO2", "flow", "chest"))
    assert same(tmp_path / "breath.edf", folder) < 1e-5
    assert same(tmp_path / "breath.edf", folder, flow="flow  th") < 1e-5
    assert same(tmp_path / "breath.edf", folder, chest="Thorax*") < 1e-5


def test_windows_of_real_recordings_are_ours(shared_data: Path, tmp_path: Path) -> None:
    """EDF alone: the records of Apnea-ECG are WFDB, which the program does not read."""
    paths = sorted((shared_data / "hugcdn2014").glob("*.edf"))[::10]
    for rate in (1.0, 2.0):
        folder = released(tmp_path / "release", apnea(rate, "SpO2", "HR"))
        assert paths and max(same(path, folder) for path in paths) < 1e-5


def run(folder: Path, *words: object, python: str = sys.executable, hidden: bool = True):
    """The program as a user runs it, where stimjax cannot be imported."""
    hide = "import sys; sys.modules['stimjax'] = None; " if hidden else "import sys; "
    code = f"{hide}import runpy; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], None, "
    command = [python, "-I", "-c", f"{code}'__main__')", folder / "prepare.py", *words]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_it_needs_no_stimjax_and_says_what_is_wrong_in_a_line(tmp_path: Path) -> None:
    folder, out = released(tmp_path / "release", apnea(1.0, "SpO2", "HR")), tmp_path / "out.npz"
    values = np.arange(600) % 30 + 70.0
    made = [
        Trace(name, unit, 1, values, 0.0, 127.0) for name, unit in (("SpO2", "%"), ("Rate", ""))
    ]
    write_edf(tmp_path / "a.edf", "Q", made, [])
    done = run(folder, tmp_path / "a.edf", out, "HR=Rate")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "8 windows of 10 spans can be used" in done.stdout
    with np.load(out) as held:
        assert held["x"].shape == (8, 120, 2) and list(np.flatnonzero(~held["usable"])) == [0, 9]
        np.testing.assert_array_equal(held["start"], 60.0 * np.arange(10))
    out.unlink()
    (tmp_path / "no.edf").write_bytes(b"0" * 300)
    for words, said in (
        (("a.edf",), "has no channel 'HR'; its signals are 'SpO2', 'Rate'"),
        (("a.edf", "HR=SpO2"), "'HR' and 'SpO2' would both be 'SpO2'"),
        (("a.edf", "flow=x"), "'flow' is no channel of the windows: SpO2, HR"),
        (("no.edf",), "no.edf"),
    ):
        status = program_status(folder, tmp_path / words[0], out, *words[1:])
        assert status[0] == 2 and said in status[1] and status[1].count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.edf", "no.edf", "release"]
    status = program_status(tmp_path, tmp_path / "a.edf", out)
    assert status[0] == 2 and "spec.json: cannot be read (FileNotFoundError" in status[1]
    assert program_status(folder, out) == (2, f"{USAGE}\n")


def program_status(folder: Path, *words: object) -> tuple[int, str]:
    """Exit status and error of the program, in this process, as if it lay in a folder."""
    said, place = io.StringIO(), str(folder / "prepare.py")
    with mock.patch.object(program, "__file__", place), contextlib.redirect_stderr(said):
        return program.main(list(map(str, words))), said.getvalue()


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (Trace("SpO2", "mV", 1, np.arange(600.0) % 9, -9.0, 9.0), "is in 'mv', which contradicts"),
        (Trace("SpO2", "%", 1, np.full(600, 95.0), 0.0, 127.0), "is constant or without"),
        (Trace("SpO2", "%", 1, np.arange(100) % 30 + 70.0, 0.0, 127.0), "is too short"),
    ],
)
def test_what_cannot_be_prepared_is_refused(tmp_path: Path, trace: Trace, said: str) -> None:
    write_edf(tmp_path / "a.edf", "Q", [trace], [])
    folder = released(tmp_path / "release", apnea(1.0, "SpO2"))
    with pytest.raises(program.Refused, match=said):
        program.prepare(tmp_path / "a.edf", recipe_of(folder), {})


def test_it_imports_what_it_says_alone_and_is_what_a_release_gets() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    names = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    outside = {str(name).split(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert outside == {"numpy", "scipy", "pyedflib"}
    assert SOURCE.name == releases.PROGRAM


@pytest.mark.slow
def test_it_runs_in_an_environment_of_the_three_packages(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env/bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "numpy", "scipy", "pyedflib"]
    subprocess.run(install, check=True)
    simulate.write_cohort(tmp_path, subjects=1, hours=0.2, seed=3, task="apnea")
    folder = released(tmp_path / "release", apnea(2.0, *BREATHING, "SpO2"))
    done = run(
        folder, tmp_path / "subject-001.edf", tmp_path / "out.npz", python=python, hidden=False
    )
    assert done.returncode == 0, done.stderr
    expected = program.prepare(tmp_path / "subject-001.edf", recipe_of(folder), {})
    with np.load(tmp_path / "out.npz") as held:
        np.testing.assert_allclose(held["x"], expected["x"], atol=1e-5)
