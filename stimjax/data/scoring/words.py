"""The words of a scoring in the languages of laboratories, each with its part in `vocabulary`.

A part is a character, and a text becomes a string of them: "Obstructive Apnea + arousal" is
`oA+R`. What a string means is said in `vocabulary`; here are words only, in lower case and without
accents: English, German, French, Italian, Spanish, Portuguese, Dutch.
"""

from __future__ import annotations

UNKNOWN = "~"  # the part of what is not here

# Part -> its words. An abbreviation may stand for several parts.
_PARTS: dict[str, str] = {
    # What happened.
    "A": "apnea apnoea apnoe apnee apneia apneu apnees apnoen apneias apneus ap apn",
    "H": "hypopnea hypopnoea hypopnoe hypopnee hypopneu hipopnea hipopneia ipopnea hypoapnea "
         "hypopnees hypopnoen hipopneias hipop hipopn hypo "
         "hypop hypopn hyp hy h",
    "R": "arousal arousals weckreaktion mikroarousal microarousal microeveil microreveil "
         "microrisveglio microdespertar despertar",
    "D": "desaturation desaturations desat desaturazione desaturacion desaturacao dessaturacao "
         "desaturatie sattigungsabfall saettigungsabfall entsattigung entsaettigung",
    "E": "rera reras",
    "oA": "oa osa ao oapnea oapnoea", "cA": "ca csa ac capnea capnoea",
    "mA": "ma msa am mapnea mapnoea", "uA": "ua", "oH": "oh", "cH": "ch", "mH": "mh",
    "CS": "csr csb",
    "C": "cheyne cheynes", "S": "stokes stoke",
    "P": "periodic periodische periodisches periodique periodico periodica periodieke",
    "PB": "pb",
    "B": "breathing breath respiration atmung respiro respirazione respiracion respiracao "
         "ademhaling",
    # Of which kind an apnea or hypopnea is, and the same as a letter.
    "o": "obstructive obstr obst obs ob obstructives obstruktiv obstruktive obstruktiver "
         "obstructif obstructief "
         "obstructieve ostruttiva ostruttivo ostr obstructiva obstructivo obstrutiva obstrutivo",
    "c": "central centr cent cen cn centrales centraux zentral zentrale zentraler zentr "
         "centraal centrale centrali",
    "m": "mixed mix mx mixtes gemischt gemischte gemischter gem mixte mista misto mixta mixto "
         "gemengd "
         "gemengde",
    "u": "unclassified unspecified undifferentiated unknown undetermined unbekannt "
         "unklassifiziert indetermine inconnu sconosciuto indeterminato desconocido indeterminado "
         "desconhecido onbekend",
    "x": "o", "y": "c", "z": "m", "a": "a", "b": "b",
    # What goes with it.
    "&": "with mit avec con com met and und et y e en or oder ou in during im au wahrend waehrend "
         "pendant durante tijdens",
    "-": "without ohne sans senza sin sem zonder",
    "L": "post after following due to from resulting nach durch apres suite origine cause dopo "
         "tras despues apos",
    "M": "related associated assoc induced bedingt bedingte lie liee",
    "g": "oxygen sat saturation sauerstoff oxygene ossigeno oxigeno oxigenio zuurstof",
    "d": "min minimum nadir lowest drop max low high poor bad",
    "p": "30 50",
    "v": "supine prone upright left right back side nonsupine ruckenlage rueckenlage bauchlage "
         "rechts links gauche droite droit dos supino prono",
    # Words that say nothing further.
    ".": "sleep schlaf sommeil sonno sueno sono slaap event finding episode state ereignis evento "
         "evenement gebeurtenis type typ tipo rule aasm cms chicago resp respiratory "
         "respiratorisch respiratorische respiratoire respiratoires respiratoria respiratorio "
         "medicare recommended alternative auto automatic automatisch automatique automatico lent "
         "scored manual of the de du des d di del della dello do da la le l el il der die das",
    # The night's frame.
    "lf": "loff", "ln": "lon",
    "l": "light lights licht lichter lichten lumiere lumieres luce luci luz luces luzes feux lamp "
         "lampen lamps",
    "f": "off out aus uit eteinte eteintes eteint extinction ausgeschaltet spenta spente "
         "spegnimento apagada apagadas apagar apagado apaga",
    "n": "on an aan ein eingeschaltet allumee allumees allumage accesa accese accensione "
         "encendida encendidas encender encendido acesa acesas acender",
    "t": "time marker zeit heure ora hora tijd as",
    "<": "start starts started begin begins beginning beginn anfang onset debut inizio inicio",
    ">": "end ends ended ende ending stop stops stopped offset fin fine fim final einde",
    # Stages.
    "T": "stage stages stg st stad stadium stadien stade stadio estadio estagio etapa fase phase "
         "schlafstadium slaapstadium",
    "W": "w wk wake awake wakefulness wach wachheit wachzustand wachphase eveil eveille veille "
         "veglia sveglio sveglia vigilia vigil despierto despierta desperto acordado acordada "
         "wakker waak waken",
    "Q": "r rem paradoxal paradoxical paradossale paradojico mor",
    "Z": "nrem nr nonrem nmor", "N": "n", "s": "s",
    "1": "1 i", "2": "2 ii", "3": "3 iii", "4": "4 iv", "0": "0", "5": "5", "6": "6", "9": "9",
    "34": "34",
    "N3": "sws deep tiefschlaf profond profondo profundo diepe",
    "U": "mt unscored notscored unbewertet bewegungszeit",
    # What only an arousal is called, and what is known and needs no label.
    "j": "relative spontaneous spont spontan spontane micro mikro eeg cortical cortico kortikal "
         "autonomic autonome autonom standard asda adsa aro res apon spon cheshire external chin "
         "emg effort specifique non specific",
    "k": "snore snores snoring schnarchen ronflement ronflements russamento ronquido ronquidos "
         "ronco roncos snurken gesnurk train single position posture lage korperlage koerperlage "
         "body plm plms lm lms lml lmr lmb limb leg legs arm movement movements mouvement "
         "bewegung movimento movimiento beweging gross change bradycardia tachycardia arrhythmia "
         "asystole bruxism spindle kcomplex mcap calibration biocal biocals impedance video "
         "recording aufzeichnung aufnahme enregistrement registrazione grabacion gravacao opname "
         "technician tech notes note paradox paradoxe heart rate",
    "r": "artifact artifacts artefact artefakt artefatto artefacto artefato signal quality",
    "X": "deleted removed geloscht geloescht",
}  # fmt: skip

