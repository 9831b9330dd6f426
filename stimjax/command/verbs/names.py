"""Names that a command line may join by commas."""

from __future__ import annotations

import dataclasses

from stimjax import config as sections


def split_channels(settings: sections.Prepare) -> sections.Prepare:
    """`--channels SpO2,HR` as well as `--channels SpO2 HR`."""
    return dataclasses.replace(settings, channels=split_names(settings.channels))


def split_names(words: tuple[str, ...]) -> tuple[str, ...]:
    """The names in words that commas may join."""
    names = [name.strip() for word in words for name in word.split(",")]
    return tuple(name for name in names if name)
