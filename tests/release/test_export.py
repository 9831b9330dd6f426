"""Exported releases, read back by the libraries that third parties have."""

import dataclasses
import json

import numpy as np
import pyedflib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from small_release import IMAGES, MANIFEST, SIGNALS, written

from stimjax import batch, release
from stimjax.batch import Spec
from stimjax.command import main
from stimjax.errors import StimjaxError
from stimjax.release import export


@pytest.fixture(params=[SIGNALS, IMAGES], ids=["signals", "images"])
def made(request, tmp_path):
    return tmp_path / "release", written(tmp_path / "release", request.param)


def test_numpy_reads_what_the_release_holds(made, tmp_path):
    folder, stimuli = made
    assert export.export(folder, "npz", tmp_path / "a" / "x.npz") == 25
    with np.load(tmp_path / "a" / "x.npz", allow_pickle=False) as found:
        for name in ("x", "y", "weight"):
            np.testing.assert_array_equal(found[name], getattr(stimuli, name))
        assert found["classes"].tolist() == list(stimuli.spec.classes)
        assert found["channels"].tolist() == [c.name for c in stimuli.spec.channels]
        assert Spec.from_json(json.loads(str(found["spec"])), "npz") == stimuli.spec
        assert json.loads(str(found["manifest"])) == release.load_manifest(folder).to_json()


def test_arrow_reads_what_the_release_holds(made, tmp_path):
    folder, stimuli = made
    export.export(folder, "parquet", tmp_path / "x.parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    for i, channel in enumerate(stimuli.spec.channels):
        found = np.stack(table[channel.name].to_numpy())
        np.testing.assert_array_equal(found, np.asarray(stimuli.x)[..., i].reshape(25, -1))
    for k, name in enumerate(stimuli.spec.classes):
        np.testing.assert_array_equal(table[f"probability of {name}"], np.asarray(stimuli.y)[:, k])
    assert json.loads(table.schema.metadata[b"spec"]) == json.loads(
        json.dumps(stimuli.spec.to_json())
    )


@pytest.mark.parametrize("spec", [SIGNALS, IMAGES], ids=["signals", "images"])
def test_columns_of_a_release_are_columns_of_its_files(spec, tmp_path):
    plain = written(tmp_path / "plain", spec)
    label, origin = np.arange(25) % 2, (np.arange(25) % 3 == 0).astype(np.int32)
    linear = batch.one_hot(label, spec)
    columns = {"linear": linear, "origin": origin}
    (tmp_path / "release").mkdir()
    release.save_shard(tmp_path / "release", 0, dataclasses.replace(plain, columns=columns))
    release.finish(tmp_path / "release", spec, MANIFEST)
    export.export(tmp_path / "release", "npz", tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["linear"], linear)
        np.testing.assert_array_equal(found["origin"], origin)
    export.export(tmp_path / "release", "parquet", tmp_path / "x.parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    np.testing.assert_array_equal(table["origin"], origin)
    for k, name in enumerate(spec.classes):
        np.testing.assert_array_equal(table[f"linear: {name}"], linear[:, k])


def test_edf_holds_physical_values_and_a_class_for_each_stimulus(tmp_path):
    stimuli = written(tmp_path / "release", SIGNALS)
    export.export(tmp_path / "release", "edf", tmp_path / "x.edf")
    with pyedflib.EdfReader(str(tmp_path / "x.edf")) as file:
        assert file.getSignalLabels() == ["SpO2", "a name of a flow"]
        assert [file.getPhysicalDimension(i) for i in range(2)] == ["%", "1"]
        assert file.getSampleFrequencies().tolist() == [2, 2]
        x = np.asarray(stimuli.x, float)
        for i, (scale, center) in enumerate([(4.0, 95.0), (1.0, 0.0)]):
            wanted = x[..., i].ravel() * scale + center
            step = np.ptp(wanted) / 65000
            np.testing.assert_allclose(file.readSignal(i), wanted, atol=step)
        onset, duration, text = file.readAnnotations()
    np.testing.assert_allclose(onset, 60.0 * np.arange(25) + 15)
    np.testing.assert_allclose(duration.astype(float), 30)
    y = np.asarray(stimuli.y)
    assert [word.split()[0] for word in text] == [SIGNALS.classes[k] for k in y.argmax(axis=1)]
    found = [float(word.split()[1]) for word in text]
    np.testing.assert_allclose(found, y.max(axis=1), atol=6e-4)


@given(st.floats(-9_999_999, 99_999_999))
def test_a_range_fits_into_the_header_and_still_holds_its_values(value):
    low, high = export._short(value, np.floor), export._short(value, np.ceil)
    assert low <= value <= high
    assert high - low <= max(1.0, 1e-5 * abs(value))
    for short in (low, high):
        assert len(f"{short:.6f}".rstrip("0").rstrip(".")) <= 8


def test_what_edf_cannot_hold_is_refused(tmp_path):
    odd = dataclasses.replace(SIGNALS, rate=0.7)
    for name, spec, why in (("a", IMAGES, "no signals"), ("b", odd, "whole seconds")):
        written(tmp_path / name, spec)
        with pytest.raises(StimjaxError, match=why):
            export.export(tmp_path / name, "edf", tmp_path / "x.edf")
    with pytest.raises(StimjaxError, match="as large as"):
        export._short(1e9, np.floor)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_bad_input_is_one_line_and_status_2(made, tmp_path, capsys):
    folder, _ = made
    (tmp_path / "taken.npz").write_text("x")

    def line(*words):
        assert main.main(["export", *map(str, words)]) == 2
        err = capsys.readouterr().err
        assert err.startswith("stimjax: error: ") and err.count("\n") == 1
        return err

    assert "no such folder" in line(tmp_path / "none", "--to", "npz", "--out", tmp_path / "x.npz")
    assert "--overwrite" in line(folder, "--to", "npz", "--out", tmp_path / "taken.npz")
    assert "is a folder" in line(folder, "--to", "npz", "--out", folder)
    assert "csv" in line(folder, "--to", "csv", "--out", tmp_path / "x.csv")
    assert "--out" in line(folder, "--to", "npz")
    shard = next(folder.glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "changed or damaged" in line(folder, "--to", "npz", "--out", tmp_path / "x.npz")
    assert not (tmp_path / "x.npz").exists() and not list(tmp_path.glob(".*partial*"))


def test_an_earlier_file_is_replaced_if_asked(made, tmp_path, capsys):
    folder, _ = made
    (tmp_path / "x.npz").write_text("x")
    words = ["export", str(folder), "--to", "npz", "--out", str(tmp_path / "x.npz")]
    assert main.main([*words, "--overwrite"]) == 0
    assert capsys.readouterr().out.endswith("x.npz: 25 stimuli\n")
    assert np.load(tmp_path / "x.npz")["x"].shape[0] == 25
