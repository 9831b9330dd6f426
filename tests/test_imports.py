"""Imports point down the table of CONTRIBUTING.md, and never in a circle."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "stimjax"
FACE = ("__init__", "__main__")  # of the whole package: they hand names on


def floors() -> list[str]:
    """The floors of CONTRIBUTING.md, from the ground up."""
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("| floor |")[2]
    rows = table.partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", rows, re.M)[::-1]


def modules() -> dict[str, Path]:
    """Every module by its dotted name; a package's is its `__init__`."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of the package that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                yield inner if inner in known else node.module


def floor_of(module: str) -> str:
    return module.split(".")[1]


def upward(known: dict[str, Path], order: list[str]) -> list[str]:
    """The imports that do not point down."""
    return [
        f"{module} imports {other}"
        for module, path in known.items()
        if module != "stimjax" and floor_of(module) not in FACE
        for other in imported(path, known)
        if other == "stimjax" or order.index(floor_of(other)) > order.index(floor_of(module))
    ]


def circle(edges: dict[str, set[str]]) -> list[str]:
    """A circle among the edges, or nothing."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(edges.get(node, ())):
            if found := walk(other, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(edges) if (found := walk(node, []))), [])


def test_every_floor_is_in_the_table_and_every_row_is_a_floor() -> None:
    there = {floor_of(name) for name in modules() if name != "stimjax"} - set(FACE)
    assert set(floors()) == there
    assert len(floors()) == len(set(floors()))


def test_imports_point_down() -> None:
    assert upward(modules(), floors()) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = modules()
    edges = {name: set(imported(path, known)) - {name} for name, path in known.items()}
    edges.pop("stimjax")
    assert circle(edges) == []


def test_an_upward_import_and_a_circle_are_seen(tmp_path: Path) -> None:
    (tmp_path / "low.py").write_text("def late():\n    from stimjax.high import x\n")
    (tmp_path / "high.py").write_text("from stimjax import low\n")
    known = {"stimjax.low": tmp_path / "low.py", "stimjax.high": tmp_path / "high.py"}
    known |= {"stimjax": tmp_path / "none.py"}
    assert upward(known, ["low", "high"]) == ["stimjax.low imports stimjax.high"]
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
