"""Tables of studies as Markdown: mean accuracy (%) and kappa over seeds and folds, and the gap.

python scripts/table.py RESULTS/study/results.json               students x what they learned from
python scripts/table.py NAME=RESULTS/study/results.json ...      methods x students, in one table

In the second, a row is the stimuli of one file (named after its folder without NAME=); the row
"real" comes from the first file, that of a baseline from the first that has it. A check mark says
that the loss is shown to lie below the margin.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stimjax.disk.store import read_json
from stimjax.errors import StimjaxError
from stimjax.experiments import results_table


def main(words: list[str]) -> str:
    """The table of the files that `words` name.

    Raises:
        StimjaxError: no file is named, two have the same name, or one cannot be read.
    """
    if not words:
        raise StimjaxError("name results.json of a study; NAME=FILE names it in the table")
    if len(words) == 1 and "=" not in words[0]:
        return results_table.table(read_json(Path(words[0])))
    named: dict[str, results_table.Results] = {}
    for word in words:
        name, _, file = word.rpartition("=")
        name = name or Path(file).absolute().parent.parent.name
        if name in named:
            raise StimjaxError(f"two files are called {name}; say NAME=FILE")
        named[name] = read_json(Path(file))
    return results_table.combined(named)


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except StimjaxError as error:
        sys.exit(f"stimjax: error: {error}")
    except (KeyError, TypeError) as error:
        sys.exit(f"stimjax: error: a file is no results.json of this version ({error!r})")
