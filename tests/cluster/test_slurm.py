"""On a real Slurm of two virtual nodes: tasks are killed, jobs pushed aside, the bytes the same."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


class Slurm:
    """Commands in the folder with the teacher, for a cluster that was started."""

    def __init__(self, folder: Path, known: dict[str, str]) -> None:
        self.folder, self.known = folder, known

    def start(self, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(word) for word in words],
            cwd=self.folder,
            env=self.known,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: object) -> str:
        running = self.start(*words)
        said, _ = running.communicate(timeout=300)
        assert running.returncode == 0, said
        return said

    def job(self, number: str) -> dict[str, str]:
        return dict(re.findall(r"(\w+)=(\S*)", self.run("scontrol", "show", "job", number)))

    def said(self, number: str) -> str:
        return (self.folder / f"stimjax-{number}.out").read_text()

    def becomes(self, number: str, *states: str, seconds: float = 120) -> None:
        def there() -> bool:
            state = self.job(number)["JobState"]
            ended = state in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
            assert state in states or not ended, (state, self.said(number))
            return state in states

        until(there, seconds)


def until(done: Callable[[], bool], seconds: float) -> None:
    last = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < last, f"not within {seconds} s"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def slurm(
    scripts: Path, folder: Path, known: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Slurm]:
    if os.geteuid():
        pytest.skip("a cluster on the loopback has to be started by root")
    script, place = scripts / "loopback_slurm.sh", tmp_path_factory.mktemp("slurm")
    started = subprocess.run([script, "start", place], capture_output=True, text=True, timeout=600)
    if started.returncode == 3:
        pytest.skip(f"Slurm is not here and could not be installed: {started.stderr[-300:]}")
    assert started.returncode == 0, started.stderr
    try:
        again = subprocess.run([script, "start", place], capture_output=True, text=True)
        assert again.stdout == started.stdout == f"export SLURM_CONF={place}/slurm.conf\n"
        yield Slurm(folder, known | {"SLURM_CONF": f"{place}/slurm.conf"})
    finally:
        subprocess.run([script, "stop", place], check=True, timeout=120)
        assert not list(place.glob("*.pid"))


def kill(task: int, out: str) -> None:
    """End a task's process at once."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            known = (place / "environ").read_bytes().split(b"\0")
        except OSError:  # it is gone
            continue
        own = words[0].rpartition(b"/")[2].startswith(b"python") and out.encode() in words
        if own and f"SLURM_PROCID={task}".encode() in known:
            found.append(int(place.name))
    assert len(found) == 1, found
    os.kill(found[0], signal.SIGKILL)


def test_what_a_killed_task_did_not_make_the_same_command_makes(
    slurm: Slurm,
    options: tuple[str, ...],
    shards: Callable[[str], int],
    same: Callable[[str], bool],
) -> None:
    command = ["srun", "-N2", "--kill-on-bad-exit=1", "stimjax", "synthesize", "teacher"]
    command += ["--out", "steps", *options, "--log", "steps.log", "--distributed"]
    first = slurm.start(*command)
    until(lambda: shards("steps") > 3, 120)
    since = time.monotonic()
    kill(1, "steps")
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 128 + signal.SIGKILL, said
    assert time.monotonic() - since < 30  # without --kill-on-bad-exit: when jax misses the other
    assert not (slurm.folder / "steps").exists()
    slurm.run(*command)
    assert same("steps")
    for name in ("steps.log", "steps.log.1"):
        assert (slurm.folder / name).read_text().endswith("}\n")


def test_the_batch_file_makes_a_release(
    slurm: Slurm, scripts: Path, options: tuple[str, ...], same: Callable[[str], bool]
) -> None:
    said = slurm.run("sbatch", "--test-only", scripts / "slurm.sbatch")
    assert "2 processors" in said or "n[0-1]" in said
    words = ("teacher", "--out", "batch", *options)
    job = slurm.run("sbatch", "--parsable", scripts / "slurm.sbatch", *words).strip()
    slurm.becomes(job, "COMPLETED")
    assert "0: batch: 2000 stimuli\n" in slurm.said(job)
    assert same("batch")


@pytest.mark.parametrize("trouble", ["killed", "pushed"])
def test_the_requeued_job_goes_on(
    slurm: Slurm,
    scripts: Path,
    options: tuple[str, ...],
    shards: Callable[[str], int],
    same: Callable[[str], bool],
    trouble: str,
) -> None:
    words = ("teacher", "--out", trouble, *options)
    job = slurm.run("sbatch", "--parsable", scripts / "slurm-requeue.sbatch", *words).strip()
    until(lambda: shards(trouble) > 3, 120)
    if trouble == "killed":
        kill(1, trouble)
    else:
        aside = ("--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null")
        slurm.run("sbatch", *aside, "--wrap", "sleep 1")
    slurm.becomes(job, "PENDING")
    assert slurm.job(job)["Restarts"] == "1"
    assert not (slurm.folder / trouble).exists()
    assert shards(trouble) > 3
    time.sleep(2)  # a job that starts in the second of its end is taken for the one that ended
    slurm.run("scontrol", "update", f"jobid={job}", "StartTime=now")  # Slurm waits for two minutes
    slurm.becomes(job, "COMPLETED")
    assert same(trouble)


def test_a_canceled_job_is_not_queued_again(
    slurm: Slurm, scripts: Path, options: tuple[str, ...], shards: Callable[[str], int]
) -> None:
    words = ("teacher", "--out", "canceled", *options)
    job = slurm.run("sbatch", "--parsable", scripts / "slurm-requeue.sbatch", *words).strip()
    until(lambda: shards("canceled") > 3, 120)
    slurm.run("scancel", job)
    until(lambda: not slurm.run("squeue", "--noheader").strip(), 60)
    assert (slurm.job(job)["JobState"], slurm.job(job)["Restarts"]) == ("CANCELLED", "0")
