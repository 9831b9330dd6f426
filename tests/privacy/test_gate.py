"""Bounds on an audit: which are exceeded, which are not shown to be kept, which file is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from stimjax.config.recipes import RECIPES
from stimjax.disk.documents import Entry, Privacy, Side, Sides
from stimjax.errors import StimjaxError
from stimjax.privacy import gate

ENTRY = Entry(
    *("lira", "auc", "window", 0.52, (0.48, 0.56), 0.5, 0.9, 0.9),
    *("", "the release", "a paper", "Whether someone took part."),
)
SIDE = Side(windows=100, subjects=10)
PRIVACY = Privacy(
    attacks=(
        ENTRY,
        replace(ENTRY, level="subject", value=0.6, ci=(0.3, 0.9)),
        replace(ENTRY, attack="files", metric="secrets_found", level="file", value=1.0, ci=None),
        replace(ENTRY, attack="association", metric="top1", level="release", ci=(0.3, 0.8)),
        replace(ENTRY, metric="tpr_at_fpr_0.01", value=None, ci=None, note="too few"),
    ),
    epsilon=None,
    delta=None,
    on=Sides(SIDE, SIDE, SIDE),
    versions={},
)


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"auc.window": 0.57}, []),
        ({"lira.auc.window": 0.55}, ["lira auc window: reaches 0.56, 0.55 is allowed"]),
        ({"auc": 0.57}, ["lira auc subject: reaches 0.9, 0.57 is allowed"]),
        ({"secrets_found": 0}, ["files secrets_found file: reaches 1, 0 is allowed"]),
        ({"tpr_at_fpr_0.01": 0.5}, ["lira tpr_at_fpr_0.01 window: could not be tried (too few)"]),
        ({"epsilon": 8}, ["epsilon is not bounded, 8 is allowed"]),
        ({"first_of_ten": 0.5}, ["association top1 release: reaches 0.8, 0.5 is allowed"]),
        ({"top1": 0.5}, ["association top1 release: reaches 0.8, 0.5 is allowed"]),
        ({"top1": 0.9}, []),
        ({"worst_subject": 0.5}, ["worst_subject: no attack of this audit gives it"]),
    ],
)
def test_the_upper_end_counts(bounds: dict[str, float], said: list[str]) -> None:
    assert gate.exceeded(PRIVACY, bounds, RECIPES["mixture"]) == said


def test_epsilon_within_its_bound_is_kept() -> None:
    promised = replace(PRIVACY, epsilon=4.0, delta=1e-5)
    assert gate.exceeded(promised, {"epsilon": 8}, RECIPES["mixture"]) == []


SEED = ("auc_with_seed", "seed.tpr_at_fpr_0.01_with_seed", "worst_subject_with_seed.subject")


@pytest.mark.parametrize("name", SEED)
def test_a_source_without_statistics_keeps_bounds_on_who_has_the_seed(name: str) -> None:
    assert gate.exceeded(PRIVACY, {name: 0.6}, RECIPES["probe"]) == []
    line = gate.trivial({name: 0.6, "auc": 0.6}, RECIPES["probe"])
    said = "is kept, for the source generic has no statistics that the seed could uncover"
    assert line == {name: f"{name}: {said}"}


@pytest.mark.parametrize("name", SEED)
def test_one_with_statistics_has_to_be_tried_with_the_seed(name: str) -> None:
    assert gate.trivial({name: 0.6}, RECIPES["spectral"]) == {}
    (line,) = gate.exceeded(PRIVACY, {name: 0.6}, RECIPES["spectral"])
    assert line == f"{name}: no attack of this audit gives it"


@pytest.mark.parametrize("name", ["auc", "auc_with_seed.file", "lira.auc_with_seed", "a_with_seed"])
def test_no_other_bound_is_kept_without_a_number(name: str) -> None:
    nothing = replace(PRIVACY, attacks=())
    assert gate.exceeded(nothing, {name: 0.6}, RECIPES["probe"]) == [
        f"{name}: no attack of this audit gives it"
    ]


def test_reads_a_file(tmp_path: Path) -> None:
    file = tmp_path / "bounds.yaml"
    file.write_text("auc: 0.57\nlira.auc.subject: 1\n")
    assert gate.read(file) == {"auc": 0.57, "lira.auc.subject": 1.0}


@pytest.mark.parametrize("text", ["", "- auc\n", "auc: high\n", "auc: .nan\n", "auc: true\n"])
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bounds.yaml"
    file.write_text(text)
    with pytest.raises(StimjaxError, match=r"bounds\.yaml"):
        gate.read(file)


def test_a_release_whose_source_can_be_refitted_needs_that_attack() -> None:
    tried = [replace(ENTRY, attack=f"lira_{name}") for name in ("labels", "refit")]
    every = replace(PRIVACY, attacks=tuple(tried))
    assert gate.lacking(every, RECIPES["mixture"]) == []
    (line,) = gate.lacking(replace(PRIVACY, attacks=tuple(tried[:1])), RECIPES["spectral"])
    assert line.startswith("lira_refit was not tried, and a release of the source spectral needs")
    assert gate.lacking(replace(PRIVACY, attacks=tuple(tried[:1])), RECIPES["probe"]) == []
    failed = replace(PRIVACY, attacks=(*tried[1:], replace(tried[0], value=None)))
    assert len(gate.lacking(failed, RECIPES["mixture"])) == 1
