"""Releases and exports opened by what third parties have: other libraries, of other versions.

They are in an environment of their own, whose Python STIMJAX_OPENERS_PYTHON names
(CONTRIBUTING.md); R is the system's.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from small_release import SIGNALS, written

from stimjax.batch import Batch
from stimjax.release import export

PYTHON = os.environ.get("STIMJAX_OPENERS_PYTHON")
pytestmark = pytest.mark.slow
library = pytest.mark.skipif(not PYTHON, reason="STIMJAX_OPENERS_PYTHON names no Python")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release in every format."""
    place = tmp_path_factory.mktemp("openers")
    written(place / "release", SIGNALS)
    export.export(place / "release", "parquet", place / "hub")
    export.export(place / "release", "csv", place / "stimuli.csv.gz")
    export.export(place / "release", "edf", place / "stimuli.edf")
    return place


@pytest.fixture(scope="module")
def stimuli(place: Path) -> Batch:
    from stimjax import release

    return release.load(place / "release")


def opened(code: str, folder: Path) -> dict[str, np.ndarray]:
    """What `code`, run by the other Python in `folder`, leaves as x, y and label."""
    save = '\nimport numpy\nnumpy.savez("opened.npz", x=x, y=y, label=label)\n'
    environment = {"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "HOME": str(folder)}
    environment |= {"MPLCONFIGDIR": str(folder), "NUMBA_CACHE_DIR": str(folder)}
    command = [str(PYTHON), "-I", "-c", code + save]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "opened.npz") as found:
        return dict(found)


def check(found: dict[str, np.ndarray], stimuli: Batch) -> None:
    np.testing.assert_array_equal(found["x"], stimuli.x)
    np.testing.assert_array_equal(found["y"], stimuli.y)
    np.testing.assert_array_equal(found["label"], stimuli.label)
    assert found["x"].dtype == np.float32


COLUMNS = '["spo2", "a_name_of_a_flow_far_too_long"]'
STACKED = f"""
import numpy as np
x = np.stack([np.stack(rows[name]) for name in {COLUMNS}], axis=-1)
y = np.stack([rows["p_normal"], rows["p_apnea"]], axis=-1)
label = np.asarray(rows["label"])
"""
OPENERS = {
    "datasets": """
import os
from datasets import ClassLabel, load_dataset
from huggingface_hub import DatasetCard
assert DatasetCard.load("README.md").data.license == "unknown"
rows = load_dataset(os.getcwd(), split="train").with_format("numpy")
assert isinstance(rows.features["label"], ClassLabel)
assert rows.features["label"].names == ["normal", "apnea"]
assert rows.features["spo2"].length == 120
rows = rows[:]
""",
    "datasets, streamed": """
import os
from datasets import load_dataset
stream = load_dataset(os.getcwd(), split="train", streaming=True)
assert stream.features["label"].names == ["normal", "apnea"]
read = list(stream)
rows = {name: [row[name] for row in read] for name in read[0]}
import numpy
rows |= {name: numpy.float32(rows[name]) for name in rows if name != "label"}
""",
    "pandas": """
import pandas
rows = pandas.read_parquet("stimuli-00000.parquet")
""",
    "polars": """
import polars
rows = polars.scan_parquet("stimuli-*.parquet").collect()
rows = {name: rows[name].to_numpy() for name in rows.columns}
""",
    "DuckDB": """
import duckdb
rows = duckdb.sql("select * from 'stimuli-*.parquet' where label in (0, 1)").fetchnumpy()
""",
}


@library
@pytest.mark.parametrize("name", OPENERS)
def test_an_exported_folder_is_opened_by(name, place, stimuli):
    check(opened(OPENERS[name] + STACKED, place / "hub"), stimuli)


@library
def test_the_blocks_of_the_cards_run_without_stimjax(place, stimuli):
    for folder, blocks in (("release", 2), ("hub", 2)):
        text = (place / folder / "README.md").read_text()
        code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[:blocks]
        assert len(code) == blocks
        # The last but scikit-learn's, which leaves its own x, is NumPy's or pandas'.
        code = code if folder == "hub" else code[::-1]
        found = opened("\n".join([*code, "label = y.argmax(axis=1)"]), place / folder)
        check(found, stimuli)
        (place / folder / "opened.npz").unlink()


@library
def test_mne_knows_what_the_channels_are(place, stimuli):
    code = """
import mne, numpy as np
raw = mne.io.read_raw_edf("stimuli.edf", infer_types=True, verbose="error")
assert raw.get_channel_types() == ["bio", "misc"], raw.get_channel_types()
assert raw.ch_names == ["SpO2", "a name of a"], raw.ch_names
assert set(raw.annotations.description) == {"normal", "apnea"}
starts = raw.annotations.onset - 15
assert np.allclose(starts, 60 * np.arange(25)) and np.allclose(raw.annotations.duration, 30)
x = (raw.get_data() - [[95], [0]]) / [[4], [1]]
x = np.moveaxis(x.reshape(2, 25, 120), 0, -1)
label = np.array([["normal", "apnea"].index(name) for name in raw.annotations.description])
y = np.eye(2)[label]
"""
    found = opened(code, place)
    np.testing.assert_allclose(found["x"], stimuli.x, atol=1e-3)
    np.testing.assert_array_equal(found["label"], stimuli.label)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not here")
def test_base_r_runs_the_block_of_the_card(place, stimuli):
    text = (place / "release" / "README.md").read_text()
    (block,) = re.findall(r"```r\n(.*?)```", text, re.DOTALL)
    assert block.count("\n") == 5
    code = block + (
        'write.table(cbind(x, y, label == "apnea", weight), "r.txt",'
        ' row.names = FALSE, col.names = FALSE)\nstopifnot(levels(label) == c("apnea", "normal"))\n'
    )
    subprocess.run(["Rscript", "--vanilla", "-e", code], cwd=place, check=True)
    found = np.loadtxt(place / "r.txt").astype(np.float32)
    wanted = np.moveaxis(np.asarray(stimuli.x), 1, 2).reshape(25, -1)
    np.testing.assert_array_equal(found[:, :-4], wanted)
    np.testing.assert_array_equal(found[:, -4:-2], stimuli.y)
    np.testing.assert_array_equal(found[:, -2], stimuli.label)
    np.testing.assert_array_equal(found[:, -1], stimuli.weight)
