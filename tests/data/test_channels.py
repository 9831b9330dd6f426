import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import channels
from stimjax.errors import StimjaxError


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
        ("EOG-L", "EOG left"), ("EOG-R", "EOG right"), ("E1:A2", "EOG left"),
        ("EEG", "EEG"), ("EEG1", "EEG 1"), ("EEG 3", "EEG 3"), ("EEG-ch 02", "EEG 2"),
        ("EEG(sec)", "EEG 2"), ("EEG sec", "EEG 2"), ("EEG R", "EEG right"),
        ("C3M2", "EEG C3-M2"), ("C3_M2", "EEG C3-M2"), ("F4-A1", "EEG F4-M1"),
        ("EEG1 C3-M2", "EEG C3-M2"), ("C3-A2-REF", "EEG C3-M2"),
        ("C3-Ref", "EEG C3-Ref"), ("C4-REF", "EEG C4-Ref"), ("EEG Fz-Avg", "EEG Fz-Avg"),
        ("EEG C3-LER", "EEG C3-LE"), ("EEG C3-CLE", "EEG C3-LE"), ("C3-(M1+M2)/2", "EEG C3-LE"),
        ("C3", "EEG C3"), ("EEG O2", "EEG O2"), ("A2", "M2"), ("EEG M1", "M1"),
        ("A1-Ref", "M1-Ref"),
        ("EEG 1-2", "EEG 1-2"), ("EEG 03 - 04", "EEG 3-4"), ("EEG1:2", "EEG 1-2"),
        ("C3-M2 (uV)", "EEG C3-M2"), ("EEG C4-A1 [uV]", "EEG C4-M1"), ("EEG (uV)", "EEG"),
        ("Resp.Flow-Cannul", "flow"), ("Resp Flow-Cannula", "flow"), ("Thermo", "flow"),
        ("PR-BPM", "HR"), ("SpO2 Finger", "SpO2"),
        ("EKG", "ECG"), ("ECG II", "ECG"), ("Snoring", "snore"), ("POSITION", "position"),
    ],
)  # fmt: skip
def test_known_labels_have_one_name(label, name):
    assert channels.canonical(label) == name
    assert channels.canonical(f"  {label.upper()} ") == name


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("SpO2", "SpO2.1s|SO2|Sa02|Sp02|S02|SpO2 [%]|SPO2_2|Sättigung|O2-Sättigung|血氧"),
        ("SpO2", "Saturation O2|Saturación|Saturação|Saturazione|Saturatie|SpO2BeatToBeat"),
        ("flow", "Flow.40ms|NASAL PRES|Flow Th|Resp.Flow|Fluss|Atemfluss|Flow [l/min]|Flow 2"),
        ("flow", "Débit|Flusso|Flujo|Fluxo|Luchtstroom|气流|Nasendruck|Pression nasale|鼻压"),
        ("chest", "THOR EFFORT|RIP.Thrx|Thorax DC|Brustkorb|Torace|Tórax|Borst|胸部|Thoracic Belt"),
        ("abdomen", "ABDO EFFORT|RIP Abdom|Abdominal|Bauch|Addome|Abdome|Buik|腹部|Abdomen DC"),
        ("HR", "Pulse.1s|HRate|Puls|Pouls|Herzfrequenz|Hartslag|Pulso|心率|HR [bpm]|HeartRate.1s"),
        ("HR", "Fréquence cardia|Frecuencia cardí|Frequenza cardia"),  # cut at 16 letters
        ("snore", "Schnarchen|Ronflement|Russamento|Ronquido|Ronco|Snurken|鼾声|Snore.2s"),
        ("position", "Lage|Körperlage|Posizione|Posición|Posição|Positie|体位"),
        ("EMG", "Kinn|EMG menton|Mento|Queixo|下颌"),
        ("EOG left", "EOG links|EOG gauche|EOG sx|EOG izq|左眼"),
    ],
)
def test_other_laboratories_devices_and_languages(name, labels):
    for label in labels.split("|"):
        assert channels.canonical(label) == name, label
        assert channels.canonical(label.lower().replace(" ", "_")) == name, label


@pytest.mark.parametrize("label", ["Sättigung", "Débit", "Körperlage", "血氧", "气流"])
def test_a_label_may_be_utf_8_or_chinese_read_as_latin_1(label):
    name = channels.known(label)
    assert name is not None
    for encoding in ("utf-8", "gb18030"):
        assert channels.known(label.encode(encoding).decode("latin-1")) == name


