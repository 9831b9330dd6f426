import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from stimjax import config
from stimjax.config import names, settings
from stimjax.config.recipes import RECIPES, Recipe, Terms
from stimjax.errors import StimjaxError

TEXT = st.text(max_size=12)
NUMBER = st.floats(min_value=1e-9, max_value=0.3)
COUNT = st.integers(1, 2**31 - 1)

fits = st.builds(config.Fit, steps=COUNT, batch=COUNT, rate=NUMBER, noise=NUMBER, patience=COUNT)
jobs = st.builds(
    config.Job,
    prepare=st.builds(
        config.Prepare,
        task=st.sampled_from(["apnea", "stages"]),
        channels=st.lists(TEXT, max_size=3).map(tuple),
        before=st.none() | NUMBER,
        test=NUMBER,
        test_subjects=TEXT,
        skip_bad=st.booleans(),
        seed=COUNT,
    ),
    teacher=st.builds(
        config.Teacher,
        networks=st.lists(st.sampled_from(names.NETWORKS), min_size=1, max_size=2).map(tuple),
        candidates=COUNT,
        fit=fits,
    ),
    synthesis=st.builds(
        config.Synthesis,
        count=COUNT,
        recipe=st.none() | st.builds(Recipe, lowest=NUMBER, source=st.sampled_from(["noise"])),
        license=TEXT,
    ),
    study=st.builds(
        config.Study,
        students=st.lists(st.sampled_from(config.STUDENTS), max_size=3).map(tuple),
        fit=fits,
    ),
    simulation=st.builds(config.Simulation, subjects=COUNT, hours=NUMBER),
)


@pytest.fixture
def read(tmp_path):
    def read(text: str | bytes) -> config.Job:
        path = tmp_path / "job.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return settings.load(path)

    return read


# beartype looks at random items of a sequence while the strategies build one.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@how(deadline=None, max_examples=40)
@given(jobs)
def test_what_is_dumped_is_read_back_exactly(tmp_path_factory, job):
    path = tmp_path_factory.getbasetemp() / "round-trip.yaml"
    path.write_text(settings.dump(job), encoding="utf-8")
    assert settings.load(path) == job


def test_sections_go_under_their_names(read):
    own = {"my word": "hypopnea", "低": "ignore", "": "N2", "on": "wake"}
    prepare = config.Prepare(rate=2.0, channels=("SpO2", "HR"), events=own)
    sections = (prepare, config.Synthesis(count=3))
    job = read(settings.dump(*sections))
    assert (job.prepare, job.synthesis) == sections
    assert job.teacher == config.Teacher()


def test_every_section_of_the_job_can_be_dumped(read):
    for field in dataclasses.fields(config.Job):
        assert read(settings.dump(getattr(config.Job(), field.name))) == config.Job()


def test_without_a_file_the_defaults_hold(read):
    assert settings.load(None) == read("") == read("# nothing\n") == config.Job()


