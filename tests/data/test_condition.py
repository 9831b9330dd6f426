"""Masks, resampling and normalization, against signals whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stimjax.data.condition import Conditioned, Kind, condition, kind_of, mask
from stimjax.data.recording import Header, Recording, Signal
from stimjax.errors import StimjaxError


def signal(name: str, values, rate: float = 1.0, low=-np.inf, high=np.inf) -> Signal:
    return Signal(name, name.upper(), rate, "", np.asarray(values, np.float32), low, high)


def recording(*signals: Signal, name: str = "night7") -> Recording:
    duration = max(len(s.values) / s.rate for s in signals)
    header = Header(name, "", duration, {s.name: s.rate for s in signals})
    return Recording(header, {s.name: s for s in signals})


def conditioned(one: Signal, rate: float) -> Conditioned:
    return condition(recording(one), (one.name,), rate)


def amplitude_and_phase(x: np.ndarray, rate: float, hertz: float) -> tuple[float, float]:
    """Of the least-squares sinusoid of that frequency; the ends, where a filter fades, left out."""
    t = np.arange(len(x)) / rate
    inside = (t > 20) & (t < t[-1] - 20)
    basis = np.stack([np.sin(2 * np.pi * hertz * t), np.cos(2 * np.pi * hertz * t)], axis=1)
    a, b = np.linalg.lstsq(basis[inside], x[inside], rcond=None)[0]
    return float(np.hypot(a, b)), float(np.arctan2(b, a))


@pytest.mark.parametrize(
    ("rate", "wanted"),
    [
        *((16.0, 4.0), (100.0, 4.0), (1.0, 4.0), (25.0, 4.0), (10.0, 4.0)),
        *((256 / 3, 4.0), (200.0, 64.0), (100.0, 7.3), (4.0, 4.0)),
    ],
)
def test_a_tone_keeps_its_amplitude_and_its_time(rate, wanted):
    hertz = 0.05 if rate == 1 else 0.3
    t = np.arange(round(600 * rate)) / rate
    values = 95 + 4 * np.sin(2 * np.pi * hertz * t + 0.7)  # as SpO2: (value - 95) / 4
    x = condition(recording(signal("SpO2", values, rate)), ("SpO2",), wanted).x[:, 0]
    assert x.dtype == np.float32
    assert len(x) == round(600 * wanted)
    amplitude, phase = amplitude_and_phase(x, wanted, hertz)
    assert amplitude == pytest.approx(1, abs=0.01)
    assert phase == pytest.approx(0.7, abs=2 * np.pi * hertz * 0.01)  # to 10 ms


@pytest.mark.parametrize(
    ("rate", "hertz"), [(16.0, 3.0), (100.0, 5.0), (100.0, 47.0), (25.0, 11.3)]
)
def test_a_tone_that_the_new_rate_cannot_hold_is_gone(rate, hertz):
    t = np.arange(round(600 * rate)) / rate
    slow, fast = np.sin(2 * np.pi * 0.2 * t), np.sin(2 * np.pi * hertz * t)
    low = condition(recording(signal("SpO2", 95 + 4 * slow, rate)), ("SpO2",), 4.0).x
    both = condition(recording(signal("SpO2", 80 + 4 * (slow + fast), rate)), ("SpO2",), 4.0).x
    rest = (both - low + 15 / 4)[80:-80]
    assert 20 * np.log10(np.abs(rest).max()) < -40


def test_spo2_keeps_its_level_exactly():
    values = np.random.default_rng(0).integers(60, 101, 900)
    made = conditioned(signal("SpO2", values), 1.0)
    np.testing.assert_array_equal(made.x[:, 0] * 4 + 95, values)
    assert made.whole == (True,)
    assert not made.missing.any()


def test_a_steady_level_survives_any_rate():
    values = np.repeat([97.0, 88.0], 3000)
    made = conditioned(signal("SpO2", values, 10.0), 4.0)
    x = made.x[:, 0] * 4 + 95
    assert np.abs(x[100:1000] - 97).max() < 1e-3 and np.abs(x[1400:-100] - 88).max() < 1e-3
    assert abs(np.flatnonzero(x < 92.5)[0] / 4 - 300) <= 0.25  # the step is where it was


def test_whole_numbers_are_told_only_of_what_holds_them():
    whole = np.random.default_rng(0).integers(80, 100, 600)
    assert conditioned(signal("SpO2", whole + 0.01), 1.0).whole == (True,)
    assert conditioned(signal("SpO2", whole + 0.4), 1.0).whole == (False,)
    # Resampled values lie between the whole ones.
    made = conditioned(signal("SpO2", whole), 4.0)
    assert made.whole == (False,)
    assert (np.abs(made.x * 4 + 95 - np.round(made.x * 4 + 95)) > 0.1).any()


def test_a_lost_probe_is_masked_and_bridged():
    values = np.full(300, 95.0)
    values[::2] = 96
    values[50:60] = 0
    values[100] = 49.9
    values[150:160] = 127
    values[200] = 50  # low, but valid
    made = conditioned(signal("SpO2", values), 1.0)
    expected = np.zeros(300, bool)
    expected[50:60] = expected[100] = expected[150:160] = True
    np.testing.assert_array_equal(made.missing[:, 0], expected)
    counts = {"samples": 300, "gap": 0, "lost": 21, "flat": 0, "clipped": 0}
    assert made.counts == {"SpO2": counts}
    x = made.x[:, 0] * 4 + 95
    np.testing.assert_allclose(x[49:61], np.linspace(values[49], values[60], 12), atol=1e-5)
    assert x[200] == 50


@pytest.mark.parametrize(("name", "seconds"), [("chest", 120), ("flow", 120), ("HR", 600)])
def test_a_flat_stretch_is_masked_from_its_limit_on(name, seconds):
    rng = np.random.default_rng(0)
    for length, masked in ((seconds - 1, False), (seconds, True), (seconds + 500, True)):
        values = rng.normal(60, 1, 4 * (seconds + 900))
        values[400 : 400 + 4 * length] = 61.5
        made = conditioned(signal(name, values, 4.0), 4.0)
        expected = np.zeros(len(values), bool)
        expected[400 : 400 + 4 * length] = masked
        np.testing.assert_array_equal(made.missing[:, 0], expected)
        assert made.counts[name]["flat"] == (4 * length if masked else 0)
    # At the ends of a recording as well.
    values = rng.normal(60, 1, 4 * (seconds + 900))
    values[: 4 * seconds] = values[-1]
    assert conditioned(signal(name, values, 4.0), 4.0).missing.sum() == 4 * seconds


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from([49.9, 50.0, 70.0, 71.5, 100.5, 101.0, np.nan, np.inf]), min_size=1),
    st.sampled_from(["SpO2", "flow"]),
    st.sampled_from([(50.0, 101.0), (49.0, 102.0), (-np.inf, np.inf)]),
)
def test_masks_are_what_each_value_says(values, name, ends):
    kind = kind_of(name)
    missing, counts = mask(signal(name, values, 1.0, *ends), kind)
    gap = [not np.isfinite(v) for v in values]
    lost = [np.isfinite(v) and not kind.valid[0] <= v <= kind.valid[1] for v in values]
    clipped = [kind.clips and np.isfinite(v) and not ends[0] < v < ends[1] for v in values]
    np.testing.assert_array_equal(missing, np.array(gap) | np.array(lost))
    sums = {"gap": sum(gap), "lost": sum(lost), "flat": 0, "clipped": sum(clipped)}
    assert counts == {"samples": len(values), **sums}


def test_what_is_clipped_is_counted_and_kept():
    t = np.arange(6000) / 10
    values = np.clip(3 * np.sin(2 * np.pi * 0.21 * t), -2, 2.2)
    made = conditioned(signal("chest", values, 10.0, low=-2.0, high=2.2), 10.0)
    reached = int((values == -2).sum() + (values == 2.2).sum())
    assert reached > 1000
    assert made.counts["chest"] == {
        **{"samples": 6000, "gap": 0, "lost": 0, "flat": 0, "clipped": reached}
    }
    assert not made.missing.any()
    assert made.x.max() == made.x[np.isclose(values, 2.2)].min()
    # 100 % of SpO2 is a value, not a clipped one.
    assert mask(signal("SpO2", [100.0, 99.0] * 50, high=100.0), kind_of("SpO2"))[1]["clipped"] == 0


def test_a_gap_is_masked_at_the_new_rate():
    rate, wanted = 100.0, 4.0
    values = np.random.default_rng(0).normal(size=60_000).cumsum() / 100
    values[20_000:25_000] = np.nan
    values[:300] = values[-200:] = np.nan
    made = conditioned(signal("flow", values, rate), wanted)
    assert made.counts["flow"]["gap"] == 5500
    expected = np.isnan(values[::25])
    np.testing.assert_array_equal(made.missing[:, 0], expected)
    assert np.isfinite(made.x).all()
    bridge = made.x[805:995, 0]  # a straight line, away from the filter's reach over its ends
    assert np.abs(np.diff(bridge, 2)).max() < 1e-3


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(["good", "nan", "lost", "flat"]), min_size=1, max_size=12),
    st.sampled_from([1.0, 4.0, 12.5]),
    st.sampled_from([1.0, 4.0, 5.3]),
    st.sampled_from(["SpO2", "HR", "flow"]),
)
def test_whatever_is_missing_nothing_missing_is_left(
    stretches, rate: float, wanted: float, name: str
):
    rng = np.random.default_rng(len(stretches))
    parts = [rng.normal(80, 2, round(7 * rate))]
    for kind in stretches:
        fill = {"nan": np.nan, "lost": 0.0, "flat": 80.0}
        length = round((700 if kind == "flat" else 9) * rate)
        parts.append(rng.normal(80, 2, length) if kind == "good" else np.full(length, fill[kind]))
    made = condition(recording(signal(name, np.concatenate(parts), rate)), (name,), wanted)
    assert np.isfinite(made.x).all()
    assert made.x.shape == made.missing.shape
    total = made.counts[name]
    masked = (total["gap"] + total["lost"] + total["flat"]) / rate * wanted
    assert made.missing.sum() == pytest.approx(masked, abs=len(stretches) + wanted / rate)


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-3, 1e3), st.floats(-100, 100), st.integers(0, 5))
def test_normalization_does_not_see_gain_and_offset(gain, offset, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=2000) + np.sin(np.arange(2000) / 5)
    values[100:110] = np.nan
    plain = conditioned(signal("chest", values, 10.0, -4.0, 4.0), 4.0)
    changed = conditioned(
        signal(
            *("chest", gain * (values + offset), 10.0),
            *(gain * (-4.0 + offset), gain * (4.0 + offset)),
        ),
        4.0,
    )
    np.testing.assert_allclose(changed.x, plain.x, atol=1e-4)
    np.testing.assert_array_equal(changed.missing, plain.missing)


def test_normalization_is_by_median_and_robust_spread():
    values = np.random.default_rng(0).normal(7, 3, 100_000)
    values[::100] = 1e4  # artifacts do not move it, and are cut at 10
    x = conditioned(signal("abdomen", values, 10.0), 10.0).x[:, 0]
    good = np.delete(x, np.s_[::100])
    assert np.mean(good) == pytest.approx(0, abs=0.03)
    assert np.std(good) == pytest.approx(1, abs=0.03)
    assert (x[::100] == 10).all()


def test_a_spread_of_zero_falls_back_on_the_deviation():
    values = np.zeros(1000)
    values[::5] = 1  # three quarters are equal
    x = conditioned(signal("flow", values), 1.0).x[:, 0]
    assert sorted(set(x.tolist())) == pytest.approx([0, 1 / values.std()])


def test_channels_stand_in_the_order_of_the_wish_and_do_not_touch_each_other():
    rng = np.random.default_rng(0)
    flow, heart = signal("flow", rng.normal(size=2400), 4.0), signal("HR", rng.normal(60, 3, 600))
    one = condition(recording(flow, heart), ("HR", "flow"), 2.0)
    other = condition(recording(flow, heart), ("flow", "HR"), 2.0)
    np.testing.assert_array_equal(one.x, other.x[:, ::-1])
    np.testing.assert_array_equal(one.x[:, :1], condition(recording(heart), ("HR",), 2.0).x)
    assert list(one.counts) == ["HR", "flow"]


@pytest.mark.parametrize("length", [40, 40_000])
def test_bad_channels_are_named_with_their_file(length):
    good = signal("HR", np.random.default_rng(0).normal(60, 2, length))
    bad = {
        "is constant": np.full(length, 0.25),
        "has no valid value": np.full(length, np.nan),
    }
    for reason, values in bad.items():
        with pytest.raises(StimjaxError) as error:
            condition(recording(good, signal("flow", values)), ("HR", "flow"), 1.0)
        message = str(error.value)
        assert message.startswith(f"night7: channel 'flow' ('FLOW') {reason};")
        assert "--skip-bad" in message and "\n" not in message
    lost = signal("SpO2", [0.0, 20.0] * (length // 2))
    with pytest.raises(StimjaxError, match=r"^night7: channel 'SpO2' .* has no valid value"):
        condition(recording(lost), ("SpO2",), 1.0)
    with pytest.raises(StimjaxError, match=r"^night7: has no channel 'chest' \(it has HR\)"):
        condition(recording(good), ("HR", "chest"), 1.0)


def test_an_unknown_channel_is_treated_as_a_plain_one():
    assert kind_of("EEG C4-M1") == Kind() == Kind("recording")
