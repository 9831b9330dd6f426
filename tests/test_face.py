"""The Python face: what `import stimjax` gives, what it costs, and what its functions do."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import stimjax as sj
from stimjax import batch
from stimjax.data.simulate import write_cohort
from stimjax.disk.store import load_arrays
from stimjax.learn.ledger import Ledger

ROOT = Path(__file__).parents[1]
FIT = sj.config.Fit(steps=60, every=30)
TEACHER = sj.config.Teacher(networks=("mlp",), candidates=1, critic="mlp", fit=FIT)
SYNTHESIS = sj.config.Synthesis("mixture", count=120, shard=50, seed=0)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    write_cohort(folder, subjects=10, hours=0.5, seed=1)
    return folder


@pytest.fixture(scope="module")
def folder(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("windows") / "windows"
    settings = sj.config.Prepare(rate=1.0, validation=0.2, test=0.3)
    assert sj.prepare([str(recordings)], str(out), settings) == out
    return out


@pytest.fixture(scope="module")
def windows(folder: Path) -> sj.Windows:
    return sj.load_windows(str(folder))


@pytest.fixture(scope="module")
def teacher(windows: sj.Windows) -> sj.Teacher:
    return sj.train_teacher(windows, TEACHER)


def test_recordings_become_windows_like_others(recordings, folder, windows, tmp_path) -> None:
    one = recordings / "subject-001.edf"
    assert sj.prepare([one], tmp_path / "like", like=folder) == tmp_path / "like"
    (file,) = (tmp_path / "like").glob("test-*.safetensors")
    assert batch.from_arrays(load_arrays(file), windows.train.spec, "it").columns.keys() == {
        "start"
    }


def test_importing_costs_little_and_brings_no_jax() -> None:
    program = (
        "import sys, time; start = time.perf_counter(); import stimjax; "
        "print(time.perf_counter() - start, 'jax' in sys.modules, stimjax.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    seconds, heavy, version = done.stdout.split()
    assert heavy == "False" and re.fullmatch(r"\d+\.\d+.*", version), done.stderr
    assert float(seconds) < 1  # 0.1 on an idle machine


def test_every_name_is_there_and_says_what_it_is() -> None:
    assert set(sj.__all__) <= set(dir(sj))
    for name in sj.__all__:
        found = getattr(sj, name)
        assert found.__doc__ or name in ("__version__", "RECIPES"), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sj.nothing  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]
    assert (ROOT / "stimjax" / "py.typed").exists()


def test_names_that_checkers_see_are_those_that_are_handed_on() -> None:
    source = (ROOT / "stimjax" / "__init__.py").read_text()
    seen = set(re.findall(r"^    from \S+ import \w+ as (\w+)$", source, re.M))
    assert seen | {"__version__"} == set(sj.__all__)


def test_windows_are_the_parts_of_the_folder(folder: Path, windows: sj.Windows) -> None:
    assert {len(np.unique(part.subject)) for part in windows[:3]} == {5, 2, 3}
    assert windows.split == "subject" and not windows.independent
    assert set(windows.people) >= set(np.unique(windows.test.subject).tolist())


def test_a_teacher_is_finished_and_the_same_from_a_folder(
    folder: Path, windows: sj.Windows, teacher: sj.Teacher, tmp_path: Path
) -> None:
    assert teacher.statistics and teacher.critic is not None
    kept = sj.train_teacher(str(folder), TEACHER, out=str(tmp_path / "teacher"))
    again = sj.load_teacher(str(tmp_path / "teacher"))
    assert kept.digest == again.digest == teacher.digest
    assert (tmp_path / "teacher" / "metrics.json").exists()


def test_stimuli_in_memory_are_those_of_a_release(teacher: sj.Teacher, tmp_path: Path) -> None:
    memory = sj.synthesize(teacher, SYNTHESIS)
    release = sj.synthesize(teacher, SYNTHESIS, out=str(tmp_path / "release"))
    loaded = sj.load_release(str(tmp_path / "release"))
    assert len(memory) == SYNTHESIS.count
    for one in (release, loaded):
        assert one.x.tobytes() == memory.x.tobytes() and one.y.tobytes() == memory.y.tobytes()


def test_a_study_and_an_audit_of_both(
    teacher: sj.Teacher, windows: sj.Windows, folder: Path, tmp_path: Path
) -> None:
    stimuli = sj.synthesize(teacher, SYNTHESIS, out=tmp_path / "release")
    students = sj.config.Study(students=("knn",), seeds=1, baselines=("noise",))
    results = sj.study(stimuli, windows, students, teacher=teacher)
    assert results == sj.study(tmp_path / "release", str(folder), students, teacher=teacher)
    assert {row.trained_on for row in results.rows} == {"real", "stimuli", "noise"}
    attacks = sj.config.Audit(attacks=("nearest", "dcr", "files"))
    on_disk = sj.audit(tmp_path / "release", folder, attacks)
    in_memory = sj.audit(stimuli, windows, attacks, synthesis=SYNTHESIS)
    assert [e for e in on_disk.attacks if e.attack != "files"] == list(in_memory.attacks)
    assert on_disk.on == in_memory.on and on_disk.epsilon is None
    shared = dataclasses.replace(SYNTHESIS)
    with pytest.raises(sj.StimjaxError, match="subjects are in the training part"):
        sj.audit(stimuli, windows._replace(test=windows.train), attacks, synthesis=shared)


def test_what_makes_no_sense_is_one_line(windows: sj.Windows, teacher: sj.Teacher) -> None:
    typo = sj.Recipe()
    object.__setattr__(typo, "source", "typo")  # the tests' type checker would see it
    for call in (
        lambda: sj.train_teacher(windows, sj.config.Teacher(critic="cnnn")),
        lambda: sj.synthesize(teacher, sj.config.Synthesis("mixtur")),
        lambda: sj.synthesize(teacher, sj.config.Synthesis(recipe=typo)),
        lambda: sj.study(windows.train, windows, sj.config.Study(students=("oracle",))),
        lambda: sj.audit(windows.train, windows, sj.config.Audit(attacks=("nearst",))),
        lambda: sj.train_teacher(windows, sj.config.Teacher(dp=sj.config.Dp(epsilon=1.0))),
        lambda: sj.load_windows("nowhere"),
    ):
        with pytest.raises(sj.StimjaxError) as error:
            call()
        assert "\n" not in str(error.value) and "train it again" not in str(error.value)


def test_a_guaranteed_teacher_is_refused_what_it_has_not_paid_for(teacher: sj.Teacher) -> None:
    spent = Ledger("subject", 1.0, 1e-5, ())
    with pytest.raises(sj.StimjaxError, match="choose"):
        sj.synthesize(dataclasses.replace(teacher, privacy=spent, statistics={}), SYNTHESIS)


def snippet() -> str:
    """The Python of the README."""
    return (ROOT / "README.md").read_text().partition("```python\n")[2].partition("```")[0]


def test_the_quick_start_is_the_readme_s_and_runs(recordings: Path, tmp_path: Path) -> None:
    program = ROOT / "examples" / "quickstart.py"
    assert snippet().strip() in program.read_text()
    (tmp_path / "RECORDINGS").symlink_to(recordings)
    done = subprocess.run(
        [sys.executable, program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cnn on stimuli: kappa" in done.stdout and "nearest, auc of a window" in done.stdout
    assert json.loads((tmp_path / "RELEASE" / "manifest.json").read_text())["count"] == 1000


def test_a_method_of_one_s_own_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "custom_method.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    slow, fast = (int(line.split()[0]) for line in done.stdout.splitlines()[:2])
    assert min(slow, fast) > 50
