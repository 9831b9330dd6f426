from stimjax.data import reader
from stimjax.data.recording import Event, Source
from stimjax.data.scoring import combine

STAGES = ("0", "600", "Sleep stage N2")


def test_stages_beside_do_not_hide_apneas_inside(night, scoring):
    path = night(annotations=[("100", "25", "Obstructive apnea")])
    scoring("night-Hypnogram.edf", STAGES)
    scored = reader.scored(path)
    assert scored.events == (Event("stage.N2", 0, 600), Event("apnea.obstructive", 100, 25))
    assert scored.sources == (
        Source("night-Hypnogram.edf", "EDF+ annotations", ("stages",)),
        Source("night.edf", "EDF+ annotations", ("respiratory events",)),
    )
    assert scored.notes == ()


def test_arousals_beside_hide_neither_apneas_nor_stages(night, tmp_path, kinds):
    path = night(annotations=[("100", "25", "Apnea"), STAGES])
    (tmp_path / "night_arousals.csv").write_text("onset,duration,event\n50,3,Arousal\n")
    assert kinds(path) == {"stage.N2": 1, "apnea": 1, "arousal": 1}


def test_unscored_epochs_beside_are_no_stages(night, scoring, kinds):
    path = night(annotations=[STAGES])
    scoring("night-Hypnogram.edf", ("0", "600", "Sleep stage ?"))
    assert kinds(path) == {"stage.N2": 1}


def test_a_short_remark_normal_hides_no_apneas(night, scoring, kinds):
    path = night(annotations=[("100", "25", "Apnea")])
    scoring("night_annotations.edf", ("0", "", "Normal"))
    assert kinds(path) == {"apnea": 1}


def test_minutes_and_events_are_one_group(night, scoring):
    path = night(annotations=[("100", "25", "Hypopnea")])
    minutes = [("0", "60", "Normal"), ("60", "60", "Normal"), ("120", "60", "Apnea")]
    scoring("night_annotations.edf", *minutes)
    scored = reader.scored(path)
    assert [event.kind for event in scored.events] == ["minute.normal"] * 2 + ["minute.apnea"]
    (note,) = scored.notes
    assert note == (
        "respiratory events: night_annotations.edf counts, night.edf does not; "
        "3 and 1 events, 2 minutes differ"
    )


def test_sources_that_disagree_are_named(night, scoring):
    path = night(annotations=[("0", "600", "Sleep stage W"), ("100", "25", "Apnea")])
    scoring("night-Hypnogram.edf", ("0", "300", "Sleep stage N2"), ("300", "90", "Sleep stage W"))
    scored = reader.scored(path)
    assert scored.notes == (
        "stages: night-Hypnogram.edf counts, night.edf does not; "
        "10 epochs have another stage in it, 7 epochs are scored in it alone",
    )


def test_sources_that_agree_are_not_worth_a_note(night, scoring):
    path = night(annotations=[("0", "300", "Sleep stage N2"), ("300", "300", "Sleep stage N2")])
    scoring("night-Hypnogram.edf", STAGES)
    assert reader.scored(path).notes == ()


def test_desaturations_that_disagree_are_counted(night, scoring):
    path = night(annotations=[("10", "9", "Desaturation"), ("90", "9", "Desaturation")])
    scoring("night_annotations.edf", ("10", "9", "Desaturation"))
    assert reader.scored(path).notes == (
        "desaturations: night_annotations.edf counts, night.edf does not; "
        "1 and 2 events, 1 are in one of the two only",
    )


def test_every_kind_has_a_group():
    groups = {combine.group(kind) for kind in combine.vocabulary.KINDS}
    assert groups >= {"stages", "respiratory events", "arousals", "desaturations"}


def test_of_two_stages_of_an_epoch_the_first_listed_counts(night, tmp_path):
    """Neither the alphabet nor the onset decides."""
    rows = [f"{30 * i},30,N3" for i in range(10)] + [f"{30 * i},30,N1" for i in range(10)]
    (tmp_path / "night_stages.csv").write_text("\n".join(["onset,duration,stage", *rows]))
    scored = reader.scored(night())
    assert [event.kind for event in scored.events] == ["stage.N3"] * 10
    assert scored.notes == (
        "night_stages.csv: gives two stages for 10 epochs, of which 10 differ; "
        "the first listed counts",
    )


def test_a_second_set_of_shifted_or_longer_epochs_is_a_second_set(night, tmp_path):
    rows = ["0,30,N2", "30,30,N2", "60,30,R", "15,30,W", "45,30,W", "0,90,N2"]
    (tmp_path / "night_stages.csv").write_text("\n".join(["onset,duration,stage", *rows]))
    scored = reader.scored(night())
    assert [event.kind for event in scored.events] == ["stage.N2", "stage.N2", "stage.R"]
    assert "gives two stages for 5 epochs, of which 3 differ" in scored.notes[0]


def test_stages_without_a_duration_last_until_the_next(night, tmp_path):
    (tmp_path / "night_stages.csv").write_text("onset,stage\n0,W\n90,N2\n90,N3\n150,R\n")
    scored = reader.scored(night())
    assert scored.events == (
        Event("stage.W", 0, 90), Event("stage.N2", 90, 60), Event("stage.R", 150, 30),
    )  # fmt: skip
    assert "gives two stages for 2 epochs, of which 2 differ" in scored.notes[0]


def test_annotations_that_only_sort_differently_keep_the_order_of_the_file(night):
    path = night(annotations=[("0", "30", "Sleep stage W"), ("0", "30", "Sleep stage N1")])
    assert reader.scored(path).events == (Event("stage.W", 0, 30),)
