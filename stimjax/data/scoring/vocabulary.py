"""What the texts of a scoring mean: one vocabulary for all sources.

A text is read by a small grammar. Each of its words has a part (`words.PARTS`: "Hypopnea 3% A" is
`H%a`), and only strings of parts that stand below have a meaning: one word that is not in the table
("no apnea", "possible apnea", "apnea index 5", "Apnea alarm on") leaves the text without one. So
nothing is read into a text, and what is not understood is counted and shown.

Sources:
- AASM manual for the scoring of sleep: obstructive, central and mixed apnea, hypopnea, arousal,
  RERA, Cheyne-Stokes breathing, stages W, N1, N2, N3, R. Rechtschaffen and Kales: stages 1 to 4,
  REM, movement time; 3 and 4 are N3.
- EDF+ standard texts (edfplus.info), with "@@channel" behind them.
- NSRR XML: "concept|Profusion's name", its older ontologies ("SDO:ObstructiveApneaFinding",
  "SRO:Stage34Sleep"), and the numbered rules of HCHS ("Apnea-7110-0-0", "Hypopnea 3% A").
- Compumedics Profusion, Embla RemLogic ("APNEA-OBSTRUCTIVE", "SLEEP-S2"), Nox ("A. Obstructive"),
  SOMNOmedics Domino, Deltamed, Alice ("WK"), Polysmith ("Dur: 32.5 sec.").
- PhysioNet Apnea-ECG: one symbol a minute; HuGCDN2014: "Apnea" or "Normal" for each minute.

Rules for what is neither apnea nor hypopnea nor a stage:
- RERA is a kind of its own; it makes no apnea (AASM: a RERA fulfils the criteria of neither).
- Cheyne-Stokes and periodic breathing are patterns, in which apneas are scored besides: they make
  no apnea themselves.
- Movement time, "?" and unscored are a stage that is no label.
- Body position, snoring, limb movements, artifacts, the recording's start and end, and what a
  scorer deleted are `other`: known, without use, and not counted among what is not understood.
"""

from __future__ import annotations

import contextlib
import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, NamedTuple

from stimjax.data.scoring.lengths import without_length
from stimjax.data.scoring.words import CHINESE, PARTS, SIMPLIFIED, UNKNOWN

NO_WORDS: Mapping[str, str] = {}
OTHER = "other"
APNEA = ("apnea.obstructive", "apnea.central", "apnea.mixed", "apnea")
BREATHING = (*APNEA, "hypopnea")
STAGES = ("stage.W", "stage.N1", "stage.N2", "stage.N3", "stage.R")
UNSCORED = "stage.unscored"

# What a user may call a kind, in `prepare.events`; `config.names.EVENTS` has the same names.
NAMES: Mapping[str, str] = {
    "apnea": "apnea",
    "obstructive apnea": "apnea.obstructive",
    "central apnea": "apnea.central",
    "mixed apnea": "apnea.mixed",
    "hypopnea": "hypopnea",
    "RERA": "rera",
    "Cheyne-Stokes": "breathing.cheyne-stokes",
    "periodic breathing": "breathing.periodic",
    "arousal": "arousal",
    "desaturation": "desaturation",
    "wake": "stage.W",
    "N1": "stage.N1",
    "N2": "stage.N2",
    "N3": "stage.N3",
    "REM": "stage.R",
    "unscored": UNSCORED,
    "normal minute": "minute.normal",
    "apnea minute": "minute.apnea",
    "lights off": "lights.off",
    "lights on": "lights.on",
    "ignore": OTHER,
}
KINDS = tuple(NAMES.values())

# Whole texts that no grammar gives, compact.
_WHOLE = {
    "normal": "minute.normal", "normale": "minute.normal",
    "apneaminute": "minute.apnea",
    "movement|6": UNSCORED, "movementtime": UNSCORED, "?": UNSCORED,
    "chutedelasaturation": "desaturation",
    "arospont": "arousal", "arores": "arousal",
}  # fmt: skip

_CAUSES = dict(zip("ocmxyz", APNEA[:3] * 2, strict=True))
_STAGE_OF = {
    "W": "stage.W", "Q": "stage.R", "U": UNSCORED, "?": UNSCORED, "0": "stage.W", "1": "stage.N1",
    "2": "stage.N2", "3": "stage.N3", "4": "stage.N3", "5": "stage.R", "6": UNSCORED, "9": UNSCORED,
}  # fmt: skip

