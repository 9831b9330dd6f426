"""What the words of a scoring mean: one vocabulary.

Sources of the vocabulary:
- AASM manual for the scoring of sleep: obstructive, central and mixed apnea, hypopnea, arousal,
  stages W, N1, N2, N3, R. Rechtschaffen and Kales: stages 1 to 4, REM, movement time; 3 and 4
  are N3.
- EDF+ standard texts (edfplus.info): "Sleep stage W", ..., "Sleep stage ?", "Movement time", as in
  Sleep-EDF's hypnograms; "Obstructive apnea", "Hypopnea", "EEG arousal".
- NSRR XML: "concept|Profusion's name", for instance "Stage 1 sleep|1", "Arousal|Arousal ()";
  its older ontology ("SDO:ObstructiveApnea").
- Compumedics Profusion XML: the names after that bar, and a number for each epoch.
- PhysioNet Apnea-ECG: one symbol a minute; HuGCDN2014: "Apnea" or "Normal" for each
  minute.

What is not here is ignored on purpose: RERA, limb movements, snoring, periodic breathing, body
position, lights, artifacts, and the "Unsure" of SHHS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NO_WORDS: Mapping[str, str] = {}

# Kind -> the texts that name it.
WORDS: dict[str, tuple[str, ...]] = {
    "apnea.obstructive": (
        "Obstructive Apnea", "Apnea Obstructive", "Obstructive Apnoea", "Obstr. Apnea", "OA",
        "apnea_obstructive", "SDO:ObstructiveApnea", "Resp Obstructive Apnea", "APNEA-O", "OSA",
    ),
    "apnea.central": (
        "Central Apnea", "Apnea Central", "Central Apnoea", "CA", "apnea_central",
        "SDO:CentralApnea", "Resp Central Apnea", "APNEA-C", "CSA",
    ),
    "apnea.mixed": (
        "Mixed Apnea", "Apnea Mixed", "Mixed Apnoea", "apnea_mixed", "SDO:MixedApnea",
        "Resp Mixed Apnea", "APNEA-M",
    ),
    "apnea": ("Apnea", "Apnoea", "Sleep Apnea", "Unclassified Apnea", "SDO:Apnea"),
    "hypopnea": (
        "Hypopnea", "Hypopnoea", "Obstructive Hypopnea", "Central Hypopnea", "Mixed Hypopnea",
        "Hypopnea Obstructive", "Hypopnea Central", "Hypopnea Mixed", "Resp Hypopnea", "HYP",
        "HYP-O", "HYP-C", "HYP-M", "hypopnea30", "hypopnea50", "SDO:HypopneaSleepEvent", "OH", "CH",
        "Obstructive Hypopnoea", "Central Hypopnoea",
    ),
    "desaturation": (
        "Desaturation", "SpO2 desaturation", "SaO2 desaturation", "Oxygen desaturation",
        "O2 desaturation", "Relative desaturation", "Desat", "SpO2 desat", "SpO2 artifact desat",
        "SDO:OxygenDesaturation",
    ),
    "arousal": (
        "Arousal", "EEG arousal", "Arousal ()", "Arousal (Standard)", "Arousal (ASDA)",
        "ASDA arousal", "Arousal (ARO RES)", "Arousal (ARO SPONT)", "Arousal (ARO Limb)",
        "Arousal (ARO PLM)", "Arousal (ARO SNORE)", "Arousal (CHESHIRE)",
        "Arousal (External Arousal)", "External arousal", "Spontaneous arousal", "ARO SPONT",
        "Arousal spontaneous", "Arousal resulting from respiratory effort", "Respiratory arousal",
        "Arousal resulting from Chin EMG", "Arousal resulting from limb movement",
        "Arousal resulting from periodic leg movement", "Limb movement arousal", "ARO RES",
        "Periodic limb movement arousal", "Micro arousal", "SDO:Arousal",
    ),
    "minute.normal": ("Normal",),
    "minute.apnea": ("Apnea minute",),
    "stage.W": (
        "W", "Wake", "Awake", "Stage W", "Stage Wake", "Sleep stage W", "Sleep stage Wake",
        "Wakefulness", "SDO:WakeState",
    ),
    "stage.N1": (
        "N1", "Stage 1", "Stage N1", "Sleep stage 1", "Sleep stage N1", "Stage 1 sleep", "S1",
        "NREM1", "NREM 1", "Sleep stage NREM1", "SDO:NonRapidEyeMovementSleep-N1",
    ),
    "stage.N2": (
        "N2", "Stage 2", "Stage N2", "Sleep stage 2", "Sleep stage N2", "Stage 2 sleep", "S2",
        "NREM2", "NREM 2", "Sleep stage NREM2", "SDO:NonRapidEyeMovementSleep-N2",
    ),
    "stage.N3": (
        "N3", "Stage 3", "Stage N3", "Sleep stage 3", "Sleep stage N3", "Stage 3 sleep", "S3",
        "NREM3", "NREM 3", "Sleep stage NREM3", "SDO:NonRapidEyeMovementSleep-N3", "N4", "Stage 4",
        "Stage N4", "Sleep stage 4", "Sleep stage N4", "Stage 4 sleep", "S4", "NREM4", "NREM 4",
        "SDO:NonRapidEyeMovementSleep-N4", "Sleep stage 3/4",
    ),
    "stage.R": (
        "R", "REM", "Stage R", "Stage REM", "Sleep stage R", "Sleep stage REM", "REM sleep",
        "Sleep stage 5", "SDO:RapidEyeMovementSleep",
    ),
    "stage.unscored": (
        "Sleep stage ?", "Movement time", "Movement|6", "Sleep stage MT", "Stage MT", "MT",
        "Unscored", "Unscored stage", "Sleep stage unscored", "Stage ?", "Not scored",
        "Sleep stage unknown", "Sleep stage M", "Stage unknown",
    ),
}  # fmt: skip


def _plain(text: str) -> str:
    # A question mark is the whole difference between "Sleep stage ?" and a text without a stage.
    return re.sub(r"[^a-z0-9?]", "", text.casefold())


_KINDS = {_plain(text): kind for kind, texts in WORDS.items() for text in texts}


def kind(text: str, own: Mapping[str, str] = NO_WORDS) -> str | None:
    """The kind of event that `text` names, without regard to case, spaces and punctuation.

    Args:
        text: of an annotation, or NSRR's "concept|name", of which the concept counts first.
        own: a user's own words: text -> a key of `WORDS`. They come first.

    Returns:
        A key of `WORDS`; None for what is not used here.
    """
    own = {_plain(word): kind for word, kind in own.items()}
    for part in (text, *text.split("|")):
        if named := own.get(_plain(part)) or _KINDS.get(_plain(part)):
            return named
    return None
