"""What attacks find over draws of members and their mirrors, as a Markdown table.

python scripts/mirrored.py AUDIT MIRROR [AUDIT MIRROR ...]

Each is a folder with the `privacy.json` of `stimjax audit`; in a mirror the members of the draw are
the others, and its others the members.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stimjax.disk.documents import Privacy
from stimjax.errors import StimjaxError
from stimjax.experiments import mirrored


def main(words: list[str]) -> str:
    """The table of the audits in the folders `words`.

    Raises:
        StimjaxError: they are no pairs, or one cannot be read.
    """
    if len(words) % 2:
        raise StimjaxError(f"{words[-1]}: has no mirror; name a draw and its mirror in turns")
    audits = [Privacy.load(Path(word)) for word in words]
    return mirrored.table(mirrored.over_pairs(list(zip(audits[::2], audits[1::2], strict=True))))


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
