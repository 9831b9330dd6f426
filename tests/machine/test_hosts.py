"""Two processes on the loopback make one release, or say the same of what hinders them."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from children import python_path

from stimjax.errors import StimjaxError
from stimjax.excite import secret
from stimjax.machine import hosts

PROGRAM = """
import os, pathlib, signal, sys
from stimjax.machine import hosts, runtime
runtime.start()
import jax
from random_teacher import synthesis, teacher
from stimjax import release
from stimjax.excite.synthesize import synthesize
from stimjax.errors import StimjaxError

out, address, processes, process, seed, trouble = sys.argv[1:]
if address:
    hosts.join(address, int(processes), int(process))
save = release.save_shard

def save_some(folder, number, stimuli):
    if trouble == "killed" and number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if trouble == "full" and number == 3:
        raise OSError(28, "No space left on device", "stimuli-00003")
    save(folder, number, stimuli)

release.save_shard = save_some
try:
    given = None if seed == "None" else int(seed)
    synthesize(teacher(), synthesis(57, given), pathlib.Path(out))
except StimjaxError as error:
    print("RESULT", error, file=sys.stderr)
    sys.exit(2)
about = hosts.index(), hosts.count(), jax.local_device_count()
print("RESULT", "done", *about, file=sys.stderr)
"""


def start(
    out: Path,
    address: str,
    processes: int,
    process: int,
    devices: int,
    seed: int | None,
    trouble: str,
) -> subprocess.Popen[str]:
    environment = os.environ | {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": python_path(Path(__file__).parents[1]),  # of random_teacher
    }
    words = [str(out), address, str(processes), str(process), str(seed), trouble]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=Path(__file__).parents[1],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def pair(
    out: Path, seeds: tuple[int | None, int | None] = (0, 0), trouble: tuple[str, str] = ("", "")
) -> list[tuple[int, str, str]]:
    """Status and words of two processes, with two devices each; Gloo talks on standard output."""
    address = free_address()
    running = [start(out, address, 2, i, 2, seeds[i], trouble[i]) for i in range(2)]
    said = [process.communicate(timeout=300) for process in running]
    own = [err.rpartition("RESULT ")[2] for _, err in said]
    return [(p.returncode, o, e) for p, o, (_, e) in zip(running, own, said, strict=True)]


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process with one device makes."""
    out = tmp_path_factory.mktemp("alone") / "release"
    process = start(out, "", 1, 0, 1, 0, "")
    said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return content(out)


def test_two_processes_make_the_same_bytes_as_one(alone: dict[str, bytes], tmp_path: Path) -> None:
    found = pair(tmp_path / "release")
    assert [(status, out) for status, out, _ in found] == [
        (0, "done 0 2 2\n"),
        (0, "done 1 2 2\n"),
    ], found
    assert content(tmp_path / "release") == alone
    assert sorted(path.name for path in tmp_path.iterdir()) == ["private", "release"]


@pytest.mark.slow
def test_what_a_killed_process_did_not_make_the_next_run_makes(
    alone: dict[str, bytes], tmp_path: Path
) -> None:
    found = pair(tmp_path / "release", trouble=("", "killed"))
    assert found[1][0] == -9 and found[0][0] != 0
    pieces = tmp_path / ".release.partial" / "pieces"
    assert 0 < len(list(pieces.glob("stimuli-*"))) < 6
    assert [status for status, _, _ in pair(tmp_path / "release")] == [0, 0]
    assert content(tmp_path / "release") == alone


@pytest.mark.slow
def test_a_full_disk_of_one_is_told_by_both_and_loses_nothing(
    alone: dict[str, bytes], tmp_path: Path
) -> None:
    found = pair(tmp_path / "release", trouble=("", "full"))
    told = "stimuli-00003: No space left on device; mend that, and the same command goes on\n"
    assert [(status, out) for status, out, _ in found] == [(2, told), (2, told)], found
    assert [status for status, _, _ in pair(tmp_path / "release")] == [0, 0]
    assert content(tmp_path / "release") == alone


@pytest.mark.slow
def test_processes_draw_with_one_seed_of_the_operating_system(tmp_path: Path) -> None:
    found = pair(tmp_path / "release", seeds=(None, None), trouble=("", "full"))
    assert [status for status, _, _ in found] == [2, 2], found
    assert [status for status, _, _ in pair(tmp_path / "release", (None, None))] == [0, 0]
    seed = secret.find(tmp_path / "release")
    assert seed is not None and seed >= secret.GUESSED
    process = start(tmp_path / "again", "", 1, 0, 1, seed, "")
    said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert content(tmp_path / "again") == content(tmp_path / "release")


@pytest.mark.slow
def test_processes_of_different_settings_are_refused_before_any_work(tmp_path: Path) -> None:
    found = pair(tmp_path / "release", seeds=(0, 1))
    told = "release: the processes were given different settings.seed: "
    assert [status for status, _, _ in found] == [2, 2], found
    assert all(out.startswith(told) for _, out, _ in found)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("process", [0, 1])
def test_others_who_do_not_come_are_one_line(process: int) -> None:
    """Of the first, and of one who waits for the first: jax itself would abort the process."""
    program = (
        "import sys; from stimjax.machine import hosts, runtime\n"
        "from stimjax.errors import StimjaxError\n"
        "runtime.start(); hosts.PATIENCE = 2\n"
        "try: hosts.join(sys.argv[1], 2, int(sys.argv[2]))\n"
        "except StimjaxError as error: print(error, file=sys.stderr)"
    )
    words = [sys.executable, "-c", program, free_address(), str(process)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "could not join the other processes (waited 2 s)" in done.stderr
    assert "--coordinator HOST:PORT" in done.stderr


def test_no_cluster_to_be_found_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*given: object, **asked: object) -> None:
        raise ValueError("coordinator_address should be defined.\nMore.")

    monkeypatch.setattr("jax.distributed.initialize", nothing)
    with pytest.raises(StimjaxError, match="could not join the other") as error:
        hosts.join()
    assert "\n" not in str(error.value) and "--coordinator HOST:PORT" in str(error.value)


def test_a_mistake_while_joining_is_not_taken_for_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*given: object, **asked: object) -> None:
        raise TypeError("no such argument")

    monkeypatch.setattr("jax.distributed.initialize", mistaken)
    with pytest.raises(TypeError, match="no such argument"):
        hosts.join()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("h:1", None, None), "go together"),
        ((None, 2, 0), "go together"),
        (("h:1", 2, 2), "--process is 2; it has to be below --processes 2"),
    ],
)
def test_half_a_coordinator_is_refused(
    given: tuple[str | None, int | None, int | None], reason: str
) -> None:
    with pytest.raises(StimjaxError, match=reason):
        hosts.join(*given)


def test_one_process_alone_agrees_with_itself() -> None:
    assert hosts.agreed([3, "x"]) == [3, "x"]
    with pytest.raises(hosts.Told, match="x is full"), hosts.together(Path("out")):
        raise StimjaxError("x is full")
    full = OSError(errno.ENOSPC, "No space left on device")  # of a write: it names no file
    with pytest.raises(hosts.Told, match=r"^out: No space left"), hosts.together(Path("out")):
        raise full
    with hosts.together(Path("out")):
        pass
    assert hosts.exchanged({"a": 1}) == [{"a": 1}]
