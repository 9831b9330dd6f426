"""A release: the folder that is published."""

from stimjax.release.folder import (
    add,
    finish,
    finished,
    load,
    load_manifest,
    load_shard,
    save_shard,
)

__all__ = ["add", "finish", "finished", "load", "load_manifest", "load_shard", "save_shard"]
