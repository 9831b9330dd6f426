"""Grids of configurations: what they say, and what they cannot."""

from pathlib import Path

import pytest

from stimjax.errors import StimjaxError
from stimjax.excite import guarantee
from stimjax.experiments import grids

ABLATIONS = Path(__file__).parents[2] / "scripts" / "ablations"
PAPER = sorted((ABLATIONS / "paper").glob("*.yaml"))
PRIVACY = sorted((ABLATIONS / "privacy").glob("*.yaml"))
GRID = """
prepare: {split: random, rate: 1.0, channels: [SpO2, HR]}
teacher: {networks: [mlp], candidates: 1, critic: none, fit: {steps: 20, every: 10, batch: 16}}
synthesis: {shard: 30, lanes: 8}
study: {students: [mlp, knn], baselines: [], seeds: 2, fit: {steps: 20, every: 10, batch: 16}}
simulation: {subjects: 5, hours: 1.0}
seeds: [3, 4]
grid:
  synthesis.count: [30, 60]
  study.labels: [soft, hard]
"""


def read(folder: Path, text: str) -> list[grids.Run]:
    (folder / "grid.yaml").write_text(text)
    runs, _ = grids.read_grid(folder / "grid.yaml")
    return runs


def test_every_combination_is_a_configuration_and_every_seed_a_run(tmp_path):
    assert [str(run) for run in read(tmp_path, GRID)[:3]] == [
        "configuration 0 (synthesis.count 30, study.labels soft), seed 3",
        "configuration 0 (synthesis.count 30, study.labels soft), seed 4",
        "configuration 1 (synthesis.count 30, study.labels hard), seed 3",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("synthesis.count:", "synthesis.cout:", "grid: there is no setting synthesis.cout; did"),
        ("synthesis.count:", "oven.count:", "grid: there is no setting oven"),
        ("synthesis.count:", "synthesis.count.more:", "grid: synthesis.count has to be a whole n"),
        ("[30, 60]", "[30, many]", "grid: synthesis.count has to be a whole number, not 'many'"),
        ("[30, 60]", "[30, 0]", "grid: synthesis.count is 0; it has to be at least 1"),
        ("[30, 60]", "30", r"grid: synthesis.count has to be a list of values \(\[a, b\]\)"),
        ("[30, 60]", "[]", "grid: synthesis.count has to be a list of values"),
        ("[30, 60]", "[30, 60, 30]", r"grid: a value stands twice \(.* 0 \(synthesis.count 30, "),
        ("[soft, hard]", "[soft, squishy]", "grid: study.labels has to be soft or hard, not 'squi"),
        ("study.labels: [soft, hard]", "study.students: [mlp]", "grid: study.students has to be a"),
        ("study.labels: [soft, hard]", "teacher.critic: [cnnn]", "grid: teacher.critic: there is "),
        (
            "study.labels: [soft, hard]",
            "teacher.dp.networks: [[cnn], [gru, resent]]",
            r"grid: teacher.dp.networks: there is no network 'resent'; did you mean resnet\?",
        ),
        (
            "study.labels: [soft, hard]",
            "synthesis.recipe.generator: [dense, convv]",
            r"grid: synthesis.recipe.generator: there is no generator 'convv'; did you mean conv\?",
        ),
        ("study.labels: [soft, hard]", "study.seed: [1]", "grid: study.seed is set by seeds"),
        ("seeds: [3, 4]", "seeds: 3", "seeds has to be a list of different whole numbers"),
        ("seeds: [3, 4]", "seeds: [3, 3]", "seeds has to be a list of different whole numbers"),
        ("seeds: [3, 4]", "seeds: [-3]", "seeds: -3 is not from 0 to"),
        ("lanes: 8", "lines: 8", "there is no setting synthesis.lines"),
        ("networks: [mlp]", "networks: [mpl]", "teacher.networks: there is no network 'mpl'; did"),
        ("[mlp, knn]", "[mlp, oracle]", "study.students: there is no student 'oracle'; choose"),
        ("baselines: []", "baselines: [x]", "study.baselines: there is no baseline 'x'; choose"),
        ("lanes: 8", "method: magic", "synthesis.method: there is no method 'magic'; choose"),
        (
            "split: random",
            "folds: 3, fold: 1",
            "configuration 0: prepare.fold: a whole run tests all 3",
        ),
    ],
)
def test_a_grid_that_says_what_it_cannot(tmp_path, old, new, said):
    assert old in GRID
    with pytest.raises(StimjaxError, match=rf"grid\.yaml: {said}") as caught:
        read(tmp_path, GRID.replace(old, new, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("grid", ["", "grid: {}", "grid: [1]", "grid:"])
def test_an_empty_grid(tmp_path, grid):
    with pytest.raises(StimjaxError, match=r"grid\.yaml: grid has to be"):
        read(tmp_path, grid)


@pytest.mark.parametrize("path", PAPER, ids=lambda path: path.name)
def test_the_ablations_of_the_paper(path):
    runs, simulated = grids.read_grid(path)
    assert not simulated and len(runs) >= 2 * 5
    for run in runs:
        assert run.job.synthesis.method == "paper"
        assert run.job.teacher.networks in (("cnn",), ("am_classifier",))
        assert not run.job.teacher.ensemble
    assert len({run.configuration for run in runs}) * 5 == len(runs)


@pytest.mark.parametrize("path", PRIVACY, ids=lambda path: path.name)
def test_the_curves_of_privacy_ask_for_what_can_be_had(path):
    pytest.importorskip("jax_privacy", reason="the extra `privacy` is not installed")
    runs, simulated = grids.read_grid(path)
    assert simulated == (path.name != "hugcdn2014.yaml") and len(runs) >= 3
    for run in runs:
        guarantee.refuse_job(run.job)


def test_what_a_file_says_of_a_recipe_goes_over_each_method(tmp_path):
    (tmp_path / "grid.yaml").write_text(
        "synthesis: {method: paper, recipe: {tries: 7}}\n"
        "grid: {synthesis.method: [paper, invert], synthesis.recipe.lowest: [8e-1]}\n"
    )
    paper, invert = (run.job.synthesis.recipe for run in grids.read_grid(tmp_path / "grid.yaml")[0])
    assert paper and invert
    assert (paper.tries, invert.tries) == (7, 7) and paper.lowest == invert.lowest == 0.8
    assert (paper.source, invert.source) == ("generator", "mixture")


def test_seeds_are_of_every_section_but_the_cohort(tmp_path):
    (tmp_path / "grid.yaml").write_text(GRID)
    for run in grids.read_grid(tmp_path / "grid.yaml")[0]:
        job = run.job
        seeds = (job.prepare.seed, job.teacher.seed, job.synthesis.seed, job.study.seed)
        assert set(seeds) == {run.seed} and job.simulation.seed == 0
