"""Time stamps of data records: gaps, jitter, and what is cut out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimjax.data import reader
from stimjax.data.recording import Event, on_axis
from stimjax.errors import StimjaxError

WIDE = ("-32768", "32767")


@pytest.fixture
def stamped(raw_edf, raw_signal):
    """A file of one sample a second, whose data records have the given time stamps."""

    def write(stamps, reserved="EDF+C", seconds=1, **fields):
        rows = [[record * seconds + i for i in range(seconds)] for record in range(len(stamps))]
        signals = [raw_signal("HR", rows, "", WIDE)]
        written = [str(stamp) for stamp in stamps]
        return raw_edf(
            signals=signals, reserved=reserved, stamps=written, seconds=str(seconds), **fields
        )

    return write


@pytest.mark.parametrize(
    ("stamps", "seconds", "note"),
    [
        ([0, 0, 0], 1, "all its time stamps are 0 s"),
        ([7, 7, 7], 1, "all its time stamps are 7 s"),
        (["", "", ""], 1, "have no time stamps"),
        ([0, "", 2.7], 1, "2 of its time stamps lack or are off by up to 0.7 s"),
        ([0, 1.3, 2.7], 1, "are off by up to 0.7 s"),
        ([5, 6.7, 7.6], 1, "are off by up to 0.7 s"),
        ([0, 30, 80], 30, "are off by up to 20 s"),
    ],
)
def test_continuous_files_whose_stamps_are_off_by_less_than_a_record(
    stamped, stamps, seconds, note
):
    recording = reader.read(stamped(stamps, seconds=seconds))
    assert recording.signals["HR"].values.tolist() == list(range(3 * seconds))
    assert recording.header.duration == 3 * seconds
    assert note in recording.header.notes[0]


@pytest.mark.parametrize("middle", ["1.7", "900", ""])
def test_what_only_a_look_at_all_stamps_shows(stamped, middle):
    recording = reader.read(stamped([0, middle, 2]))
    assert recording.signals["HR"].values.tolist() == [0, 1, 2]
    assert "1 of its time stamps lack or are off" in recording.scored.notes[0]


@pytest.mark.parametrize("stamps", [[0, 5, 2], ["", 1, 2], [0, 0, 0], [3, 2, 1], [0, "", 2]])
def test_discontinuous_files_need_good_stamps(stamped, stamps):
    with pytest.raises(StimjaxError, match="time stamp"):
        reader.read(stamped(stamps, "EDF+D"))


@pytest.mark.parametrize("stamps", [[9, 1, 2], [0, 900, 1], [0, 1e9, 2e9]])
def test_damaged_stamps_of_a_continuous_file(stamped, stamps):
    with pytest.raises(StimjaxError, match="time stamps of its data records are damaged"):
        reader.read(stamped([f"{stamp:.0f}" for stamp in stamps]))


@pytest.mark.parametrize("reserved", ["EDF+C", "EDF+D", ""])
def test_a_gap_of_a_record_or_more_stays(stamped, reserved):
    recording = reader.read(stamped([0, 1, 4, 5], reserved))
    np.testing.assert_array_equal(recording.signals["HR"].values, [0, 1, np.nan, np.nan, 2, 3])
    assert bool(recording.header.notes) == (reserved != "EDF+D")  # it says so itself


def test_a_discontinuous_file_keeps_gaps_shorter_than_a_record(stamped):
    values = reader.read(stamped([0, 35], "EDF+D", seconds=30)).signals["HR"].values
    assert len(values) == 65 and np.isnan(values[30:35]).all() and not np.isnan(values[35:]).any()


def test_a_clock_that_runs_fast_leaves_single_gaps(stamped):
    values = reader.read(stamped([f"{1.01 * n:.2f}" for n in range(300)])).signals["HR"].values
    assert np.isnan(values).sum() == 2 and len(values) == 302


def test_a_discontinuous_file_without_annotations(raw_edf):
    assert (
        "its data records are read as following"
        in reader.header(raw_edf(reserved="EDF+D")).notes[0]
    )


WEEK = 7 * 86400


@pytest.mark.parametrize(
    ("gap", "left"), [(600, 600), (659, 659), (660, 600), (661.5, 601.5), (3600, 600), (WEEK, 600)]
)
@pytest.mark.parametrize("reserved", ["EDF+C", "EDF+D"])
def test_long_gaps_are_shortened_by_whole_minutes(stamped, reserved, gap, left):
    header = reader.header(stamped([0, 1, 2 + gap], reserved))
    assert header.duration == 3 + left
    assert header.cuts == (((2.0, gap - left),) if gap > left else ())
    assert any("cut out" in note for note in header.notes) == (gap > left)


def test_two_nights_a_week_apart(stamped):
    path = stamped(
        [5, 6, WEEK + 7, WEEK + 8],
        "EDF+D",
        lists=[
            b"+6\x151\x14Hypopnea\x14\0",
            b"+%d\x150.5\x14Apnea\x14\0+%d\x1520\x14Hypopnea\x14\0" % (WEEK + 8, 86400),
        ],
    )
    recording = reader.read(path)
    values = recording.signals["HR"].values
    assert values[[0, 1, -2, -1]].tolist() == [0, 1, 2, 3] and np.isnan(values[2:-2]).all()
    assert len(values) == recording.header.duration == 604
    assert recording.events == (Event("hypopnea", 1, 1), Event("apnea", 603, 0.5))
    assert recording.scored.notes == ("night.edf: 1 scored events lie where nothing was recorded",)


def test_gaps_without_end_are_refused(stamped):
    with pytest.raises(StimjaxError, match="its 2100 gaps last 379 h; cut it into nights"):
        reader.header(stamped([651 * n for n in range(2101)], "EDF+D"))


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(1, 90)), max_size=3),
    st.floats(0, 1e5),
    st.floats(0, 1e5),
)
def test_the_axis_keeps_order_and_phase(steps, first, second):
    cuts, begin = [], 0.0
    for before, minutes in steps:
        begin += before
        cuts.append((begin, 60.0 * minutes))
        begin += 60.0 * minutes + 600
    low, high = sorted((first, second))
    assert 0 <= on_axis(cuts, high) - on_axis(cuts, low) <= high - low + 1e-9
    if cuts and first > begin:  # after all gaps whole minutes are gone
        assert first - on_axis(cuts, first) == pytest.approx(sum(cut for _, cut in cuts))


def drifting(step):
    return [f"{second * step:.4f}" for second in range(2000)]


@pytest.mark.parametrize(
    "stamps",
    [drifting(0.999), [str(n - (n > 1000)) for n in range(2000)], drifting(0.998)],
)
def test_a_clock_that_falls_behind_the_samples(raw_edf, raw_signal, stamps):
    signals = [raw_signal("SpO2", [[n] for n in range(2000)], physical=("-32768", "32767"))]
    path = raw_edf(signals=signals, reserved="EDF+C", stamps=stamps)
    recording = reader.read(path)
    assert recording.signals["SpO2"].values.tolist() == list(range(2000))
    assert "are off by up to" in " ".join([*recording.header.notes, *recording.scored.notes])


@pytest.mark.parametrize(
    "stamps",
    [drifting(0.99), [str(n + 30 * (n > 500) - 2 * (n > 1000)) for n in range(2000)]],
)
def test_a_clock_that_contradicts_the_samples(raw_edf, raw_signal, stamps):
    signals = [raw_signal("SpO2", [[n] for n in range(2000)])]
    with pytest.raises(StimjaxError, match="time stamps of its data records are damaged"):
        reader.read(raw_edf(signals=signals, reserved="EDF+C", stamps=stamps))
