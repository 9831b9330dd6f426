"""Configuration files: YAML to and from the frozen dataclasses of `stimjax.config`.

A file has the sections of `config.Job`; what it does not name keeps its default. Nothing passes
in silence: an unknown key or name, a wrong type or a value out of range is one line with its
place.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import yaml

from stimjax import config
from stimjax.config import names
from stimjax.config.recipes import RECIPES, Recipe, Terms
from stimjax.errors import StimjaxError

T = TypeVar("T")

HEADING = "# Settings of stimjax; --config reads them."

DEFAULT = config.Job()

# YAML 1.1 takes 1e-3 for text: it wants a point in a number with an exponent.
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")

# Settings that are gone, by their dotted names, and the values with which they said nothing. Every
# file of the version before names them.
RETIRED = {
    "teacher.confusion": 0.0,
    "synthesis.recipe.teachers": "together",
    "synthesis.recipe.terms.logit": 0.0,
    "synthesis.recipe.terms.smoothness": 0.0,
    "synthesis.recipe.terms.diversity": 0.0,
    "synthesis.recipe.linear": False,
}
# Settings that came later, and what releases and teachers mean whose files do not name them.
LATER: Mapping[str, Any] = {
    "synthesis.recipe.random": 0.0,
    "synthesis.recipe.hard": False,
    "teacher.dp.numbers": "all",
}
LARGEST_SEED = 2**31 - 1  # as a key of jax without 64-bit numbers
LARGEST_SECRET = 2**128 - 1  # of what a release is drawn with, see `excite/secret.py`

Range = tuple[Callable[[int | float], bool], str]
_COUNT: Range = (lambda v: v >= 1, "at least 1")
_POSITIVE: Range = (lambda v: v > 0, "a number above 0")
_SHARE: Range = (lambda v: 0 <= v <= 1, "from 0 to 1")
_INSIDE: Range = (lambda v: 0 < v < 1, "above 0 and below 1")
_PART: Range = (lambda v: 0 <= v < 1, "from 0 to below 1")
_NIGHT: Range = (lambda v: 0.1 <= v <= 24, "from 0.1 to 24")
_SEED: Range = (lambda v: 0 <= v <= LARGEST_SEED, f"from 0 to {LARGEST_SEED}")
_SECRET: Range = (lambda v: 0 <= v <= LARGEST_SECRET, "from 0 to 2^128 - 1")
_OTHER: Range = (lambda v: v >= 0, "a number of at least 0")

_RANGES: Mapping[str, Mapping[str, Range]] = {
    "Prepare": {"max_missing": _SHARE, "validation": _SHARE, "test": _SHARE, "folds": _COUNT},
    "Fit": dict.fromkeys(("steps", "batch", "every", "patience"), _COUNT) | {"rate": _POSITIVE},
    "Teacher": {"candidates": _COUNT},
    "Prior": {"part": _PART, "sleepers": _COUNT, "hours": _NIGHT, "cohort": _SEED},
    "Dp": dict.fromkeys(("steps", "batch", "windows"), _COUNT)
    | {"clip": _POSITIVE, "rate": _POSITIVE, "delta": _INSIDE, "prior": _SHARE},
    "Synthesis": {"count": _COUNT, "inhibit": _SHARE, "seed": _SECRET},
    "Recipe": dict.fromkeys(("latent", "rounds", "lanes"), _COUNT)
    | {"rate": _POSITIVE, "lowest": _INSIDE, "highest": _INSIDE}
    | {"unexcited": _SHARE, "views": _SHARE, "random": _SHARE},
    "Study": {"seeds": _COUNT},
    "Audit": {"shadows": (lambda v: v >= 2 and v % 2 == 0, "an even number"), "copied": _INSIDE},
    "Tradeoff": {"strengths": _SHARE},
    "Simulation": {"subjects": _COUNT, "hours": _POSITIVE},
}


def load(path: Path | None, default: config.Job = DEFAULT) -> config.Job:
    """The settings of a YAML file.

    Args:
        path: the file; None gives `default`.
        default: what holds where the file says nothing.

    Raises:
        StimjaxError: the file is missing, no valid YAML, or says what no setting can be.
    """
    return default if path is None else over(default, read(path), str(path))


def read(path: Path) -> Any:
    """What a YAML file holds; an empty one an empty mapping.

    Raises:
        StimjaxError: the file is missing, no text or no valid YAML, or a key stands twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StimjaxError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise StimjaxError(f"{path}: is no text file; name a YAML file") from error
    try:
        content = yaml.load(text, _UniqueKeys)
    except yaml.YAMLError as error:
        raise StimjaxError(f"{path}: is not valid YAML ({' '.join(str(error).split())})") from error
    return {} if content is None else content