def test_whole_numbers_and_powers_of_ten_do_for_numbers(read):
    job = read("prepare: {rate: 2, before: 15}\nteacher: {fit: {rate: 1e-3}}")
    assert job.prepare.rate == 2.0
    assert isinstance(job.prepare.rate, float)
    assert isinstance(job.prepare.before, float)
    assert job.teacher.fit.rate == 1e-3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("prepair: {}", "there is no setting prepair; did you mean prepare?"),
        ("prepare: {chanels: [HR]}", "prepare.chanels; did you mean prepare.channels?"),
        ("teacher: {fit: {step: 3}}", "teacher.fit.step; did you mean teacher.fit.steps?"),
        ("count: 3", "there is no setting count; did you mean synthesis.count?"),
        ("1: 3", "there is no setting 1"),
        ("prepare: {rate: fast}", "prepare.rate has to be a number, not 'fast'"),
        ("prepare: {rate: true}", "prepare.rate has to be a number, not True"),
        ("prepare: {rate: .nan}", "prepare.rate is nan; it has to be a number"),
        ("prepare: {rate: .inf}", "prepare.rate is inf"),
        ("prepare: {channels: SpO2}", "prepare.channels has to be a list"),
        ("prepare: {channels: [1]}", "prepare.channels[0] has to be text"),
        ("prepare: {task: nap}", "prepare.task has to be apnea or stages, not 'nap'"),
        ("prepare: {test_subjects: 12}", "prepare.test_subjects has to be text (in quotes"),
        (
            "prepare: {events: [a, b]}",
            "prepare.events has to be `text: kind` lines, not ['a', 'b']",
        ),
        ("prepare: {events: apnea}", "prepare.events has to be `text: kind` lines, not 'apnea'"),
        ("prepare: {events: }", "prepare.events has to be `text: kind` lines, not None"),
        ("prepare: {events: {1: N1}}", "the name 1 in prepare.events has to be text (in quotes"),
        ("prepare: {events: {on: N1}}", "the name True in prepare.events has to be text"),
        ("prepare: {events: {a: 1}}", "prepare.events['a'] has to be text"),
        ("prepare: {events: {a: [N1]}}", "prepare.events['a'] has to be text"),
        ("prepare: {events: {a: N1, a: N2}}", "the key 'a' stands twice"),
        ("prepare: {skip_bad: 1}", "prepare.skip_bad has to be true or false"),
        ("prepare: {seed: 1.5}", "prepare.seed has to be a whole number, not 1.5"),
        ("prepare: {seed: true}", "prepare.seed has to be a whole number"),
        ("prepare: {seed: null}", "prepare.seed has to be a whole number, not None"),
        ("prepare: [a, b]", "prepare has to be `name: value` lines"),
        ("prepare:", "prepare has to be `name: value` lines, not None"),
        ("just text", "the file has to be `name: value` lines"),
        ("- a", "the file has to be `name: value` lines"),
        ("prepare: {rate: 1, rate: 2}", "the key 'rate' stands twice"),
        ("prepare: {rate: 1", "is not valid YAML"),
        ("prepare: !!python/object:os.system {}", "is not valid YAML"),
        ("a\tb: [\n\t", "is not valid YAML"),
        (b"\xff\xfe\x00\x01\x80", "is no text file"),
        (b"prepare: \x00", "is not valid YAML"),
        ("synthesis: {count: 0}", "synthesis.count is 0; it has to be at least 1"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(read, text, reason):
    with pytest.raises(StimjaxError) as error:
        read(text)
    assert "job.yaml: " in str(error.value)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_and_folders_are_named(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(StimjaxError, match="cannot be read"):
            settings.load(path)


def test_a_recipe_goes_over_the_lines_of_its_method(read):
    job = read("synthesis: {method: paper, recipe: {tries: 7, terms: {features: 2}}}")
    expected = dataclasses.replace(
        RECIPES["paper"], tries=7, terms=Terms(cross_entropy=1.0, features=2.0)
    )
    assert job.synthesis.recipe == expected
    assert read("synthesis: {recipe: null}").synthesis.recipe is None


@pytest.mark.parametrize(
    ("section", "name"),
    [
        (config.Prepare(rate=-1.0), "rate"),
        (config.Prepare(before=-1.0), "before"),
        (config.Prepare(max_missing=1.5), "max_missing"),
        (config.Prepare(validation=0.5, test=0.5), "validation"),
        (config.Fit(steps=0), "steps"),
        (config.Fit(rate=0.0), "rate"),
        (config.Fit(noise=math.nan), "noise"),
        (config.Teacher(candidates=0), "candidates"),
        (config.Teacher(fit=config.Fit(batch=-4)), "fit.batch"),
        (config.Teacher(seed=2**31), "seed"),
        (config.Prepare(folds=0), "folds"),
        (config.Prepare(folds=2, validation=0.5), "validation"),
        (config.Teacher(networks=()), "networks"),
        (config.Teacher(fit=config.Fit(radius=-1.0)), "fit.radius"),
        (config.Teacher(radii=(0.0, -1.0)), "radii"),
        (config.Synthesis(recipe=Recipe(lowest=0.9, highest=0.8)), "recipe.lowest"),
        (config.Synthesis(recipe=Recipe(highest=1.0)), "recipe.highest"),
        (config.Synthesis(recipe=Recipe(lowest=0.0)), "recipe.lowest"),
        (config.Synthesis(recipe=Recipe(rate=math.inf)), "recipe.rate"),
        (config.Synthesis(recipe=Recipe(terms=Terms(features=-1.0))), "recipe.terms.features"),
        (config.Study(seeds=0), "seeds"),
        (config.Simulation(hours=0.0), "hours"),
        (config.Simulation(seed=-1), "seed"),
        (config.Job(study=config.Study(fit=config.Fit(every=0))), "study.fit.every"),
    ],
)
def test_values_out_of_range_are_named(section, name):
    with pytest.raises(StimjaxError, match=f"^--{name} is|^--{name} and"):
        settings.check(section, "--")


def test_defaults_are_in_range():
    settings.check(config.Job())


def test_seed_reaches_every_section():
    job = settings.seeded(config.Job(), 7)
    seeds = [job.prepare.seed, job.teacher.seed, job.synthesis.seed, job.study.seed]
    assert [*seeds, job.simulation.seed] == [7] * 5
    assert dataclasses.replace(job.teacher, seed=0) == config.Teacher()
    assert settings.seeded(job, None) is job


def test_imports_no_jax():
    code = "import sys, stimjax.config.settings; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent).returncode == 0


def test_the_given_defaults_hold_where_the_file_says_nothing(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text("teacher: {fit: {batch: 3}}")
    job = settings.load(path, config.DEMO)
    assert job.teacher.fit == dataclasses.replace(config.DEMO.teacher.fit, batch=3)
    assert job.synthesis == config.DEMO.synthesis


def test_a_file_of_the_version_before_is_read_but_for_what_is_gone(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("teacher: {confusion: 0.0, candidates: 3}\nsynthesis: {recipe: null}\n")
    assert settings.load(path).teacher == config.Teacher(candidates=3)
    path.write_text("teacher: {confusion: 1.0}\n")
    with pytest.raises(StimjaxError, match=r"there is no setting teacher\.confusion"):
        settings.load(path)


@pytest.mark.parametrize(
    ("teacher", "reason"),
    [
        (config.Teacher(prior=config.Prior(part=1.0)), "prior.part is 1.0; it has to be from 0"),
        (config.Teacher(prior=config.Prior(sleepers=0)), "prior.sleepers is 0"),
        (config.Teacher(prior=config.Prior(hours=0.01)), "prior.hours is 0.01"),
        (
            config.Teacher(prior=config.Prior(part=0.2), dp=config.Dp(epsilon=1.0)),
            "prior.part: with dp.epsilon",
        ),
    ],
    ids=["part", "sleepers", "hours", "epsilon"],
)
def test_a_prior_that_would_not_do_what_it_says_is_refused(teacher, reason):
    with pytest.raises(StimjaxError) as error:
        settings.check(teacher)
    assert reason in str(error.value) and "\n" not in str(error.value)


def test_a_private_teacher_may_know_the_prior_first():
    settings.check(config.Teacher(prior=config.Prior(first=5), dp=config.Dp(epsilon=1.0)))
