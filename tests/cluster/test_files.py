"""The cluster files without a cluster: what they would start, and what has to agree in them."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

SCRIPTS = Path(__file__).parents[2] / "scripts" / "cluster"

STIMJAX = """#!/bin/bash
printf '%s\\n' "$@" >> "$TOLD"
(( $(grep -c ^synthesize "$TOLD") > 2 )) || exit 134
mkdir -p "$RELEASE" && touch "$RELEASE/manifest.json"
"""


@pytest.fixture
def job() -> dict[str, Any]:
    documents = list(yaml.safe_load_all((SCRIPTS / "kubernetes.yaml").read_text()))
    service, claim, job = documents
    assert [one["kind"] for one in documents] == ["Service", "PersistentVolumeClaim", "Job"]
    pod = job["spec"]["template"]["spec"]
    names = {"batch.kubernetes.io/job-name": job["metadata"]["name"]}
    assert service["spec"]["selector"] == names
    assert pod["subdomain"] == service["metadata"]["name"]
    claimed = pod["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claimed == claim["metadata"]["name"]
    return job


def environment(job: dict[str, Any]) -> dict[str, str]:
    """What the file sets; a field of the pod is left out."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


def command(job: dict[str, Any]) -> list[str]:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return [*container["command"], *container["args"]]


def test_pods_of_the_job_are_as_many_as_processes_and_name_the_first(job: dict[str, Any]) -> None:
    told = environment(job)
    assert job["spec"]["completionMode"] == "Indexed"
    assert {str(job["spec"][name]) for name in ("completions", "parallelism")} == {
        told["PROCESSES"]
    }
    assert told["COORDINATOR"].startswith(f"{job['metadata']['name']}-0.stimjax:")


def fake(folder: Path, name: str, text: str) -> dict[str, str]:
    """An environment in which the first program of this name is `text`."""
    (folder / "bin").mkdir()
    (folder / "bin" / name).write_text(text)
    (folder / "bin" / name).chmod(0o755)
    return os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


def test_a_pod_tries_until_the_release_is_there(job: dict[str, Any], tmp_path: Path) -> None:
    known = fake(tmp_path, "stimjax", STIMJAX)
    (tmp_path / "bin" / "sleep").write_text("#!/bin/bash\n")
    (tmp_path / "bin" / "sleep").chmod(0o755)
    known |= environment(job) | {
        "JOB_COMPLETION_INDEX": "3",
        "TOLD": str(tmp_path / "told"),
        "RELEASE": str(tmp_path / "a release"),
    }
    for _ in range(2):  # the second finds it
        assert subprocess.run(command(job), env=known, timeout=60).returncode == 0
    words = (tmp_path / "told").read_text().splitlines()
    assert words.count("synthesize") == 3
    assert words[:4] == ["synthesize", "/shared/teacher", "--out", known["RELEASE"]]
    last = words[-7:]
    assert last == [
        *("--distributed", "--coordinator", "stimjax-0.stimjax:8476"),
        *("--processes", "4", "--process", "3"),
    ]


def test_a_pod_that_is_told_to_end_ends_its_process(job: dict[str, Any], tmp_path: Path) -> None:
    sleeper = '#!/bin/bash\ntouch "$TOLD"\ntrap \'rm "$TOLD"; exit 143\' TERM\nsleep 60 & wait\n'
    known = fake(tmp_path, "stimjax", sleeper) | environment(job)
    told = tmp_path / "told"
    known |= {"JOB_COMPLETION_INDEX": "0", "TOLD": str(told)}
    pod = subprocess.Popen(command(job), env=known, start_new_session=True)
    try:
        until(told.exists, 30)
        time.sleep(0.3)  # for the process to set its trap
        pod.send_signal(signal.SIGTERM)
        assert pod.wait(30) == 143
        assert not told.exists()
    finally:
        os.killpg(pod.pid, signal.SIGKILL)  # the sleep of a shell that is gone


def test_each_tpu_worker_gets_the_words_as_they_were_given(tmp_path: Path) -> None:
    known = fake(tmp_path, "gcloud", "#!/bin/bash\nprintf '%s\\n' \"$@\"\n")
    words = [SCRIPTS / "tpu.sh", "my-tpu", "us-central1-a", "teacher", "--out", "a release"]
    said = subprocess.run(words, env=known, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [
        *("compute", "tpus", "tpu-vm", "ssh", "my-tpu", "--zone=us-central1-a", "--worker=all"),
        '--command="$HOME"/stimjax/bin/stimjax synthesize teacher --out a\\ release --distributed',
    ]
    assert subprocess.run(words[:3], env=known, capture_output=True).returncode == 2


def test_both_batch_files_give_jax_the_same() -> None:
    parts = []
    for name in ("slurm.sbatch", "slurm-requeue.sbatch"):
        text = (SCRIPTS / name).read_text()
        start, end = text.index("# jax takes the first"), text.index("# cpu-bind")
        parts.append(text[start:end])
    assert parts[0] == parts[1]


def until(done: Callable[[], bool], seconds: float) -> None:
    last = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < last, f"not within {seconds} s"
        time.sleep(0.1)


@pytest.mark.slow
def test_pods_come_together_again_after_one_was_killed(
    job: dict[str, Any],
    folder: Path,
    known: dict[str, str],
    options: tuple[str, ...],
    shards: Callable[[str], int],
    same: Callable[[str], bool],
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    told = known | environment(job)
    told |= {"COORDINATOR": address, "PROCESSES": "2", "OPTIONS": " ".join(options)}
    told |= {"TEACHER": "teacher", "RELEASE": "pods", "XDG_CACHE_HOME": known["XDG_CACHE_HOME"]}

    def pod(index: int) -> subprocess.Popen[bytes]:
        its = told | {"JOB_COMPLETION_INDEX": str(index)}
        with (folder / f"pod-{index}.out").open("a") as said:
            return subprocess.Popen(
                command(job), cwd=folder, env=its, stdout=said, stderr=said, start_new_session=True
            )

    pods = [pod(0), pod(1)]
    try:
        until(lambda: shards("pods") > 3, 120)
        os.killpg(pods[1].pid, signal.SIGKILL)  # as when its node is gone
        pods[1].wait()
        assert not (folder / "pods").exists()
        pods[1] = pod(1)  # as the Job does
        assert [one.wait(500) for one in pods] == [0, 0]
    finally:
        for one in pods:
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)
                one.wait()
    assert same("pods")
