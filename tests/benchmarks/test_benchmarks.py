"""The benchmarks' own arithmetic; what is slow only tries whether they run through."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ECHO = "import sys\nprint('{\"n\": 0}', flush=True)\n"
ECHO += 'for line in sys.stdin: print(\'{"n": 6, "seconds": 2.0}\', flush=True)\n'


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Benchmarks import each other as scripts of one folder do."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module


def test_every_benchmark_is_a_file_that_measures(load):
    for name in load("run").BENCHMARKS:
        assert callable(load(name).measure)
        assert load(name).__doc__


def run_with_torch(python: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, BENCHMARKS / "run.py", "--only", "lanes", "--torch", python]
    return subprocess.run(command, capture_output=True, text=True, cwd=BENCHMARKS.parent)


def test_a_peers_missing_packages_are_named_in_one_line_with_the_file_that_lists_them(tmp_path):
    for name in ("torch", "numpy"):
        metadata = tmp_path / f"{name}-2.0.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
    alone = tmp_path / "python"  # an environment with PyTorch and what comes with it
    alone.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec "{sys.executable}" -S "$@"\n')
    alone.chmod(0o755)
    ended = run_with_torch(alone)
    remedy = f"{alone} -m pip install -r benchmarks/requirements/torch.txt"
    assert ended.stderr == f"--torch {alone} lacks safetensors; {remedy}\n"
    assert ended.returncode == 2 and not ended.stdout


def test_a_peers_python_that_does_not_run_is_told_in_one_line(tmp_path):
    ended = run_with_torch(tmp_path / "none")
    assert ended.stderr == f"--torch {tmp_path / 'none'}: no Python that runs\n"
    assert ended.returncode == 2


def test_every_peer_has_a_file_of_its_packages(load):
    peers = {peer for peer in load("run").BENCHMARKS.values() if peer}
    assert {path.stem for path in (BENCHMARKS / "requirements").iterdir()} == peers
    assert load("run").versions_of(sys.executable, "torch")["numpy"] == np.__version__


def test_workers_answer_in_turns(load):
    workers = load("workers")
    command = [sys.executable, "-c", ECHO]
    with workers.hired() as start:
        pair = [start(command, workers.cores()[:1]) for _ in range(2)]
        assert [worker.ready for worker in pair] == [{"n": 0}, {"n": 0}]
        turns = workers.take_turns({"one": pair[:1], "two": pair}, 2)
    assert [len(answers) for answers in turns["two"]] == [2, 2]
    assert workers.median_rate(turns["one"], "n") == 3
    assert workers.median_rate(turns["two"], "n") == 6


def test_workers_end_however_the_measurement_does(load):
    workers = load("workers")
    with pytest.raises(ValueError, match="no more"), workers.hired() as start:
        worker = start([sys.executable, "-c", ECHO], workers.cores())
        assert worker._process.poll() is None
        raise ValueError("no more")
    assert worker._process.returncode == 0


def test_a_worker_that_fails_is_told(load):
    workers = load("workers")
    with pytest.raises(RuntimeError, match="ended with 3"):
        workers.Worker([sys.executable, "-c", "raise SystemExit(3)"], workers.cores())


def test_lanes_are_compared_with_the_better_of_two_threads_and_two_processes(load):
    rates = {"stimjax": 100, "stimjax, 2 devices": 180, "stimjax, 2 processes": 160}
    for variant in load("lanes").TORCH:
        rates |= {f"torch {variant}": 20, f"torch {variant}, 2 threads": 30}
        rates[f"torch {variant}, 2 processes"] = 40
    rates["torch eager"], rates["torch bmm, 2 threads"] = 4, 60
    found = load("lanes").ratios({name: {"lane_steps_a_second": r} for name, r in rates.items()})
    assert found == {
        "1 core, to torch eager": 25.0,
        "1 core, to the best torch": 5.0,
        "2 cores, to torch eager": 4.5,
        "2 cores, to the best torch": 3.0,
        "stimjax, 2 devices, to one core": 1.8,
        "stimjax, 2 processes, to one core": 1.6,
    }


def test_lanes_without_pytorch_compare_cores_only(load):
    rates = {"stimjax": 10, "stimjax, 2 devices": 19}
    rows = {name: {"lane_steps_a_second": rate} for name, rate in rates.items()}
    assert load("lanes").ratios(rows) == {"stimjax, 2 devices, to one core": 1.9}


def test_flops_are_those_of_the_products(load):
    def kernel(*shape: int) -> dict[str, np.ndarray]:
        return {"kernel": np.zeros(shape)}

    convolutions = [kernel(20, 24), kernel(120, 36), kernel(180, 54)]
    cnn = {f"Conv_{i}": {"Dense_0": layer} for i, layer in enumerate(convolutions)}
    cnn |= {"Dense_0": kernel(108, 48), "Dense_1": kernel(48, 2)}
    generator = {"a": kernel(64, 64), "b": kernel(64, 96), "c": kernel(96, 240)}
    teacher = 60 * 20 * 24 + 30 * 120 * 36 + 15 * 180 * 54 + 108 * 48 + 48 * 2
    layers = 64 * 64 + 64 * 96 + 96 * 240
    expected = 2 * (3 * teacher + 3 * layers + 64 * 96 + 96 * 240)
    assert load("roofline").flops(cnn, generator) == expected


def test_the_floor_is_the_larger_time(load):
    times = {"measured": 100e-6, "arithmetic": 20e-6, "memory": 40e-6}
    found = load("roofline").judged(times)
    assert found["share_of_floor"] == 0.4
    assert found["bounded_by"] == "memory"
    assert found["microseconds"]["floor"] == 40.0


def test_the_cost_of_seeds_is_that_of_all_steps_over_one_seeds(load):
    rates = {"cnn, stimjax": 300.0, "cnn, stimjax, 16 seeds": 50.0, "cnn, torch eager": 100.0}
    found = load("fit").ratios(rates)
    assert found == {"cnn to torch eager": 3.0, "cnn, cost of 16 seeds to one": 6.0}


def test_memory_is_compared_over_nights(load):
    def row(rate: float, peak: float) -> dict[str, float]:
        return {"nights_a_second": rate, "peak_mib": peak}

    rows = {"stimjax, 8 nights": row(9, 200), "stimjax, 2 nights": row(3, 160)}
    rows |= {"mne, 8 nights": row(6, 250), "mne, 2 nights": row(5, 250)}
    found = load("prepare").ratios(rows, 8)
    assert found["stimjax: peak memory, 8 nights to 2 nights"] == 1.25
    assert found["speed, stimjax to mne"] == 1.5
    assert found["peak memory, stimjax to mne"] == 0.8


def test_the_cost_of_lanes_is_compared_with_the_least(load):
    assert load("scale").costs({"64": 50.0, "256": 100.0, "1024": 80.0}) == {
        "64": 2.0,
        "256": 1.0,
        "1024": 1.25,
    }


def test_the_numbers_of_mnist_alone_stand_at_the_top_too(load):
    row = {"same_architecture": 0.9, "teacher": 0.98, "by_seed": []}
    alone = load("run").document({"paper_mnist": row})
    assert alone["same_architecture"] == 0.9 and alone["results"] == {"paper_mnist": row}
    among = load("run").document({"paper_mnist": row, "fit": {}})
    assert set(among) == {"machine", "versions", "results"}


def test_means_are_taken_of_numbers_in_the_same_places(load):
    rows = [{"real": {"knn": 1.0}, "teacher": 0.5}, {"real": {"knn": 0.0}, "teacher": 0.7}]
    assert load("paper_signals").means(rows) == {"real": {"knn": 0.5}, "teacher": 0.6}


def test_windows_that_differ_in_two_directions_alike_have_two_dimensions(load):
    square = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    between, dimensions = load("paper_signals").spread(square)
    assert dimensions == pytest.approx(2)
    assert between == pytest.approx((4 * 2**0.5 + 2 * 2) / 6)


def test_small_sizes_are_asked_for_in_the_environment(load, monkeypatch):
    assert load("workers").sized(100, 1) == 100
    monkeypatch.setenv("STIMJAX_BENCHMARKS", "small")
    assert load("workers").sized(100, 1) == 1


def test_the_benchmarks_of_a_gpu_are_there_and_take_nine_minutes(load):
    script = (BENCHMARKS / "gpu.sh").read_text()
    shares = dict(re.findall(r"(\w+):(\d+)", script.partition("shares=(")[2].partition(")")[0]))
    run = load("run")
    assert set(shares) == set(run.BENCHMARKS) - {"lanes", "prepare", *run.NEEDED}
    assert sum(map(int, shares.values())) <= 9 * 60


@pytest.mark.slow
def test_all_benchmarks_of_a_gpu_run_through(tmp_path):
    small = os.environ | {"STIMJAX_BENCHMARKS": "small", "PYTHON": sys.executable}
    small |= {"PATIENCE": "5", "JAX_PLATFORMS": "cpu", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ended = subprocess.run(
        [BENCHMARKS / "gpu.sh", tmp_path / "results"], env=small, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    found = {path.name for path in (tmp_path / "results").iterdir()}
    names = ("roofline", "scale", "million", "fit", "labels", "inhibition", "precision")
    assert found == {f"{name}-cpu.json" for name in names}
    for path in (tmp_path / "results").iterdir():
        about = json.loads(path.read_text())
        (result,) = about["results"].values()
        assert result["device"] == "cpu" and about["machine"]["cores"] >= 1