PARTS: dict[str, str] = {word: part for part, words in _PARTS.items() for word in words.split()}

# Chinese, in words of the table above.
_CHINESE: dict[str, str] = {
    "apnea": "呼吸暂停 呼吸中止", "hypopnea": "低通气 低呼吸", "obstructive": "阻塞",
    "central": "中枢", "mixed": "混合", "arousal": "觉醒 微觉醒",
    "desaturation": "去饱和 氧减 血氧下降 氧饱和度下降 血氧饱和度下降",
    "rera": "呼吸努力相关觉醒 呼吸努力相关性觉醒 呼吸努力相关微觉醒",
    "cheyne stokes": "潮式呼吸 陈施呼吸 陈-施呼吸", "periodic breathing": "周期呼吸 周期性呼吸",
    "wake": "清醒 觉醒期", "rem": "快速眼动 快速动眼 快动眼", "deep": "深睡 深睡眠",
    "nrem": "非快速眼动 非快速动眼 非快动眼", "stage": "期 分期", "sleep": "睡眠",
    "unscored": "未评分 未分期", "mt": "体动时间", "event": "事件 性 型", "with": "伴 伴有",
    "start": "开始", "end": "结束", "lights off": "关灯 熄灯", "lights on": "开灯 亮灯",
    "time": "时间", "movement": "体动", "position": "体位", "snore": "鼾声 打鼾",
    "leg movement": "腿动", "limb movement": "肢体运动", "artifact": "伪迹",
}  # fmt: skip

# Longer ones first: they hold shorter ones.
CHINESE: tuple[tuple[str, str], ...] = tuple(
    sorted(
        ((sign, word) for word, signs in _CHINESE.items() for sign in signs.split()),
        key=lambda pair: -len(pair[0]),
    )
)

# Traditional characters as the simplified ones that stand in `_CHINESE`.
SIMPLIFIED = str.maketrans("暫氣樞覺動關開燈體聲期減飽評偽結", "暂气枢觉动关开灯体声期减饱评伪结")