def over(default: config.Job, content: Any, where: str) -> config.Job:
    """`default` with the sections of `content`; `where` names their place in messages.

    Raises:
        StimjaxError: `content` says what no setting can be.
    """
    job = _section(default, without_retired(content), where, "")
    check(job, f"{where}: ")
    return job


def without_retired(content: Any, prefix: str = "") -> Any:
    """`content` of a file without the settings that are gone and said nothing.

    Args:
        content: what YAML or JSON gave.
        prefix: the dotted place of `content` in a job, with a point at its end.
    """
    if not isinstance(content, Mapping):
        return content
    return {
        key: without_retired(value, f"{prefix}{key}.")
        for key, value in content.items()
        if f"{prefix}{key}" not in RETIRED or RETIRED[f"{prefix}{key}"] != value
    }


def with_later(content: Any, prefix: str) -> Any:
    """`content` of a file with the settings that its version did not know, see `LATER`.

    Args:
        content: what JSON gave.
        prefix: the dotted place of `content` in a job, with a point at its end.
    """
    if not isinstance(content, Mapping):
        return content
    inside = {name.removeprefix(prefix): v for name, v in LATER.items() if name.startswith(prefix)}
    missing = {name: value for name, value in inside.items() if "." not in name}
    known = {key: with_later(value, f"{prefix}{key}.") for key, value in content.items()}
    return missing | known


def dump(*settings: Any) -> str:
    """YAML that `load` reads back exactly.

    Args:
        settings: a `config.Job`, or sections of one (each goes under its name in `Job`).
    """
    places = {type(getattr(DEFAULT, f.name)): f.name for f in dataclasses.fields(config.Job)}
    content: dict[str, Any] = {}
    for part in settings:
        tree = _plain(dataclasses.asdict(part))
        content.update(tree if isinstance(part, config.Job) else {places[type(part)]: tree})
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    if yaml.safe_load(text) != content:
        text = yaml.safe_dump(content, sort_keys=False)  # rare line breaks survive as escapes only
    return f"{HEADING}\n{text}"


def save(folder: Path, *settings: Any) -> None:
    """Write the settings that were used as `folder/config.yaml`, for `--config`."""
    (folder / "config.yaml").write_text(dump(*settings), encoding="utf-8")


def check(settings: Any, where: str = "") -> None:
    """Refuse values that no setting can have.

    Args:
        settings: a `config.Job` or one of its sections.
        where: goes in front of the message.

    Raises:
        StimjaxError: a name is unknown (`names.check`), or a number is NaN, infinite, negative or
            out of its range; the line names it as its option is called in a configuration file.
    """
    names.check(settings, where)
    for name, value, (fits, words) in _numbers(settings):
        if not math.isfinite(value) or not fits(value):
            raise StimjaxError(f"{where}{name} is {value}; it has to be {words}")
    for name, section in _sections(settings, ""):
        if isinstance(section, Recipe) and section.lowest > section.highest:
            raise StimjaxError(
                f"{where}{name}lowest is {section.lowest:g}, {name}highest is "
                f"{section.highest:g}; lowest may not be above highest"
            )
        if isinstance(section, Recipe) and section.tries and section.terms == Terms():
            raise StimjaxError(
                f"{where}{name}tries is {section.tries}, but no term has a weight; give one a "
                f"weight in {name}terms, or set {name}tries to 0"
            )
        if isinstance(section, config.Prepare) and section.validation + section.tested >= 1:
            raise StimjaxError(
                f"{where}{name}validation and {name}test are {section.validation:g} and "
                f"{section.tested:g}; they have to leave some of the windows to train on"
            )
        if isinstance(section, config.Teacher | config.Dp) and not section.networks:
            raise StimjaxError(f"{where}{name}networks is empty; name at least one")
        if isinstance(section, config.Teacher) and section.dp.epsilon:
            _check_private(section, f"{where}{name}")


def _check_private(teacher: config.Teacher, where: str) -> None:
    """Refuse what a teacher with an epsilon would silently not do."""
    if teacher.radii:
        raise StimjaxError(
            f"{where}radii: with {where}dp.epsilon nothing is chosen on private windows; leave it "
            "out"
        )
    if teacher.networks != config.Teacher().networks:
        raise StimjaxError(
            f"{where}networks: with {where}dp.epsilon name the networks in {where}dp.networks"
        )
    if teacher.dp.numbers == "few" and not teacher.prior.first:
        raise StimjaxError(
            f"{where}dp.numbers few: a network of random weights learns nothing by few numbers; "
            f"let it know simulated sleepers first, with {where}prior.first 1000"
        )
    if teacher.prior.part not in (0.0, config.Prior().part):
        raise StimjaxError(
            f"{where}prior.part: with {where}dp.epsilon the teacher learns from private windows "
            "alone; leave it out"
        )
    if teacher.dp.prior == 1:
        raise StimjaxError(f"{where}dp.prior is 1; it has to leave some of epsilon to the networks")


