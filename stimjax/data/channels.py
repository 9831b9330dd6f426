"""One name for each channel, whatever a recorder calls it.

`known` compares labels without regard to case, spaces, punctuation and accents: first as they
stand, then without what recorders add (the signal type of EDF+ in front, as in "Resp nasal"; a
number, a rate, a unit behind). Nothing is looked for inside a label: "Snore flow" is no flow. A
label that no rule knows keeps its own name, so that a user may ask for any channel of a file by
the name that the file gives it.

Several signals of a file may have one name; `montage` says which of them is taken.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence

from stimjax.data import units
from stimjax.errors import StimjaxError

# Labels met in AASM montages, NSRR cohorts (SHHS, MESA, MrOS, CFS), PhysioNet (Apnea-ECG,
# Sleep-EDF, UCDDB, challenge 2018), the exports of common recorders and of CPAP and home devices,
# in English, German, French, Italian, Spanish, Portuguese, Dutch and Chinese. Of a name with
# several groups the first is preferred: see `preference`.
_GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "SpO2": (
        (
            "SpO2", "SaO2", "SO2", "OSAT", "O2Sat", "Sat O2", "O2 Saturation", "Saturation O2",
            "Oxygen Saturation", "Oxygen Sat", "Sat", "Saturation", "SpO2 Sat", "Pulse Ox",
            "Oximetry", "SpO2 Finger", "SaO2 finger", "SaO2 ear", "SpO2 Oximeter",
            "Sättigung", "Saettigung", "O2 Sättigung", "Sauerstoffsättigung", "SpO2 Sättigung",
            "Sauerstoff", "Saturation en O2", "Saturation oxygène", "Oxymétrie", "Saturazione",
            "Saturazione O2", "Saturazione ossigeno", "Ossimetria", "Saturación", "Saturación O2",
            "Saturación de oxígeno", "Oximetría", "Saturação", "Saturação O2",
            "Saturação de oxigênio", "Saturatie", "O2 Saturatie", "Zuurstofsaturatie",
            "血氧", "血氧饱和度", "氧饱和度", "饱和度", "脉氧",
        ),
        ("SpO2 BB", "SpO2 Beat to Beat"),
    ),
    "flow": (
        (
            "Nasal Pressure", "Nasal Pres", "Nasal Press", "Nasal Cannula", "Cannula",
            "Cannula Flow", "Cannula Pressure", "Pflow", "PNasal", "NPress", "NPres", "PTAF",
            "Pressure Flow", "Flow Nasal Pressure", "Nasal Prs", "Flow Cannula",
            "Resp Flow Cannula", "Airflow Cannula", "Nasal Cannula Flow", "Cannula Nasal",
            "Nasendruck", "Nasaldruck", "Nasaler Druck", "Staudruck", "Nasenbrille",
            "Pression nasale", "Canule", "Canule nasale", "Lunette nasale", "Lunettes nasales",
            "Pressione nasale", "Cannula nasale", "Presión nasal", "Cánula", "Cánula nasal",
            "Pressão nasal", "Neusdruk", "Nasale druk", "Neuscanule", "Neusbril",
            "鼻压", "鼻压力", "鼻腔压力", "鼻导管",
        ),
        (
            "Flow", "Airflow", "New Air", "Nasal", "Nasal Flow", "Nasal Airflow", "NAF",
            "Flow Patient", "Patient Flow", "Flow_DR", "Flow DR", "Resp N", "Resp nasal",
            "Resp Flow", "Resp Airflow", "Respiratory Flow", "Breathing Flow",
            "Fluss", "Atemfluss", "Atemstrom", "Luftfluss", "Nasenfluss", "Nasaler Fluss",
            "Débit", "Débit nasal", "Débit aérien", "Flux", "Flux nasal", "Flux aérien",
            "Débit respiratoire", "Flux respiratoire", "Flusso", "Flusso nasale", "Flusso aereo",
            "Flusso respiratorio", "Flujo", "Flujo nasal", "Flujo aéreo", "Flujo respiratorio",
            "Flujo de aire", "Fluxo", "Fluxo nasal", "Fluxo aéreo", "Fluxo respiratório",
            "Fluxo de ar", "Luchtstroom", "Ademstroom", "Luchtflow", "Neusflow", "Flow nasaal",
            "气流", "鼻气流", "呼吸气流",
        ),
        (
            "Thermistor", "Therm", "Thermocouple", "Thermal", "Thermal Flow", "Oronasal",
            "Oronasal Flow", "Oro-nasal", "Nasal/Oral", "Nasal-Oral Flow", "Airflow Thermistor",
            "Flow Th", "Flow Therm", "Flow Thermistor", "Therm Flow", "Thermistor Flow",
            "Nasal Therm", "Nasal Thermistor", "Thermo", "Thermo Flow", "Airflow Thermal",
            "Resp Flow Therm", "Resp Flow Thermistor", "Airflow Oronasal", "Flow Oronasal",
            "Resp oronasal", "Oral Nasal",
            "Thermistor Fluss", "Thermistance", "Flux oronasal", "Termistore", "Flusso oronasale",
            "Termistor", "Flujo oronasal", "Termopar", "Fluxo oronasal", "Termistor oronasal",
            "口鼻气流", "热敏", "热敏气流",
        ),
        ("XFlow", "RIP Flow"),
    ),
    "chest": (
        (
            "Chest", "Thor", "Thorax", "Thoracic", "THOR RES", "THO", "Thrx", "Thx", "Resp C",
            "ribcage", "rib cage", "VTH", "Thorax Movement", "Chest Movement",
            "Brustkorb", "Brust", "Thorakal", "Brustgurt", "Thoraxgurt", "Brustatmung",
            "Thoraxatmung", "Atmung Brust", "Thoracique", "Sangle thoracique",
            "Effort thoracique", "Ceinture thoracique", "Mouvement thoracique", "Poitrine",
            "Torace", "Toracico", "Sforzo toracico", "Fascia toracica", "Tórax", "Torácico",
            "Esfuerzo torácico", "Banda torácica", "Pecho", "Esforço torácico", "Cinta torácica",
            "Peito", "Borst", "Borstkas", "Borstband", "Thoracaal",
            "胸", "胸部", "胸带", "胸式呼吸", "胸部运动", "胸呼吸", "胸部呼吸",
        ),
    ),
    "abdomen": (
        (
            "Abdomen", "Abdo", "ABD", "Abdom", "Abdm", "ABDO RES", "Abdominal", "Resp A", "VAB",
            "Abdomen Movement", "Abdominal Movement",
            "Bauch", "Bauchgurt", "Abdomengurt", "Bauchatmung", "Atmung Bauch", "Abdominale",
            "Sangle abdominale", "Effort abdominal", "Ceinture abdominale",
            "Mouvement abdominal", "Ventre", "Addome", "Addominale", "Sforzo addominale",
            "Fascia addominale", "Esfuerzo abdominal", "Banda abdominal", "Abdome",
            "Esforço abdominal", "Cinta abdominal", "Buik", "Buikband", "Abdominaal",
            "腹", "腹部", "腹带", "腹式呼吸", "腹部运动", "腹呼吸", "腹部呼吸",
        ),
    ),
    "HR": (
        (
            "HR", "H.R.", "HRate", "Heart Rate", "Heartrate", "Herzfrequenz", "Herzrate",
            "Fréquence cardiaque", "Rythme cardiaque", "Frequenza cardiaca",
            "Frecuencia cardíaca", "Ritmo cardíaco", "Frequência cardíaca", "Hartslag",
            "Hartfrequentie", "Hartritme", "心率",
        ),
        (
            "Pulse", "Pulse Rate", "PR", "PR BPM", "Puls", "Pulsfrequenz", "Pulsrate", "Pouls",
            "Pulsazioni", "Frequenza polso", "Pulso", "Polsslag", "Polsfrequentie", "脉率", "脉搏",
        ),
    ),
    "EOG": (("EOG", "眼电"),),
    "EOG left": (
        (
            "EOG left", "EOG L", "LEOG", "EOG(L)", "Left Eye", "Left EOG", "EOG 1", "EOG links",
            "EOG li", "EOG gauche", "EOG G", "EOG sinistro", "EOG sx", "EOG izquierdo", "EOG izq",
            "EOG esquerdo", "EOG esq", "Auge links", "左眼电", "左眼", "眼电左",
        ),
    ),
    "EOG right": (
        (
            "EOG right", "EOG R", "REOG", "EOG(R)", "Right Eye", "Right EOG", "EOG 2",
            "EOG rechts", "EOG re", "EOG droit", "EOG D", "EOG destro", "EOG dx", "EOG derecho",
            "EOG der", "EOG direito", "EOG dir", "Auge rechts", "右眼电", "右眼", "眼电右",
        ),
    ),
    "EOG horizontal": (
        ("EOG horizontal", "EOG hor", "EOG H", "HEOG", "LOC-ROC", "ROC-LOC", "E1-E2", "E2-E1"),
    ),
    "EMG": (
        (
            "EMG", "EMG chin", "Chin", "Chin EMG", "EMG submental", "Submental",
            "EMG Chin1-Chin2", "Chin1-Chin2", "Chin1-Chin3", "Chin2-Chin3", "L Chin-R Chin",
            "Chin L-Chin R", "lchin-cchin", "rchin-cchin", "EMG1-EMG2", "EMG mentalis", "Mentalis",
            "EMG Kinn", "Kinn", "Kinn EMG", "EMG menton", "Menton", "EMG mentonnier",
            "EMG mento", "Mento", "EMG mentoniano", "EMG queixo", "Queixo", "EMG kin",
            "下颌", "下颌肌电", "颏肌电", "下巴肌电",
        ),
        (
            "Chin 1", "Chin 2", "Chin 3", "EMG 1", "cchin", "lchin", "rchin", "Chin L", "Chin R",
            "Chin left", "Chin right", "Left Chin", "Right Chin",
        ),
    ),
    "ECG": (
        (
            "ECG", "EKG", "ECG I", "ECG II", "ECG III", "EKG I", "EKG II", "ECG1-ECG2",
            "EKG1-EKG2", "ECG L-R", "EKG R-L", "Elektrokardiogramm", "心电", "心电图",
        ),
    ),
    "snore": (
        (
            "Snore", "Snoring", "Sound snore", "Snore Sensor", "Snoring Sensor", "Microphone",
            "Snore Mic", "Schnarchen", "Schnarch", "Mikrofon", "Ronflement", "Ronflements",
            "Russamento", "Russare", "Ronquido", "Ronquidos", "Ronco", "Roncos", "Ressonar",
            "Snurken", "Gesnurk", "鼾声", "打鼾", "鼾",
        ),
    ),
    "position": (
        (
            "Position", "Pos", "Body", "Body Position", "Posture", "Pos Sensor", "Body Pos",
            "Lage", "Körperlage", "Körperposition", "Lagesensor", "Schlaflage", "Posizione",
            "Posizione corpo", "Posición", "Posición corporal", "Posição", "Posição corporal",
            "Decúbito", "Positie", "Lichaamspositie", "Lichaamshouding", "体位",
        ),
    ),
}  # fmt: skip
ALIASES: dict[str, tuple[str, ...]] = {
    name: tuple(alias for group in groups for alias in group) for name, groups in _GROUPS.items()
}
_SENSORS = dict(zip(("pressure", "", "thermal", "belts"), _GROUPS["flow"], strict=True))

# What recorders write before or behind the sensor, and the names that it may stand with: the types
# of signal in EDF+ (section 3.1 of its "standard texts") and what a belt is called.
_BELT = ("chest", "abdomen")
_BEFORE = {
    "eog": ("EOG left", "EOG right"),
    "emg": ("EMG",),
    "ecg": ("ECG",),
    "resp": ("flow", *_BELT),
    "atmung": ("flow", *_BELT),
    "effort": _BELT,
    "rip": _BELT,
    "sao2": ("SpO2",),
    "spo2": ("SpO2",),
    "flow": ("flow",),
    "sound": ("snore",),
    "pos": ("position",),
}
_BEHIND = {
    "effort": _BELT,
    "belt": _BELT,
    "band": _BELT,
    "rip": _BELT,
    "resp": _BELT,
    "dc": ("flow", *_BELT, "snore", "position", "SpO2", "HR"),
}
_NUMBERED = ("SpO2", "flow", "chest", "abdomen", "HR", "ECG", "snore")

_NO_SIGNAL = {"edfannotations", "bdfannotations", "crc16", "crc32", "crc", "checksum"}
_LABEL_BYTES = 16  # of EDF: longer words are cut
_RATE = re.compile(r"\.\d+m?s$", re.IGNORECASE)  # of a CPAP device: "Flow.40ms", "SpO2.1s"
_UNIT = re.compile(r"[\[(]([^\[(\])]*)[\])]$")  # "Flow [l/min]", "HR (bpm)"
OF_AIR = {"l/s", "l/min", "lpm", "ml/s", "ml/min", "cmh2o", "hpa", "mbar", "pa", "kpa", "db"}
_ZERO = re.compile(r"^(sp?|sa)02|^02(?=sat)")  # "Sp02": a zero for the letter

_EAR = r"[am][12]"
_SCALP = r"(?:fp[12z]|af[3478z]|fc[1-6z]|ft[789]|cp[1-6z]|tp[789]|po[3478z]|[fctpo]z|[fctpo]\d)"
_EYE_STEMS = {
    "EOG left": "e1 loc eogl eogleft eog1 leog",
    "EOG right": "e2 roc eogr eogright eog2 reog",
}
_EYES = {"E1": "e1|loc", "E2": "e2|roc"}
REFERENCES = {
    "Ref": ("ref",),
    "LE": ("le", "ler", "cle", "a1a2", "m1m2", "a1a22", "m1m22", "a12", "m12", "a2a1", "m2m1"),
    "Avg": ("avg", "av", "ar", "average", "car"),
}
_REFERENCE = {word: name for name, words in REFERENCES.items() for word in words}
_WORD = "|".join(sorted(_REFERENCE, key=len, reverse=True))
_PAIR = re.compile(rf"(?:eeg\d?)?({_SCALP}|{_EAR})({_SCALP}|{_EAR})(?:ref|eeg)?")
_SINGLE = re.compile(rf"(?:eeg)?({_SCALP}|{_EAR})({_WORD})?")
_NUMBERED_PAIR = re.compile(r"eeg\s*(\d{1,2})\s*[-–:]\s*(\d{1,2})", re.IGNORECASE)
_PLAIN_EEG = re.compile(r"(?:eeg|脑电)(?:ch|chan|channel|kanal|lead)?0*(\d{0,2})")
_SIDE_EEG = {"eegsec": "EEG 2", "eegl": "EEG left", "eegleft": "EEG left"} | {
    "eegr": "EEG right",
    "eegright": "EEG right",
}


def letters(label: str) -> str:
    """A label as labels are compared: its letters and digits, without case and accents."""
    parts = unicodedata.normalize("NFKD", label.casefold())
    return "".join(c for c in parts if c.isalnum())


def _forms(alias: str) -> set[str]:
    """A word as it stands in a label, whole or cut at its end."""
    cut = alias.encode()[:_LABEL_BYTES].decode("utf-8", "ignore")
    return {letters(alias), letters(alias[:_LABEL_BYTES]), letters(cut)}


def _names() -> dict[str, tuple[str, int]]:
    table = {
        form: (name, group)
        for name, groups in _GROUPS.items()
        for group, aliases in enumerate(groups)
        for alias in aliases
        for form in _forms(alias)
    }
    # An eye against an ear comes before one against nobody knows what.
    for name, stems in (
        ("EOG left", "e1 loc eogl eogleft eog1 leog"),
        ("EOG right", "e2 roc eogr eogright eog2 reog"),
    ):
        for stem in stems.split():
            for eog in ("", "eog"):
                for ear in ("m1", "m2", "a1", "a2", "fpz"):
                    table[f"{eog}{stem}{ear}"] = (name, 0)
                for other in ("", *_REFERENCE):
                    table.setdefault(f"{eog}{stem}{other}", (name, 1))
    return table


_NAMES = _names()


@dataclasses.dataclass(frozen=True)
class Words:
    """The labels that the tables know for a name, plain (`letters`).

    Attributes:
        groups: words of each group, that which `preference` takes first in front.
        before, behind: of which one may stand before, or one behind, a word.
    """

    groups: tuple[tuple[str, ...], ...]
    before: tuple[str, ...]
    behind: tuple[str, ...]


def words(name: str) -> Words:
    """What is known of a canonical name by the tables; nothing for an EEG, which rules know."""
    ranks = {word: rank for word, (known, rank) in _NAMES.items() if known == name}
    groups = [
        sorted(w for w, r in ranks.items() if r == rank) for rank in sorted(set(ranks.values()))
    ]
    digits = tuple("123456789") if name in _NUMBERED else ()
    return Words(
        tuple(map(tuple, groups)),
        tuple(start for start, names in _BEFORE.items() if name in names),
        (*(end for end, names in _BEHIND.items() if name in names), *digits),
    )


def is_signal(label: str) -> bool:
    """Whether a label is that of a measurement: not empty, no annotations, no checksum."""
    plain = letters(_RATE.sub("", label.strip()))
    return bool(label.strip()) and plain not in _NO_SIGNAL


@functools.lru_cache(maxsize=4096)
def known(label: str, unit: str | None = None) -> str | None:
    """The canonical name of a channel that a rule knows, else None.

    An EEG derivation becomes `EEG <electrode>-<reference>` with the ears named as mastoids (A1
    is M1, A2 is M2): "C4A1", "EEG C4-A1" and "C4:M1" are all `EEG C4-M1`. What says that it is
    EEG but not from where is `EEG` or `EEG <number>`; an electrode whose reference the label
    does not tell is `EEG <electrode>`, an ear `M1` or `M2`.

    Args:
        label: what a file or a user calls it.
        unit: as the file writes it, where it decides: "O2" is an electrode only where it is a
            voltage, "Pres" a nasal cannula only there (else the pressure of a mask). None where
            nobody says.
    """
    if not is_signal(label):
        return None
    for text in _readings(" ".join(label.split())):
        if name := _entry(text)[0] or _eeg(text, unit):
            return name
    if unit is not None and units.is_voltage(unit) and letters(label) == "pres":
        return "flow"
    return None


def canonical(label: str) -> str | None:
    """The canonical name of a channel, or the label itself where no rule knows it.

    Returns:
        What `known` gives, else the label without surrounding blanks; None for what is no signal:
        an empty label, EDF+'s annotations, a checksum.
    """
    return (known(label) or " ".join(label.split())) if is_signal(label) else None


def preference(label: str) -> int:
    """Which of several signals of one name is to be taken: that with the lowest number.

    Flow: nasal pressure, then what only says flow, then a thermal sensor. AASM scores hypopneas
    on nasal pressure and apneas on the thermal sensor; most events are hypopneas, and an apnea
    shows in nasal pressure, too, while a thermistor hardly shows a hypopnea. HR: of the ECG
    before that of the oximeter. EMG, EOG: a pair of electrodes before one alone. SpO2: the usual
    average before values beat by beat.
    """
    return next((rank for text in _readings(label) if (rank := _entry(text)[1]) >= 0), 9)


def sensor(label: str) -> str:
    """What a label of flow tells of the sensor: "pressure", "thermal", "belts" or nothing."""
    if known(label) != "flow":
        return ""
    return list(_SENSORS)[preference(label)]


def kind(name: str) -> str:
    """EEG, EOG or EMG, or the name of another channel; empty where no rule knows it."""
    return name.split()[0] if known(name) == name else ""


@functools.lru_cache(maxsize=4096)
def electrode(label: str) -> tuple[str, str] | None:
    """The electrode of a signal that only names one, and what it was measured against.

    Returns:
        Such as ("C3", "") or ("M2", "Ref"); an eye is E1 or E2. None for all others.
    """
    plain = letters(label)
    if match := _SINGLE.fullmatch(plain):
        against = _REFERENCE.get(match[2] or "", "")
        return (_written(match[1]), against) if against in ("", "Ref") else None
    for name, stems in _EYES.items():
        if match := re.fullmatch(rf"(?:eog)?(?:{stems})(ref)?", plain):
            return name, "Ref" if match[1] else ""
    return None


def _readings(label: str) -> Iterator[str]:
    """A label, and what it is if its bytes were not Latin-1 but UTF-8 or Chinese."""
    yield label
    try:
        data = label.encode("latin-1")
    except UnicodeEncodeError:
        return
    if not label.isascii():
        yield data.decode("utf-8", "ignore")
        yield data.decode("gb18030", "ignore")


@functools.lru_cache(maxsize=4096)  # each label is asked for several times
def _entry(label: str) -> tuple[str | None, int]:
    """The name of a label in the tables and its group there; None and -1 if it is in none."""
    label = _bare(label)
    plain = _ZERO.sub(lambda match: match[0].replace("0", "o"), letters(label))
    if plain in _NAMES:
        return _NAMES[plain]
    for start, allowed in _BEFORE.items():
        entry = _NAMES.get(plain.removeprefix(start)) if plain.startswith(start) else None
        if entry and entry[0] in allowed:
            return entry
    for end, allowed in _BEHIND.items():
        entry = _NAMES.get(plain.removesuffix(end)) if plain.endswith(end) else None
        if entry and entry[0] in allowed:
            return entry
    entry = _NAMES.get(plain[:-1]) if plain[-1:] in tuple("123456789") else None
    return entry if entry and entry[0] in _NUMBERED else (None, -1)


def _bare(label: str) -> str:
    """A label without the rate or the unit behind it."""
    label = _RATE.sub("", label)
    match = _UNIT.search(label)
    return label[: match.start()] if match and _is_unit(match[1]) else label


def _is_unit(text: str) -> bool:
    """Whether brackets hold a unit; "EOG (V)" is the vertical one."""
    plain = "".join(text.casefold().split())
    return plain in OF_AIR or (units.quantity(plain) not in ("", "other") and plain != "v")


def _eeg(label: str, unit: str | None) -> str | None:
    """The name of an EEG or of an ear."""
    label = _bare(label)
    plain = letters(label)
    if match := _NUMBERED_PAIR.fullmatch(label):
        return f"EEG {int(match[1])}-{int(match[2])}"
    if plain in _SIDE_EEG:
        return _SIDE_EEG[plain]
    if match := _PLAIN_EEG.fullmatch(plain):
        return f"EEG {match[1]}".strip()
    if match := _PAIR.fullmatch(plain):
        first, second = map(_written, match.groups())
        return None if {first, second} <= {"M1", "M2"} else f"EEG {first}-{second}"
    match = _SINGLE.fullmatch(plain)
    if not match:
        return None
    if unit is not None and not plain.startswith("eeg") and not _is_electrode(plain, unit):
        return None
    name = _written(match[1]) + (f"-{_REFERENCE[match[2]]}" if match[2] else "")
    return name if name[0] == "M" else f"EEG {name}"


def _is_electrode(plain: str, unit: str) -> bool:
    """Whether the unit of a label such as "C3" is that of an electrode; "O2" could be oxygen."""
    return units.is_voltage(unit) or (units.quantity(unit) == "" and plain != "o2")


def _written(plain: str) -> str:
    plain = {"a1": "m1", "a2": "m2"}.get(plain, plain)
    return plain[:-1].capitalize() + plain[-1] if plain[-1] == "z" else plain.capitalize()


@dataclasses.dataclass(frozen=True)
class Wish:
    """A channel that a user asks for.

    Attributes:
        name: of the channel in what is made of it.
        kind: its canonical name; that of several wishes, where two of a kind are asked for.
        text: as asked for by name or label; empty where only patterns are given.
        patterns: of labels, from "NAME=PATTERN"; the first that a file has counts.
    """

    name: str
    kind: str
    text: str
    patterns: tuple[str, ...] = ()


def wishes(texts: Sequence[str]) -> tuple[Wish, ...]:
    """What a user asks for, each "NAME" (a name, an alias or a label) or "NAME=PATTERN".

    A channel has its canonical name; where two of one kind are asked for ("Thermistor", "Nasal
    Pressure") each is called what the user calls it. A pattern is one of labels, as of file names
    (`*`, `?`, `[...]`), without regard to case. Several of one name are tried in their order,
    then the name itself where it stands among the wishes, too.

    Raises:
        StimjaxError: a name or a pattern is empty.
    """
    texts_of: dict[str, str] = {}  # as first written, by what is compared
    plain: set[str] = set()
    patterns: dict[str, list[str]] = {}
    for text in texts:
        name, equals, pattern = (part.strip() for part in text.partition("="))
        if not name or (equals and not pattern):
            raise StimjaxError(f"--channels {text!r}: write NAME, or NAME=LABEL of the file")
        key = " ".join(name.casefold().split())
        texts_of.setdefault(key, " ".join(name.split()))
        if equals:
            patterns.setdefault(key, []).append(pattern)
        else:
            plain.add(key)
    kinds = {key: canonical(text) or text for key, text in texts_of.items()}
    several = [kind for kind in kinds.values() if list(kinds.values()).count(kind) > 1]
    return tuple(
        Wish(
            name=text if kinds[key] in several else kinds[key],
            kind=kinds[key],
            text=text if key in plain else "",
            patterns=tuple(patterns.get(key, ())),
        )
        for key, text in texts_of.items()
    )