# An apnea or hypopnea with its cause on one side of it, or a letter for its cause behind it.
_EVENT = r"(?:[ocmu]?[AH](?:[+(]?[ocmu])?|a[ocmu]|[ocm]a)"
# What may stand with it and changes nothing: a percent rule, "with arousal", the same once more.
_WITH = (
    r"(?:M?[&+(-]+M?g*[RD]|[&+]+k+|[&+(]*d*g*d*%(?:g*[RDa])?|[&+(]?g*D%|[&+(]?[QZ]T?|[&+(]?v"
    rf"|[+(]{_EVENT}|p|[+(])"
)
_BREATHING = re.compile(rf"(?:[RD]M|[QZ]|%)?\+?{_EVENT}(?:[xyz]|[+(]?[134]?[ab])?{_WITH}*")
# Of two things that are said together, the first is meant, or the second if the first is its cause:
# "arousal after apnea", "post-apnea arousal". "Arousal + apnea" is two events in one, and unclear.
_OF_AROUSAL = r"L?[ocmu]?[AHDk]MR|L[ocmu]?[AHDk]R"
_OF_DESATURATION = r"L?[ocmu]?[AH]Mg*D|L[ocmu]?[AH]g*D"
_REST = r"(?!M[ocmu]?[AH])(?:M[&+]|[&+][^AH<>?XWT]|[^&+<>?XWT])*[&+]*"
_AROUSAL = re.compile(rf"[jkLP+(]*R{_REST}|{_OF_AROUSAL}")
_DESATURATION = re.compile(rf"[jgkrd%+(]*D{_REST}|{_OF_DESATURATION}")
_STAGE = re.compile(r"T*(?:(?:(?:[NsZ]+T*)?[0-69](?:T*Z)?|W|s?Q|U|\?)T*)+")
_UNKNOWN_STAGE = re.compile(r"T+[uz]|[uz]T+")  # "Stage M", "unknown stage"
_ALONG = r"[kjvdgtrLTPszuxyabNQ0-9+(&%<>-]*"
_OTHER = re.compile(rf"{_ALONG}[kr]{_ALONG}|v+|X.*")
_PATTERNS = (
    (re.compile(r"[+(R]*E[+(&RDE%]*"), "rera"),
    (re.compile(r"B?CS?[+(]?B?"), "breathing.cheyne-stokes"),
    (re.compile(r"PB|BP"), "breathing.periodic"),
    (re.compile(r"[t+(]*(?:lf|fl)[t+(]*"), "lights.off"),
    (re.compile(r"[t+(]*(?:ln|nl)[t+(]*"), "lights.on"),
    (_DESATURATION, "desaturation"),
    (_AROUSAL, "arousal"),
)
_EDGED = re.compile(r"(?P<before>[<>])[+(]?(?P<of>.+)|(?P<what>.+?)[+(]*(?P<after>[<>])")

_TOKEN = re.compile(
    r"(?P<percent>(?:[<>]=?|[≥≤=~])?\s*\d+(?:[.,]\d+)?(?:\s*-\s*\d+)?\s*(?:%|(?:percent|pct|prozent)\b))"
    r"|(?P<count>#\s*\d+)|(?P<open>[(\[])|(?P<sign>\s-+\s|[/,;+&])|(?P<skip>[\s)\]\-_.:='\"*!]+)"
    r"|(?P<word>[^\W\d_]+|\d+|.)"
)
_ONTOLOGY = re.compile(r"^\s*S[DR]O:", re.IGNORECASE)
_OXYGEN = re.compile(r"(?<![^\W\d_])(?:s[pa])?o[2₂](?![^\W_])", re.IGNORECASE)
_CODE = re.compile(r"(?<=[a-z])(?: a)?-\d+(?:-\d+){1,2}$")  # HCHS: "Apnea A-7100-0-0"
_TIMED = re.compile(r"(.*?)[\s:,=(@-]*(?<![\d:.])\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\)?")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_RESPIRATORY = re.compile(
    r"(?<![ck])apn|[iy]pop|hypoap|obstruct|obstrut|ostrutt|obstruk|\bhypo?\b|\b(?:[ocm]s|[ou])a\b"
    r"|呼吸暂停|呼吸中止|低通气|低呼吸|[无無]呼吸|[ао]пно|bezdech|"
    + unicodedata.normalize("NFKD", "무호흡|저호흡")
)

