"""From simulated nights to windows: `stimjax prepare` against MNE-Python doing the same steps.

Nights a second and peak memory of the whole command, start to end, each in a process of its own
on one core (`mne_prepare.py` for MNE, which skips what stimjax does beyond cutting windows: masks,
checks, the split). Both have to find the same number of windows. Peak memory is also taken for a
quarter of the nights: where it does not grow, a cohort of any size fits.

Under `large` are nights of a polysomnography's size (`large_nights.py`), beside pyedflib, which
only reads the channels that are used.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import workers
from workers import sized

NIGHTS, HOURS = 100, 1.0
LARGE_NIGHTS, LARGE_HOURS = 4, sized(8.0, 0.1)
REPEATS = 5
HERE = Path(__file__).parent
MIB = 2**20
# Linux counts to a process's peak what the one had that started it: this one is small.
LAUNCHER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, seconds, peak, (done.stdout.split() or [""])[-1]]))
"""
STIMJAX = str(Path(sys.executable).with_name("stimjax"))


def measure(mne: str | None = None, nights: int = NIGHTS, hours: float = HOURS) -> dict[str, Any]:
    """Nights a second and MiB at most.

    Args:
        mne: the Python of an environment with MNE; None measures stimjax alone.
        nights: how many are simulated.
        hours: length of each.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recordings = simulate(folder / "recordings", nights, hours)
        few = recordings[: nights // 4]
        runs = {f"stimjax, {len(r)} nights": stimjax(folder, r) for r in (recordings, few)}
        if mne:
            runs |= {f"mne, {len(r)} nights": script(mne, folder, r) for r in (recordings, few)}
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        peaks: dict[str, list[float]] = {name: [] for name in runs}
        counts: dict[str, int] = {}
        for _ in range(REPEATS):
            for name, command in runs.items():
                took, peak, said = timed(command)
                seconds[name].append(took)
                peaks[name].append(peak)
                counts[name] = windows(folder / "out") if name.startswith("stimjax") else int(said)
                shutil.rmtree(folder / "out")
    rows = {
        name: {
            "nights_a_second": round(int(name.split()[1]) / statistics.median(seconds[name]), 2),
            "peak_mib": round(statistics.median(peaks[name]), 1),
            "windows": counts[name],
        }
        for name in runs
    }
    return {
        **{"hours": hours, "rate": 4.0, "commands": rows, "times": ratios(rows, nights)},
        "large": large(mne),
    }


def large(mne: str | None = None) -> dict[str, Any]:
    """Seconds and MiB at most for nights of a polysomnography's size."""
    script_of = [sys.executable, str(HERE / "large_nights.py")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = [str(LARGE_NIGHTS), str(LARGE_HOURS)]
        subprocess.run([*script_of, "write", name, *size], check=True)
        recordings = sorted(folder.glob("*.edf"))
        runs = {
            "stimjax": [*stimjax(folder, recordings), "--split", "random"],
            "pyedflib": [*script_of, "read", *map(str, recordings)],
        }
        runs |= {"mne": script(mne, folder, recordings)} if mne else {}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for _ in range(REPEATS):
            for name, command in runs.items():
                taken[name].append(timed(command)[:2])
                shutil.rmtree(folder / "out", ignore_errors=True)
    rows = {
        name: {
            "seconds": round(statistics.median(seconds for seconds, _ in turns), 2),
            "peak_mib": round(statistics.median(peak for _, peak in turns), 1),
        }
        for name, turns in taken.items()
    }
    times = {
        f"{key}, stimjax to pyedflib": round(rows["stimjax"][key] / rows["pyedflib"][key], 2)
        for key in ("seconds", "peak_mib")
    }
    return {"nights": LARGE_NIGHTS, "hours": LARGE_HOURS, "commands": rows, "times": times}


def simulate(folder: Path, nights: int, hours: float) -> list[Path]:
    """Recordings of simulated sleepers, made in a process of its own to keep this one small."""
    command = [STIMJAX, "simulate", str(folder), "--subjects", str(nights)]
    subprocess.run([*command, "--hours", str(hours)], check=True, capture_output=True)
    return sorted(folder.glob("*.edf"))


def stimjax(folder: Path, recordings: Sequence[Path]) -> list[str]:
    """The command that makes windows of these recordings."""
    files = [str(path) for path in recordings]
    return [STIMJAX, "prepare", *files, "--out", str(folder / "out")]


def script(mne: str, folder: Path, recordings: Sequence[Path]) -> list[str]:
    """MNE's command for the same."""
    files = [str(path) for path in recordings]
    return [mne, str(HERE / "mne_prepare.py"), str(folder / "out"), *files]


def timed(command: Sequence[str]) -> tuple[float, float, str]:
    """Seconds and peak memory in MiB of a command on one core, and the last word it says."""
    with workers.on(workers.cores()[:1]):
        launched = [sys.executable, "-I", "-c", LAUNCHER, *command]
        answer = subprocess.run(launched, check=True, capture_output=True).stdout
    status, seconds, peak, said = json.loads(answer)
    if status:
        raise RuntimeError(f"{' '.join(command[:4])} ... ended with {status}")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return seconds, peak * unit / MIB, said


def windows(folder: Path) -> int:
    """How many windows stimjax made."""
    parts = json.loads((folder / "spec.json").read_text(encoding="utf-8"))["made"]["parts"]
    return sum(part["windows"] for part in parts.values())


def ratios(rows: dict[str, dict[str, Any]], nights: int) -> dict[str, float]:
    """The speed over MNE's, and each one's memory for all nights over a quarter of them."""
    found: dict[str, float] = {}
    many, few = f"{nights} nights", f"{nights // 4} nights"
    for name in ("stimjax", "mne"):
        if f"{name}, {many}" in rows:
            peaks = [rows[f"{name}, {count}"]["peak_mib"] for count in (many, few)]
            found[f"{name}: peak memory, {many} to {few}"] = round(peaks[0] / peaks[1], 3)
    if f"mne, {many}" in rows:
        for what, key in (("speed", "nights_a_second"), ("peak memory", "peak_mib")):
            ours, theirs = (rows[f"{name}, {many}"][key] for name in ("stimjax", "mne"))
            found[f"{what}, stimjax to mne"] = round(ours / theirs, 2)
    return found
