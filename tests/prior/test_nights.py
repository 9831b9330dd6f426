"""Nights that anybody may have, held against the rules and the preparation of recordings."""

import dataclasses

import numpy as np
import pytest
from random_teacher import recorded

import stimjax as sj
from stimjax import batch, config
from stimjax.batch import Channel, Spec
from stimjax.data import whole
from stimjax.data.condition import Conditioned, condition
from stimjax.data.edf.writer import write_edf
from stimjax.data.recording import Recording
from stimjax.data.scoring import rules
from stimjax.data.simulate import night as simulate
from stimjax.errors import StimjaxError
from stimjax.prior import nights
from stimjax.prior.strip import NoPrior, Strip

PRIOR = config.Prior(sleepers=2, hours=0.5)
BEFORE = 15.0  # s of a window before its scored minute


def spec(names: tuple[str, ...] = ("SpO2", "HR"), rate: float = 1.0, low: float = -3.0) -> Spec:
    channels = tuple(Channel(name, "", low=low, high=3.0, resolution=0.25) for name in names)
    shape = (round(120 * rate), len(names))
    return Spec(shape, ("normal", "apnea"), channels, rate, label_start=BEFORE, label_seconds=60.0)


def made(prior: config.Prior = PRIOR, of: Spec | None = None) -> Strip:
    """Anew, not what is kept."""
    return nights.nights.__wrapped__(prior, nights.form_of(of or spec()))


@pytest.fixture(scope="module")
def found() -> Strip:
    return made()


@pytest.fixture(scope="module")
def truth() -> list[tuple[Recording, Conditioned]]:
    """Each sleeper's night, read as a recording is."""
    names = ("SpO2", "HR")
    recordings = [
        simulate.night(seed=0, number=number, hours=0.5, task="apnea", only=names)
        for number in range(2)
    ]
    return [(recording, condition(recording, names, 1.0)) for recording in recordings]


def same(one: Strip, other: Strip) -> bool:
    fields = [field.name for field in dataclasses.fields(Strip)]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in fields)


def test_they_are_the_same_wherever_they_are_asked_for(
    found: Strip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nights, "WORTH", 1.0)
    monkeypatch.setattr(nights.runtime, "cores", lambda: 2)
    started: list[int] = []
    in_order = nights.workers.in_order

    def spied(work, tasks, many):
        started.append(many)
        return in_order(work, tasks, many)

    monkeypatch.setattr(nights.workers, "in_order", spied)
    assert same(found, made()) and started == [2]
    assert not same(found, made(dataclasses.replace(PRIOR, cohort=1, sleepers=1)))


def test_a_sleeper_does_not_depend_on_how_many_there_are(found: Strip) -> None:
    one = made(dataclasses.replace(PRIOR, sleepers=1))
    np.testing.assert_array_equal(one.x, found.x[: len(one.x)])
    np.testing.assert_array_equal(one.scored, found.scored[found.whose == 0])
    np.testing.assert_array_equal(one.label, found.label[found.whose == 0])


def test_values_are_those_of_the_recordings(found: Strip, truth) -> None:
    np.testing.assert_array_equal(found.x, np.concatenate([night.x for _, night in truth]))
    assert found.simulated.all() and set(found.whose) == {0, 1}


def test_a_carrier_is_of_the_class_of_a_scored_span_within_half_a_span(found, truth) -> None:
    length = len(truth[0][1].x)
    spans = [rules.spans(recording, "apnea") for recording, _ in truth]
    assert found.first[0] == 0 and found.first[-1] == len(found.start)
    for number in range(2):
        starts = found.start[found.first[number] : found.first[number + 1]]
        assert len(starts)
        for start in starts:
            night, second = divmod(int(start), length)
            own = [begin for begin, _, label in spans[night] if label == number]
            assert np.abs(np.array(own) - (second + BEFORE)).min() <= 30


