"""What laboratories, devices and archives write, and what it means."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.config import names
from stimjax.data.scoring import vocabulary
from stimjax.data.scoring.words import CHINESE, PARTS

TEXTS = {
    "apnea.obstructive": [
        "Obstruktive Schlafapnoe", "obstr. Apnoe", "Obs Apnea", "阻塞性睡眠呼吸暂停",
        "Apnée obstructive du sommeil", "Apnea di tipo ostruttivo", "OA w/ desat",
        "obstructive sleep apnoea", "Apnoe (obstruktiv)", "Obstructive Apnea (4% desat)",
        "Obstructive Apnea + 3% Desat + Arousal", "Apnea Obstructiva", "Obst. Apnea",
        "apnea obstrutiva",
        "Obstructive Apnea", "Apnea Obstructive", "Obstructive Apnoea", "Obstr. Apnea", "OA",
        "apnea_obstructive", "SDO:ObstructiveApnea", "Resp Obstructive Apnea", "APNEA-O", "OSA",
        "Obstructive apnea with desaturation", "Obstructive Apnea w/ Arousal",
        "Obstructive apnea@@Resp. nasal", "SDO:ObstructiveApneaFinding", "APNEA-OBSTRUCTIVE",
        "A. Obstructive", "阻塞性呼吸暂停", "阻塞型睡眠呼吸暂停", "阻塞性呼吸暫停",
        "Obstruktive Apnoe", "Apnée obstructive", "Apnee obstructive", "Apnea ostruttiva",
        "Apnea obstructiva", "Apneia obstrutiva", "Obstructief apneu", "Obstructieve apneu",
        "Obstructive Apnea (OA)", "Apnea (OA)", "Obstructive apnea|Obstructive Apnea",
        "OBSTRUCTIVEAPNEA", "OBSTRUCTIVE_APNEA", "Apnea, Obstructive", "阻塞型呼吸暂停伴氧减",
        "APNOE OBSTRUKTIV",
    ],
    "apnea.central": [
        "Cent Apnea", "呼吸暂停(中枢性)", "呼吸暂停（中枢性）", "Apnea di tipo centrale",
        "Centrale slaapapneu", "Zentr. Apnoe", "Apneia Central",
        "Central Apnea", "Apnea Central", "Central Apnoea", "CA", "apnea_central",
        "SDO:CentralApnea", "Resp Central Apnea", "APNEA-C", "CSA", "Central apnea + desat",
        "SRO:CentralApnea", "APNEA-CENTRAL", "a. zentral", "中枢性呼吸暂停", "中樞性呼吸中止",
        "Zentrale Apnoe", "Zentralapnoe", "Apnée centrale", "Apnea centrale", "Centrale apneu",
        "Apnea - central", "Apnea: Central", "CA w arousal", "CA w/ arousal",
    ],
    "apnea.mixed": [
        "Apnoe, gemischt", "Gem. Apnoe", "混合型呼吸暂停", "Mix Apnea",
        "Mixed Apnea", "Apnea Mixed", "Mixed Apnoea", "apnea_mixed", "SDO:MixedApnea",
        "Resp Mixed Apnea", "APNEA-M", "APNEA-MIXED", "MA", "MSA", "A. Mixed", "混合性呼吸暂停",
        "Gemischte Apnoe", "Apnée mixte", "Apnea mista", "Apnea mixta", "Apneia mista",
        "Gemengde apneu", "Mixed apnea|APNEA-MIXED",
    ],
    "apnea": [
        "Apnea", "Apnoea", "Sleep Apnea", "Unclassified Apnea", "SDO:Apnea", "Apnea-7110-0-0",
        "Apnea A-7100-0-0", "apnea-56-1-0", "UA", "呼吸暂停", "Schlafapnoe", "Apnée",
        "Apneia do sono", "Apnea with bradycardia", "*Apnea*", "(Apnea)", "Apnea #3",
    ],
    "hypopnea": [
        "zentr. Hypopnoe", "Hypopnoe (obstruktiv)", "低通气（阻塞性）",
        "Hypopnée avec désaturation", "Hypopnée avec micro-éveil", "Hipopnea obstructiva",
        "Centrale hypopneu", "Hypop", "Hypopnea (3% desat or arousal)",
        "Hypopnea with 3% desat and arousal", "Hypopnea(3%)", "Hypopnea_4%", "HYPOPNEA 4 %",
        "Hypopnea - 4%", "Hypopnea/4%", "Hypopnea with ≥4% desaturation", "Hypopnea 3,0 %",
        "hypopnea > 4%", "Hypopnea 3%+arousal", "Hypopnea 4% w/ arousal",
        "Hypopnea, 4% Desaturation, Arousal", "Hypopnea associated w/ arousal", "Hypopnea @@Flow",
        "Hypopnea@@", "Hypopnea 1B", "Mixed hypopnea 4%",
        "Hypopnea", "Hypopnoea", "Obstructive Hypopnea", "Central Hypopnea", "Mixed Hypopnea",
        "Hypopnea Obstructive", "Hypopnea Central", "Hypopnea Mixed", "Resp Hypopnea", "HYP",
        "HYP-O", "HYP-C", "HYP-M", "hypopnea30", "hypopnea50", "SDO:HypopneaSleepEvent", "OH",
        "CH", "Obstructive Hypopnoea", "Central Hypopnoea", "Hypopnea 4%", "Hypopnea 3% A",
        "Hypopnea (4%)", "Hypopnea >=3%", "Hypopnea ≥ 3 %", "Hypopnea 4 percent", "Hypopnea 3-4%",
        "Hypopnea４％", "Hypopnea 1A", "Hypopnea (rule 4A)", "Hypopnea with arousal",
        "Hypopnea + arousal", "Hypopnea w/ arousal", "Hypopnea w/arousal", "Hypopnea w/o arousal",
        "Hypopnea (arousal)", "Hypopnea, desaturation", "Hypopnea with 4% desaturation",
        "Hypopnea 4% desat", "Hypopnea with desaturation and arousal",
        "Hypopnea with SpO2 desaturation", "Hypopnea@@Flow", "Hypopnea @@ Nasal Pressure",
        "SDO:HypopneaFinding", "Hypopnea-55-2-0", "HYPOPNEA-OBSTRUCTIVE", "HYPOPNEA-CENTRAL",
        "HYPOPNEA-MIXED", "MH", "H", "Hyp.", "H. Central", "hypopnea-gemischt", "低通气",
        "阻塞性低通气", "低通气事件", "低通氣", "低通气伴觉醒", "Hypopnoe",
        "Obstruktive Hypopnoe", "Hypopnoe mit Arousal", "Hypopnée", "HypopnÃ©e", "Hypopn\ufffde",
        "Hypopnée obstructive", "Ipopnea", "Ipopnea ostruttiva", "Hipopnea",
        "Hipopnea con desaturación", "Hipopneia", "Hipopnéia", "Hypopneu", "Apnea/Hypopnea",
        "Hypopnea in REM", "Hypopnea 0s", "Hypopnea 3%A", "Hypopnea3%A", "Hypopnea 3% or arousal",
        "Hypopnea (3% or arousal)", "Hypopnea (AASM)", "Hypopnea (AASM 3%)", "4% Hypopnea",
        "(4%) Hypopnea", "Resp. Event - Hypopnea", "Respiratory event: hypopnea", "REM hypopnea",
        "Hypopnea supine", "Hypopnea + snoring", "Arousal-related hypopnea",
        "Hypopnea associated with arousal", "H 4%", "H + arousal", "中枢型低通气",
        "hypopnea_central", "Hypopnoea (obstructive)",
    ],
    "rera": [
        "RERA@@Flow", "RERAs", "Respiratory Effort-Related Arousal", "RERA (3%)",
        "RERA", "Respiratory effort related arousal", "Respiratory effort related arousal/RERA",
        "AROUSAL-RERA",
    ],
    "breathing.cheyne-stokes": [
        "CSB", "Cheyne–Stokes respiration", "SDO:CheyneStokesRespiration",
        "Respirazione di Cheyne-Stokes", "潮式呼吸", "Cheyne Stokes resp.",
        "Cheyne-Stokes", "Cheyne Stokes Breathing", "cheynestokes_breathing",
        "Cheyne-Stokes respiration", "Cheyne-Stokes-Atmung", "CSR",
        "Respiration de Cheyne-Stokes", "Atmung Cheyne-Stokes",
    ],
    "breathing.periodic": [
        "Periodische Atmung", "respirazione periodica", "periodieke ademhaling",
        "PeriodicBreathing", "SDO:PeriodicBreathing",
        "Periodic Breathing", "Respiration périodique", "周期性呼吸",
    ],
    "arousal": [
        "Weckreaktion", "Microrisveglio", "Microdespertar", "Despertar", "觉醒", "AROUSAL-RESP",
        "AROUSAL-SPONT", "AROUSAL-LM", "PLM-Arousal", "Respiratorische Arousal (EEG)",
        "Schnarchen Arousal", "Arousal non spécifique", "Mouvement + arousal",
        "Arousal", "EEG arousal", "Arousal ()", "Arousal (Standard)", "Arousal (ASDA)",
        "ASDA arousal", "Arousal (ARO RES)", "Arousal (ARO SPONT)", "Arousal (ARO Limb)",
        "Arousal (ARO PLM)", "Arousal (ARO SNORE)", "Arousal (CHESHIRE)",
        "Arousal (External Arousal)", "External arousal", "Spontaneous arousal", "ARO SPONT",
        "Arousal spontaneous", "Arousal resulting from respiratory effort", "Respiratory arousal",
        "Arousal resulting from Chin EMG", "Arousal resulting from limb movement",
        "Arousal resulting from periodic leg movement", "Limb movement arousal", "ARO RES",
        "Periodic limb movement arousal", "Micro arousal", "SDO:Arousal", "微觉醒", "Micro-éveil",
        "Arousal d'origine respiratoire", "post-apnea arousal", "Apnea-related arousal",
        "AROUSAL-APNEA", "AROUSAL-HYPOPNEA", "Arousal after hypopnea", "Arousal|Arousal ()",
        "Arousal resulting from respiratory effort|Arousal (ARO RES)",
        "Spontaneous arousal|Arousal (apon aro)", "Arousal associated with hypopnea",
        "Hypopnea related arousal", "Arousal (hypopnea)", "arousal_lm", "lml_arousal",
        "Arousal_(ARO_Limb)",
    ],
    "desaturation": [
        "Sättigungsabfall", "O2-Entsättigung", "Entsättigung 4%", "Desaturazione", "Dessaturação",
        "Desaturatie", "氧减事件", "DESAT", "Désaturation en oxygène", "SpO2-Desaturation",
        "Desaturation", "SpO2 desaturation", "SaO2 desaturation", "Oxygen desaturation",
        "O2 desaturation", "Relative desaturation", "Desat", "SpO2 desat", "SpO2 artifact desat",
        "SDO:OxygenDesaturation", "氧减", "血氧饱和度下降", "Entsättigung",
        "Sauerstoffentsättigung", "desaturation after apnea", "Post-apnea desaturation",
        "SpO2 desaturation|DESAT", "Desaturation with arousal", "Desaturation (4%)",
        "Desaturation 4%", "SpO2 desaturation: 4 %", "Desat@@SpO2",
    ],
    "minute.normal": [
        "Normal",
    ],
    "minute.apnea": [
        "Apnea minute",
    ],
    "stage.W": [
        "Schlafstadium W", "Schlafstadium Wach", "Stade W", "Éveillé", "Stadio W", "Estadio W",
        "Estágio W", "Slaapstadium W", "睡眠分期W", "W期", "清醒(W)", "Wake (W)", "STAGE - W",
        "wk", "Sleep stage W ", "Stage WK", "Stage Awake",
        "W", "Wake", "Awake", "Stage W", "Stage Wake", "Sleep stage W", "Sleep stage Wake",
        "Wakefulness", "SDO:WakeState", "SRO:Wake", "SLEEP-S0", "WK", "Veille", "Éveil", "Veglia",
        "Vigilia", "Vigília", "Wakker", "Wach", "清醒", "清醒期", "Wake|0", "sleepstagew",
    ],
    "stage.N1": [
        "1期睡眠", "Stage I", "NREM I",
        "N1", "Stage 1", "Stage N1", "Sleep stage 1", "Sleep stage N1", "Stage 1 sleep", "S1",
        "NREM1", "NREM 1", "Sleep stage NREM1", "SDO:NonRapidEyeMovementSleep-N1",
        "SRO:Stage1Sleep", "SLEEP-S1", "Fase N1", "Estágio N1", "1期", "Stage 1 sleep|1",
    ],
    "stage.N2": [
        "Stadium N2", "Schlafstadium 2", "Stade de sommeil N2", "Stadio del sonno N2",
        "Sueño fase 2", "Sueño N2", "Fase de sueño N2", "Slaap stadium 2", "N2期睡眠",
        "STAGE - N2", "Stage=N2", "stage N2 sleep", "Sleep Stage: 2", "N-2", "Sleep stage NREM 2",
        "NonREM 2", "Non-REM stage 2", "Stage N-2", "SLEEP-N2", "[N2]", '"N2"', "N2.",
        "sleep_stage_n2", "SleepStageN2", "S-2", "STAGE_2", "sleep stage 2 (NREM2)",
        "N2", "Stage 2", "Stage N2", "Sleep stage 2", "Sleep stage N2", "Stage 2 sleep", "S2",
        "NREM2", "NREM 2", "Sleep stage NREM2", "SDO:NonRapidEyeMovementSleep-N2",
        "Sleep stage N2@@EEG C4", "SLEEP-S2", "Stage 2 (N2)", "N2 sleep", "stage: N2", "NREM-2",
        "Schlafstadium N2", "Stadium 2", "Stade 2", "Stade II", "Stadio 2", "Estágio 2",
        "Slaapstadium N2", "N2期", "睡眠2期", "非快速眼动2期", "St. 2", "stage2", "stageN2",
    ],
    "stage.N3": [
        "S3+S4", "S3/S4", "Stage 3-4", "NREM3/4", "N3期睡眠", "slow wave sleep", "深睡期",
        "Stage 4 (N3)", "SWS",
        "N3", "Stage 3", "Stage N3", "Sleep stage 3", "Sleep stage N3", "Stage 3 sleep", "S3",
        "NREM3", "NREM 3", "Sleep stage NREM3", "SDO:NonRapidEyeMovementSleep-N3", "N4",
        "Stage 4", "Stage N4", "Sleep stage 4", "Sleep stage N4", "Stage 4 sleep", "S4", "NREM4",
        "NREM 4", "SDO:NonRapidEyeMovementSleep-N4", "Sleep stage 3/4", "SRO:Stage34Sleep",
        "SLEEP-S3", "SLEEP-S4", "Stade N3", "Sommeil profond", "Etapa N3", "Tiefschlaf",
        "睡眠分期 N3", "N3/N4", "N3/4",
    ],
    "stage.R": [
        "Schlafstadium REM", "Stade REM", "Sommeil REM", "Stadio REM", "Estágio REM", "R期",
        "快速眼动期(R)", "REM (R)", "Stage REM sleep", "REM Stage", "STAGE - R", "Phase REM",
        "Sommeil Paradoxal (R)", "REM睡眠", "Sueño paradójico", "Sono paradoxal",
        "R", "REM", "Stage R", "Stage REM", "Sleep stage R", "Sleep stage REM", "REM sleep",
        "Sleep stage 5", "SDO:RapidEyeMovementSleep", "SRO:RapidEyeMovement", "SLEEP-REM",
        "Sommeil paradoxal", "S. Paradoxal", "Sonno REM", "Fase REM", "Sueño REM", "Sono REM",
        "REM-slaap", "REM-Schlaf", "REM期", "快速眼动期", "快速眼动睡眠", "REM sleep|5",
    ],
    "stage.unscored": [
        "STAGE - NO STAGE", "Sleep stage not scored", "Sleep stage ?@@", "Stage unscored",
        "Bewegungszeit", "Movement Time",
        "Sleep stage ?", "Movement time", "Movement|6", "Sleep stage MT", "Stage MT", "MT",
        "Unscored", "Unscored stage", "Sleep stage unscored", "Stage ?", "Not scored",
        "Sleep stage unknown", "Sleep stage M", "Stage unknown", "SLEEP-MT", "SLEEP-UNSCORED",
        "?", "Unscored|9",
    ],
    "lights.off": [
        "Licht ausgeschaltet", "Lichtaus", "Spegnimento luci", "extinction lumières", "关灯时间",
        "Lampen uit", "LIGHT OFF", "Luz apagada", "LightsOut", "Lights_Off",
        "关灯", "Lights off", "LIGHTS-OFF", "lights out", "Licht aus", "Lumière éteinte",
        "Extinction des lumières", "Luci spente", "Luces apagadas", "Licht uit",
        "Lights Off|Lights Off", "Lights Off@@", "Apagado de luces", "Lichter aus",
    ],
    "lights.on": [
        "Accensione luci", "开灯时间", "Licht eingeschaltet", "LIGHTS ON", "Licht an!",
        "开灯", "LightsOn", "Licht an", "Luzes acesas", "Licht aan", "Luces encendidas",
        "lumières allumées",
    ],
    "other": [
        "Recording Start Time", "Recording starts", "Recording ends", "Snoring", "SNORE-SINGLE",
        "POSITION-SUPINE", "Body position change to left", "Limb Movement (Left)",
        "Periodic leg movement", "PLM (Right)", "Respiratory artifact", "SpO2 artifact",
        "SIGNAL-ARTIFACT", "SIGNAL-QUALITY-LOW", "Technician Notes", "Deleted hypopnea 4% A",
        "Deleted Apnea-7210-0-0", "MCAP-A1", "PLM", "Deleted apnea|Apnea",
        "Recording Start Time|Recording Start Time", "Respiratory artifact|Respiratory artifact",
        "Respiratory Paradox",
    ],
}  # fmt: skip

NOT_UNDERSTOOD = [
    "Arousal (with apnea)", "apnea-hypopnea index", "AHI 12", "Apnea threshold",
    "apnea detected?", "Apnea count 3", "3 apneas", "Apnea (?)", "apnea vs hypopnea",
    "Hypopnea?? ", "not apnea", "not an apnea", "non-apnea", "pseudo apnea", "sub-apnea",
    "Hypopnea not scored", "Apnea excluded", "Apnea (no)", "Hypopnea no arousal", "apnea free",
    "Apnea-free", "Hypnagogic", "Sleep apnea study", "CPAP titration for OSA", "OSA patient",
    "history of sleep apnea", "start of CPAP", "apnea starts here", "Apneic",
    "Hypopneic breathing", "H?", "C3-A2", "EEG A", "Ch1", "Channel H", "1", "2", "0", "W?", "R?",
    "REM behavior", "wake up call", "Patient awake", "Awake?", "Stage", "Stage 7", "N5", "N0",
    "N2-N3", "N2/N1", "lights", "lights dim", "Lights on/off", "on", "off", "B", "C", "O", "M",
    "S", "L", "X", "arousal?", "no arousal", "1 apnea", "Apnea 1", "Apnea: 4",
    "A", "N", "Indéterminé", "呼吸暂停低通气指数", "无呼吸暂停",
    "可疑低通气", "呼吸暂停?", "no apnea", "possible apnea?", "apnea index 5", "Apnea: 5",
    "Apnea 0", "Hypopnea unsure", "Hypopnea?", "Hypopnea arousal", "Hypopnea-arousal",
    "Apnea alarm on", "CPAP apnea settings", "Unsure", "Start N1", "Baseline N1", "W → N1",
    "N2?", "Central apnea (obstructive)", "Apnea without hypopnea", "Sleep without apnea",
    "without apnea", "with apnea", "Obstructive sleep apnea syndrome", "Apnea < 10 s",
    "Apnea <10s", "Hypopnea 1 min 5 s", "Sleep stage", "Stage 1 sleep~1", "Hypnogram",
    "Capnography", "Unsure|Unsure", "No apnea|Apnea", "Apnea (O)", "Apnea artifact",
    "Hypopnea (artifact)", "Snoring + hypopnea", "Arousal with hypopnea",
    "Arousal + hypopnea", "Arousal, apnea", "Desaturation + apnea", "Apnea: 3", "Hypopnea 12",
    "REM/N1", "Wake after sleep onset", "Light sleep", "Sleep onset",
    "Cheyne-Stokes with central apnea", "Keine Apnoe", "Pas d'apnée", "senza apnea",
    "Nessuna apnea", "Não apneia", "Apnea 00:23", "Mögliche Hypopnoe", "Apnea -23 s",
    "Apnea index", "AHI", "Apnea monitor disconnected", "OSAS", "Patient with sleep apnea",
    "Suspected central apnea", "Apnea test", "rule out apnea", "伴", "呼吸事件", "Apnea end?",
    "Lights off end", "Body_temperature_artifact", "ClearAirway", "Clear Airway",
    "Sommeil lent léger", "Obstructive", "Central", "Clear", "Apnea 22:35", "Lights off?",
    "Apnea 01:00:23", "PB?", "Apneas 3",
]  # fmt: skip

EDGES = [
    ("end of apnea", "apnea", "end"),
    ("Apnea end", "apnea", "end"),
    ("Apnoe Ende", "apnea", "end"),
    ("Fin de l'apnée", "apnea", "end"),
    ("Apnea stop", "apnea", "end"),
    ("Start of apnea", "apnea", "start"),
    ("Début apnée", "apnea", "start"),
    ("呼吸暂停开始", "apnea", "start"),
    ("Inicio apnea", "apnea", "start"),
    ("Hypopnea (start)", "hypopnea", "start"),
    ("Hypopnea Beginn", "hypopnea", "start"),
    ("Fine ipopnea", "hypopnea", "end"),
    ("Obstructive Apnea start", "apnea.obstructive", "start"),
    ("Arousal end", "arousal", "end"),
]

LENGTHS = [
    ("Hypopnea 23s", "hypopnea", 23.0),
    ("低通气 23秒", "hypopnea", 23.0),
    ("Hypopnea dur=23", "hypopnea", 23.0),
    ("Hypopnea 23s 4%", "hypopnea", 23.0),
    ("Hypopnea:23s", "hypopnea", 23.0),
    ("Hypopnea (18.5 sec)", "hypopnea", 18.5),
    ("Hypopnoe 18,5 Sek.", "hypopnea", 18.5),
    ("Obstructive apnea, 12 s", "apnea.obstructive", 12.0),
    ("Obstructive Apnea - Dur: 32.5 sec.", "apnea.obstructive", 32.5),
    ("Obstructive Apnea - Dur: 32.5 sec. - O2 Min 85 % - Drop 6 %", "apnea.obstructive", 32.5),
    ("Hypopnea Dur: 20.6 sec. - Desat 4.2 %", "hypopnea", 20.6),
    ("Apnée (12 s)", "apnea", 12.0),
    ("Apnea duration: 15", "apnea", 15.0),
    ("Hypopnea [15 seconds]", "hypopnea", 15.0),
    ("Desaturation - Dur: 46.3 sec. - Min 86 % - Drop 5 %", "desaturation", 46.3),
    ("Arousal - Dur: 5.4 sec. - LM", "arousal", 5.4),
    ("Obstructive Apnea 00:00:23", "apnea.obstructive", 23.0),
    ("Hypopnea duration: 0:31", "hypopnea", 31.0),
    ("Hypopnea (Dauer 00:01:05)", "hypopnea", 65.0),
]


@pytest.mark.parametrize(("text", "kind"), [(t, k) for k, texts in TEXTS.items() for t in texts])
def test_a_text_has_a_kind(text, kind):
    assert vocabulary.kind(text) == kind
    assert kind in vocabulary.KINDS


@pytest.mark.parametrize("kind", ["apnea.obstructive", "hypopnea", "stage.N2", "stage.W"])
@pytest.mark.parametrize("form", [str.lower, str.upper, "  {}  ".format, "{}@@Ch 1".format])
def test_case_spaces_and_channels_say_nothing(kind, form):
    plain = [text for text in TEXTS[kind] if not text.startswith(("SDO:Non", "Hypopn\u00c3"))]
    assert {vocabulary.kind(form(text)) for text in plain} == {kind}


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_nothing_is_read_into_a_text(text):
    assert vocabulary.kind(text) is None


@pytest.mark.parametrize(("text", "kind", "edge"), EDGES)
def test_marks_of_a_start_or_an_end(text, kind, edge):
    assert vocabulary.reading(text) == vocabulary.Reading(kind, edge)
    assert vocabulary.kind(text) is None


@pytest.mark.parametrize(("text", "kind", "seconds"), LENGTHS)
def test_a_length_in_a_text(text, kind, seconds):
    assert vocabulary.reading(text) == vocabulary.Reading(kind, "", seconds)


FOREIGN = {
    "apnea.obstructive": [
        "Apn. obstr.", "Ap. Obstructiva", "Apnées obstructives", "AO", "Obs. A", "ObsA", "Ob.A",
        "OAPNEA", "Obstructed Airway Apnea", "Obstructive Apnea - Dur: 14.0 sec. - Min SpO2 88 %",
        "Obstructive apnea (auto)",
    ],
    "apnea.central": ["Clear Airway Apnea", "AC", "Cen.A", "Cn.A", "CAPNEA", "Ap. Central"],
    "apnea.mixed": ["AM", "Mx.A", "Apnées mixtes"],
    "apnea": ["Apn", "Apnoen"],
    "hypopnea": [
        "Hypo", "Hipopn. obst.", "Hypopnées", "Hypopnoen", "Hypopnea (AASM 2012)",
        "Medicare hypopnea", "Recommended hypopnea", "Automatic hypopnea",
    ],
    "rera": ["Resp. Effort Related Arousal", "Resp Effort-Related Arousal"],
    "breathing.cheyne-stokes": ["resp_cheynestokesbreath", "SDO:CheynesStokesBreathing"],
    "breathing.periodic": ["PB", "pb"],
    "stage.N1": ["Sleep Stage 1 NREM", "Stage 1 (NREM)"],
    "stage.N2": ["Stad. 2"],
    "stage.N3": ["Sommeil lent profond", "深睡眠"],
    "lights.off": [
        "LOFF", "Apaga luz", "Lights Off: 22:35", "Licht aus 22:35:10", "Lights out (22.35)",
        "Lights Off @ 22:35",
    ],
    "lights.on": ["LON", "Lights On 06:12"],
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), [(t, k) for k, texts in FOREIGN.items() for t in texts])
def test_abbreviations_plurals_and_other_spellings(text, kind):
    assert vocabulary.kind(text) == kind


@pytest.mark.parametrize("text", ["無呼吸", "무호흡", "Апноэ", "Гипопноэ", "Bezdech senny", "Apne"])
def test_languages_that_are_not_known_look_respiratory(text):
    assert vocabulary.kind(text) is None
    assert vocabulary.looks_respiratory(text)


@pytest.mark.parametrize("coding", ["utf-8", "gb18030"])
def test_chinese_that_was_read_as_latin(coding):
    for text in ("低通气", "阻塞性呼吸暂停", "N2期睡眠"):
        assert vocabulary.kind(text.encode(coding).decode("latin-1")) == vocabulary.kind(text)
    assert vocabulary.kind("Apnée".encode("latin-1").decode("latin-1")) == "apnea"


DOUBTFUL = [
    "no",
    "possible",
    "suspected",
    "keine",
    "pas d'",
    "nessuna",
    "não",
    "geen",
    "ningún",
    "无",
]
EVENTS = [
    "apnea",
    "Hypopnoe",
    "apnée",
    "ipopnea",
    "hipopneia",
    "apneu",
    "呼吸暂停",
    "低通气",
    "CSA",
]


@pytest.mark.parametrize("event", EVENTS)
def test_doubt_in_any_language_is_no_event_and_looks_like_one(event):
    assert vocabulary.kind(event) in vocabulary.BREATHING
    texts = [f"{word} {event}" for word in DOUBTFUL]
    texts += [f"{event}?", f"{event} alarm", f"{event} index 5", f"{event}: 5", f"{event} < 10 s"]
    for text in texts:
        assert vocabulary.kind(text) is None
        assert vocabulary.looks_respiratory(text)


@pytest.mark.parametrize(
    "text",
    ["Lights", "", "Capnography lost", "EtCO2 kapno", "Hypnogram", "PLM", "W", "起床", "Unsure"],
)
def test_what_does_not_look_respiratory(text):
    assert not vocabulary.looks_respiratory(text)


def test_a_concept_that_denies_is_not_asked_further():
    assert vocabulary.kind("No apnea|Apnea") is None
    assert vocabulary.kind("Deleted apnea|Apnea") == "other"
    assert vocabulary.kind("Scored by hand|Apnea") == "apnea"


OWN = {"My Word": "hypopnea", "Apnea": "ignore", "unsure": "unscored", "呼吸事件": "apnea"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("My Word", "hypopnea"), ("my-word", "hypopnea"), ("MY WORD@@Flow", "hypopnea"),
        ("My Word|17", "hypopnea"), ("Unsure|Unsure", "stage.unscored"), ("apnea", "other"),
        ("呼吸事件", "apnea"), ("my word 2", None), ("Central apnea", "apnea.central"),
    ],
)  # fmt: skip
def test_own_words_come_first(text, kind):
    assert vocabulary.kind(text, OWN) == kind


def test_own_words_may_have_a_length_behind_them():
    said = vocabulary.reading("My word 23 s", vocabulary.folded(OWN))
    assert said == vocabulary.Reading("hypopnea", "", 23.0)


def test_the_most_exact_of_two_own_words_counts():
    own = {"a-b": "hypopnea", "AB": "wake", "?!": "REM", "!": "N1"}
    assert [vocabulary.kind(text, own) for text in ("a-b", "AB")] == ["hypopnea", "stage.W"]
    assert vocabulary.kind("...", own) is None


def test_the_kinds_that_settings_name_are_those_of_the_vocabulary():
    assert tuple(vocabulary.NAMES) == names.EVENTS
    assert len(set(vocabulary.KINDS)) == len(vocabulary.KINDS)


def test_no_word_has_two_parts():
    assert all(word == vocabulary.plain(word) and part for word, part in PARTS.items())
    assert len({sign for sign, _ in CHINESE}) == len(CHINESE)


pieces = st.sampled_from([*PARTS, *(sign for sign, _ in CHINESE), *"+&(?<|@#/-", "4%", "23s", "w/"])


@given(st.one_of(st.text(), st.lists(pieces, max_size=60).map(" ".join)))
def test_any_text_is_read_at_once(text):
    begun = time.process_time()
    said = vocabulary.reading(text)
    assert said.kind is None or said.kind in vocabulary.KINDS
    assert said.seconds is None or 0 < said.seconds < 1000
    vocabulary.looks_respiratory(text)
    assert time.process_time() - begun < 0.5


@given(st.lists(pieces, min_size=2, max_size=6), st.sampled_from(["zzz", "?", "index", "no", "→"]))
def test_a_word_that_is_not_known_leaves_a_text_without_apnea(words, strange):
    text = " ".join([*words, strange])
    assert vocabulary.kind(text.replace("|", " ").replace("@", " ")) not in vocabulary.BREATHING
