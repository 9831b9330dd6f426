import pytest

from stimjax.data import reader
from stimjax.data.recording import Event

HEAD = "onset,duration,event\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Scorer A: Apnea", "Scorer B: Hypopnea"),
        ("Apnea (scorer 1)", "Hypopnea (scorer 2)"),
        ("Apnea [Rater Z]", "Hypopnea [Rater B]"),
        ("Expert 2 - Apnea", "Expert 1 - Hypopnea"),
        ("scorer_Zoe: Apnea", "scorer_Ann: Hypopnea"),
        ("Apnea, reader 2", "Hypopnea, reader 1"),
    ],
)
def test_the_scorer_named_first_counts(night, tmp_path, first, second):
    rows = f'10,20,"{first}"\n100,20,"{second}"\n200,20,"{first}"\n'
    (tmp_path / "night.csv").write_text(HEAD + rows)
    scored = reader.scored(night())
    assert scored.events == (Event("apnea", 10, 20), Event("apnea", 200, 20))
    assert "night.csv: has 2 scorers (" in scored.notes[0]
    assert scored.notes[1].endswith("2 and 1 events, 3 minutes differ")
    assert scored.sources[0].kind.startswith("table, scorer ")
    assert scored.ignored == {}


def test_one_scorer_is_taken_as_it_is(night, tmp_path):
    (tmp_path / "night.csv").write_text(HEAD + "10,20,Scorer A: Apnea\n50,20,Hypopnea\n")
    assert [event.kind for event in reader.scored(night()).events] == ["apnea", "hypopnea"]


def test_scorers_in_a_column(night, tmp_path):
    rows = "onset,duration,stage,scorer\n0,30,N2,Ben\n0,30,N3,Anna\n30,30,N2,Ben\n30,30,N2,Anna\n"
    (tmp_path / "night_stages.csv").write_text(rows)
    scored = reader.scored(night())
    assert scored.events == (Event("stage.N2", 0, 30), Event("stage.N2", 30, 30))
    assert scored.notes[0] == (
        "night_stages.csv: has 2 scorers (Ben, Anna): the first, Ben, counts"
    )
    assert "night_stages.csv (scorer Ben) counts" in scored.notes[1]
    assert "1 epochs have another stage in it" in scored.notes[1]


@pytest.mark.parametrize("form", ["{name}: {stage}", "{stage} ({name})", "{stage} [{name}]"])
def test_bare_names_that_stage_the_same_epochs(night, tmp_path, form):
    rows = [
        f"{30 * epoch},30,{form.format(name=name, stage=stage)}"
        for name, stage in (("Zoe", "N3"), ("Anna", "N1"))
        for epoch in range(4)
    ]
    (tmp_path / "night.csv").write_text(HEAD + "\n".join(rows))
    scored = reader.scored(night())
    assert [event.kind for event in scored.events] == ["stage.N3"] * 4
    assert "has 2 scorers (Zoe, Anna)" in scored.notes[0]


def test_a_position_is_no_scorer(night, tmp_path):
    (tmp_path / "night.csv").write_text(HEAD + "0,30,N2 (supine)\n30,30,N3 (left)\n")
    scored = reader.scored(night())
    assert not any("scorers" in note for note in scored.notes)
    assert not any(source.kind.startswith("table, scorer") for source in scored.sources)


def test_each_group_is_of_the_first_scorer_that_gives_it(night, tmp_path):
    rows = "0,600,Scorer A: N2\n100,20,Scorer B: Apnea\n0,600,Scorer B: N3\n"
    (tmp_path / "night.csv").write_text(HEAD + rows)
    assert [event.kind for event in reader.scored(night()).events] == ["stage.N2", "apnea"]


def test_scorers_in_texts_of_edf(night):
    path = night(annotations=[("9", "20", "Scorer B: Apnea"), ("9", "20", "Scorer A: Hypopnea")])
    assert reader.scored(path).events == (Event("apnea", 9, 20),)


STAGED = "<SleepStages><SleepStage>{}</SleepStage><SleepStage>2</SleepStage></SleepStages>"
EVENT = "<ScoredEvent>{}<Name>Apnea</Name><Start>{}</Start><Duration>20</Duration></ScoredEvent>"


@pytest.mark.parametrize(
    "content",
    [
        f'<ScoringResult Scorer="Zoe">{STAGED.format(3)}</ScoringResult>'
        f'<ScoringResult Scorer="Ann">{STAGED.format(1)}</ScoringResult>',
        f"<ScoringResult><ScorerName>Zoe</ScorerName>{STAGED.format(3)}</ScoringResult>"
        f"<ScoringResult><ScorerName>Ann</ScorerName>{STAGED.format(1)}</ScoringResult>",
        STAGED.format(3) + STAGED.format(1),
    ],
)
def test_two_lists_of_stages_in_xml(night, tmp_path, content):
    (tmp_path / "night.xml").write_text(f"<CMPStudyConfig>{content}</CMPStudyConfig>")
    scored = reader.scored(night())
    assert scored.events == (Event("stage.N3", 0, 30), Event("stage.N2", 30, 30))
    assert scored.notes


def test_scorers_of_events_in_xml(night, tmp_path):
    events = EVENT.format("<Scorer>Zoe</Scorer>", 10) + EVENT.format("<Scorer>Ann</Scorer>", 99)
    (tmp_path / "night.xml").write_text(f"<CMPStudyConfig>{events}</CMPStudyConfig>")
    scored = reader.scored(night())
    assert scored.events == (Event("apnea", 10, 20),)
    assert "night.xml: has 2 scorers (Zoe, Ann): the first, Zoe, counts" in scored.notes
