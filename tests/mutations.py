"""Files as damage, mistakes and malice leave them: mutations of good ones, by a seed."""

import gzip
import re

import numpy as np

NUMBERS = (
    b"", b"-1", b"0", b"1", b"2", b"7", b"99999999", b"-9999999", b"1e9", b"1e400", b"nan", b"inf",
    b"0x10", b"1,5", b"1.5", b"+1", b"--1", b"abc", b"\0\0\0", b"  3  ", b"1_0", b"\xb2",
)  # fmt: skip
TEXTS = (
    b"", b" ", b"\0", b"EDF Annotations", b"edf annotations", b"EDF+C", b"EDF+D", b"BDF+C", b"SpO2",
    b"\xb5V", b"mV", b"%", b"X X X X", b"01.01.85", b"00.00.00", b"31.02.99", b"24:61:61", b"Crc16",
    b"\xff\xfe", b"A" * 80, b"EEG C4-A1", b"Startdate 99-XXX-2020 X X X",
)  # fmt: skip
FRAGMENTS = (
    b"\x14", b"\x15", b"\x14\x14\0", b"\0", b"+", b"-", b"+1e9", b"+99999999999999999999", b"+1,5",
    b"+0\x14\x14\0", b"\x15-5\x14", b"\x15\x14", b"+5\x15nan\x14Apnea\x14\0", b"Apnea@@Flow\x14",
    b"+60\x1530\x14Sleep stage W\x14\0", b"+7\x14Hypopnea 4%\x14\0", b"\xe9\xff", b"<", b">", b"&",
    b"</Start>", b"<Start>-1e308</Start>", b"<Duration>NaN</Duration>", b"&x;",
    b"<![CDATA[", b"]]>",
    b'<!DOCTYPE a [<!ENTITY x "y">]>', b"1e400", b"\t", b";", b",", b"\n", b"\r\n", b"12:34:56",
    b"25:99:00", b"Obstructive Apnea", b"R", b"?", b'"', b"|", b"#", b"-0.0", b"30",
)  # fmt: skip
EDF_FIELDS = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
SIGNAL_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


def edf(content: bytes, rng: np.random.Generator) -> bytes:
    """An EDF or BDF file with a field of its header, or bytes of its data, changed."""
    signals = (len(content) > 256 and int(content[252:256] or b"0")) or 1
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        which = rng.integers(4)
        if which == 0:
            _field(changed, 0, EDF_FIELDS, 1, rng)
        elif which == 1:
            _field(changed, 256, SIGNAL_FIELDS, signals, rng)
        else:
            changed = bytearray(anything(bytes(changed), rng, after=rng.choice([0, 256])))
    return bytes(changed)


def packed(content: bytes, rng: np.random.Generator) -> bytes:
    """An EDF file compressed with gzip: it is changed before, or its compressed bytes are."""
    if rng.random() < 0.5:
        return anything(content, rng)
    return gzip.compress(edf(gzip.decompress(content), rng), compresslevel=1, mtime=0)


def _field(content: bytearray, begin: int, widths: tuple, count: int, rng) -> None:
    which = int(rng.integers(len(widths)))
    width = widths[which]
    first = begin + sum(widths[:which]) * count + width * int(rng.integers(count))
    choice = NUMBERS if rng.random() < 0.6 else TEXTS
    content[first : first + width] = choice[rng.integers(len(choice))][:width].ljust(width)


def text(content: bytes, rng: np.random.Generator) -> bytes:
    """XML or a table with a number, an element, a line or some bytes changed."""
    for _ in range(rng.integers(1, 4)):
        which = rng.integers(3)
        pattern = (rb"-?\d+(?:\.\d+)?", rb"<[^<>]*>", rb"[^\n]*\n")[which]
        places = list(re.finditer(pattern, content))
        if not places or rng.random() < 0.3:
            content = anything(content, rng)
            continue
        place = places[rng.integers(len(places))]
        choice = (NUMBERS, FRAGMENTS, (b"", place[0] * 2, place[0] * 50))[which]
        put = choice[rng.integers(len(choice))]
        content = content[: place.start()] + put + content[place.end() :]
    return content


def anything(content: bytes, rng: np.random.Generator, after: int = 0) -> bytes:
    """Any file with bytes flipped, taken out, put in, repeated or cut off."""
    if len(content) <= after:
        return content + FRAGMENTS[rng.integers(len(FRAGMENTS))]
    first = int(rng.integers(after, len(content)))
    last = min(len(content), first + int(rng.integers(1, 40)))
    which = rng.integers(6)
    if which == 0:
        flipped = bytes(b ^ int(rng.integers(256)) for b in content[first:last])
        return content[:first] + flipped + content[last:]
    if which == 1:
        return content[:first] + content[last:]
    if which == 2:
        return content[:first] + content[first:last] * 2 + content[last:]
    if which == 3:
        return content[:first]
    put = FRAGMENTS[rng.integers(len(FRAGMENTS))]
    return content[:first] + put + content[first if which == 4 else first + len(put) :]