def test_nothing_reaches_beyond_a_night(found: Strip, truth) -> None:
    length = len(truth[0][1].x)
    for starts in (found.start, found.scored):
        assert (starts // length == (starts + 119) // length).all()
        assert starts.min() >= 0 and starts.max() + 120 <= len(found.x)
    assert len(np.unique(found.start)) == len(found.start)
    # Every second of a night is a carrier but for its ends, where nothing is scored near enough.
    assert len(found.start) > 0.7 * len(found.x)


def test_scored_windows_are_those_that_prepare_cuts(tmp_path, monkeypatch) -> None:
    traces: list[tuple] = []
    own = simulate.apnea_traces
    monkeypatch.setattr(
        simulate, "apnea_traces", lambda *a, **k: traces.append(own(*a, **k)) or traces[-1]
    )
    (tmp_path / "recordings").mkdir()
    for number in range(3):
        simulate.night(seed=0, number=number, hours=0.5, task="apnea", only=("SpO2", "HR"))
        # A cohort's files round to whole numbers what some of these devices tell in tenths.
        fine = [dataclasses.replace(trace, levels=(-32768, 32767)) for trace in traces[-1][0]]
        path = tmp_path / "recordings" / f"{number}.edf"
        write_edf(path, f"S{number}", fine, traces[-1][1])
    settings = config.Prepare(
        channels=("SpO2", "HR"), rate=1.0, before=15.0, after=45.0, test=0.34, workers=1
    )
    sj.prepare([str(tmp_path / "recordings")], tmp_path / "windows", settings)
    names = ("train", "validation", "test")
    parts = [batch.load(tmp_path / "windows", name) for name in names]
    prepared = batch.concatenate(parts)
    order = np.argsort(np.asarray(prepared.subject), kind="stable")
    found = made(dataclasses.replace(PRIOR, sleepers=3))
    rows = found.x[found.scored[:, None] + np.arange(120)]
    np.testing.assert_array_equal(prepared.label[order], found.label)
    np.testing.assert_allclose(np.asarray(prepared.x)[order], rows, atol=2e-3)  # 16 bits of a file


def test_what_was_not_measured_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    own = simulate.night

    def lost(**settings) -> Recording:
        recording = own(**settings)
        recording.signals["SpO2"].values[600:1000] = 0.0  # as a probe that fell off
        return recording

    monkeypatch.setattr(nights.simulate, "night", lost)
    found = made(dataclasses.replace(PRIOR, sleepers=1))
    for starts in (found.start, found.scored):
        inside = np.clip(np.minimum(starts + 120, 1000) - np.maximum(starts, 600), 0, None)
        assert inside.max() <= 60
        assert (starts < 600).any() and (starts > 900).any()


def test_ranges_of_private_windows_change_nothing() -> None:
    forms = [nights.form_of(spec(low=low)) for low in (-3.0, -7.5)]
    assert forms[0] == forms[1] and "-7.5" not in str(forms[1])
    assert nights.nights(PRIOR, forms[0]) is nights.nights(PRIOR, forms[1])


def test_channels_that_nobody_simulates_are_empty_and_all_may_be() -> None:
    found = made(of=spec(("position", "SpO2", "HR")))
    assert list(found.simulated) == [False, True, True]
    assert (found.x[:, 0] == 0).all()
    np.testing.assert_array_equal(found.x[:, 1:], made().x)
    none = made(of=spec(("position", "light")))
    assert not none.simulated.any() and not none.x.any()
    assert len(none.scored) and set(none.label) == {0, 1}


def test_stages_are_of_five_classes() -> None:
    channels = (Channel("EEG", "", "recording"),)
    classes = ("W", "N1", "N2", "N3", "R")
    of = Spec((30 * 8, 1), classes, channels, 8.0, label_start=0.0, label_seconds=30.0)
    found = made(config.Prior(sleepers=1, hours=1.0), of)
    recording = simulate.night(seed=0, number=0, hours=1.0, task="stages", only=("EEG",))
    np.testing.assert_array_equal(found.x, condition(recording, ("EEG",), 8.0).x)
    assert len(found.first) == 6 and (np.diff(found.first) > 0).all()
    spans = [span for span in rules.spans(recording, "stages") if span[0] + 30 <= 3600]
    assert [round(start * 8) for start, _, _ in spans] == list(found.scored)
    assert [label for _, _, label in spans] == list(found.label)


def test_many_values_a_second_make_fewer_sleepers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nights, "VALUES", 2.5 * 1800 * 2)
    assert set(made(dataclasses.replace(PRIOR, sleepers=9)).whose) == {0, 1}


@pytest.mark.parametrize("scored", [True, False])
def test_recordings_come_behind_with_all_channels(found: Strip, scored: bool) -> None:
    with_light = spec(("light", "SpO2", "HR"))
    more = recorded(with_light, seed=7, scored=scored)
    plain = made(of=with_light)
    both = nights.nights.__wrapped__(PRIOR, nights.form_of(with_light), (more,))
    end = len(plain.x)
    assert both.recorded == end == plain.recorded
    np.testing.assert_array_equal(both.x[:end], plain.x)
    np.testing.assert_array_equal(both.x[end:], more.night.x)
    for number in (0, 1):
        starts, own = (
            one.start[one.first[number] : one.first[number + 1]] for one in (both, plain)
        )
        np.testing.assert_array_equal(starts[: len(own)], own)
        fits = {number, whole.ANY}
        expected = [end + i for i, kind in enumerate(more.night.carrier) if kind in fits]
        assert list(starts[len(own) :]) == expected and expected
    count = len(plain.scored)
    np.testing.assert_array_equal(both.scored[count:], end + more.night.scored)
    np.testing.assert_array_equal(both.label[count:], more.night.label)
    assert (both.whose[count:] == 2).all() and len(both.scored) == count + more.about.windows
    there = both.there(both.scored)
    assert not there[:count, 0].any() and there[:, 1:].all() and there[count:].all()


def test_recordings_in_another_form_are_one_line() -> None:
    with pytest.raises(StimjaxError, match="has not the 2 channels") as error:
        nights.nights(PRIOR, nights.form_of(spec()), (recorded(spec(("SpO2",)), seed=7),))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ("cat", "dog")},
        {"rate": None},
        {"label_seconds": None},
        {"label_seconds": 120.0},
        {"label_seconds": 30.0},
        {"label_start": 90.0},
    ],
    ids=str,
)
def test_what_nobody_simulates_is_one_line(change: dict) -> None:
    refused(dataclasses.replace(spec(), **change), "nobody simulates such windows")


def test_images_are_one_line() -> None:
    ink = (Channel("ink", ""),)
    refused(Spec((8, 8, 1), ("normal", "apnea"), ink), "nobody simulates such windows")


def test_nights_without_a_class_are_one_line() -> None:
    few = config.Prior(sleepers=1, hours=0.1, cohort=2)
    assert not any("pnea" in event.kind for event in night_of(few).events)
    refused(spec(), "have no window of the class 'apnea'", few)
    refused(spec(), "have no window of the class", dataclasses.replace(few, hours=0.01))


def night_of(prior: config.Prior) -> Recording:
    return simulate.night(
        seed=prior.cohort, number=0, hours=prior.hours, task="apnea", only=("SpO2",)
    )


def refused(of: Spec, reason: str, prior: config.Prior = PRIOR) -> None:
    with pytest.raises(StimjaxError) as error:
        nights.nights(prior, nights.form_of(of))
    assert isinstance(error.value, NoPrior) == ("nobody simulates" in reason)
    assert reason in str(error.value) and "\n" not in str(error.value)