_TOGETHER = tuple(
    (re.compile(pattern), f" {said} ")
    for pattern, said in (
        (r"resp(?:iratory|\.)?\s*effort[\s-]related arousals?", "rera"),
        (r"\bclear[\s-]*airway(?=[\s-]*apn)", "central"),
        (r"\bobstructed[\s-]*airway(?=[\s-]*apn)", "obstructive"),
        (r"\baasm\s*(?:19|20)\d\d\b", "aasm"),
        (r"micro[\s-]*(?:eveil|reveil|risveglio|despertar)s?\b", "arousal"),
        (r"\bnot[\s-]scored\b|\bno stage\b", "unscored"),
        (r"\bslow[\s-]*wave\b", "deep"),
        (r"rapid[\s-]*eye[\s-]*movement(?:s(?!leep))?", "rem"),
        (r"\bnon?[\s-]*rem\b", "nrem"),
        (r"\bw/\s*o\b", "without"),
        (r"\bw/|\bw\.?(?=\s*(?:arous|desat|\d))", "with"),
    )
)

_LONGEST = 200  # characters: a longer text is a sentence
_LONGEST_WORD = 40
_MOST_PARTS = 20  # of a text: the patterns take long on many

Edge = Literal["", "start", "end"]


class Reading(NamedTuple):
    """What a text says.

    Attributes:
        kind: one of `KINDS`; None where the text is not understood.
        edge: "start" or "end" where it marks only that of the event.
        seconds: the event's length, where the text tells it.
    """

    kind: str | None
    edge: Edge = ""
    seconds: float | None = None


def kind(text: str, own: Mapping[str, str] = NO_WORDS) -> str | None:
    """The kind of event that `text` names, without regard to case, accents and punctuation.

    Args:
        text: of an annotation, or NSRR's "concept|name", of which the concept counts first.
        own: a user's own words: text -> a key of `NAMES`. They come first.

    Returns:
        One of `KINDS`; None for what is not understood or only marks a start or an end.
    """
    said = reading(text, folded(own))
    return None if said.edge else said.kind


def folded(own: Mapping[str, str]) -> dict[str, str]:
    """A user's own words as `reading` looks them up: compact text -> one of `KINDS`."""
    exact = {word: NAMES[name] for word, name in own.items()}
    return {compact(word): name for word, name in exact.items() if compact(word)} | exact


def reading(text: str, own: Mapping[str, str] = NO_WORDS) -> Reading:
    """What `text` says; `own` is from `folded`."""
    for part in (text, *_parts(text)) if own else ():
        rest, seconds = without_length(plain(part))
        named = own.get(part) or own.get(compact(part)) or own.get(compact(rest))
        if named:
            return Reading(named, seconds=seconds)
    return _reading(text)


def looks_respiratory(text: str) -> bool:
    """Whether a text that was not understood looks as if it spoke of an apnea or hypopnea."""
    return bool(_RESPIRATORY.search(plain(text)))


def plain(text: str) -> str:
    """A text in lower case without accents, full-width forms and traditional characters."""
    text = _decoded(text)
    text = re.sub(r"(?<=[Pp][Nn])\ufffd(?=[Ee])", "e", text)  # what was no UTF-8: "Apn\ufffde"
    text = re.sub(r"[‐‑‒–—−]", "-", text.translate(SIMPLIFIED))
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _decoded(text: str) -> str:
    """A text that was read as Latin-1, in the coding that it has: UTF-8, or Chinese GB 18030."""
    with contextlib.suppress(UnicodeError):
        held = text.encode("latin-1")
        with contextlib.suppress(UnicodeError):
            return held.decode("utf-8")
        chinese = held.decode("gb18030").translate(SIMPLIFIED)
        if any(sign in chinese for sign, _ in CHINESE):
            return chinese
    return text


def compact(text: str) -> str:
    """Letters and digits of a text, and the signs that change what it says."""
    return re.sub(r"[^\w?%+|]|_", "", plain(text))


def _parts(text: str) -> list[str]:
    """A text without EDF+'s channel, and the concept and names in it."""
    said = text.split("@@")[0]
    return [said, *(part.split("@@")[0] for part in said.split("|"))]


