"""With `--independent` no recording has a say in another's windows."""

import contextlib
import shutil

import numpy as np
import pytest
from night_files import CODES, MINUTES, WORDS, inside, parts

from stimjax.batch import load_spec
from stimjax.data import plan, split
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.errors import StimjaxError


def test_independently_no_recording_has_a_say_in_another(cohort, windows_of) -> None:
    """What a subject-level guarantee rests on: another night changes its own windows alone."""
    rng = np.random.default_rng(1)
    for number in range(8):  # more, so that each part has some by the hash of their names
        labels = (rng.permutation(MINUTES) < 3).astype(int)
        spo2 = rng.integers(60, 101, 60 * MINUTES).astype(float)
        cohort.add(f"more-{number}", f"T{number}", spo2, labels)
    asked = {"independent": True, "channels": ("SpO2",), "rate": 1.0, "subject_from": "header"}
    before = windows_of(cohort, **asked)
    spec = load_spec(before)
    assert (spec.channels[0].low, spec.channels[0].high) == (-6.25, 1.25)
    assert spec.channels[0].resolution == 0.0
    # All in order of severity, and far out of the usual range.
    changed = cohort.number("T0")
    cohort.add("more-0", "T0", np.where(np.arange(600) % 7 < 3, 51.0, 100.0), np.ones(MINUTES, int))
    after = windows_of(cohort, **asked)
    assert load_spec(after) == spec
    for name in split.PARTS:
        one, other = parts(before)[name], parts(after)[name]
        one, other = one[one.subject != changed], other[other.subject != changed]
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.subject, other.subject)


@pytest.mark.parametrize("by", ["header", "file"])
def test_independently_a_person_more_moves_nobody(cohort, windows_of, by) -> None:
    """Neighbors of a guarantee: the file of one more is the first, in a folder, all apnea."""
    rng = np.random.default_rng(2)
    for number in range(8):
        spo2 = rng.integers(60, 101, 60 * MINUTES).astype(float)
        cohort.add(f"more-{number}", f"T{number}", spo2, np.arange(MINUTES) % 2)
    asked = {"independent": True, "channels": ("SpO2",), "rate": 1.0, "subject_from": by}
    before = windows_of(cohort, **asked)
    (cohort.folder / "aaa").mkdir()
    night = cohort.folder / "aaa" / "aaa.edf"
    scored = [(60.0 * m, 60.0, WORDS[1]) for m in range(MINUTES)]
    spo2 = rng.integers(60, 80, 60 * MINUTES).astype(float)
    write_edf(night, "A0", [Trace("SaO2", "%", 1, spo2, 0.0, 127.0, (0, 127))], scored)
    after = windows_of(cohort, **asked)
    for name in split.PARTS:
        one, other = ({x.tobytes() for x in parts(folder)[name].x} for folder in (before, after))
        more = other - one
        assert one <= other and len(more) in (0, len(inside(15, 45)))


def test_independently_a_random_split_is_refused(cohort, windows_of) -> None:
    """A person more would move other people's windows: each is dealt by its recording's place."""
    asked = {"independent": True, "channels": ("SpO2",), "subject_from": "header"}
    with pytest.raises(StimjaxError, match=r"--independent: a random split .* --split subject"):
        windows_of(cohort, split="random", **asked)


def test_independently_it_has_to_be_said_what_tells_persons_apart(cohort, windows_of, tmp_path):
    asked = {"independent": True, "channels": ("SpO2",)}
    with pytest.raises(StimjaxError, match="say --subject-from header, --subject-from file, or"):
        windows_of(cohort, **asked)
    table = tmp_path / "subjects.csv"
    lines = [f"{name},{code}" for name, code in CODES.items()]
    table.write_text("\n".join(["recording,subject", *lines]))
    windows_of(cohort, subjects=str(table), test_subjects="S1", **asked)


def test_independently_channels_have_to_be_named(cohort, windows_of) -> None:
    with pytest.raises(StimjaxError, match=r"--channels, such as .*SpO2"):
        windows_of(cohort, independent=True, subject_from="header")


def test_independently_the_rate_is_a_fixed_one(cohort, windows_of) -> None:
    with contextlib.suppress(StimjaxError):  # a part may be empty by the hash of the names
        asked = {"channels": ("SpO2",), "subject_from": "header", "test_subjects": "S1"}
        folder = windows_of(cohort, independent=True, **asked)
        assert load_spec(folder).rate == plan.MOST_RATE["apnea"]


def test_independently_a_copy_stops_the_work_instead_of_being_left_out(cohort, windows_of) -> None:
    shutil.copy(cohort.folder / "night-a.edf", cohort.folder / "night-z.edf")
    asked = {"channels": ("SpO2",), "skip_bad": True, "subject_from": "file"}
    with pytest.raises(StimjaxError, match="same signals"):
        windows_of(cohort, independent=True, **asked)
    windows_of(cohort, **asked)
