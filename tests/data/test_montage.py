"""Which signal of a file stands for which channel: from headers alone, and through small files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax.data import channels, montage, reader
from stimjax.data.recording import Signal
from stimjax.errors import StimjaxError


def heads(*rows):
    """Headers of signals: a label, or a label with a unit and a rate."""
    return tuple(
        montage.header(row, "uV", 4.0) if isinstance(row, str) else montage.header(*row)
        for row in rows
    )


def pairs(signals, chosen):
    """The labels that stand for each channel: that of the signal, that of its reference."""
    return {
        name: tuple(signals[index].label for index in choice.indices)
        for name, choice in chosen.items()
    }


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        # as CFS, MrOS and SHHS have them
        (("C3", "C4", "M1", "M2"), {"EEG C3-M2": ("C3", "M2"), "EEG C4-M1": ("C4", "M1")}),
        (("C3", "C4", "A1", "A2"), {"EEG C3-M2": ("C3", "A2"), "EEG C4-M1": ("C4", "A1")}),
        (("EEG", "EEG(sec)"), {"EEG": ("EEG",), "EEG 2": ("EEG(sec)",)}),
        (("EEG C3", "EEG A2"), {"EEG C3-M2": ("EEG C3", "EEG A2")}),
        (("C3-REF", "A2-REF"), {"EEG C3-M2": ("C3-REF", "A2-REF")}),
        (("C3",), {"EEG C3": ("C3",)}),
        # electrodes of a cap of BioSemi
        (("A1", "A2", "A3", "C3"), {"EEG C3": ("C3",)}),
        (("A3", "a2", "C3", "M2"), {"EEG C3-M2": ("C3", "M2")}),
        (("EEG 1-2", "EEG 3-4"), {"EEG 1-2": ("EEG 1-2",), "EEG 3-4": ("EEG 3-4",)}),
        (("C3", "M1"), {"EEG C3-M1": ("C3", "M1")}),
        (("Fz", "M1", "M2"), {"EEG Fz-M1": ("Fz", "M1")}),
        (("E1", "E2", "M2"), {"EOG left": ("E1", "M2"), "EOG right": ("E2", "M2")}),
        (("LOC", "ROC", "A1"), {"EOG left": ("LOC", "A1"), "EOG right": ("ROC", "A1")}),
        (("E1", "E1-M2", "M2"), {"EOG left": ("E1-M2",)}),
        (("EOG-L", "EOG-R", "M2"), {"EOG left": ("EOG-L",), "EOG right": ("EOG-R",)}),
        # what was measured against another is not subtracted
        (("C3-Ref", "M2"), {"EEG C3-Ref": ("C3-Ref",)}),
        (("C3-LE", "M2"), {"EEG C3-LE": ("C3-LE",)}),
        # a derivation of the recorder goes before ours
        (("C3", "M2", "C3-M2"), {"EEG C3-M2": ("C3-M2",)}),
        (((("C3", "uV", 4.0)), ("M2", "uV", 2.0)), {"EEG C3": ("C3",)}),
        ((("C3", "mV", 4.0), ("M2", "uV", 4.0)), {"EEG C3-M2": ("C3", "M2")}),
        ((("C3", "uV", 4.0), ("M2", "", 4.0)), {"EEG C3": ("C3",)}),
        ((("C3", "", 4.0), ("M2", "", 4.0)), {"EEG C3-M2": ("C3", "M2")}),
    ],
)
def test_electrodes_are_taken_against_their_ears(labels, expected):
    signals = heads(*labels)
    chosen = pairs(signals, montage.choose(signals))
    assert {name: value for name, value in chosen.items() if name[0] == "E"} == expected


@pytest.mark.parametrize(
    ("rows", "name", "label"),
    [
        (("Thermistor", "Nasal Pressure"), "flow", "Nasal Pressure"),
        (("Airflow", "Cannula Flow"), "flow", "Cannula Flow"),
        (("Flow Th", "Flow"), "flow", "Flow"),
        (("XFlow", "Therm"), "flow", "Therm"),
        ((("SpO2 BB", "%", 3.0), ("SpO2", "%", 1.0)), "SpO2", "SpO2"),
        ((("SaO2", "%", 0.1), ("SpO2", "%", 1.0)), "SpO2", "SpO2"),
        ((("SpO2", "mV", 8.0), ("OSAT", "%", 1.0)), "SpO2", "OSAT"),
        ((("Pulse", "bpm", 1.0), ("HR", "bpm", 1.0)), "HR", "HR"),
        ((("HR", "mV", 1.0), ("Pulse", "bpm", 1.0)), "HR", "Pulse"),
        (("EMG 1", "Chin1-Chin2"), "EMG", "Chin1-Chin2"),
        (("Flow", "Flow"), "flow", "Flow"),
        (("SaO2", "SpO2"), "SpO2", "SpO2"),
        (("Airflow", "FLOW"), "flow", "FLOW"),
        ((("EEG C3-A2", "uV", 4.0), ("EEG C3-M2", "uV", 4.0)), "EEG C3-M2", "EEG C3-M2"),
        ((("Nasal Pressure", "bpm", 4.0), "Thermistor"), "flow", "Thermistor"),
    ],
)
def test_the_choice_between_two_of_a_kind_does_not_hang_on_their_order(rows, name, label):
    for signals in (heads(*rows), heads(*rows[::-1])):
        assert signals[montage.choose(signals)[name].index].label == label


@pytest.mark.parametrize("labels", [("SaO2", "OSAT"), ("OSAT", "SaO2"), ("New Air", "Airflow")])
def test_of_equals_the_first_is_taken(labels):
    (choice,) = montage.choose(heads(*labels)).values()
    assert choice.index == 0


TWO = heads("Thermistor", "Nasal Pressure", ("SaO2", "%", 1.0), ("SpO2", "%", 1.0), "X1", "Crc16")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["flow"], {"flow": "Nasal Pressure"}),
        (["Thermistor"], {"flow": "Thermistor"}),
        (["thermistor"], {"flow": "Thermistor"}),
        (["Flow Th"], {"flow": "Thermistor"}),  # the same sensor by another word
        (["Cannula"], {"flow": "Nasal Pressure"}),
        (["airflow"], {"flow": "Nasal Pressure"}),
        (["flow=Thermistor"], {"flow": "Thermistor"}),
        (["flow=*NASAL*"], {"flow": "Nasal Pressure"}),
        (["flow=Mask*", "flow=therm*"], {"flow": "Thermistor"}),
        (["flow=Mask*", "flow"], {"flow": "Nasal Pressure"}),
        (["flow=X1"], {"flow": "X1"}),
        (["X1"], {"X1": "X1"}),
        (["mine=X?"], {"mine": "X1"}),
        (["Thermistor", "Cannula"], {"Thermistor": "Thermistor", "Cannula": "Nasal Pressure"}),
        (["flow", "Thermistor"], {"flow": "Nasal Pressure", "Thermistor": "Thermistor"}),
        (["flow", "Nasal Pressure"], {"flow": "Thermistor", "Nasal Pressure": "Nasal Pressure"}),
        (["SaO2", "SpO2"], {"SaO2": "SaO2", "SpO2": "SpO2"}),
        (["SpO2=SpO2"], {"SpO2": "SpO2"}),
        (["OSAT"], {"SpO2": "SpO2"}),
    ],
)  # fmt: skip
def test_what_a_user_asks_for_goes_before_the_rules(wanted, expected):
    picked = montage.pick(TWO, wanted, "f")
    assert {name: TWO[choice.index].label for name, choice in picked.items()} == expected
    assert list(picked) == [wish.name for wish in channels.wishes(wanted)]
    rates = montage.rates(TWO, wanted)
    assert {name: rates[name] for name in picked} == {
        name: TWO[choice.index].rate for name, choice in picked.items()
    }


@pytest.mark.parametrize(
    ("labels", "wanted", "message"),
    [
        (("SpO2", "HR"), ["flow"], r"^f: has no channel 'flow'; it has SpO2, HR$"),
        (("Thermistor",), ["Nasal Pressure"], "has no channel 'Nasal Pressure'; it has flow"),
        (("Cannula",), ["therm"], "has no channel 'therm'"),
        (("Flow",), ["flow=*Cann*"], r"no signal labeled '\*Cann\*' for 'flow'; it has flow$"),
        (("Flow",), ["flow=a", "flow=b"], "no signal labeled 'a' or 'b' for 'flow'"),
        (("SpO2",), ["SpO2", "SaO2"], "has no channel 'SaO2'"),
        (("Flow",), ["flow", "Thermistor"], "has no channel 'Thermistor'"),
        (("Thermistor",), ["flow", "Thermistor"], "has no channel 'flow'"),
        (("X", "Flow"), ["HR=X", "SpO2=X"], "'HR' and 'SpO2' would both be its signal 'X'"),
        (("Thermistor", "Cannula"), ["HR"], "it has flow and signals labeled 'Thermistor'"),
        (("Flow",), ["flow=Crc16"], "no signal labeled"),
        (("C3", "M2"), ["EEG C4-M1"], "has no channel 'EEG C4-M1'; it has EEG C3-M2"),
        (("C3-Ref", "C4-LE"), ["C3-C4"], "has no channel 'C3-C4'"),
    ],
)
def test_what_a_file_does_not_have_is_an_error(labels, wanted, message):
    signals = heads(*labels, "Crc16")
    with pytest.raises(StimjaxError, match=message):
        montage.pick(signals, wanted, "f")


def test_a_pattern_that_fits_nothing_leaves_no_other_signal_under_its_name():
    assert montage.rates(heads("Flow", "SpO2"), ["flow=*Cann*", "SpO2"]) == {"SpO2": 4.0}


@pytest.mark.parametrize(
    ("wanted", "name", "expected"),
    [
        ("EEG F3-C3", "EEG F3-C3", ("F3", "C3")),
        ("C3-A2", "EEG C3-M2", ("C3", "M2")),
        ("C3-A1", "EEG C3-M1", ("C3", "M1")),
        ("C3", "EEG C3", ("C3",)),
        ("EEG C3", "EEG C3", ("C3",)),
        ("E1-M2", "EOG left", ("E1", "M2")),
        ("M1", "M1", ("M1",)),
        ("EEG=F3", "EEG", ("F3",)),
    ],
)
def test_derivations_of_electrodes_can_be_asked_for(wanted, name, expected):
    signals = heads("F3", "C3", "E1", "M1", "M2")
    assert pairs(signals, montage.pick(signals, [wanted], "f")) == {name: expected}


@pytest.mark.parametrize(
    ("rows", "wanted", "lines"),
    [
        (("Flow", "SpO2"), None, ()),
        (
            ("Thermistor", "Nasal Pressure"),
            None,
            (
                "flow is 'Nasal Pressure' (hypopneas are scored on nasal pressure); 'Thermistor' "
                "is left out: name it to take it",
            ),
        ),
        (
            (("SpO2", "%", 1.0), ("SaO2", "%", 1.0), ("OSAT", "%", 1.0)),
            None,
            ("SpO2 is 'SpO2'; 'SaO2', 'OSAT' are left out: name one to take it",),
        ),
        (("Thermistor", "Nasal Pressure"), ["Thermistor"], ()),
        (("Thermistor", "Nasal Pressure", "HR"), ["HR"], ()),
        (("Thermistor", "Nasal Pressure"), ["Thermistor", "Nasal Pressure"], ()),
        (("Thermistor", "Nasal Pressure"), ["flow=*Therm*"], ()),
        (("C3", "M2"), None, ("EEG C3-M2 is 'C3' less 'M2'",)),
        (
            ("C3", "M2"),
            ["EEG=C3"],
            ("'C3' is taken as it is: what it was measured against is not told",),
        ),
        ((("EEG", "", 4.0),), None, ("'EEG' states no unit: its values are taken as they are",)),
        (
            ("Flow", "Flow", "Airflow"),
            None,
            (
                "flow is 'Flow'; 'Flow', 'Airflow' are left out: name one to take it (of equal "
                "labels only the first can be named)",
            ),
        ),
        (("Flow", "Crc16"), None, ()),
        (
            ("Nasal Pressure", "flow"),
            None,
            (
                "flow is 'Nasal Pressure' (hypopneas are scored on nasal pressure); 'flow' is left "
                "out: name it as flow=flow to take it",
            ),
        ),
        (("Nasal Pressure", "flow"), ["flow=flow"], ()),
    ],
)  # fmt: skip
def test_choices_are_noted(rows, wanted, lines):
    assert montage.notes(heads(*rows), wanted) == lines


LABELS = st.sampled_from(
    [
        "C3", "C4", "A1", "M2", "E1", "LOC", "C3-M2", "C3-Ref", "EEG", "EEG 2", "Flow", "Therm",
        "Nasal Pressure", "SpO2", "SaO2", "HR", "X", "EMG", "Crc16", "",
    ]
)  # fmt: skip
ROWS = st.lists(st.tuples(LABELS, st.sampled_from(["uV", "%", ""]), st.sampled_from([1.0, 4.0])))


@settings(deadline=None)
@given(ROWS)
def test_names_that_a_file_offers_are_what_it_gives_for_them(rows):
    signals = heads(*rows)
    chosen = montage.choose(signals)
    names = [name for name in chosen if channels.canonical(name) == name]  # "C3" in % is no EEG
    assert montage.pick(signals, names, "f") == {name: chosen[name] for name in names}
    assert montage.pick(signals, None, "f") == chosen
    assert montage.rates(signals) == {n: signals[c.index].rate for n, c in chosen.items()}
    assert [choice.index for choice in chosen.values()] == sorted(
        {c.index for c in chosen.values()}
    )


@given(ROWS, st.lists(st.one_of(LABELS.filter(bool), st.just("flow=*a*"), st.just("EEG=C?"))))
def test_whatever_is_asked_for_is_given_once_or_refused(rows, wanted):
    signals = heads(*rows)
    montage.notes(signals, wanted)
    rates = montage.rates(signals, wanted)
    try:
        picked = montage.pick(signals, wanted, "f")
    except StimjaxError as error:
        assert "\n" not in str(error)
    else:
        assert list(picked) == [wish.name for wish in channels.wishes(wanted)]
        assert len({choice.indices for choice in picked.values()}) == len(picked)
        assert set(picked) <= set(rates)


def raw(values, unit="uV", label="X", low=-100.0, high=100.0):
    return Signal(label, label, 1.0, unit, np.asarray(values, float), low, high)


def test_a_reference_is_subtracted_in_one_unit():
    choice = montage.Choice("EEG C3-M2", "EEG C3-M2", 0, 1)
    signals = {0: raw([0.1, 0.2, np.nan], "mV", "C3"), 1: raw([10.0, -20.0, 0.0], "uV", "M2")}
    made = montage.signal(choice, signals)
    np.testing.assert_allclose(made.values, [90, 220, np.nan], rtol=1e-6)
    assert (made.name, made.label, made.unit, made.values.dtype) == (
        "EEG C3-M2", "C3 - M2", "uV", np.float32,
    )  # fmt: skip
    assert (made.low, made.high) == (-100e3 - 100, 100e3 + 100)


@pytest.mark.parametrize(
    ("values", "unit", "high", "expected", "expected_unit"),
    [
        ([0.94, 0.9], "", 1.0, [94, 90], "%"),
        ([0.94, np.nan], "%", 100.0, [94, np.nan], "%"),  # a fraction in spite of its range
        ([0.94, 0.5], "fraction", np.inf, [94, 50], "%"),
        ([94, 0], "%", 100.0, [94, 0], "%"),
        ([94, 0], "", np.inf, [94, 0], "%"),
        ([0, 0], "%", 100.0, [0, 0], "%"),
        ([np.nan, np.nan], "%", 100.0, [np.nan, np.nan], "%"),
        ([0.942, 0.9], "V", 1.0, [0.942, 0.9], "V"),
        ([942, 900], "mV", 1000.0, [942, 900], "mV"),
    ],
)
def test_saturation_becomes_percent_or_stays_as_it_is(values, unit, high, expected, expected_unit):
    made = montage.signal(montage.Choice("SpO2", "SpO2", 0), {0: raw(values, unit, high=high)})
    np.testing.assert_allclose(made.values, expected, rtol=1e-6)
    assert made.unit == expected_unit


def test_a_file_with_electrodes_and_ears(raw_edf, raw_signal):
    limits = ("-32768", "32767")
    rows = {"C3": [[30, 40]], "E1": [[7, 8]], "M2": [[10, -10]], "Crc16": [[5]]}
    path = raw_edf(signals=[raw_signal(n, v, "uV", limits) for n, v in rows.items()])
    recording = reader.read(path)
    assert {name: s.values.tolist() for name, s in recording.signals.items()} == {
        "EEG C3-M2": [20, 50],
        "EOG left": [-3, 18],
        "M2": [10, -10],
    }
    assert recording.signals["EEG C3-M2"].label == "C3 - M2"
    assert [s.name for s in recording.header.signals] == ["EEG C3", "EOG left", "M2", None]
    assert recording.header.rates == {"EEG C3-M2": 2, "EOG left": 2, "M2": 2}
    assert "EEG C3-M2 is 'C3' less 'M2'" in recording.header.notes
    (one,) = reader.read(path, ["C3"]).signals.values()
    assert (one.name, one.values.tolist()) == ("EEG C3", [30, 40])
    (pair,) = reader.read(path, ["C3-A2"]).signals.values()
    assert pair.values.tolist() == [20, 50]


def test_the_unit_of_a_file_is_shown_as_it_is(raw_edf, raw_signal):
    path = raw_edf(signals=[raw_signal("SpO2", [[942]], "mV", ("-32768", "32767"))])
    (signal,) = reader.read(path).signals.values()
    assert (signal.unit, signal.values.tolist()) == ("mV", [942])
    (head,) = reader.header(path).signals
    assert (head.label, head.name, head.unit, head.rate) == ("SpO2", "SpO2", "mV", 1)
