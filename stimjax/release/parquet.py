"""Stimuli as Parquet: one file, or a folder that `datasets.load_dataset` and its Hub open.

A release itself holds no Parquet: the same numbers twice would have to be verified twice, and
writing them needs pyarrow, which nothing else of a release does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stimjax.batch import Batch
from stimjax.disk.documents import Manifest
from stimjax.errors import StimjaxError
from stimjax.release import card, table

if TYPE_CHECKING:
    import pyarrow

ROWS_OF_A_GROUP = 1000  # what a reader of a few rows has to read: megabytes
ROWS_OF_A_FILE = 50_000


def write(stimuli: Batch, manifest: Manifest, path: Path) -> None:
    """Write one file, a row for each stimulus; its metadata hold spec and manifest.

    Raises:
        StimjaxError: pyarrow is missing.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise StimjaxError("Parquet needs pyarrow; pip install pyarrow, or choose npz") from error
    parquet.write_table(
        _table(stimuli, manifest),
        path,
        row_group_size=ROWS_OF_A_GROUP,
        compression="zstd",
        use_dictionary=False,  # hardly a number comes twice: with one, files are a third larger
    )


def write_folder(stimuli: Batch, manifest: Manifest, folder: Path) -> None:
    """Write files of stimuli, and a card with code to load them.

    Raises:
        StimjaxError: pyarrow is missing.
    """
    for number, start in enumerate(range(0, len(stimuli), ROWS_OF_A_FILE)):
        rows = stimuli[start : start + ROWS_OF_A_FILE]
        write(rows, manifest, folder / f"stimuli-{number:05d}.parquet")
    text = card.render(stimuli.spec, manifest, parquet=True)
    (folder / "README.md").write_text(text, encoding="utf-8")


def _table(stimuli: Batch, manifest: Manifest) -> pyarrow.Table:
    import pyarrow

    columns = table.columns(stimuli)
    about = {
        "spec": json.dumps(stimuli.spec.to_json()),
        "manifest": json.dumps(manifest.to_json()),
        "huggingface": json.dumps({"info": {"features": _features(columns, stimuli.spec.classes)}}),
    }
    arrays = {
        name: pyarrow.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
        if values.ndim == 2
        else pyarrow.array(values)
        for name, values in columns.items()
    }
    return pyarrow.table(arrays).replace_schema_metadata(about)


def _features(columns: Mapping[str, np.ndarray], classes: tuple[str, ...]) -> dict[str, dict]:
    """The columns as the library `datasets` types them: it finds the names of the classes here."""
    features = {}
    for name, values in columns.items():
        kind = {"dtype": str(values.dtype), "_type": "Value"}
        if name == "label":
            features[name] = {"names": list(classes), "_type": "ClassLabel"}
        elif values.ndim == 2:
            features[name] = {"feature": kind, "length": values.shape[1], "_type": "Sequence"}
        else:
            features[name] = kind
    return features
