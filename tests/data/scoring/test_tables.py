import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stimjax.data import reader
from stimjax.data.recording import Event, Header, Scoring
from stimjax.data.scoring import luna, stages, tables, ucddb
from stimjax.errors import StimjaxError

APNEA = (Event("apnea.obstructive", 60.5, 20),)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("night.csv", "onset,duration,description\n60.5,20,Obstructive apnea\n"),
        ("night.csv", "Onset [s];Duration [s];Event\n60,5;20,0;Obstructive apnea\n"),
        ("night.csv", "60.5,20,Obstructive apnea\n"),
        ("night.csv", "60,5;20;Obstructive apnea\n"),
        ("night.csv", "Obstructive apnea;60,5;20\n"),
        ("night.csv", '"onset","duration","text"\n60.5,20,"Obstructive apnea"\n'),
        ("night.csv", "\ufeffstart,end,label\n60.5,80.5,Obstructive apnea\n"),
        ("night.csv", "onset_ms,duration_ms,event\n60500,20000,Obstructive apnea\n"),
        ("night.csv", "start,end,event\n22:01:00.5,22:01:20.5,Obstructive apnea\n"),
        ("night.csv", "22:01:00.5;20;Obstructive apnea\n"),
        ("night.csv", "22.01.00,5;20;Obstructive apnea\n"),
        ("night.csv", "time,duration,event\n2020-03-05T22:01:00.500,20,Obstructive apnea\n"),
        ("night.csv", "time,duration,event\n05.03.2020 22:01:00.5,0:00:20,Obstructive apnea\n"),
        ("night.csv", "# by hand\n\nonset,duration,event\n60.5,20,Obstructive apnea\n\n"),
        ("NIGHT.CSV", "Beginn;Dauer;Ereignis\n60,5;20;Obstructive apnea\n"),
        ("night.csv", "Événements;Heure de début;Durée (sec)\nObstructive apnea;22:01:00,5;20\n"),
        ("night.csv", "Evento;Hora de inicio;Hora de fin\n"
                      "Obstructive apnea;22:01:00,5;22:01:20,5\n"),
        ("night.csv", "Gebeurtenis;Begintijd;Duur\nObstructive apnea;60,5;20\n"),
        ("night.csv", "事件,开始时间,持续时间\nObstructive apnea,60.5,20秒\n"),
        ("night.csv", "event,start,duration\nObstructive apnea,60.5,20.0 sec\n"),
        ("night.csv", "event,start,duration\nObstructive apnea,60.5,20 s\n"),
        ("night.xml", "<CMPStudyConfig><ScoredEvent><Name>Obstructive Apnea</Name>"
                      "<Start>60,5</Start><Duration>20,0</Duration></ScoredEvent>"
                      "</CMPStudyConfig>"),
        ("night_events.tsv", "onset\tduration\ttrial_type\n60.5\t20\tObstructive apnea\n"),
        ("night_events.tsv", "onset\tduration\tvalue\n60.5\t20\tObstructive apnea\n"),
        ("night_events.tsv", "onset\tduration\ttrial_type\tvalue\tsample\n"
                             "60.5\t20\tn/a\tObstructive apnea\t6050\n"),
        ("night.txt", "RemLogic Event Export\nPatient:\tX\nRecording Date:\t05/03/2020\n\n"
                      "Sleep Stage\tPosition\tTime [hh:mm:ss]\tEvent\tDuration[s]\tLocation\n"
                      "S2\tSupine\t22:01:00.5\tObstructive apnea\t20\tFlow\n"),
        ("night.txt", "Stade de sommeil\tPosition\tHeure [hh:mm:ss]\tEvénement\tDurée[s]\n"
                      "S2\tDos\t22:01:00,5\tObstructive apnea\t20\n"),
        ("night.annot", "Obstructive apnea\t60.5\t80.5\n"),
        ("night.annot", "class\tinstance\tchannel\tstart\tstop\tmeta\n"
                        "Obstructive apnea\t.\tFlow\t60.5\t+20\t.\n"),
        ("night.annot", "# Obstructive_apnea | by hand\nObstructive_apnea . 22:01:00.5 +20\n"),
        ("night.annot", "Obstructive_apnea 0+00:01:00.5 0+00:01:20.5\n"),
        ("night.annot", "Obstructive_apnea 22.01.00.5 22.01.20.5\n"),
        ("night.annot", "edf_annot\tObstructive apnea\t.\t60.5\t80.5\t.\n"),
        ("night.annot", "Obstructive_apnea 60.5 ...\nMovement 80.5 .\n"),
        ("night.xml", "<Annotations><Instances><Instance><Class>Obstructive apnea</Class>"
                      "<Start>60.5</Start><Duration>20</Duration></Instance></Instances>"
                      "</Annotations>"),
        ("night.xml", "<EventExport><Events><Event><Type>APNEA-O</Type>"
                      "<StartTime>2020-03-05T22:01:00.500</StartTime>"
                      "<StopTime>2020-03-05T22:01:20.500</StopTime></Event></Events>"
                      "</EventExport>"),
        ("night.xml", "<Scoring><Event><EventType>Obstructive apnea</EventType>"
                      "<StartTime>22:01:00.5</StartTime><StopTime>22:01:20.5</StopTime>"
                      "</Event></Scoring>"),
        ("night.xml", "<CMPStudyConfig><ScoredEvents><ScoredEvent><Name>Obstructive Apnea</Name>"
                      "<Start>60.5</Start><Duration>20</Duration></ScoredEvent></ScoredEvents>"
                      "</CMPStudyConfig>"),
        ("night_respevt.txt", "Respiratory Events\n\nTime      Type   PB/CS Duration Low\n"
                              "                  or Hyp\n22:01:00.  OA  20\n"),
    ],
)  # fmt: skip
def test_one_apnea_in_many_forms(night, tmp_path, name, content):
    if name == "night_respevt.txt":
        content = content.replace("22:01:00.  OA", "22:01:00  OA")
    (tmp_path / name).write_text(content, encoding="utf-8")
    scored = reader.scored(night())
    (event,) = scored.events
    assert event.kind == "apnea.obstructive"
    assert event.onset == pytest.approx(60.5, abs=0.6 if "respevt" in name else 1e-6)
    assert event.duration == pytest.approx(20)
    assert scored.sources[0].file == name
    clocked = "22" in content.split("60", 1)[0] and "22" in content
    assert any("counted from" in note or "count from" in note for note in scored.notes) == clocked


