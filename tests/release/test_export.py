"""Exported releases, read back by the libraries that third parties have."""

import csv
import dataclasses
import gzip
import json
import re
from pathlib import Path

import edfio
import numpy as np
import pyarrow
import pyedflib
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from small_release import IMAGES, MANIFEST, SIGNALS, written

from stimjax import batch, release
from stimjax.batch import Channel, Spec
from stimjax.command import main
from stimjax.data import channels
from stimjax.errors import StimjaxError
from stimjax.release import edf, export, table


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


def channel_names(spec):
    return ["spo2", "a_name_of_a_flow_far_too_long"] if spec == SIGNALS else ["ink"]


def check_table(read, stimuli):
    spec = stimuli.spec
    for i, name in enumerate(channel_names(spec)):
        column = read[name].combine_chunks()
        assert column.type.list_size == np.prod(spec.shape[:-1])
        assert column.type.value_type == "float"
        found = column.flatten().to_numpy().reshape(25, -1)
        np.testing.assert_array_equal(found, np.asarray(stimuli.x)[..., i].reshape(25, -1))
    for k, name in enumerate(spec.classes):
        np.testing.assert_array_equal(read[f"p_{name}"], np.asarray(stimuli.y)[:, k])
    np.testing.assert_array_equal(read["label"], np.asarray(stimuli.y).argmax(axis=1))
    np.testing.assert_array_equal(read["weight"], stimuli.weight)
    assert json.loads(read.schema.metadata[b"spec"]) == json.loads(json.dumps(spec.to_json()))


def test_arrow_reads_what_the_release_holds(made, tmp_path):
    folder, stimuli = made
    export.export(folder, "parquet", tmp_path / "x.parquet")
    check_table(parquet.read_table(tmp_path / "x.parquet"), stimuli)


def test_a_folder_of_parquet_has_a_card_that_names_its_files(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(export.parquet, "ROWS_OF_A_FILE", 10)
    folder, stimuli = made
    (folder / "manifest.json.sig").write_text("a signature")
    export.export(folder, "parquet", tmp_path / "hub")
    names = [f"stimuli-0000{i}.parquet" for i in range(3)]
    about = ["README.md", "manifest.json", "manifest.json.sig", "spec.json"]
    assert sorted(path.name for path in (tmp_path / "hub").iterdir()) == about + names
    tables = [parquet.read_table(tmp_path / "hub" / name) for name in names]
    check_table(pyarrow.concat_tables(tables), stimuli)
    for name in about[1:]:  # the digest and the signature are those of the release
        assert (tmp_path / "hub" / name).read_bytes() == (folder / name).read_bytes()
    text = (tmp_path / "hub" / "README.md").read_text()
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "stimuli-*.parquet"}]
    for name in channel_names(stimuli.spec):
        assert f"| `{name}` |" in text
    assert main.main(["verify", str(tmp_path / "hub")]) == 1
    assert "is an export" in capsys.readouterr().err
    export.export(folder, "parquet", tmp_path / "hub", overwrite=True)
    with pytest.raises(StimjaxError, match="the release itself"):
        export.export(folder, "parquet", folder, overwrite=True)
    assert len(release.load(folder)) == 25


