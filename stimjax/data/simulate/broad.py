"""Sleepers broader than any cohort: what anybody may have, by physiology and by devices.

Nothing here is fitted to recordings. Where a source gives a distribution, a range covers it and
more, and is uniform: what is rare has to be seen as well. Shares of persons are of the same kind:
they say how often something is seen, not how often it is found. A source says that a thing is so
and how large it is; ends of ranges that it does not give, and what has no source, are ours.
"""

from __future__ import annotations

from stimjax.data.simulate.ranges import LogUniform, OneOf, Range, Sometimes, Uniform
from stimjax.data.simulate.sleeper import SleeperRanges
from stimjax.data.simulate.traits import Ranges

# Grades: AASM task force, Sleep 1999;22:667. There are people of more than 100 events an hour.
SEVERITY = {
    "healthy": (0.22, 0.0, 5.0),
    "mild": (0.22, 5.0, 15.0),
    "moderate": (0.22, 15.0, 30.0),
    "severe": (0.26, 30.0, 80.0),
    "extreme": (0.08, 80.0, 115.0),
}

BREATH: dict[str, Range] = {
    # Inspiration is 0.3 to 0.5 of a breath (Tobin et al., Chest 1983;84:202); obstruction of the
    # lungs and of the throat lie beyond.
    "inspiration": Uniform(0.25, 0.55),
    "expiration_power": Uniform(0.35, 1.3),
    # Gains are arbitrary; thoracic and abdominal breathers exist (Konno and Mead, J Appl Physiol
    # 1967;22:407).
    "chest": LogUniform(0.1, 8),
    "abdomen": LogUniform(0.1, 8),
    "lag": Uniform(-0.08, 0.15),
    "paradox": Uniform(0.05, 0.55),  # half a breath is full paradox
    "variability": LogUniform(0.35, 2.5),
    "flattening": Uniform(0, 1),
    "cardiac": LogUniform(0.003, 0.12),
    "noise": LogUniform(0.002, 0.15),
    "sighs": Uniform(0, 30),
}

BLOOD: dict[str, Range] = {
    # In % a second. Breath-holding and apnea: Strohl and Altose, Chest 1984;85:181; it differs
    # by volume of the lungs, weight and metabolism several times.
    "desaturation": LogUniform(0.06, 1.5),
    # From lung to finger 18.5 s (mean), 26.1 s in heart failure (Kwon et al., J Clin Sleep Med
    # 2014;10:759); to the ear 10.3 and 24.3 s (Hall et al., AJRCCM 1996;154:376).
    "circulation": Uniform(6, 50),
    "resaturation": LogUniform(4, 30),
    # Daily means at rest are 40 to 109 (Quer et al., PLoS ONE 2020;15:e0227709).
    "heart": Uniform(42, 105),
    # Several times as large in the young as in the old, and none in neuropathy (Umetani et al., J
    # Am Coll Cardiol 1998;31:593; Ewing et al., Diabetes Care 1985;8:491).
    "sinus_arrhythmia": Uniform(0, 9),
    # Of a few beats to tens (Guilleminault et al., Lancet 1984;1:126).
    "bradycardia": Uniform(0, 16),
    # It tells people apart, and both small and large ones mean illness (Azarbarzin et al., AJRCCM
    # 2021;203:1546).
    "surge": LogUniform(1.5, 35),
    # Up to what oximeters can show at all.
    "deepest": Uniform(20, 55),
}

