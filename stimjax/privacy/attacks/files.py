"""Byte search: do the published files name a person, a recording or a date?

Our own check; what counts as identifying follows the Safe Harbor list of HIPAA (45 CFR 164.514(b),
names, dates, record numbers) as far as headers of EDF (Kemp et al. 1992, 2003) and WFDB files hold
it; each reader of `stimjax.data` says what its format tells. `secrets_of` gathers the secrets from
recordings, `search` looks for them in every byte and name of the published files: as they are and
in upper, lower or title case, in UTF-8, Latin-1 and UTF-16, escaped as in JSON and HTML, and all of
this also within base64, of which a report's figures are. What is compressed is not opened.

Some strings cannot tell a person from chance and are no secrets: of fewer than `SHORTEST`
characters; digits alone, fewer than six; names of channels, classes and events; words that blanked
headers hold ("anonymous"); and what contains no letter or digit. A form of fewer than `CERTAIN`
bytes, which numbers in a binary file take by chance, counts only as a word of its own in a text:
a file that is UTF-8, or a run of `TEXT` printable ASCII characters in another. A word of letters is
then not sought in lower case, where a name may be a word of the language.

Threat model: whoever reads the release or its report.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from stimjax.batch import load_spec
from stimjax.data import reader
from stimjax.data.channels import ALIASES
from stimjax.data.scoring import rules, vocabulary
from stimjax.data.secrets import Secret, content
from stimjax.errors import StimjaxError
from stimjax.privacy.findings import Attack, Finding

NAME = "files"
SHORTEST = 4  # characters of a secret
CERTAIN = 8  # bytes of a form that is found anywhere
TEXT = 16  # printable bytes in a row are text
NAMED = 5  # places that a note names
BLANKED = (
    "anonymous", "anonymized", "anonymised", "unknown", "patient", "subject", "recording",
    "startdate", "none", "null", "name", "test", "male", "female", "edf+c", "edf+d",
)  # fmt: skip
_TEXTS = re.compile(rb"[\x20-\x7e\t\r\n]{%d,}" % TEXT)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|\\n|\r?\n){23,}")


def attack(published: Path, secrets: Sequence[Secret]) -> Attack:
    """The search as an attack of an audit; what it is tried on is the folder, not the world."""
    return Attack(
        name=NAME,
        holds="the published files",
        source="after HIPAA Safe Harbor, 45 CFR 164.514(b)",
        tells="Whether a published file names you, your recording or a date.",
        run=lambda world: search(published, secrets),
    )


def search(published: Path, secrets: Iterable[Secret]) -> list[Finding]:
    """How many secrets the files of a folder hold; the note says which kinds, and where.

    Args:
        published: a folder, searched through, or a file.
        secrets: what is looked for, and how it is called in the note, which never repeats it.

    Raises:
        StimjaxError: the folder or a file in it cannot be read.
    """
    secrets = sorted(set(secrets), key=repr)
    sought = [secret for secret in secrets if not is_plain(secret.value)]
    patterns: dict[bytes, set[Secret]] = {}
    for secret in sought:
        for form in _forms(secret.value):
            patterns.setdefault(form, set()).add(secret)
    table = _Table(patterns)
    found: dict[Secret, str] = {}
    for path in _files(published):
        place = path.relative_to(published).as_posix() if path != published else path.name
        named = _hits(place.encode(), table)
        inside = set().union(*(_hits(data, table) for data in _layers(content(path))))
        for form in named | inside:
            for secret in patterns[form]:
                found.setdefault(secret, "a file of a telling name" if named else place)
    note = f"{len(sought)} secrets were sought"
    if len(sought) < len(secrets):
        note += f", {len(secrets) - len(sought)} more are too short or too plain to be"
    places = sorted({f"{place}: {secret.kind}" for secret, place in found.items()})
    if places:
        more = "; and more" if len(places) > NAMED else ""
        note += f"; found: {'; '.join(places[:NAMED])}{more}"
    return [Finding(NAME, "secrets_found", "file", float(len(found)), None, 0.0, note)]


def secrets_of(windows: Path, recordings: Sequence[Path]) -> list[Secret]:
    """What recordings say of persons: names of files, codes, header fields, dates, first bytes.

    A folder of windows holds numbers in their place; its channels and classes are what anybody
    may know, and are left out.

    Args:
        windows: the folder that the recordings were prepared into.
        recordings: files of any format, as `data.reader.find` gives them.

    Raises:
        StimjaxError: the folder is no folder of windows, or a recording cannot be read.
    """
    spec = load_spec(windows)
    public = {name.casefold() for name in (*spec.classes, *(c.name for c in spec.channels))}
    secrets: dict[Secret, None] = {}
    for path in recordings:
        for secret in reader.secrets(path):
            if str(secret.value).casefold() not in public:
                secrets[secret] = None
    return list(secrets)


def is_plain(value: bytes | str) -> bool:
    """Whether a string is too short or too common to tell of anybody."""
    if isinstance(value, bytes):
        return len(value) < CERTAIN
    text = " ".join(value.split()).casefold()
    short = len(text) < SHORTEST or (text.isdigit() and len(text) < 6)
    common = text in _COMMON or vocabulary.kind(text) is not None
    return short or common or not any(map(str.isalnum, text))


def _common() -> set[str]:
    tables = (*ALIASES.items(), *rules.CLASSES.items())
    words = {word for name, others in tables for word in (name, *others)}
    return {word.casefold() for word in (*words, *vocabulary.KINDS, *BLANKED)}


_COMMON = _common()


def _forms(value: bytes | str) -> set[bytes]:
    """How a secret may stand in a file."""
    if isinstance(value, bytes):
        return {value}
    texts = {value, value.upper(), value.title()}
    if len(value) >= CERTAIN or not value.isalpha():
        texts.add(value.lower())
    texts |= {json.dumps(text)[1:-1] for text in texts} | {html.escape(text) for text in texts}
    forms = set()
    for text in texts:
        for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
            with contextlib.suppress(UnicodeEncodeError):
                forms.add(text.encode(encoding))
    return forms


def _layers(data: bytes) -> Iterator[bytes]:
    """A file's bytes, and those of the base64 in it, from each of four places to begin."""
    yield data
    for match in _BASE64.finditer(data):
        run = re.sub(rb"\\n|\s", b"", match[0]).translate(bytes.maketrans(b"-_", b"+/"))
        for start in range(4):
            whole = run[start:]
            yield base64.b64decode(whole[: len(whole) // 4 * 4])


class _Table:
    """Patterns by their first four bytes, and which pairs of bytes these can begin and end with."""

    def __init__(self, patterns: Iterable[bytes]) -> None:
        self.by_start: dict[int, list[bytes]] = {}
        for pattern in patterns:
            if len(pattern) >= SHORTEST:
                key = int.from_bytes(pattern[:4], "little")
                self.by_start.setdefault(key, []).append(pattern)
        self.keys = np.array(sorted(self.by_start), np.uint32)
        self.low, self.high = np.zeros((2, 1 << 16), bool)
        self.low[self.keys & 0xFFFF] = True
        self.high[self.keys >> 16] = True


def _hits(data: bytes, table: _Table) -> set[bytes]:
    """The patterns that occur in `data`, short ones as words of a text."""
    found: set[bytes] = set()
    texts: list[tuple[int, int]] | None = None
    for place in _starts(data, table):
        for pattern in table.by_start[int.from_bytes(data[place : place + 4], "little")]:
            if pattern in found or not data.startswith(pattern, place):
                continue
            if len(pattern) >= CERTAIN:
                found.add(pattern)
                continue
            texts = _texts(data) if texts is None else texts
            if _is_word(data, place, len(pattern), texts):
                found.add(pattern)
    return found


def _starts(data: bytes, table: _Table) -> Iterator[int]:
    """Where in `data` four bytes stand that a pattern begins with."""
    for shift in range(min(4, max(0, len(data) - 3))):
        words = np.frombuffer(data, "<u4", (len(data) - shift) // 4, shift)
        maybe = np.flatnonzero(table.low[words & 0xFFFF] & table.high[words >> 16])
        sure = maybe[np.isin(words[maybe], table.keys)]
        yield from (4 * sure + shift).tolist()


def _texts(data: bytes) -> list[tuple[int, int]]:
    """Where texts begin and end."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return [match.span() for match in _TEXTS.finditer(data)]
    return [(0, len(data))]


def _is_word(data: bytes, place: int, length: int, texts: list[tuple[int, int]]) -> bool:
    """Whether a place stands alone in a text; what follows a point may be digits of a number."""
    before, after = data[max(0, place - 1) : place], data[place + length : place + length + 1]
    if before.isalnum() or after.isalnum() or before == b".":
        return False
    return any(start <= place and place + length <= end for start, end in texts)


def _files(published: Path) -> list[Path]:
    if published.is_file():
        return [published]
    if not published.is_dir():
        raise StimjaxError(f"{published}: no such folder; name what is to be published")
    return sorted(path for path in published.rglob("*") if path.is_file())
