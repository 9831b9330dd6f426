"""Another kind of hardware makes other bits, and stimuli that students learn from as well."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FIT = ["--fit.steps", "200", "--fit.every", "50"]
KINDS = {
    "an older processor": {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"},  # without its wide registers
    "a GPU": {"JAX_PLATFORMS": "cuda"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, process: Callable) -> Path:
    """A folder with windows and a teacher, and what was made from it `here`."""
    folder = tmp_path_factory.mktemp("hardware")
    train = ["train", "windows", "--out", "teacher", "--networks", "cnn", "--candidates", "1"]
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("JAX_PLATFORMS", "cpu")
        for words in (
            ["simulate", "cohort", "--subjects", "40", "--hours", "0.5"],
            ["prepare", "cohort", "--out", "windows", "--channels", "SpO2,HR", "--rate", "1"],
            [*train, *FIT],
        ):
            finished(process(folder, *words))
        release_and_study(process, folder, "here")
    return folder


def finished(running: subprocess.Popen) -> None:
    out, err = running.communicate(timeout=600)
    assert running.returncode == 0, out + err


def release_and_study(process: Callable, folder: Path, at: str) -> None:
    made = ["--out", f"release-{at}", "--method", "invert", "--count", "1000", "--seed=0"]
    made += ["--lanes", "128", "--shard", "500"]  # else other stimuli are drawn on a GPU
    finished(process(folder, "synthesize", "teacher", *made))
    words = ["--train", "windows", "--test", "windows", "--out", f"study-{at}", "--baselines"]
    students = ["--students", "cnn", "logistic", *FIT]
    finished(process(folder, "study", f"release-{at}", *words, *students))


def stimuli(folder: Path, at: str) -> bytes:
    return (folder / f"release-{at}" / "stimuli-00000.safetensors").read_bytes()


def students(folder: Path, at: str) -> dict[str, dict[str, Any]]:
    """What students of stimuli lose to those of real windows, which are the same on both sides."""
    rows = json.loads((folder / f"study-{at}" / "results.json").read_text())["summary"]
    return {row["student"]: row for row in rows if row["trained_on"] == "stimuli"}


@pytest.mark.parametrize("kind", KINDS)
def test_students_agree_within_their_intervals(
    kind: str, folder: Path, process: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "a GPU" and not shutil.which("nvidia-smi"):
        pytest.skip("there is no GPU")
    for name, value in KINDS[kind].items():
        monkeypatch.setenv(name, value)
    release_and_study(process, folder, kind)
    assert stimuli(folder, kind) != stimuli(folder, "here")  # else it was the same kind
    here, there = students(folder, "here"), students(folder, kind)
    assert set(here) == set(there) == {"cnn", "logistic"}
    for name in here:
        for one, other in ((here[name], there[name]), (there[name], here[name])):
            low, high = one["accuracy_gap_ci"]
            assert low <= other["accuracy_gap"] <= high, (name, one, other)
