"""What all documents share: strict reading, one line for what is wrong, a schema number."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import dacite

from stimjax.disk.store import read_json, write_json
from stimjax.errors import StimjaxError

T = TypeVar("T")
D = TypeVar("D", bound="Document")

# What a mapping has to become before a class is built from it, by class.
Hooks = Mapping[Any, Callable[[Any], Any]]
LONGEST = 300  # characters of a reason: it may quote a value


def typed(kind: type[T], content: Any, wrong: str, hooks: Hooks | None = None) -> T:
    """A dataclass from a JSON object that has its fields and no others.

    Args:
        kind: the dataclass.
        content: the JSON object, or whatever a file holds in its place.
        wrong: begins the error: the file, and what is wrong with it.
        hooks: changes to parts of `content`, by the class that is built from them.

    Raises:
        StimjaxError: a field is missing, unknown or of the wrong kind.
    """
    if not isinstance(content, Mapping):
        raise StimjaxError(f"{wrong} (no JSON object)")
    strict = dacite.Config(strict=True, type_hooks={float: _real, **(hooks or {})})
    try:
        return dacite.from_dict(kind, _tuples(content), strict)  # pyright: ignore
    except dacite.DaciteError as error:
        raise StimjaxError(f"{wrong} ({' '.join(str(error).split())[:LONGEST]})") from error


class Document:
    """A JSON file. A subclass is a frozen dataclass of the file's keys, in their order.

    Attributes:
        FILE: its name in a folder.
        SCHEMA: the number of its form; another one is not read.
        HOOKS: see `typed`.
    """

    FILE: ClassVar[str]
    SCHEMA: ClassVar[int]
    HOOKS: ClassVar[Hooks] = {}

    def to_json(self) -> dict[str, Any]:
        """This document as a JSON object; `from_json` reads it back."""
        return {"schema": self.SCHEMA, **plain(self)}

    @classmethod
    def from_json(cls: type[D], content: Any, where: str) -> D:
        """Read a document.

        Args:
            content: what `to_json` gave, or whatever a file holds in its place.
            where: named in the error.

        Raises:
            StimjaxError: the schema is another, or a key is missing, unknown or of the wrong kind.
        """
        refuse_schema(content, cls.SCHEMA, where)
        given = {key: value for key, value in content.items() if key != "schema"}
        document = typed(cls, given, f"{where}: is damaged", cls.HOOKS)
        refuse_missing(document.to_json(), content, where)
        document.refuse(where)
        return document

    def refuse(self, where: str) -> None:
        """Raise StimjaxError for values that the types allow and the file cannot have."""

    def save(self, folder: Path) -> None:
        """Write the file into `folder`."""
        write_json(folder / self.FILE, self.to_json())

    @classmethod
    def load(cls: type[D], folder: Path) -> D:
        """Read the file in `folder`.

        Raises:
            StimjaxError: it is missing, damaged, or of another schema.
        """
        path = folder / cls.FILE
        return cls.from_json(read_json(path), str(path))


def refuse_schema(content: Any, schema: int, where: str) -> None:
    """Raise StimjaxError unless `content` is a JSON object of this schema."""
    if not isinstance(content, Mapping):
        raise StimjaxError(f"{where}: holds no JSON object")
    if content.get("schema") != schema:
        raise StimjaxError(
            f"{where}: has schema {json.dumps(content.get('schema'))}; this version reads {schema}"
        )


def refuse_missing(written: Any, content: Any, where: str, inside: str = "") -> None:
    """Raise StimjaxError for a key that a document writes and its file lacks.

    The dataclasses of settings have a default for each field, so that `typed` misses none there.
    """
    if isinstance(written, Mapping):
        for key, value in written.items():
            if key not in content:
                raise StimjaxError(f'{where}: is damaged (missing value for "{inside}{key}")')
            refuse_missing(value, content[key], where, f"{inside}{key}.")
    elif isinstance(written, list):
        for number, (value, other) in enumerate(zip(written, content, strict=True)):
            refuse_missing(value, other, where, f"{inside}{number}.")


def plain(value: Any) -> Any:
    """A value as JSON has it: an object for a dataclass, a list for a tuple.

    A dataclass with a `to_json` of its own decides for itself, unless it is the whole document.
    """
    if dataclasses.is_dataclass(value):
        return {f.name: _inner(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return _inner(value)


def _inner(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if dataclasses.is_dataclass(value):
        return plain(value)
    if isinstance(value, Mapping):
        return {key: _inner(inner) for key, inner in value.items()}
    return [_inner(inner) for inner in value] if isinstance(value, list | tuple) else value


def _tuples(value: Any) -> Any:
    """JSON's lists as tuples, at every depth."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return value


def _real(value: Any) -> Any:
    return float(value) if type(value) is int else value  # 4 is as good as 4.0
