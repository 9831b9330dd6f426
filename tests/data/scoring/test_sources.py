import pytest

from stimjax.data import reader
from stimjax.data.recording import Event
from stimjax.data.scoring import rules
from stimjax.errors import StimjaxError

NSRR = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<PSGAnnotation><SoftwareVersion>Compumedics</SoftwareVersion><EpochLength>30</EpochLength>
<ScoredEvents>
<ScoredEvent><EventType/><EventConcept>Recording Start Time</EventConcept><Start>0</Start>
<Duration>28920.0</Duration><ClockTime>00.00.00 21.00.00</ClockTime></ScoredEvent>
<ScoredEvent><EventType>Respiratory|Respiratory</EventType>
<EventConcept>Obstructive apnea|Obstructive Apnea</EventConcept><Start>{start}</Start>
<Duration>22.5</Duration><SignalLocation>ABDO RES</SignalLocation></ScoredEvent>
<ScoredEvent><EventType>Stages|Stages</EventType><EventConcept>Stage 4 sleep|4</EventConcept>
<Start>30.0</Start><Duration>90.0</Duration></ScoredEvent>
</ScoredEvents></PSGAnnotation>
"""
PROFUSION = """<?xml version="1.0"?>
<CMPStudyConfig><EpochLength>30</EpochLength><StepChannels/><ScoredEventSettings/>
<ScoredEvents><ScoredEvent><Name>SpO2 desaturation</Name><LowestSpO2>88</LowestSpO2>
<Desaturation>6</Desaturation><Start>40</Start><Duration>31.2</Duration><Input>SaO2</Input>
</ScoredEvent><ScoredEvent><Name>Central Apnea</Name><Start>25</Start><Duration>12</Duration>
</ScoredEvent><ScoredEvent><Name>Limb Movement (Left)</Name><Start>25</Start>
<Duration>1</Duration></ScoredEvent></ScoredEvents>
<SleepStages><SleepStage>0</SleepStage><SleepStage>2</SleepStage><SleepStage>4</SleepStage>
<SleepStage>5</SleepStage><SleepStage>9</SleepStage></SleepStages></CMPStudyConfig>
"""
IN_FILE = {
    "reserved": "EDF+C", "stamps": ["0"], "annotations": [("1", "20", "Hypopnea")],
    "seconds": "9000",
}  # fmt: skip
BESIDE = {"signals": [], "seconds": "0", "reserved": "EDF+C", "stamps": ["0"]}


@pytest.fixture
def night(raw_edf):
    """Write an unscored recording of 150 minutes, and give its path."""
    return lambda name="night.edf", **fields: raw_edf(name, **{"seconds": "9000", **fields})


def test_nsrr_xml(night, tmp_path):
    (tmp_path / "night-nsrr.xml").write_text(NSRR.format(start="100.5"))
    events = (Event("stage.N3", 30, 90), Event("apnea.obstructive", 100.5, 22.5))
    assert reader.read(night()).events == events


def test_profusion_xml(night, tmp_path):
    (tmp_path / "NIGHT-Profusion.XML").write_text(PROFUSION)
    events = reader.read(night()).events
    assert events == (
        Event("stage.W", 0, 30),
        Event("apnea.central", 25, 12),
        Event("stage.N2", 30, 30),
        Event("desaturation", 40, 31.2),
        Event("stage.N3", 60, 30),
        Event("stage.R", 90, 30),
        Event("stage.unscored", 120, 30),
    )


def test_xml_named_after_the_whole_file_name(night, tmp_path):
    (tmp_path / "night.edf.XML").write_text(PROFUSION)
    assert len(reader.read(night()).events) == 7


def test_a_namespace_does_not_hide_the_events(night, tmp_path):
    spaced = NSRR.replace("<PSGAnnotation>", '<PSGAnnotation xmlns="http://nsrr">')
    (tmp_path / "night-nsrr.xml").write_text(spaced.format(start=1))
    assert len(reader.read(night()).events) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<PSGAnnotation>", "is no valid XML .*; export it again"),
        ("", "is no valid XML"),
        ("<html/>", "is neither NSRR's nor Profusion's, .*XML .its root is 'html'"),
        (NSRR.format(start="soon"), "'soon' is no time in seconds; mend that event"),
        (NSRR.format(start="nan"), "'nan' is no time in seconds"),
        (NSRR.format(start=""), "'' is no time in seconds"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "is no valid XML"),
    ],
)
def test_bad_xml_is_one_clear_line(night, tmp_path, content, message):
    xml = tmp_path / "night-nsrr.xml"
    xml.write_text(content)
    with pytest.raises(StimjaxError, match=message) as caught:
        reader.read(night())
    assert str(caught.value).startswith(f"{xml}: ")
    assert "\n" not in str(caught.value)


def test_the_order_of_the_sources(raw_edf, tmp_path):
    """Each source that is taken away uncovers the next."""
    path = raw_edf(**IN_FILE)
    expected = {}
    names = ("night-nsrr.xml", "night-profusion.xml", "night.edf.xml", "night_scoring.xml")
    for length, name in enumerate((*names, "night.xml"), 1):
        (tmp_path / name).write_text(NSRR.format(start=0).replace("22.5", str(length)))
        expected[name] = length
    beside = ("night-Hypnogram.edf", "night_annotations.edf", "night.sleepscoring.edf")
    for length, name in enumerate(beside, 6):
        raw_edf(name, **BESIDE, annotations=[("0", str(length), "Apnea")])
        expected[name] = length
    tables = {"night.annot": "Apnea\t0\t9\n", "night.csv": "onset,duration,event\n0,10,Apnea\n"}
    for length, (name, content) in enumerate(tables.items(), 9):
        (tmp_path / name).write_text(content)
        expected[name] = length
    for name, length in expected.items():
        recording = reader.read(path)
        (event,) = [e for e in recording.events if e.kind.startswith("apnea")]
        assert event.duration == length
        assert name in {source.file for source in recording.scored.sources}
        (tmp_path / name).unlink()
    assert reader.read(path).events == (Event("hypopnea", 1, 20),)


def test_a_source_without_a_known_event_is_passed_over(raw_edf, tmp_path):
    (tmp_path / "night-nsrr.xml").write_text("<PSGAnnotation/>")
    assert reader.read(raw_edf(**IN_FILE)).events == (Event("hypopnea", 1, 20),)


def test_sleep_edf_names(raw_edf, night):
    hypnogram = {"signals": [], "seconds": "0", "reserved": "EDF+C", "stamps": ["0"]}
    raw_edf("SC4001EC-Hypnogram.edf", **hypnogram, annotations=[("0", "60", "Sleep stage 3")])
    raw_edf("SC4002EC-Hypnogram.edf", **hypnogram, annotations=[("0", "60", "Sleep stage R")])
    first = reader.read(night("SC4001E0-PSG.edf"))
    assert first.events == (Event("stage.N3", 0, 60),)
    assert reader.read(night("SC4002E0-PSG.edf")).events == (Event("stage.R", 0, 60),)
    assert reader.read(night("SC4011E0-PSG.edf")).events == ()
    raw_edf("SC4011GH-Hypnogram.edf", **hypnogram, annotations=[("0", "60", "Sleep stage 1")])
    assert reader.read(night("SC4011E0-PSG.edf")).events == (Event("stage.N1", 0, 60),)


@pytest.mark.parametrize(
    ("clock", "shift"), [("22.00.00", 0), ("21.59.30", -30), ("00.01.00", 7260), ("XX", 0)]
)
def test_a_companion_with_another_start_is_shifted(raw_edf, night, clock, shift):
    path = night()
    raw_edf(
        "night_annotations.edf",
        **{"signals": [], "seconds": "0", "reserved": "EDF+C", "stamps": ["0"]},
        clock=clock,
        annotations=[("100", "15", "Apnea")],
    )
    assert reader.read(path).events == (Event("apnea", 100 + shift, 15),)


def test_a_damaged_companion_is_an_error(night, tmp_path):
    (tmp_path / "night_annotations.edf").write_bytes(b"junk")
    with pytest.raises(StimjaxError, match=r"night_annotations\.edf: is no EDF file"):
        reader.read(night())


def test_an_unscored_file_is_read_and_refused_for_labels(night):
    recording = reader.read(night())
    assert recording.events == ()
    with pytest.raises(StimjaxError, match=r"^night: no scored event"):
        rules.spans(recording, "apnea")