def test_the_pandas_block_of_an_exported_card_gives_the_windows(made, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    folder, stimuli = made
    export.export(folder, "parquet", tmp_path / "hub")
    monkeypatch.chdir(tmp_path / "hub")
    blocks = re.findall(r"```python\n(.*?)```", Path("README.md").read_text(), re.DOTALL)
    names = {}
    exec(blocks[1], names)
    np.testing.assert_array_equal(names["x"], stimuli.x)
    np.testing.assert_array_equal(names["y"], stimuli.y)


def test_columns_have_names_of_their_own():
    channels = [Channel(name, "") for name in ("EEG C4-M1", "EEG C4 M1", "weight", "2", "--")]
    spec = Spec((3, 5), ("p", "N1", "n1"), tuple(channels), 1.0)
    named = table.names(spec)
    assert named.channels == ("eeg_c4_m1", "eeg_c4_m1_2", "weight_2", "c_2", "column")
    assert named.classes == ("p_p", "p_n1", "p_n1_2")
    assert all(name.isidentifier() for names in named for name in names)


def test_text_holds_every_bit(made, tmp_path):
    folder, stimuli = made
    for name in ("x.csv.gz", "x.csv", "again.csv.gz"):
        export.export(folder, "csv", tmp_path / name)
    content = (tmp_path / "x.csv.gz").read_bytes()
    assert content == (tmp_path / "again.csv.gz").read_bytes()
    assert gzip.decompress(content) == (tmp_path / "x.csv").read_bytes()
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [stimuli.spec.classes[k] for k in stimuli.label]
    for i, name in enumerate(channel_names(stimuli.spec)):
        size = int(np.prod(stimuli.spec.shape[:-1]))
        found = [[row[f"{name}_{t}"] for t in range(size)] for row in rows]
        wanted = np.asarray(stimuli.x)[..., i].reshape(25, -1)
        np.testing.assert_array_equal(np.array(found, np.float32), wanted)
    found = [[row[f"p_{name}"] for name in stimuli.spec.classes] for row in rows]
    np.testing.assert_array_equal(np.array(found, np.float32), stimuli.y)


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
    read = parquet.read_table(tmp_path / "x.parquet")
    np.testing.assert_array_equal(read["origin"], origin)
    for k, name in enumerate(spec.classes):
        np.testing.assert_array_equal(read[f"linear_{name}"], linear[:, k])


def test_edf_holds_physical_values_and_a_class_for_each_stimulus(tmp_path):
    stimuli = written(tmp_path / "release", SIGNALS)
    export.export(tmp_path / "release", "edf", tmp_path / "x.edf")
    with pyedflib.EdfReader(str(tmp_path / "x.edf")) as file:
        assert file.getSignalLabels() == ["SaO2 SpO2", "Misc a name of a"]
        assert [file.getPhysicalDimension(i) for i in range(2)] == ["%", "1"]
        assert file.getSampleFrequencies().tolist() == [2, 2]
        assert (file.datarecords_in_file, file.datarecord_duration) == (25, 60)
        x = np.asarray(stimuli.x, float)
        for i, (scale, center) in enumerate([(4.0, 95.0), (1.0, 0.0)]):
            wanted = x[..., i].ravel() * scale + center
            step = np.ptp(wanted) / 65000
            np.testing.assert_allclose(file.readSignal(i), wanted, atol=step)
        onset, duration, text = file.readAnnotations()
    np.testing.assert_allclose(onset, 60.0 * np.arange(25) + 15)
    np.testing.assert_allclose(duration.astype(float), 30)
    assert text.tolist() == [SIGNALS.classes[k] for k in stimuli.label]


def test_a_data_record_is_a_stimulus_however_long(tmp_path):
    spec = dataclasses.replace(SIGNALS, rate=0.5, shape=(121, 2))
    stimuli = written(tmp_path / "release", spec)
    export.export(tmp_path / "release", "edf", tmp_path / "x.edf")
    file = edfio.read_edf(tmp_path / "x.edf")
    assert (file.num_data_records, file.data_record_duration) == (25, 242)
    found = file.signals[0].data.reshape(25, 121)
    np.testing.assert_allclose(found, np.asarray(stimuli.x)[..., 0] * 4.0 + 95, atol=1e-3)


@pytest.mark.parametrize("name", [*channels.ALIASES, "EEG C4-M1", "EOG E1-M2"])
def test_the_type_in_front_of_a_label_hides_no_channel(name):
    label = edf._label(name)
    assert " " in label and channels.known(label) == channels.known(name)


@given(st.floats(-9_999_999, 99_999_999))
def test_a_range_fits_into_the_header_and_still_holds_its_values(value):
    low, high = edf.short(value, np.floor), edf.short(value, np.ceil)
    assert low <= value <= high
    assert high - low <= max(1.0, 1e-5 * abs(value))
    for short in (low, high):
        assert len(f"{short:.6f}".rstrip("0").rstrip(".")) <= 8


def test_what_edf_cannot_hold_is_refused(tmp_path):
    odd = dataclasses.replace(SIGNALS, rate=0.7)  # 120 samples last 171.428571... s
    for name, spec, why in (("a", IMAGES, "no signals"), ("b", odd, "120 samples at 0.7 Hz")):
        written(tmp_path / name, spec)
        with pytest.raises(StimjaxError, match=why):
            export.export(tmp_path / name, "edf", tmp_path / "x.edf")
    with pytest.raises(StimjaxError, match="as large as"):
        edf.short(1e9, np.floor)
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
    assert "mat" in line(folder, "--to", "mat", "--out", tmp_path / "x.mat")
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
