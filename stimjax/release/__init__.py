"""A release: the folder that is published."""

from stimjax.release.folder import (
    finish,
    finished,
    load,
    load_manifest,
    load_shard,
    save_shard,
)

__all__ = ["finish", "finished", "load", "load_manifest", "load_shard", "save_shard"]
