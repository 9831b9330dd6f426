"""Folders that are occupied, a full disk, Ctrl-C: nothing half-written stays."""

import errno
import json
import os
import signal
import time

import pytest

from stimjax.command import main
from stimjax.errors import StimjaxError


def test_results_are_replaced_only_when_asked_and_only_ours(refused, run, tmp_path, left):
    out = tmp_path / "out"
    simulate = ["simulate", out, "--subjects", 1, "--hours", 0.1]
    assert run(*simulate)[0] == 0
    assert "is not empty; name another folder or add --overwrite" in refused(*simulate)
    assert run(*simulate, "--overwrite", "--seed", 1)[0] == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    simulate[1] = tmp_path / "mine"
    assert "was not written by stimjax" in refused(*simulate, "--overwrite")
    assert left() == sorted(["out", "mine"])


def test_a_place_that_cannot_be_written_is_named(refused, built, tmp_path, left):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "out", tmp_path / "file"):
        assert str(tmp_path / "file") in refused("simulate", out)
        assert str(tmp_path / "file") in refused("train", built[0] / "windows", "--out", out)
    assert left() == sorted(["file"])


@pytest.mark.skipif(os.name != "posix", reason="limits a process with ulimit")
@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("simulate", ["out", "--subjects=1", "--hours=0.5"]),
        ("prepare", ["{built}/cohort", "--out=out", "--channels=SpO2"]),
        ("synthesize", ["{built}/teacher", "--out=out"]),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_nothing(
    built, process, easy, left, tmp_path, verb, words
):
    words = [word.format(built=built[0]) for word in words]
    words += easy if verb == "synthesize" else []
    limited = ("sh", "-c", 'ulimit -f 8 && exec "$@"', "sh")  # no file above 4 or 8 KiB
    running = process(tmp_path, verb, *words, before=limited)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 2, err
    *before, line = err.splitlines()
    assert line.startswith("stimjax: error: ")
    assert len(before) <= 1
    assert left() == []


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "a/b: No space left on device"),
        (RuntimeError(f"tensorstore: {os.strerror(errno.ENOSPC)} [x]"), "No space left on device"),
        (MemoryError(), "there is not enough memory"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"), "enough memory"),
        (StimjaxError("a\nb"), "a b"),
    ],
)
def test_what_the_system_lacks_is_one_line(error, line):
    assert line in (main.excuse(error) or "")


def test_a_platform_without_devices_is_one_line(built, process, tmp_path):
    """jax says so by an assertion where the plugin is missing, and else by a RuntimeError."""
    for platform in ("cuda", "moon"):
        chosen = ("env", f"JAX_PLATFORMS={platform}", "CUDA_VISIBLE_DEVICES=")
        running = process(tmp_path, "synthesize", built[0] / "teacher", "--out=out", before=chosen)
        _, err = running.communicate(timeout=60)
        assert running.returncode == 2
        assert err.startswith("stimjax: error: there is no device of the platform that JAX_PLATFOR")
        assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mistake", [ZeroDivisionError(), KeyError("embedding.draws")])
def test_a_mistake_of_ours_keeps_its_traceback(run, monkeypatch, mistake):
    def mistaken(self):
        raise mistake

    monkeypatch.setattr(main.verbs.Verify, "run", mistaken)
    with pytest.raises(type(mistake)):
        run("verify", "x")


def test_interrupting_leaves_nothing(run, monkeypatch, tmp_path, left):
    from stimjax.data import simulate

    def interrupted(folder, **asked):
        (folder / "subject-001.edf").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate, "write_cohort", interrupted)
    status, out, err = run("simulate", tmp_path / "out")
    assert (status, out) == (130, "")
    assert err.splitlines()[-1] == "stimjax: interrupted"
    assert left() == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_nothing(process, left, tmp_path, number, status):
    running = process(tmp_path, "simulate", "out", "--subjects=1000", "--hours=8")
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".out.partial-*/*/*.edf")) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert running.returncode == status
    assert err.splitlines()[-1] == "stimjax: interrupted"
    assert left() == []