def test_utf16_and_latin1(night, tmp_path):
    content = "Beginn\tDauer\tEreignis\tBemerkung\n60,5\t20\tObstructive apnea\tmüde\n"
    for coding in ("utf-16", "latin-1", "utf-8-sig"):
        (tmp_path / "night.csv").write_bytes(content.encode(coding))
        assert reader.scored(night()).events == APNEA


def test_times_of_day_after_midnight_in_any_order(night, tmp_path):
    rows = "time,duration,event\n00:10:00,20,Apnea\n21:59:50,20,Apnea\n22:00:00,20,Apnea\n"
    (tmp_path / "night.csv").write_text(rows)
    assert [event.onset for event in reader.scored(night()).events] == [-10, 0, 7800]


def test_times_that_begin_with_zero_count_from_the_start(night, tmp_path):
    (tmp_path / "night_stages.csv").write_text("time,stage\n00:00:00,W\n00:00:30,N1\n")
    scored = reader.scored(night())
    assert [event.onset for event in scored.events] == [0, 30]
    assert scored.notes == ("night_stages.csv: its times are times of day, counted from 00:00:00",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("night_hypnogram.txt", "W\nN1\nN2\nN3\nREM\n"),
        ("night_stages.txt", "0\n1\n2\n3\n5\n"),
        ("night.sta", "0\n1\n2\n4\n5\n"),
        ("night.eannot", "wake\nN1\nN2\nN3\nR\n"),
        ("night.stages.csv", "stage\nW\nN1\nN2\nN3\nR\n"),
        ("night_hypnogram.csv", "epoch,stage\n1,W\n2,N1\n3,N2\n4,N3\n5,R\n"),
        ("night_hypnogram.csv", "epoch,stage\n0,0\n1,1\n2,2\n3,3\n4,5\n"),
        ("night_hypno.txt", "0,1,2,3,5\n"),
        ("night_stages.txt", "W N1 N2 N3 REM\n"),
        (
            "night_events.tsv",
            "onset\tduration\tstage_hum\n0\t30\t0\n30\t30\t1\n60\t30\t2\n90\t30\t3\n120\t30\t5\n",
        ),
        (
            "night.xml",
            "<CMPStudyConfig><EpochLength>30</EpochLength><SleepStages>"
            + "".join(f"<SleepStage>{w}</SleepStage>" for w in ("W", "N1", "N2", "N3", "REM"))
            + "</SleepStages></CMPStudyConfig>",
        ),
        ("night.sta", "1 0\n2 1\n3 2\n4 3\n5 5\n"),
        ("night_stages.csv", "onset,duration,stage\n0,30,0\n30,30,1\n60,30,2\n90,30,3\n120,30,5\n"),
        ("night.csv", "epoch;stage\n1;W\n2;N1\n3;N2\n4;N3\n5;R\n"),
        ("night.annot", "W e:1 .\nN1 e:2 .\nN2 e:3 .\nN3 e:4 .\nR e:5 .\n"),
        ("night.annot", "W 0 ...\nN1 30 ...\nN2 60 ...\nN3 90 ...\nR 120 +30\n"),
    ],
)
def test_five_epochs_in_many_forms(night, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    names = ("W", "N1", "N2", "N3", "R")
    events = reader.scored(night(seconds="150")).events
    assert events == tuple(
        Event(f"stage.{stage}", 30 * number, 30) for number, stage in enumerate(names)
    )


def test_a_row_for_each_epoch_has_a_stage_and_an_event(night, tmp_path):
    rows = "".join(f"{30 * n},W,{'Hypopnea' if n == 2 else ''}\n" for n in range(5))
    (tmp_path / "night.csv").write_text(f"start,stage,event\n{rows}")
    events = reader.scored(night()).events
    assert [event for event in events if event.kind == "stage.W"] == [
        Event("stage.W", 30 * n, 30) for n in range(5)
    ]
    assert [event for event in events if event.kind != "stage.W"] == [Event("hypopnea", 60, 10)]


@pytest.mark.parametrize(
    ("day", "onsets"),
    [("05.03.2020", [60, 7800]), ("2020-03-05", [60, 7800])],
)
def test_the_recordings_own_day_in_all_rows_says_nothing(night, tmp_path, day, onsets):
    (tmp_path / "night.csv").write_text(
        f"Date,Time,Duration,Event\n{day},22:01:00,20,Hypopnea\n{day},00:10:00,20,Hypopnea\n"
    )
    assert [event.onset for event in reader.scored(night()).events] == onsets


def test_dates_in_a_column_count(night, tmp_path):
    rows = "05.03.2020,22:01:00,20,Apnea\n06.03.2020,00:10:00,20,Apnea\n"
    (tmp_path / "night.csv").write_text(f"Date,Time,Duration,Event\n{rows}")
    assert [event.onset for event in reader.scored(night()).events] == [60, 7800]
    rows = rows.replace("05.03", "15.03").replace("06.03", "16.03")
    (tmp_path / "night.csv").write_text(f"Date,Time,Duration,Event\n{rows}")
    with pytest.raises(StimjaxError, match="none of its 2 events lie within"):
        reader.scored(night())


@pytest.mark.parametrize(
    "content", ["Patient report\nAHI: 12\nTotal sleep time: 400 min\nHypopneas: 30\n", "hello\n"]
)
def test_a_report_is_no_list_of_stages(night, tmp_path, content):
    (tmp_path / "night.txt").write_text(content)
    scored = reader.scored(night())
    assert scored.events == ()
    assert "nor a list of stages" in scored.notes[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("night.csv", "onset,duration,event\n60,20,Hypopnea\nTotal,,1 event\n"),
        ("night.csv", "onset,duration,event\n60,20,Hypopnea\n90,-5,Apnea\n"),
        ("night.xml", "<CMPStudyConfig><ScoredEvent><Name>Apnea</Name><Start>soon</Start>"
                      "<Duration>20</Duration></ScoredEvent></CMPStudyConfig>"),
    ],
)  # fmt: skip
def test_a_bad_event_of_a_scoring_hides_no_apneas(night, tmp_path, name, content):
    path = night(annotations=[("0", "9000", "Sleep stage N2")])
    (tmp_path / name).write_text(content)
    with pytest.raises(StimjaxError, match=rf"{name}: "):
        reader.scored(path)


