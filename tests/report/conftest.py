import pytest

from stimjax import config, release
from stimjax.job import run
from stimjax.machine.progress import Reporter
from stimjax.report import Story

STUDENTS = ("mlp", "knn", "random_forest")


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What a whole run tells of its release: every document is one that the run wrote."""
    fast = config.Fit(steps=20, every=10)
    job = config.Job(
        prepare=config.Prepare(rate=1.0, channels=("SpO2", "HR")),
        teacher=config.Teacher(
            networks=("mlp",), candidates=2, critic="mlp", fit=fast, prior=config.Prior(sleepers=4)
        ),
        synthesis=config.Synthesis(count=60, shard=40, seed=0),
        study=config.Study(STUDENTS, config.THOROUGH.baselines, seeds=2, fit=fast),
        audit=config.Audit(attacks=("nearest", "dcr")),
        simulation=config.Simulation(subjects=8, hours=0.5),
    )
    out, stories = tmp_path_factory.mktemp("run") / "out", list[Story]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stimjax.report.write", lambda story, path: stories.append(story))
        run.run(None, out, job, reporter=Reporter())
    story = stories[0]
    assert {"report.html", "utility.json"} < set(release.load_manifest(out / "release").files)
    assert len(release.load(out / "release")) == 60
    return story