COURSE: dict[str, Range] = {
    "longest": Uniform(60, 90),
    "spread": Uniform(0.1, 0.55),
    "pause": LogUniform(10, 90),
    "jitter": Uniform(0.1, 0.7),
    "light": Uniform(0, 1),
    "deep": Uniform(-2.5, 0.3),
    # Events bound to R, and events spared there: Mokhlesi and Punjabi, Sleep 2012;35:5.
    "dream": Uniform(-1.5, 3.5),
    # Half of patients have twice as many on the back: Oksenberg et al., Chest 1997;112:629.
    "supine_prone": Uniform(-0.2, 3.5),
    "supine": Uniform(0, 1),
    "cluster_seconds": LogUniform(120, 3000),
    "scatter": LogUniform(0.1, 3),
    "aroused": Uniform(0.1, 1),
    # 14 an hour in the young, 27 in the old (Boselli et al., Sleep 1998;21:351), which age
    # multiplies; scorers differ twofold.
    "arousals": Uniform(2, 14),
    "silent": Sometimes(0.4, Uniform(0.05, 0.6)),
    # More than 15 an hour is a finding; some have over 100 (WASM, Sleep Med 2016;26:86).
    "kicks": Sometimes(0.3, LogUniform(5, 120)),
    "dips": Uniform(0, 8),
    # Minutes below the baseline in R: COPD (Fletcher et al., Chest 1987;92:604), obesity
    # hypoventilation (Mokhlesi et al., AJRCCM 2019;200:e6).
    "sags": Sometimes(0.25, Uniform(0.3, 3)),
    "sag": Uniform(0, 12),
}

RHYTHM: dict[str, Range] = {
    # Neuropathy, beta blockers, transplanted hearts: no answer, or hardly any (Ewing et al., 1985).
    "response": Sometimes(0.22, Uniform(0, 0.12), 1.0),
    "surge_seconds": Uniform(2, 9),
    "surge_delay": Uniform(-2, 6),
    "surge_most": Uniform(10, 45),
    "level": Uniform(-0.2, 2),
    "spread": LogUniform(0.15, 2.5),
    "memory": LogUniform(3, 60),
    # By 10 % and more in the first hours of sleep, and up again before morning.
    "trend": Uniform(-14, 8),
    "wander": Uniform(0, 5),
    # About the same share of the mean at any rate (Tateno and Glass, Med Biol Eng Comput
    # 2001;39:664).
    "fibrillation": Sometimes(0.1, Uniform(0.1, 0.32)),
    "burden": Sometimes(0.3, Uniform(0.05, 0.9), 1.0),
    # Of 99 in 100 people over 50, with a median of 0.8 to 2.6 an hour by age (Conen et al.,
    # Circulation 2012;126:2302); ill hearts have hundreds.
    "ectopics": Sometimes(0.4, LogUniform(0.5, 500)),
    "pacemaker": Sometimes(0.06, Uniform(50, 80)),
    "slowest": Uniform(28, 40),
}

# Manuals of bedside monitors (Mindray DPM 4, Comen N10): Masimo averages over 2 to 16 s and shows
# whole percent of 1 to 100; Nonin (3150) averages exponentially over 4 beats, shows it 1.5 s
# later, and keeps the last value for 10 s where the signal is weak. In studies of sleep 0 to 10 s
# (Vagedes et al., Nat Sci Sleep 2024;16:1131). The AASM manual asks for 3 s at most.
DEVICE: dict[str, Range] = {
    "average": LogUniform(1, 16),
    "exponential": Sometimes(0.35, OneOf((1.0,))),
    "delay": Uniform(0, 6),
    "hold": Sometimes(0.25, OneOf((2.0, 3.0, 4.0)), 1.0),
    "flats": Sometimes(0.4, LogUniform(0.1, 3)),
    "spikes": Sometimes(0.2, LogUniform(0.2, 8)),
}

OXIMETER: dict[str, Range] = {
    **DEVICE,
    "step": Sometimes(0.25, OneOf((0.1, 0.1, 0.5)), 1.0),
    "lowest": Uniform(35, 60),
    # Readings are off by 2 to 4 % (ISO 80601-2-61), which moves slowly: posture, finger, warmth.
    "wander": Uniform(0.1, 1.5),
    "noise": Uniform(0.03, 0.6),
    "perfusion": Sometimes(0.25, LogUniform(0.2, 3)),
    "drops": LogUniform(0.1, 8),
    "drop": Uniform(6, 35),
    "lost": LogUniform(0.05, 2),
}

MONITOR: dict[str, Range] = {
    **DEVICE,
    "average": LogUniform(1, 10),
    # Devices show whole beats; what is computed from an ECG is finer.
    "step": Sometimes(0.35, OneOf((0.01, 0.1)), 1.0),
    "pulse": OneOf((0.0, 1.0)),
    "miscounts": Sometimes(0.35, LogUniform(0.1, 8)),
}