def seeded(settings: T, seed: int | None) -> T:
    """The same settings with `seed` in every section that has one; None changes nothing."""
    if seed is None:
        return settings
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(settings):  # pyright: ignore[reportArgumentType]
        value = getattr(settings, field.name)
        if field.name == "seed":
            changes["seed"] = seed
        elif dataclasses.is_dataclass(value):
            changes[field.name] = seeded(value, seed)
    return dataclasses.replace(settings, **changes)  # pyright: ignore[reportArgumentType, reportReturnType]


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice, of which PyYAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _section(default: T, content: Any, where: str, prefix: str) -> T:
    """The dataclass `default` with what a mapping says; `prefix` is its dotted place."""
    if not isinstance(content, Mapping):
        place = prefix.rstrip(".") or "the file"
        raise StimjaxError(f"{where}: {place} has to be `name: value` lines, not {_shown(content)}")
    hints = typing.get_type_hints(type(default))
    for key in content:
        if key not in hints:
            near = names.nearest(f"{prefix}{key}", _keys(config.Job))
            raise StimjaxError(f"{where}: there is no setting {prefix}{key}{near}")
    values = {}
    for key, value in content.items():
        old = getattr(default, key)
        if hints[key] == Recipe | None:  # what is said goes over the method's own lines
            method = content.get("method", getattr(default, "method", ""))
            old = None if value is None else old or RECIPES.get(str(method), Recipe())
        values[key] = (
            _section(old, value, where, f"{prefix}{key}.")
            if dataclasses.is_dataclass(old)
            else _value(hints[key], value, where, f"{prefix}{key}")
        )
    return dataclasses.replace(default, **values)  # pyright: ignore[reportArgumentType, reportReturnType]


def _value(hint: Any, value: Any, where: str, name: str) -> Any:
    """`value` as YAML gave it, as the type `hint`."""
    if get_origin(hint) in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None
        (hint,) = (kind for kind in get_args(hint) if kind is not type(None))
    if get_origin(hint) is tuple and isinstance(value, list):
        (item, _) = get_args(hint)
        return tuple(_value(item, v, where, f"{name}[{i}]") for i, v in enumerate(value))
    if get_origin(hint) is Mapping and isinstance(value, Mapping):
        (key, item) = get_args(hint)
        return {
            _value(key, k, where, f"the name {k!r} in {name}"): _value(
                item, v, where, f"{name}[{k!r}]"
            )
            for k, v in value.items()
        }
    if get_origin(hint) is Literal and value in get_args(hint) and not isinstance(value, bool):
        return value
    if hint is float:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif hint in (bool, int, str) and type(value) is hint:
        return value
    near = names.nearest(str(value), names.literal(hint))
    raise StimjaxError(f"{where}: {name} has to be {_wanted(hint)}, not {_shown(value)}{near}")


def _wanted(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(map(str, get_args(hint)))
    words = {float: "a number", int: "a whole number", bool: "true or false"}
    if get_origin(hint) is tuple:
        return "a list ([a, b])"
    if get_origin(hint) is Mapping:
        return "`text: kind` lines"
    return words.get(hint, "text (in quotes if it looks like a number)")


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:60]}..."


def _keys(kind: Any, prefix: str = "") -> list[str]:
    """Every dotted key that a file may have."""
    keys = []
    for name, hint in typing.get_type_hints(kind).items():
        keys.append(f"{prefix}{name}")
        hint = Recipe if hint == Recipe | None else hint
        if dataclasses.is_dataclass(hint):
            keys += _keys(hint, f"{prefix}{name}.")
    return keys


def _plain(value: Any) -> Any:
    """Tuples as lists: YAML's safe part has no tuples."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _sections(settings: Any, prefix: str) -> list[tuple[str, Any]]:
    """`settings` and the dataclasses in it, each with its dotted place."""
    sections = [(prefix, settings)]
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            sections += _sections(value, f"{prefix}{field.name}.")
    return sections


def _numbers(settings: Any) -> list[tuple[str, int | float, Range]]:
    """Dotted name, value and range of every number in `settings`."""
    numbers = []
    for prefix, section in _sections(settings, ""):
        ranges = _RANGES.get(type(section).__name__, {})
        for field in dataclasses.fields(section):
            held = getattr(section, field.name)
            default = _SEED if field.name == "seed" else _OTHER
            for value in held if isinstance(held, tuple) else (held,):
                if isinstance(value, int | float) and not isinstance(value, bool):
                    numbers.append(
                        (f"{prefix}{field.name}", value, ranges.get(field.name, default))
                    )
    return numbers
