"""Jobs of submitit: stages, reasons of what is lost, executors and what they are told."""

import sys
from functools import partial

import pytest
import submitit
from submitit.core.utils import UncompletedJobError

from stimjax.errors import StimjaxError
from stimjax.experiments import jobs
from stimjax.experiments.jobs import Piece, Workers
from stimjax.machine.progress import Reporter


def test_what_needs_a_lost_piece_is_lost_for_the_same_reason(tmp_path):
    order = []

    def make(place):
        order.append(place.name)
        if place.name == "teacher-b":
            raise RuntimeError("no more\nlight")
        place.mkdir(parents=True)

    def piece(stage, name, *needs):
        place = tmp_path / name
        return Piece(stage, place, tuple(tmp_path / need for need in needs), partial(make, place))

    pieces = [
        piece("students", "b/knn", "teacher-b"),
        piece("students", "a/knn", "teacher-a"),
        piece("teachers", "teacher-b", "windows"),
        piece("teachers", "teacher-a", "windows"),
        piece("windows", "windows"),
        piece("windows", "windows"),
    ]
    executor = jobs.open_executor(Workers("debug"), tmp_path / "jobs")
    lost = jobs.make(pieces, executor, 0, Reporter())
    reason = "RuntimeError: no more light"
    assert lost == {tmp_path / "teacher-b": reason, tmp_path / "b" / "knn": reason}
    assert order == ["windows", "teacher-a", "teacher-b", "knn"]
    assert jobs.make(pieces, executor, 0, Reporter()) == lost
    assert order[4:] == ["teacher-b"]


def test_a_job_that_dies(tmp_path):
    class Killed(submitit.LocalJob):
        def exception(self):
            return UncompletedJobError("it has not produced any output")

    piece = Piece("windows", tmp_path, (), list)
    (reason,) = jobs._reasons(Killed(tmp_path, "12"), [piece])
    assert reason.startswith("job 12 died; see ") and reason.endswith(".err")


def test_a_stopped_job_goes_on_with_the_same_pieces(tmp_path):
    work, pieces = jobs.Work(), [Piece("windows", tmp_path, (), list)]
    again = work.checkpoint(pieces)
    assert again.function is work and again.args == (pieces,)


def test_slurm_gets_what_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(submitit.SlurmExecutor, "affinity", classmethod(lambda _: 2))
    words = ("partition=gpu", "timeout_min=90", "mem_gb=4", "gpus_per_node=1")
    parameters = jobs.open_executor(Workers("slurm", 3, words), tmp_path).parameters
    expected = {"partition": "gpu", "time": 90, "mem": "4GB", "gpus_per_node": 1}
    assert expected | {"array_parallelism": 3} == {
        name: parameters[name] for name in (*expected, "array_parallelism")
    }


def test_workers_that_cannot_be(tmp_path, monkeypatch):
    with pytest.raises(StimjaxError, match="--slurm partition: has to be KEY=VALUE"):
        jobs.open_executor(Workers("debug", slurm=("partition",)), tmp_path)
    with pytest.raises(StimjaxError, match="--executor debug: Unknown argument 'partitoin'"):
        jobs.open_executor(Workers("debug", slurm=("partitoin=gpu",)), tmp_path)
    monkeypatch.setattr(submitit.SlurmExecutor, "affinity", classmethod(lambda _: -1))
    with pytest.raises(StimjaxError, match='--executor slurm: Could not detect "srun"'):
        jobs.open_executor(Workers("slurm"), tmp_path)


def test_without_the_extra_a_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(StimjaxError, match=r'pip install "stimjax\[sweep\]"') as caught:
        jobs.open_executor(Workers(), tmp_path)
    assert "\n" not in str(caught.value)