BELTS: dict[str, Range] = {
    "drift": LogUniform(0.02, 0.6),
    "high_pass": LogUniform(1.5, 20),
    # Laboratories had sensors of warmth before they had nasal pressure; they follow late.
    "thermistor": Sometimes(0.35, LogUniform(0.2, 1.5)),
    "ceiling": Sometimes(0.15, Uniform(0.8, 2.5)),
    "belt_sign": OneOf((-1.0, 1.0)),
    "flow_sign": OneOf((-1.0, 1.0)),
}

BROAD = Ranges(
    severity=SEVERITY,
    central=0.2,
    alike=3,
    harmonics=0.14,
    # Differs by person, and is inherited (Butler et al., AJRCCM 2019;199:903).
    event_seconds=Uniform(11, 45),
    # 59 s (mean) in heart failure, 37 s without (Hall et al., 1996).
    cycle=Uniform(36, 92),
    # Up to 28 a minute is normal in the old (Rodriguez-Molinero et al., J Am Geriatr Soc
    # 2013;61:2238).
    rate=Uniform(8, 28),
    breath=BREATH,
    # Asleep 96.5 % (1.5 %) in the healthy, 95.1 % (2.0 %) from 60 years on (Gries and Brooks,
    # Chest 1996;110:1489); less above 2,500 m (Rojas-Camayo et al., Thorax 2018;73:776) and
    # where lungs or breathing fail.
    saturation=(94.6, 2.4),
    saturations=(88, 99),
    age=Uniform(18, 95),
    blood=BLOOD,
    course=COURSE,
    rhythm=RHYTHM,
    oximeter=OXIMETER,
    monitor=MONITOR,
    belts=BELTS,
)

BODY: dict[str, Range] = {
    "slope": LogUniform(0.02, 0.5),
    # 8 to 13 Hz (AASM manual, rule IV); it slows with age and illness.
    "alpha": Uniform(7.5, 12.5),
    # 11 to 16 Hz (AASM manual, rule IV), with a density and size that differ several times from
    # person to person (Purcell et al., Nat Commun 2017;8:15930).
    "spindle": Uniform(11.2, 15.5),
    "atonia": LogUniform(0.6, 4),  # sleep without atonia
    "spindles": Uniform(0.8, 9),
    "spindle_size": Uniform(6, 36),
    "eyes": LogUniform(0.35, 2.2),
    "noise": LogUniform(0.3, 5),
    "fragmentation": Uniform(0, 1),
}

ELECTRODES: dict[str, Range] = {
    "brain": Uniform(0.1, 0.7),
    "muscle": LogUniform(0.03, 0.5),
    "muscle_eyes": LogUniform(0.03, 0.5),
    "heart": Sometimes(0.3, LogUniform(2, 25)),
    "beats": Uniform(45, 100),
    "sweat": LogUniform(2, 40),
    "mains": Sometimes(0.3, LogUniform(0.3, 8)),
    "mains_rate": OneOf((40.0, 49.5)),
    # The AASM manual asks for 0.3 to 35 Hz; ambulatory recorders begin at 0.1 to 1 Hz.
    "high_pass": Sometimes(0.6, OneOf((0.1, 0.16, 0.3, 0.5))),
    "low_pass": Sometimes(0.6, OneOf((30.0, 35.0, 40.0))),
    "eyes_sign": OneOf((-1.0, 1.0)),
}

BROAD_SLEEPERS = SleeperRanges(
    # Derivations, skulls and ages differ about threefold.
    size=LogUniform(0.5, 1.8),
    gain=LogUniform(0.5, 1.8),
    # One in ten has no alpha, one in ten hardly any (AASM manual, rule IV, notes).
    alpha=LogUniform(0.1, 2.2),
    slow=0.55,
    muscle=LogUniform(0.25, 4),
    body=BODY,
    age=Uniform(18, 95),
    electrodes=ELECTRODES,
)