@functools.lru_cache(maxsize=4096)
def _reading(text: str) -> Reading:
    if len(text) > _LONGEST:
        return Reading(None)
    whole, *parts = _parts(" ".join(_decoded(text).split()))
    if named := _WHOLE.get(compact(whole)):
        return Reading(named)
    for part in parts:
        said = _said(part)
        if said.kind or looks_respiratory(part):  # what denies an apnea is not asked further
            return said
    return Reading(None)


def _said(text: str) -> Reading:
    """What a text without bars says."""
    text = _CAMEL.sub(" ", _OXYGEN.sub(" oxygen ", _ONTOLOGY.sub("", text)))
    if (timed := _TIMED.fullmatch(text)) and (_said(timed[1]).kind or "").startswith("lights."):
        text = timed[1]
    rest, seconds = without_length(plain(text))
    if named := _WHOLE.get(compact(rest)):
        return Reading(named, seconds=seconds)
    parts = _string(_CODE.sub("", rest.strip()))
    if named := _kind(parts):
        return Reading(named, seconds=seconds)
    edged = _EDGED.fullmatch(parts)
    named = _kind(edged["of"] or edged["what"]) if edged else None
    if edged is None or named is None or named.startswith(("stage.", "lights.", OTHER)):
        return Reading(None)
    return Reading(named, "start" if "<" in (edged["before"], edged["after"]) else "end")


def _string(text: str) -> str:
    """The parts of a text's words: "obstructive apnea (with arousal)" is `oA+&R`."""
    for sign, word in CHINESE:
        text = text.replace(sign, f" {word} ")
    for pattern, said in _TOGETHER:
        text = pattern.sub(said, text)
    parts = [_part(token) for token in _TOKEN.finditer(text)]
    return "".join(parts).replace(".", "").strip("+(")


def _part(token: re.Match[str]) -> str:
    if word := token["word"]:
        return "?" if word == "?" else PARTS.get(word) or _compound(word)
    return {"percent": "%", "open": "(", "sign": "+"}.get(token.lastgroup or "", "")


def _compound(word: str) -> str:
    """The parts of words that are written as one: "sleepstage", "Zentralapnoe"."""
    for i in range(len(word) - 1, 2, -1) if len(word) <= _LONGEST_WORD else ():
        first, rest = PARTS.get(word[:i]), word[i:]
        if first and (len(rest) > 1 or first == "T"):
            second = PARTS.get(rest) or _compound(rest)
            if UNKNOWN not in second:
                return first + second
    return UNKNOWN


def _kind(parts: str) -> str | None:
    """What a string of parts means; the patterns are tried on short ones only."""
    if UNKNOWN in parts or len(parts) > _MOST_PARTS:
        return None
    if stage := _stage(parts):
        return stage
    if _BREATHING.fullmatch(parts):
        return _breathing(parts)
    for pattern, named in _PATTERNS:
        if pattern.fullmatch(parts):
            return named
    if re.fullmatch(r"[ocmu]?A[+(]?H", parts):  # "Apnea/Hypopnea": one of the two
        return "hypopnea"
    return OTHER if _OTHER.fullmatch(parts) else None


def _breathing(parts: str) -> str | None:
    """One kind, of all names of the event in the text: "Apnea (OA)" is an obstructive one."""
    named: set[str] = set()
    for event in re.findall(rf"{_EVENT}[xyz]?", parts):
        if "H" in event:
            named.add("hypopnea")
        else:
            named |= {_CAUSES[part] for part in event if part in _CAUSES} or {"apnea"}
    if len(named) == 2:
        named.discard("apnea")
    return named.pop() if len(named) == 1 else None


def _stage(parts: str) -> str | None:
    """The stage of a text that names one, in whatever way: "Stage 2 (N2)" is `T2+N2`."""
    parts = re.sub(r"[+(-]", "", parts)
    if _UNKNOWN_STAGE.fullmatch(parts):
        return UNSCORED
    if not _STAGE.fullmatch(parts):
        return None
    if re.search(r"\d", parts) and not re.search(r"[TNsZ]", parts):  # a number alone
        return None
    if re.search(r"[NZ]T*[0569]", parts):  # there is no N5
        return None
    named = {_STAGE_OF[sign] for sign in parts if sign in _STAGE_OF}
    return named.pop() if len(named) == 1 else None
