"""Which windows of a recording are left out."""

from pathlib import Path

import numpy as np
import pytest

from stimjax.data import windows
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.data.plan import Plan
from stimjax.disk.store import load_arrays
from stimjax.errors import StimjaxError

MINUTES = 8


@pytest.fixture
def cut(tmp_path: Path):
    """Cut a night of flow (4 Hz) and SpO2 (1 Hz) in which stretches were lost."""

    def call(lost: dict[str, list[tuple[float, float]]], before=0.0, after=0.0, most=0.5):
        rng = np.random.default_rng(0)
        values = {"flow": rng.normal(0, 1, 240 * MINUTES).clip(-4, 4)}
        values["SpO2"] = rng.integers(90, 99, 60 * MINUTES).astype(float)
        for name, stretches in lost.items():
            rate = {"flow": 4, "SpO2": 1}[name]
            for start, end in stretches:
                values[name][round(start * rate) : round(end * rate)] = 0.0
        traces = [
            Trace("Flow", "", 4, values["flow"], -5.0, 5.0),
            Trace("SpO2", "%", 1, values["SpO2"], 0.0, 127.0, (0, 127)),
        ]
        path, out = tmp_path / "n.edf", tmp_path / "out.safetensors"
        minutes = [(60.0 * m, 60.0, ("Normal", "Apnea")[m % 2]) for m in range(MINUTES)]
        write_edf(path, "S1", traces, minutes)
        plan = Plan("apnea", ("flow", "SpO2"), ("flow", "SpO2"), 4.0, before, after)
        task = windows.Task(path, out, 0, 7, plan, {}, most, 50)
        return windows.cut(task), load_arrays(out)

    return call


def test_no_window_needs_time_outside_the_recording(cut):
    for before, after, kept in ((0.0, 0.0, 8), (15.0, 45.0, 6), (61.0, 0.0, 6), (0.0, 121.0, 5)):
        made, arrays = cut({}, before, after)
        assert len(made.label) == len(arrays["x"]) == kept
        assert made.left_out == {"outside": MINUTES - kept, "masked": 0, "bridged": 0}
        flow = arrays["x"][..., 0]
        flat = np.diff(flow, axis=1) == 0
        assert flat.mean() < 0.01


def test_a_long_gap_in_one_piece_is_not_bridged_in_what_breathes(cut):
    # Flow is dead from 100 s (a dead sensor has at least 120 s) to 240 s.
    made, arrays = cut({"flow": [(100.0, 240.0)]})
    assert made.left_out == {"outside": 0, "masked": 2, "bridged": 1}
    assert arrays["y"][:, 1].tolist() == [0, 0, 1, 0, 1]
    # SpO2 moves slowly: only what is masked counts.
    made, _ = cut({"SpO2": [(100.0, 130.0)]})
    assert sum(made.left_out.values()) == 0
    made, _ = cut({"SpO2": [(100.0, 159.0)]})
    assert made.left_out == {"outside": 0, "masked": 1, "bridged": 0}


@pytest.mark.parametrize(("seconds", "bridged"), [(0.0, 2), (9.75, 2), (10.0, 3), (11.0, 3)])
def test_a_gap_is_too_long_by_its_part_in_the_window(cut, seconds, bridged):
    """Dead for two minutes and some seconds of the next."""
    made, _ = cut({"flow": [(120.0, 240.0 + seconds)]}, most=1.0)
    assert made.left_out["bridged"] == bridged


def test_a_recording_without_a_usable_window_says_why(cut):
    with pytest.raises(StimjaxError, match=r"^n: none of its 8 labeled windows .*: 8 reach beyond"):
        cut({}, 300.0, 300.0)
    with pytest.raises(StimjaxError, match="8 have more than 50% of a channel missing"):
        cut({"SpO2": [(60.0 * m, 60.0 * m + 45) for m in range(MINUTES)]})


def test_what_is_given_back_is_of_the_windows(cut):
    made, arrays = cut({})
    assert made.sample.shape == (50, 2) and made.source.max() < 8
    for values, number in zip(made.sample, made.source, strict=True):
        assert (arrays["x"][number] == values).all(axis=1).any()
    assert set(arrays["subject"]) == {7} and set(arrays["weight"]) == {1.0}
    assert made.scoring.bounded and made.scoring.breathing
    assert made.digest == cut({})[0].digest != cut({"flow": [(0.0, 1.0)]})[0].digest
