"""Benchmarks: ratios measured in one run, as JSON with the machine and the versions.

python benchmarks/run.py [--only NAME] [--out FILE.json] [--torch PYTHON] [--mne PYTHON]

Each benchmark is a file of its own beside this one, which says what it compares, and runs in a
process of its own. What it compares stimjax with lives in environments of its own, whose Pythons
`--torch` (`pip install torch numpy safetensors`) and `--mne` (`pip install mne numpy`) name;
without them stimjax is measured alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

# By the name of the file: the packages of the other environment, if it needs one.
BENCHMARKS: dict[str, tuple[str, tuple[str, ...]] | None] = {
    "fit": ("torch", ("torch", "numpy")),
    "inhibition": None,
    "labels": None,
    "lanes": ("torch", ("torch", "numpy")),
    "million": None,
    "precision": None,
    "prepare": ("mne", ("mne", "numpy", "scipy")),
    "roofline": None,
    "scale": None,
}


def measured(name: str, pythons: Mapping[str, str | None]) -> dict[str, Any]:
    """What a benchmark finds, with the versions of what stimjax is compared with."""
    import jax

    from stimjax.machine import runtime

    runtime.fix_numbers()
    measure = importlib.import_module(name).measure
    other = BENCHMARKS[name]
    if other is None:
        return {**measure(), "device": jax.devices()[0].device_kind}
    kind, packages = other
    python = pythons[kind]
    found = {**measure(python), "device": jax.devices()[0].device_kind}
    return {**found, "compared_with": versions_of(python, packages) if python else None}


def versions_of(python: str, packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of `packages` in the environment of another Python."""
    code = "import json, sys; from importlib.metadata import version; "
    code += "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    command = [python, "-c", code, *packages]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": cores,
    }


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> int:
    """Run the chosen benchmarks and print, or write, their JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--only", choices=sorted(BENCHMARKS), action="append", help="repeatable")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--torch", metavar="PYTHON", help="of an environment with PyTorch")
    parser.add_argument("--mne", metavar="PYTHON", help="of an environment with MNE")
    asked = parser.parse_args()
    from stimjax.machine.versions import versions

    pythons = {"torch": asked.torch, "mne": asked.mne}
    results = {}
    for name in asked.only or sorted(BENCHMARKS):
        fresh = multiprocessing.get_context("spawn")  # what one pins or allocates, no other sees
        with ProcessPoolExecutor(1, mp_context=fresh) as pool:
            results[name] = pool.submit(measured, name, pythons).result()
    found = {"machine": machine(), "versions": versions(), "results": results}
    text = json.dumps(found, indent=2)
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
