"""From the words of a command line to a verb: a frozen dataclass with a `run` method.

tyro makes the options of the dataclass's fields. A configuration file (`--config`) gives the
defaults of the verb's sections, and the options go over it. What is wrong is said in one line.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from stimjax import config
from stimjax.config import names, settings
from stimjax.errors import StimjaxError

Verb = TypeVar("Verb")

# The options of a section so marked have no prefix: --split, not --prepare.split.
FLAT = tyro.conf.arg(name="")

Paths = tyro.conf.Positional[tuple[Path, ...]]
Config = Annotated[
    Path | None,
    tyro.conf.arg(
        metavar="FILE.yaml",
        help="settings in YAML, such as the config.yaml of an earlier result; options go over it.",
        help_behavior_hint="",
    ),
]
Seed = Annotated[
    int | None,
    tyro.conf.arg(
        help="the same seed gives the same result; sets the seed of every section. Leave it out "
        "for stimuli that are to be published: whoever guesses it can subtract their noise.",
        help_behavior_hint="(default: 0, or the file's; of stimuli, the operating system's)",
    ),
]
Thorough = Annotated[
    bool,
    tyro.conf.FlagCreatePairsOff,
    tyro.conf.arg(
        help="train every kind of student, on every baseline too, from five seeds: what the "
        "published tables do, and takes many times as long.",
        help_behavior_hint="",
    ),
]
Overwrite = Annotated[
    bool,
    tyro.conf.FlagCreatePairsOff,
    tyro.conf.arg(help="replace what stimjax wrote to this folder earlier.", help_behavior_hint=""),
]

MARKERS = (tyro.conf.DisallowNone, tyro.conf.PositionalMetavarFromFieldName)


def parse(verb: type[Verb], args: Sequence[str], prog: str) -> Verb:
    """The verb that `args` describe, its settings checked and seeded.

    Args:
        verb: a frozen dataclass; its fields that are sections of `config.Job` are settings.
        args: what stands behind the verb's name.
        prog: the verb's name with the program's in front, for the help.

    Raises:
        StimjaxError: an option is unknown, missing or has a wrong value, or the file is wrong.
        SystemExit: the help was asked for and printed.
    """
    kind = _with_defaults(verb, _config_file(args), thorough="--thorough" in args)
    shown, said = io.StringIO(), io.StringIO()
    plain = bool(os.environ.get("NO_COLOR"))  # tyro does not ask, but what is no terminal gets none
    try:
        with (
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(shown) if plain else contextlib.nullcontext(),
        ):
            parsed = tyro.cli(kind, prog=prog, args=list(args), config=MARKERS)
    except SystemExit as end:
        if not end.code:
            print(shown.getvalue(), end="")
            raise
        raise StimjaxError(_unknown(kind, args) or _one_line(said.getvalue())) from None
    _refuse_two_methods(kind, parsed)
    return _seeded(parsed)


def _refuse_two_methods(kind: type, parsed: Any) -> None:
    """A file's recipe is of the file's method, and says nothing of another."""
    before, now = getattr(kind, "synthesis", None), getattr(parsed, "synthesis", None)
    if before and now and before.recipe and before.method != now.method:
        raise StimjaxError(
            f"--method {now.method}: the configuration file has a recipe for {before.method}; "
            "leave synthesis.recipe out of it"
        )


def sections(verb: Any) -> dict[str, Any]:
    """The settings among a verb's fields, by the name of the field."""
    return {
        field.name: getattr(verb, field.name)
        for field in dataclasses.fields(verb)
        if type(getattr(verb, field.name)) in _sections()
    }


def _sections() -> dict[type, str]:
    """The names of `config.Job`'s sections by their type."""
    return {hint: name for name, hint in typing.get_type_hints(config.Job).items()}


def _config_file(args: Sequence[str]) -> Path | None:
    file = None
    for i, word in enumerate(args):
        if word == "--config" and i + 1 < len(args):
            file = args[i + 1]
        elif word.startswith("--config="):
            file = word.partition("=")[2]
    return None if file is None else Path(file)


def _with_defaults(verb: type[Verb], file: Path | None, *, thorough: bool) -> type[Verb]:
    """The same dataclass, with the file's settings as the defaults of its sections.

    The file goes over what `thorough` asks for.
    """
    named = _sections()
    own = {
        field.name: named[type(field.default)]
        for field in dataclasses.fields(verb)  # pyright: ignore[reportArgumentType]
        if type(field.default) in named
    }
    base = config.Job(**{section: getattr(verb, name) for name, section in own.items()})
    if thorough and hasattr(verb, "thorough"):
        base = dataclasses.replace(base, study=config.THOROUGH)
    job = settings.load(file, base)
    hints = typing.get_type_hints(verb, include_extras=True)
    fields = [(name, hints[name], getattr(job, section)) for name, section in own.items()]
    return dataclasses.make_dataclass(
        verb.__name__, fields, bases=(verb,), frozen=True, namespace={"__doc__": verb.__doc__}
    )


def _seeded(verb: Verb) -> Verb:
    """Set all seeds to `verb.seed`, if it has one, and check every section."""
    seed = getattr(verb, "seed", None)
    hints = typing.get_type_hints(type(verb), include_extras=True)
    changes = {}
    for name, section in sections(verb).items():
        changes[name] = settings.seeded(section, seed)
        flat = FLAT in getattr(hints[name], "__metadata__", ())
        settings.check(changes[name], "--" if flat else f"--{name}.")
    return dataclasses.replace(verb, **changes)  # pyright: ignore[reportArgumentType, reportReturnType]


def _unknown(kind: type, args: Sequence[str]) -> str:
    """The line for the first word that looks like an option and is none; else nothing."""
    options = [*_names(kind), "--help", "-h"]
    for word in args:
        if word == "--":
            break
        name = word.partition("=")[0].replace("_", "-")
        if re.match(r"--?[a-zA-Z]", name) and name not in options:
            return f"there is no option {name}{names.nearest(name, options)}"
    return ""


def _names(kind: type, prefix: str = "--") -> list[str]:
    """The options that tyro makes of a dataclass."""
    options = []
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        bare, marks = (typing.get_args(hint) or (hint,))[0], getattr(hint, "__metadata__", ())
        option = f"{prefix}{name}".replace("_", "-")
        if dataclasses.is_dataclass(bare if marks else hint):
            section = bare if marks else hint
            options += _names(section, prefix if FLAT in marks else f"{option}.")
        elif tyro.conf.Positional not in marks and tyro.conf.Suppress not in marks:
            options.append(option)
            if hint is bool:
                options.append(f"{prefix}no-{name}".replace("_", "-"))
    return options


def _one_line(box: str) -> str:
    """What tyro says in a box, without the box, its title and the help behind the reason."""
    lines = [line.strip(" │|─╭╮╰╯") for line in box.splitlines()[1:]]
    lines = ["" if set(line) <= {"-"} else line for line in lines]
    reason = []
    for line in lines:
        if not line and reason:
            break
        reason.append(line)
    text = " ".join(" ".join(reason).split())
    if missing := re.match(r"Missing from .*?: (--[\w.-]+|[A-Z-]+)", text):
        return f"{missing[1]} is missing"
    return text or "the command line is wrong"