def test_the_stage_in_which_an_event_happened_is_no_epoch(night, tmp_path):
    (tmp_path / "night.csv").write_text(
        "start,duration,stage,event\n60,20,N2,Hypopnea\n140,20,N2,Apnea\n300,12,N2,Apnea\n"
    )
    assert not any(e.kind.startswith("stage") for e in reader.scored(night()).events)


@pytest.mark.parametrize("length", ["", "<Duration/>", "<Duration>0</Duration>"])
def test_an_event_of_xml_without_a_length(night, tmp_path, length):
    (tmp_path / "night.xml").write_text(
        "<CMPStudyConfig><ScoredEvent><Name>Hypopnea</Name><Start>60</Start>"
        f"{length}</ScoredEvent></CMPStudyConfig>"
    )
    assert reader.scored(night()).events == (Event("hypopnea", 60, 10),)


def test_epochs_of_20_s_where_only_these_fit(night, tmp_path):
    (tmp_path / "night.sta").write_text("W\n" * 450)
    events = reader.scored(night()).events
    assert (len(events), events[-1]) == (450, Event("stage.W", 8980, 20))


def test_epochs_left_out_are_unscored(night, tmp_path):
    (tmp_path / "night_stages.csv").write_text("epoch,stage\n1,W\n3,R\n")
    kinds = [event.kind for event in reader.scored(night()).events]
    assert kinds == ["stage.W", "stage.unscored", "stage.R"]