@pytest.mark.slow
def test_an_interrupted_training_goes_on(built, run, monkeypatch, tmp_path, left, small_fit):
    from stimjax.machine.progress import Lines

    def stop(self, done, total):
        raise KeyboardInterrupt

    words = ["train", built[0] / "windows", "--out", tmp_path / "teacher", *small_fit]
    with monkeypatch.context() as patched:
        patched.setattr(Lines, "progress", stop)
        assert run(*words)[0] == 130
    assert left() == sorted([".teacher.training"])
    status, _, err = run(*words)
    assert status == 0
    assert "going on from where" in err
    assert left() == sorted(["teacher"])
    # The scores of a training that was not interrupted, to the last digit.
    scores = [
        json.loads((parent / "teacher" / "metrics.json").read_text())
        for parent in (built[0], tmp_path)
    ]
    assert scores[0] == scores[1]


def test_an_interrupted_run_goes_on_with_its_teacher_and_its_stimuli(
    built, run, monkeypatch, tmp_path, left
):
    from stimjax import release
    from stimjax.excite import synthesize
    from stimjax.students import study

    def stop(*given, **asked):
        raise KeyboardInterrupt

    save, kept = release.save_shard, tmp_path / ".out.stimuli" / "pieces"

    def stop_at_the_second(folder, number, stimuli):
        save(folder, number, stimuli) if number == 0 else stop()

    fit = ["--teacher.fit.steps=20", "--teacher.fit.every=10", "--study.fit.steps=10"]
    words = ["run", "--data", built[0] / "cohort", "--out", tmp_path / "out", "--rate=1", *fit]
    words += ["--channels=SpO2,HR", "--teacher.networks=mlp", "--teacher.candidates=1"]
    words += ["--teacher.critic=none", "--audit.attacks", "nearest"]
    words += ["--study.students", "mlp", "--study.seeds=1", "--study.fit.every=10"]
    words += ["--synthesis.count=40", "--synthesis.shard=20"]
    words += ["--teacher.prior.sleepers=4", "--teacher.prior.hours=0.5"]

    def interrupted(where, name, instead):
        with monkeypatch.context() as patched:
            patched.setattr(where, name, instead)
            status, _, err = run(*words)
        assert status == 130
        return err

    assert "going on from where" not in interrupted(synthesize, "synthesize", stop)
    assert left() == [".out.training"]
    assert "going on from where" in interrupted(release, "save_shard", stop_at_the_second)
    assert left() == [".out.stimuli", ".out.training"]
    shard = (kept / ".release.partial" / "pieces" / "stimuli-00000.safetensors").read_bytes()
    interrupted(study, "predict", stop)
    assert left() == [".out.stimuli", ".out.training"]
    with monkeypatch.context() as patched:
        patched.setattr(synthesize, "synthesize", stop)  # all are there
        status, _, err = run(*words)
    assert status == 0 and "going on from where" in err
    assert left() == ["out"]
    assert (tmp_path / "out" / "release" / "stimuli-00000.safetensors").read_bytes() == shard
    assert run("verify", tmp_path / "out" / "release")[0] == 0
    assert (tmp_path / "out" / "private" / "release.seed.json").exists()


def test_a_killed_synthesis_goes_on_and_logs(built, process, tmp_path, left):
    """Two shards of forty stimuli are soon made: the kill comes when the first is there."""
    words = ["synthesize", built[0] / "teacher", "--out=release", "--count=4000", "--shard=20"]
    words += ["--seed=3", "--lanes=4", "--log=log.jsonl"]
    running = process(tmp_path, *words)
    deadline = time.monotonic() + 60
    pieces = tmp_path / ".release.partial" / "pieces"
    while not list(pieces.glob("stimuli-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.kill()
    running.communicate(timeout=30)
    kept = len(list(pieces.glob("stimuli-*")))
    assert 0 < kept < 200
    running = process(tmp_path, *words)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert out == "release: 4000 stimuli\n"
    assert left() == ["log.jsonl", "private", "release"]
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert last["everywhere"] == last["wanted"] == 4000 and last["done"] == last["total"]
    assert last["total"] <= 4000 - 20 * kept
    again = (built[0] / "release" / "stimuli-00000.safetensors").read_bytes()
    assert (tmp_path / "release" / "stimuli-00000.safetensors").read_bytes() == again
