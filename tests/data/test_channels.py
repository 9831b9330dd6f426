import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import channels


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("SpO2", "SpO2"), ("SAO2", "SpO2"), ("SaO2", "SpO2"), ("OSAT", "SpO2"), ("O2Sat", "SpO2"),
        ("SpO2 BB", "SpO2"), ("oxygen saturation", "SpO2"), ("SaO2 SaO2", "SpO2"),
        ("Flow", "flow"), ("Nasal Pressure", "flow"), ("AIRFLOW", "flow"), ("Pflow", "flow"),
        ("NPress", "flow"), ("Cannula", "flow"), ("Resp N", "flow"), ("Resp nasal", "flow"),
        ("Resp oro-nasal", "flow"), ("Thermistor", "flow"),
        ("THOR RES", "chest"), ("Thorax", "chest"), ("Resp C", "chest"), ("Effort THO", "chest"),
        ("Resp Thorax", "chest"), ("Chest", "chest"),
        ("ABDO RES", "abdomen"), ("Resp A", "abdomen"), ("Effort ABD", "abdomen"),
        ("H.R.", "HR"), ("PR", "HR"), ("Pulse Rate", "HR"), ("heart rate", "HR"),
        ("EEG Fpz-Cz", "EEG Fpz-Cz"), ("Fpz-Cz", "EEG Fpz-Cz"), ("EEG PZ-OZ", "EEG Pz-Oz"),
        ("C4-A1", "EEG C4-M1"), ("C4A1", "EEG C4-M1"), ("EEG C3-M2", "EEG C3-M2"),
        ("C3:A2", "EEG C3-M2"), ("EEG O1-A2", "EEG O1-M2"), ("F3-M2", "EEG F3-M2"),
        ("EOG horizontal", "EOG horizontal"), ("EOG(L)", "EOG left"), ("ROC-A1", "EOG right"),
        ("E1-M2", "EOG left"), ("EMG submental", "EMG"), ("Chin", "EMG"),
        ("EKG", "ECG"), ("ECG II", "ECG"), ("Snoring", "snore"), ("POSITION", "position"),
    ],
)  # fmt: skip
def test_known_labels_have_one_name(label, name):
    assert channels.canonical(label) == name
    assert channels.canonical(f"  {label.upper()} ") == name


@pytest.mark.parametrize(
    "label",
    ["Temp rectal", "Event marker", "OX stat", "SpO2 status", "EMG Left Leg", "EEG quality"],
)
def test_an_unknown_label_keeps_its_own_name(label):
    assert channels.canonical(f" {label} ") == label


@pytest.mark.parametrize("label", ["", "   ", "EDF Annotations", "Crc16", "CRC 16", "checksum"])
def test_what_is_no_channel_has_no_name(label):
    assert channels.canonical(label) is None


@given(st.one_of(st.text(), st.sampled_from(sum(channels.ALIASES.values(), ()))))
def test_a_canonical_name_names_itself(label):
    name = channels.canonical(label)
    assert name is None or channels.canonical(name) == name


def test_no_alias_has_two_names():
    aliases = [(alias, name) for name, names in channels.ALIASES.items() for alias in names]
    assert [channels.canonical(alias) for alias, _ in aliases] == [name for _, name in aliases]
