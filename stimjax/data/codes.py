"""Patient codes: which of them name nobody, and which contradict each other."""

from __future__ import annotations

import re

# Words that stand in a header for a code that was removed or never typed, without accents.
_WORDS = """
    anonymous anonymised anonymized anonym anonyme anonymise anonymisiert anonymus anonimo anonima
    anonimizado anonimizzato anoniem geanonimiseerd anon unknown unbekannt inconnu inconnue
    desconocido desconhecido sconosciuto onbekend test tester testing patient patientin paciente
    paziente patiente subject sujet sujeto soggetto proband probant participant person client user
    none null nil na nan nn name noname vorname nachname firstname lastname surname id identifier
    code no not available applicable specified given set unspecified undefined unidentified
    deidentified de identified removed redacted deleted blank empty missing default dummy demo
    example sample confidential private hidden masked male female m f mr mrs ms the of
    匿名 未知 不详 测试 患者 姓名 无 аноним неизвестно
"""
_NOBODY = frozenset(_WORDS.split())
_ACCENTS = str.maketrans("áàâäãéèêëíìîïóòôöõúùûüçñ", "aaaaaeeeeiiiiooooouuuucn")
_BLANKED = re.compile(r"(?:x[\s,;_^.-]+){2,}\S*", re.IGNORECASE)  # "X X X X 1a2b": a checksum


def is_placeholder(code: str) -> bool:
    """Whether a patient code names nobody: "anonymous", "X,X", "0", "test", "n/a", "xxx"."""
    plain = _plain(code)
    if _BLANKED.fullmatch(plain):
        return True
    words = re.findall(r"\w+", plain.replace("_", " "))
    return "".join(words) in _NOBODY or all(
        word in _NOBODY or not word.strip("x") or not plain.strip("0 ") for word in words
    )


def contradict(first: str, second: str) -> bool:
    """Whether two codes name two persons.

    Compared are their words, without regard to case, accents, punctuation and leading zeros: "P01"
    and "P01 Smith" may be one person, "P01" and "P02" are not. What names nobody contradicts
    nothing.
    """
    if is_placeholder(first) or is_placeholder(second):
        return False
    one, other = _words(first), _words(second)
    return bool(one and other) and not (one <= other or other <= one)


def _plain(code: str) -> str:
    return code.casefold().translate(_ACCENTS)


def _words(code: str) -> set[str]:
    words = (re.sub(r"\W", "", word) for word in re.split(r"[\s,;_^]+", _plain(code)))
    rest = {word.lstrip("0") if word.isdecimal() else word for word in words}
    return {word for word in rest if word.strip("x0") and word not in _NOBODY}
