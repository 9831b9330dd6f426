"""What the Hugging Face Hub reads of a card: YAML in front of it.

Its keys are those of `docs/hub/datasets-cards.md` in huggingface/hub-docs.
"""

from __future__ import annotations

from typing import Any

from stimjax.batch import Spec
from stimjax.disk.documents import Manifest

# License names of the Hugging Face Hub that data have; another is "other", with its own name.
_LICENSES = (
    *("cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
    *("cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-3.0"),
    *("cc-by-nc-nd-4.0", "cc-by-nd-4.0", "odbl", "odc-by", "pddl", "cdla-sharing-1.0"),
    *("cdla-permissive-1.0", "cdla-permissive-2.0", "apache-2.0", "mit"),
)
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_CONFIGS = [
    {
        "config_name": "default",
        "data_files": [{"split": "train", "path": "stimuli-*.parquet"}],
    }
]


def front_matter(spec: Spec, manifest: Manifest, *, parquet: bool) -> dict[str, Any]:
    """License, tasks, tags, size and, of an export, the files of the data.

    Args:
        spec: of the stimuli.
        manifest: of their release.
        parquet: the card is of an export; a release has no file that the Hub's viewer shows.
    """
    signals = spec.rate is not None
    size = next((name for most, name in _SIZES if manifest.count < most), "1M<n<10M")
    return {
        **_license(manifest.method.license),
        "pretty_name": f"Stimuli: {', '.join(spec.classes)}",
        "task_categories": ["tabular-classification" if signals else "image-classification"],
        "tags": [
            *("synthetic", "stimjax", "knowledge-distillation"),
            *(("time-series", "biosignals", "sleep") if signals else ()),
        ],
        "size_categories": [size],
        **({"configs": _CONFIGS} if parquet else {"viewer": False}),
    }


def _license(said: str) -> dict[str, str]:
    """A license as the Hub names it; "unknown" where the holder named none."""
    name = "-".join(said.lower().split())
    if not name:
        return {"license": "unknown"}
    return {"license": name} if name in _LICENSES else {"license": "other", "license_name": said}
