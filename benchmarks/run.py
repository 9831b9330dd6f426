"""Benchmarks: ratios measured in one run, as JSON with the machine and the versions.

python benchmarks/run.py [--only NAME] [--out FILE.json] [--torch PYTHON] [--mne PYTHON]
                         [--tensorflow PYTHON]
                         [--images FILE --labels FILE] [--recordings PATH [--split random]]
                         [--stimuli N] [--seeds N]

Each benchmark is a file of its own beside this one, which says what it compares, and runs in a
process of its own. What it compares stimjax with lives in environments of its own, whose Pythons
`--torch`, `--mne` and `--tensorflow` name; without them stimjax is measured alone. A file in
`requirements/` lists the packages of each: `PYTHON -m pip install -r
benchmarks/requirements/torch.txt`, and so on.
`paper_mnist` needs MNIST, whose IDX files `--images` and `--labels` name, and `paper_signals` a
folder of `--recordings`; each is left out without.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

# By the name of the file: the peer that it compares stimjax with, if there is one.
BENCHMARKS: dict[str, str | None] = {
    "fit": "torch",
    "inhibition": None,
    "labels": None,
    "lanes": "torch",
    "million": None,
    "paper_mnist": "tensorflow",
    "paper_signals": None,
    "precision": None,
    "prepare": "mne",
    "roofline": None,
    "scale": None,
}
# What these are told and what they need, by the options' names; the others are told nothing.
TOLD = {
    "paper_mnist": ("images", "labels", "stimuli", "seeds"),
    "paper_signals": ("recordings", "split", "stimuli", "seeds"),
}
NEEDED = {"paper_mnist": ("images", "labels"), "paper_signals": ("recordings",)}
REQUIREMENTS = Path(__file__).parent / "requirements"
# Asked of another Python, with the packages' names.
VERSIONS = """
import json, sys
from importlib import metadata
found = dict.fromkeys(sys.argv[1:])
for name in found:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def measured(
    name: str, pythons: Mapping[str, str | None], given: Mapping[str, Any]
) -> dict[str, Any]:
    """What a benchmark finds, with the versions of what stimjax is compared with.

    Args:
        name: of the benchmark.
        pythons: by peer.
        given: what the benchmark is told, by name; most are told nothing.
    """
    import jax

    from stimjax.machine import runtime

    runtime.fix_numbers()
    measure = importlib.import_module(name).measure
    peer, device = BENCHMARKS[name], jax.devices()[0].device_kind
    if peer is None:
        return {**measure(**given), "device": device}
    python = pythons[peer]
    compared = versions_of(python, peer) if python else None
    return {**measure(python, **given), "device": device, "compared_with": compared}


def versions_of(python: str, peer: str) -> dict[str, str | None]:
    """The versions of a peer's packages in another Python; None of one that is missing."""
    lines = (REQUIREMENTS / f"{peer}.txt").read_text(encoding="utf-8").splitlines()
    packages = [found[0] for line in lines if (found := re.match(r"[\w.-]+", line))]
    command = [python, "-c", VERSIONS, *packages]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def unfit(python: str, peer: str) -> str | None:
    """What keeps another Python from running a peer, with the remedy; None if nothing does."""
    try:
        missing = [name for name, version in versions_of(python, peer).items() if version is None]
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError):
        return f"--{peer} {python}: no Python that runs"
    if not missing:
        return None
    remedy = f"{python} -m pip install -r {os.path.relpath(REQUIREMENTS / f'{peer}.txt')}"
    return f"--{peer} {python} lacks {', '.join(missing)}; {remedy}"


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


def document(results: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What is written. The numbers of `paper_mnist` alone stand at the top too, for comparisons."""
    from stimjax.machine.versions import versions

    found = {"machine": machine(), "versions": versions(), "results": results}
    return found | (results["paper_mnist"] if set(results) == {"paper_mnist"} else {})


def main() -> int:
    """Run the chosen benchmarks and print, or write, their JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--only", choices=sorted(BENCHMARKS), action="append", help="repeatable")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--torch", metavar="PYTHON", help="of an environment with PyTorch")
    parser.add_argument("--mne", metavar="PYTHON", help="of an environment with MNE")
    parser.add_argument("--tensorflow", metavar="PYTHON", help="of an environment with TensorFlow")
    parser.add_argument("--images", type=Path, metavar="FILE", help="MNIST's, for paper_mnist")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="of these images")
    parser.add_argument("--recordings", type=Path, metavar="PATH", help="for paper_signals")
    parser.add_argument("--split", choices=("random", "subject"), default="random", help="of these")
    parser.add_argument("--stimuli", type=int, default=1000, help="of a release (%(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="of all chance (%(default)s)")
    asked = parser.parse_args()
    peers = sorted({peer for peer in BENCHMARKS.values() if peer})
    pythons: dict[str, str | None] = {peer: getattr(asked, peer) for peer in peers}
    lacking = {name: [one for one in NEEDED[name] if not getattr(asked, one)] for name in NEEDED}
    names = asked.only or [name for name in sorted(BENCHMARKS) if not lacking.get(name)]
    for name in names:
        if options := lacking.get(name):
            parser.exit(2, f"{name}: name {' and '.join(f'--{one}' for one in options)}\n")
    for peer in sorted({peer for name in names if (peer := BENCHMARKS[name])}):
        if (python := pythons[peer]) and (problem := unfit(python, peer)):
            parser.exit(2, f"{problem}\n")

    results = {}
    for name in names:
        given = {option: getattr(asked, option) for option in TOLD.get(name, ())}
        fresh = multiprocessing.get_context("spawn")  # what one pins or allocates, no other sees
        with ProcessPoolExecutor(1, mp_context=fresh) as pool:
            results[name] = pool.submit(measured, name, pythons, given).result()
    text = json.dumps(document(results), indent=2)
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