def test_ucddb_numbers_its_stages_otherwise(night, tmp_path):
    (tmp_path / "ucddb002_stage.txt").write_text("0\n1\n2\n3\n4\n5\n7\n")
    (tmp_path / "ucddb002_respevt.txt").write_text(
        "Respiratory Events\n\nTime      Type      PB/CS Duration  Low  %Drop  Snore  Arousal\n"
        "22:00:56  HYP-C           11        93.8   5.4   -   -\n"
        "23:59:58  APNEA-O  PB     15        -   -   +   -\n00:20:00  HYP-O   CS   12.5\n"
    )
    scored = reader.scored(night("ucddb002.edf"))
    staged = [event.kind for event in scored.events if event.kind.startswith("stage")]
    assert staged == [f"stage.{name}" for name in ("W", "R", "N1", "N2", "N3", "N3", "unscored")]
    assert [event for event in scored.events if not event.kind.startswith("stage")] == [
        Event("hypopnea", 56, 11),
        Event("apnea.obstructive", 7198, 15),
        Event("hypopnea", 8400, 12.5),
    ]


def test_bids(night, tmp_path):
    path = night("sub-01_task-sleep_eeg.edf")
    (tmp_path / "sub-01_task-sleep_events.tsv").write_text(
        "onset\tduration\ttrial_type\n0\t30\tSleep stage W\n60.5\t20\tObstructive apnea\n"
        "70\tn/a\tArousal\n"
    )
    (tmp_path / "sub-02_task-sleep_events.tsv").write_text("onset\tduration\ttrial_type\n")
    kinds = [event.kind for event in reader.scored(path).events]
    assert kinds == ["stage.W", "apnea.obstructive", "arousal"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("night_events.csv", "onset,duration,event\n1,2,Apnea\nsoon,2,Apnea\n",
         "line 3: 'soon' is no time; write s or hh:mm:ss"),
        ("night_events.csv", "onset,duration,event\n1,long,Apnea\n",
         "line 2: 'long' is no duration; write it in s"),
        ("night_events.csv", "onset,duration,event\n1,-2,Apnea\n", "line 2: 'Apnea' ends before"),
        ("night_events.csv", "onset,end,event\n9,2,Apnea\n", "line 2: 'Apnea' ends before"),
        ("night_events.csv", "onset,duration,event\n,2,Apnea\n", "line 2: 'Apnea' has no onset"),
        ("night_events.csv", "onset [samples],duration,event\n1,2,Apnea\n",
         "line 1: times in 'samples'; write them in s"),
        ("night_events.csv", "a,b,c\n1,x,y\n", "is no table of events; give it a heading"),
        ("night_events.csv", "0,30,1\n30,30,2\n", "its events are numbers; write words"),
        ("night_events.tsv", "onset\tduration\tvalue\n1\t2\t7\n", "its events are numbers"),
        ("night.sta", "0\n1\n4\n", "has stages 4 and no 5, so that 4 may be stage 4 or REM"),
        ("night.sta", "0\n1.5\n", "line 2: '1.5' is no stage"),
        ("night.sta", "W\n" * 1000, "has 1000 stages, which of 30 s each are more than the 9000"),
        ("night_stages.csv", "epoch,stage\nx,W\n", "line 2: has no number of an epoch"),
        ("night.annot", "Apnea 1\n", "line 1: has 2 columns; 3, 4 or 6 belong there"),
        ("night.annot", "Apnea\t1\t2\nApnea\tx\t2\n", "line 2: 'x' is no time; write s"),
        ("night.annot", "Apnea 5 2\n", "line 1: 'Apnea' ends before it begins"),
        ("night.annot", "Apnea e:x .\n", "line 1: 'x' is no number"),
        ("night_respevt.txt", "nothing\n", "holds no respiratory events; copy it again"),
        ("night_respevt.txt", "Type\n22:00\n", "line 2: is no time, type and duration"),
        ("night_events.csv", "a\0b", "is no text; export it again as text"),
        ("night.eannot", "a\0b", "is no text"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_line(night, tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(StimjaxError) as caught:
        reader.scored(night())
    assert str(caught.value).startswith(f"{tmp_path / name}: {message}")
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["night.csv", "night_respevt.txt", "night.annot"])
def test_times_of_day_need_a_recording_with_a_start(night, tmp_path, name):
    rows = {"csv": "22:10:00,20,Apnea\n", "txt": "22:10:00 HYP-C 11\n",
            "annot": "Apnea 22:10:00 +5\n"}  # fmt: skip
    (tmp_path / name).write_text(rows[name.rpartition(".")[2]])
    path = night(date="01.01.85", clock="00.00.00")
    if name == "night.csv":  # of such a name it might be anything
        assert "the recording does not tell at what time it starts" in reader.scored(path).notes[0]
        return
    with pytest.raises(StimjaxError, match="line 1: has a time of day, but the recording does not"):
        reader.scored(path)


def test_a_file_of_that_name_may_be_no_scoring(night, tmp_path):
    (tmp_path / "night.csv").write_text("time,flow,spo2\n0,1.5,94\n")
    (tmp_path / "night.xml").write_text("<Settings><Mode>auto</Mode></Settings>")
    (tmp_path / "night.txt").write_text("The patient slept badly, and we changed the sensor.\n")
    scored = reader.scored(night())
    assert scored.events == ()
    assert [note.partition(": ")[0] for note in scored.notes] == ["night.xml", "night.csv",
                                                                  "night.txt"]  # fmt: skip
    assert all("is not read as a scoring" in note for note in scored.notes)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.sampled_from("01239:.,;\t \nWNRn/aonsetdurationstage\"'+-e"), max_size=200)
    | st.text(max_size=100)
)
def test_any_text_is_a_scoring_or_one_line(tmp_path, content):
    file = tmp_path / "night.txt"
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    for read in (tables.read, luna.read, ucddb.read):
        try:
            scoring = read(file, Header("night", "", 900, {}))
        except StimjaxError as error:
            assert "\n" not in str(error)
        else:
            assert isinstance(scoring, Scoring)
            assert all(remark.onset == remark.onset for remark in scoring.remarks)


@given(st.lists(st.sampled_from(["0", "1", "2", "3", "5", "9", "W", "N2"]), max_size=20))
def test_a_list_has_a_remark_for_each_stage(listed):
    path = stages.Path("night.sta")
    remarks, _ = stages.remarks(path, Header("night", "", 900, {}), listed)
    assert [remark.onset for remark in remarks] == [30 * index for index in range(len(listed))]
