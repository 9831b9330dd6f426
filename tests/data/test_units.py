import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import units
from stimjax.data.recording import Signal

INF = float("inf")


@pytest.mark.parametrize(
    ("unit", "quantity"),
    [
        ("uV", "voltage"), ("\xb5V", "voltage"), ("\u03bcV", "voltage"), ("\xc2\xb5V", "voltage"),
        ("mV", "voltage"), (" MV ", "voltage"), ("V", "voltage"), ("Volts", "voltage"),
        ("nV", "voltage"), ("?V", "voltage"), ("\xe6V", "voltage"), ("[uV]", "voltage"),
        ("%", "percent"), ("percent", "percent"), ("% SpO2", "percent"), ("ratio", "percent"),
        ("bpm", "rate"), ("BPM", "rate"), ("1/min", "rate"), ("/min", "rate"), ("b/min", "rate"),
        ("beats / min", "rate"), ("Hz", "rate"), ("", ""), ("-", ""), ("n/a", ""), ("AU", ""),
        ("cmH2O", "other"), ("mmHg", "other"), ("degC", "other"), ("ms", "other"),
    ],
)  # fmt: skip
def test_what_a_unit_measures(unit, quantity):
    assert units.quantity(unit) == quantity
    assert units.is_voltage(unit) == (quantity == "voltage")


@pytest.mark.parametrize(
    ("name", "unit", "high", "factor", "expected"),
    [
        ("EEG C4-M1", "mV", 1, 1e3, "uV"), ("EOG left", "V", 1, 1e6, "uV"),
        ("EMG", "nV", 1, 1e-3, "uV"), ("EEG", "\xb5V", 1, 1, "uV"), ("EEG 2", "?V", 1, 1, "uV"),
        ("EEG C3", "", 1, 1, ""), ("ECG", "mV", 1, 1, "mV"), ("chest", "\xb5V", 1, 1, "uV"),
        ("SpO2", "%", 100, 1, "%"), ("SpO2", "", 100, 1, "%"), ("SpO2", "", 1, 100, "%"),
        ("SpO2", "%", 1, 100, "%"), ("SpO2", "", 1.02, 100, "%"), ("SpO2", "", INF, 1, "%"),
        ("SpO2", "fraction", INF, 100, "%"), ("SpO2", "mV", 1, 1, "mV"), ("SpO2", "V", 1, 1, "V"),
        ("SpO2", "mmHg", 100, 1, "mmHg"), ("HR", "bpm", 250, 1, "bpm"), ("HR", "", 250, 1, "bpm"),
        ("HR", "Hz", 4, 60, "bpm"), ("HR", "1/min", 250, 1, "bpm"), ("HR", "mV", 1, 1, "mV"),
        ("flow", "l/s", 2, 1, "l/s"), ("Temp", "degC", 50, 1, "degC"),
    ],
)  # fmt: skip
def test_scale(name, unit, high, factor, expected):
    assert units.scale(name, unit, high) == (factor, expected)


@pytest.mark.parametrize(
    ("name", "fitting", "others"),
    [
        ("SpO2", ("%", "", "fraction"), ("mV", "uV", "V", "bpm", "mmHg", "Hz", "cmH2O")),
        ("HR", ("bpm", "1/min", "", "Hz"), ("mV", "%", "ms", "s")),
        ("EEG C3-M2", ("uV", "mV", "V", ""), ("%", "bpm", "Ohm", "cmH2O")),
        ("EOG left", ("uV", ""), ("%", "degC")),
        ("flow", ("l/s", "cmH2O", "mV", "%", "degC", ""), ("bpm", "1/min")),
        ("chest", ("uV", "Ohm", "%", ""), ("bpm",)),
        ("Temp rectal", ("degC", "bpm", "%", "mV"), ()),
    ],
)
def test_which_units_a_channel_may_have(name, fitting, others):
    assert all(units.fits(name, unit) for unit in fitting)
    assert not any(units.fits(name, unit) for unit in others)


@given(st.text(), st.text(), st.floats(0))
def test_any_text_is_a_unit(name, unit, high):
    factor, shown = units.scale(name, unit, high)
    assert factor > 0
    assert units.scale(name, shown, INF)[0] > 0
    if not units.fits(name, unit):
        assert factor == 1


def signal(values, unit):
    return Signal("x", "X", 1.0, unit, np.asarray(values, np.float32))


WAVE = np.sin(np.arange(1000))


@pytest.mark.parametrize(
    ("name", "values", "unit", "message"),
    [
        ("SpO2", [942.0, 940.0], "mV", "is in 'mV' (values from 940 to 942 mV), but the unit of"),
        ("SpO2", [np.nan, np.nan], "V", "is in 'V' (no value), but the unit of SpO2 is %"),
        ("HR", [900.0, 950.0], "ms", "but the unit of HR is beats a minute"),
        ("EEG C3-M2", 40 * WAVE, "%", "but the unit of EEG is a voltage"),
        ("flow", [14.0, 15.0], "bpm", "is in 'bpm'"),
        ("EEG C3-M2", 4e-5 * WAVE, "uV", "values from -4e-05 to 4e-05 uV is no EEG"),
        ("EMG", 1e6 * WAVE, "uV", "is no EMG"),
        ("EOG left", np.r_[np.zeros(5000), 1e-6 * WAVE], "uV", "is no EOG"),
    ],
)
def test_contradictions_name_unit_and_values(name, values, unit, message):
    assert message in units.contradiction(name, signal(values, unit))


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("SpO2", [94.0, 0.0], "%"), ("HR", [60.0], "bpm"), ("EEG C3-M2", 40 * WAVE, "uV"),
        ("EEG 1", 1e5 + 40 * WAVE, "uV"), ("EMG", 0.5 * WAVE, "uV"), ("EEG", 1e-5 * WAVE, ""),
        ("EEG", np.full(100, np.nan), "uV"), ("EOG left", np.zeros(100), "uV"),
        ("Temp", [37.0], "degC"), ("", [1.0], "mV"),
    ],
)  # fmt: skip
def test_what_fits_is_no_contradiction(name, values, unit):
    assert units.contradiction(name, signal(values, unit)) == ""