TRAPS = """
Pulse Transit Time|Pleth|SpO2 quality|SpO2 Pulse|HR variability|HRV|Flow limitation|FlowLim.2s
Snore flow|CPAP Pressure|Mask Pressure|Press.40ms|MaskPress.2s|Leak.2s|RespRate.2s|Resp Rate
EMG Leg|EMG_Off|OxStatus|EEG impedance|EOG status|rSO2|A1-A2|M1-M2|Pulse Wave|Leak Flow|CO2|EtCO2
Desat|Light|Tidal Vol|Sum|Effort|Temp|EOG (V)|Pres|Flow leak|O2 Flow
"""


@pytest.mark.parametrize("label", TRAPS.strip().replace("\n", "|").split("|"))
def test_what_only_looks_like_a_channel_has_no_known_name(label):
    assert channels.known(label) is None
    assert channels.canonical(label) == label


@pytest.mark.parametrize(
    ("label", "unit", "name"),
    [
        ("O2", "uV", "EEG O2"), ("O2", "%", None), ("O2", "", None), ("O2", "mmHg", None),
        ("C3", "mV", "EEG C3"), ("C3", "", "EEG C3"), ("P3", "cmH2O", None), ("A2", "\xb5V", "M2"),
        ("Pres", "uV", "flow"), ("Pres", "cmH2O", None), ("Pres", "", None),
        ("SpO2", "mV", "SpO2"), ("EEG C3", "%", "EEG C3"),
    ],
)  # fmt: skip
def test_a_unit_decides_only_where_a_label_could_mean_two_things(label, unit, name):
    assert channels.known(label, unit) == name


@pytest.mark.parametrize(
    ("label", "electrode"),
    [
        ("C3", ("C3", "")), ("EEG C4", ("C4", "")), ("A2", ("M2", "")), ("A1-REF", ("M1", "Ref")),
        ("LOC", ("E1", "")), ("EOG E2", ("E2", "")), ("ROC-Ref", ("E2", "Ref")), ("C3-A2", None),
        ("C3-LE", None), ("EOG-L", None), ("SpO2", None), ("E1-M2", None),
    ],
)  # fmt: skip
def test_labels_of_one_electrode(label, electrode):
    assert channels.electrode(label) == electrode


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
    short = [channels.canonical(alias[:16]) for alias, _ in aliases]
    assert short == [name for _, name in aliases]


def test_kinds_are_those_of_known_names():
    names = ("EEG C4-M1", "EEG 2", "EEG", "EOG left", "EMG", "SpO2", "EMG Left Leg", "EEG quality")
    kinds = ["EEG", "EEG", "EEG", "EOG", "EMG", "SpO2", "", ""]
    assert [channels.kind(name) for name in names] == kinds


def test_the_order_of_sensors():
    labels = ["Nasal Pressure", "Airflow", "Thermistor", "XFlow"]
    assert sorted(reversed(labels), key=channels.preference) == labels
    assert [channels.sensor(label) for label in labels] == ["pressure", "", "thermal", "belts"]
    assert channels.sensor("SpO2") == ""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), []),
        (("SaO2", "thorax"), [("SpO2", "SaO2", ()), ("chest", "thorax", ())]),
        (("spo2", "SpO2"), [("SpO2", "spo2", ())]),
        (("Thermistor", "Cannula"), [("Thermistor",) * 2 + ((),), ("Cannula",) * 2 + ((),)]),
        (("flow=My Label",), [("flow", "", ("My Label",))]),
        (("Flow=*Cann*", "flow=Nasal?"), [("flow", "", ("*Cann*", "Nasal?"))]),
        (("flow=*Cann*", "flow"), [("flow", "flow", ("*Cann*",))]),
        (("EEG = C3* ",), [("EEG", "", ("C3*",))]),
        (("mine=a=b",), [("mine", "", ("a=b",))]),
    ],
)  # fmt: skip
def test_wishes(texts, expected):
    read = [(wish.name, wish.text, wish.patterns) for wish in channels.wishes(texts)]
    # The text of names that only differ by case is that which came first.
    assert [(name, text.casefold(), patterns) for name, text, patterns in read] == [
        (name, text.casefold(), patterns) for name, text, patterns in expected
    ]


@pytest.mark.parametrize("text", ["", "=", "flow=", "=x", "  "])
def test_an_empty_wish_is_an_error(text):
    with pytest.raises(StimjaxError, match="write NAME, or NAME=LABEL of the file"):
        channels.wishes([text])
