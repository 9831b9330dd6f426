"""Every name that a job says is checked at the door: in every command, file and grid."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import typing
from collections.abc import Mapping
from pathlib import Path

import pytest

from stimjax import config, models
from stimjax.command import options
from stimjax.command.main import VERBS
from stimjax.config import names, settings
from stimjax.config.recipes import Recipe, Terms
from stimjax.data.scoring import vocabulary
from stimjax.errors import StimjaxError
from stimjax.excite import methods, terms
from stimjax.excite.sources import SOURCES
from stimjax.privacy import attacks
from stimjax.students import baselines, classical

FREE = {"channels", "subjects", "test_subjects", "public", "license"}  # texts that a user makes up

# Setting, what is written, what is meant.
MISSPELT = [
    ("teacher.networks", "restnet", "resnet"),
    ("teacher.critic", "cnnn", "cnn"),
    ("teacher.dp.networks", "transfomer", "transformer"),
    ("synthesis.method", "mixtrue", "mixture"),
    ("study.students", "random_forst", "random_forest"),
    ("study.baselines", "noize", "noise"),
    ("audit.attacks", "neerest", "nearest"),
]
NO_LISTS = {"teacher.critic", "synthesis.method", "synthesis.recipe.generator"}
WHOLE = config.Job(synthesis=config.Synthesis(recipe=Recipe()))
NEEDED = {
    "demo": [],
    "run": ["--data", "d", "--out", "o"],
    "train": ["w", "--out", "o"],
    "synthesize": ["t", "--out", "o"],
    "study": ["r", "--train", "w", "--test", "w", "--out", "o"],
    "audit": ["r", "--train", "w", "--holdout", "w", "--out", "o"],
}
OF_ONE = {"train": "teacher.", "synthesize": "synthesis.", "study": "study.", "audit": "audit."}


def nested(setting: str, value: str) -> str:
    """A line of YAML that gives a setting a name."""
    *sections, last = setting.split(".")
    said = f"{last}: {value if setting in NO_LISTS else f'[{value}]'}"
    for section in reversed(sections):
        said = f"{section}: {{{said}}}"
    return said


def refused(verb: str, *words: str) -> str:
    with pytest.raises(StimjaxError) as error:
        options.parse(VERBS[verb], [*NEEDED[verb], *words], f"stimjax {verb}")
    assert "\n" not in str(error.value)
    return str(error.value)


COMMANDS = [
    (verb, setting, written, meant)
    for setting, written, meant in MISSPELT
    for verb in NEEDED
    if setting.startswith(OF_ONE.get(verb, ""))
]


@pytest.mark.parametrize(("verb", "setting", "written", "meant"), COMMANDS)
def test_a_misspelt_name_on_the_command_line(verb, setting, written, meant):
    option = f"--{setting.removeprefix(OF_ONE.get(verb, ''))}"
    line = refused(verb, option, written)
    assert line.startswith(f"{option}: there is no ")
    assert f"{written!r}; did you mean {meant}? (choose from " in line


@pytest.mark.parametrize("verb", NEEDED)
@pytest.mark.parametrize(
    ("setting", "written", "meant"),
    [*MISSPELT, ("synthesis.recipe.generator", "densee", "dense")],
)
def test_a_misspelt_name_in_a_file(tmp_path, verb, setting, written, meant):
    path = tmp_path / "job.yaml"
    path.write_text(nested(setting, written))
    line = refused(verb, "--config", str(path))  # of whatever section: nobody means a wrong name
    assert line.startswith(f"{path}: {setting}: there is no ")
    assert f"{written!r}; did you mean {meant}?" in line


def test_a_name_that_is_near_none_still_lists_them():
    with pytest.raises(StimjaxError, match=r"^there: critic: there is no network 'oracle'; choose"):
        names.check(config.Teacher(critic="oracle"), "there: ")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("hypopnoea", "hypopnea"), ("n2", "N2"), ("Central apnea", "central apnea")],
)
@pytest.mark.parametrize("verb", ["demo", "run"])
def test_a_misspelt_kind_of_event(tmp_path, verb, written, meant):
    path = tmp_path / "job.yaml"
    path.write_text(f'prepare: {{events: {{"my word": wake, other: {written}}}}}')
    line = refused(verb, "--config", str(path))
    assert line.startswith(
        f"{path}: prepare.events['other']: there is no kind of event {written!r}"
    )
    assert f"; did you mean {meant}? (choose from apnea, " in line


def test_no_critic_is_a_name():
    names.check(config.Job(teacher=config.Teacher(critic="none")))
    names.check(config.DEMO)


LITERALS = [
    (config.Prepare, "split"),
    (config.Dp, "unit"),
    (config.Study, "labels"),
    (config.Synthesis, "inhibit_by"),
    *((Recipe, name) for name in ("source", "parametrization", "optimizer", "targets", "view")),
]


@pytest.mark.parametrize(("section", "setting"), LITERALS)
def test_python_checks_no_literal_so_that_we_do(section, setting):
    known = names.literal(typing.get_type_hints(section)[setting])
    default = section()
    for name in known:
        value = (name,) if setting == "inhibit_by" else name
        object.__setattr__(default, setting, value)
        names.check(default)
    typo = f"{known[0]}{known[0][-1]}"
    object.__setattr__(default, setting, (typo,) if setting == "inhibit_by" else typo)
    with pytest.raises(StimjaxError) as error:
        names.check(default, "--")
    wanted = f"--{setting} has to be {' or '.join(known)}, not {typo!r}; did you mean {known[0]}?"
    assert str(error.value) == wanted


def test_a_literal_in_a_file_has_a_nearest_name_too(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text("synthesis: {recipe: {source: mixtur}}")
    with pytest.raises(StimjaxError, match="not 'mixtur'; did you mean mixture"):
        settings.load(path)


@pytest.mark.parametrize(
    "section", list(dict.fromkeys(type(s) for _, s in settings._sections(WHOLE, "")))
)
def test_every_text_is_a_name_or_free(section):
    """A new setting that is a name has to be put into `names.NAMED`."""
    for name, hint in typing.get_type_hints(section).items():
        if hint in (str, tuple[str, ...], Mapping[str, str]) and name not in FREE:
            assert name in names.NAMED[section.__name__], f"{section.__name__}.{name}: no names"
    for name in names.NAMED.get(section.__name__, ()):
        assert name in {field.name for field in dataclasses.fields(section)}


def literals(setting: str) -> tuple[str, ...]:
    return names.literal(typing.get_type_hints(Recipe)[setting])


def attack_names() -> set[str]:
    modules = pkgutil.iter_modules(attacks.__path__, f"{attacks.__name__}.")
    found = (importlib.import_module(module.name) for module in modules)
    return {getattr(module, "NAME", module.__name__.rpartition(".")[2]) for module in found}


@pytest.mark.parametrize(
    ("registry", "known"),
    [
        pytest.param(models.CLASSIFIERS, names.NETWORKS, id="networks"),
        pytest.param(vocabulary.NAMES, names.EVENTS, id="kinds of events"),
        pytest.param(models.GENERATORS, names.GENERATORS, id="generators"),
        pytest.param(classical.CLASSICAL, names.CLASSICAL, id="classical students"),
        pytest.param(baselines.BASELINES, names.BASELINES, id="baselines"),
        pytest.param(attack_names(), names.ATTACKS, id="attacks"),
        pytest.param(SOURCES, literals("source"), id="Recipe.source"),
        pytest.param(methods.OPTIMIZERS, literals("optimizer"), id="Recipe.optimizer"),
        pytest.param(terms.TERMS, [f.name for f in dataclasses.fields(Terms)], id="Terms"),
    ],
)
def test_what_there_is_and_what_may_be_named_are_the_same(registry, known):
    lacking, empty = set(registry) - set(known), set(known) - set(registry)
    assert not lacking, f"add {sorted(lacking)} to stimjax/config, or no setting can name it"
    assert not empty, f"{sorted(empty)} can be named in stimjax/config, but nothing is so called"


LISTED = [
    (config.Teacher, "networks", names.NETWORKS),
    (config.Synthesis, "method", names.METHODS),
    (config.Study, "students", names.STUDENTS),
    (config.Study, "baselines", names.BASELINES),
    (config.Audit, "attacks", names.ATTACKS),
    (Recipe, "source", literals("source")),
    (Recipe, "generator", names.GENERATORS),
]


@pytest.mark.parametrize(("section", "setting", "known"), LISTED)
def test_the_help_lists_every_name(section, setting, known):
    """`--help` shows what the docstring says of a setting, and that is a list by hand."""
    attributes = (inspect.getdoc(section) or "").partition("Attributes:")[2]
    said = re.search(rf"^    {setting}: (.*?)(?=^    \w+: |\Z)", attributes, re.M | re.S)
    assert said is not None
    assert set(known) <= set(re.findall(r"\w+", said[1])), f"{section.__name__}.{setting}"


def test_imports_no_jax():
    code = "import sys, stimjax.config.names; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent).returncode == 0
