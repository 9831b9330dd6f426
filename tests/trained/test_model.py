"""Students that are kept: those of a study, the same after reading, and refused if changed."""

import dataclasses
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from stimjax import batch, config
from stimjax.batch import Batch, Channel, Spec
from stimjax.command.main import main
from stimjax.disk.store import sha256
from stimjax.errors import StimjaxError
from stimjax.models import classifier
from stimjax.students import classical, study
from stimjax.trained import model as models
from stimjax.trained import onnx, weights

SPEC = Spec((12, 2), ("normal", "apnea"), (Channel("SpO2", "%"), Channel("HR", "")), 1.0, 0.0, 12.0)
FAST = config.Study(fit=config.Fit(steps=20, every=10, batch=32))


def windows(n: int = 120, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, *SPEC.shape)).astype(np.float32)
    apnea = 1 / (1 + np.exp(-3 * x[:, :, 0].mean(axis=1)))
    return batch.make(x, np.stack([1 - apnea, apnea], axis=1), SPEC)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of a student; read only."""
    folder = tmp_path_factory.mktemp("models")
    assert models.keep(models.fit(windows(), "logistic", FAST), folder / "logistic") is None
    return {"logistic": folder / "logistic"}


DEEP = pytest.param("mlp", marks=pytest.mark.slow)  # jax2onnx compiles for ten seconds


@pytest.mark.parametrize("name", [DEEP, *classical.CLASSICAL])
def test_a_student_is_that_of_a_study_and_the_same_after_reading(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "NEEDS", ("no_such_module",))
    stimuli, test = windows(), windows(40, seed=1)
    model = models.fit(stimuli, name, FAST)
    train, validation = study.held_out(stimuli, 0)
    one = dataclasses.replace(FAST, seeds=1)
    expected = study.student(name, one, train=train, validation=validation, test=test)[0]
    x = np.asarray(test.x)
    np.testing.assert_array_equal(model.predict_proba(x), expected)
    missing = models.keep(model, tmp_path / "m")
    assert missing is not None and "stimjax[onnx]" in missing
    read = models.load(tmp_path / "m")
    np.testing.assert_array_equal(read.predict_proba(x), expected)
    assert read.predict_proba(x[:0]).shape == (0, 2)
    assert (read.spec, read.student, read.windows) == (SPEC, name, 120)
    assert read.settings == model.settings


@pytest.mark.parametrize("name", [DEEP, "logistic"])
def test_onnx_gives_the_same_minutes_where_jax_cannot_be_imported(
    name: str, kept: dict[str, Path], tmp_path: Path
) -> None:
    x = np.asarray(windows(30, seed=2).x)
    np.save(tmp_path / "x.npy", x)
    program = (
        "import sys\n"
        "for name in ('jax', 'flax', 'sklearn', 'stimjax'): sys.modules[name] = None\n"
        "import numpy, onnxruntime\n"
        "x = numpy.load(sys.argv[2])\n"
        "session = onnxruntime.InferenceSession(sys.argv[1])\n"
        "numpy.save(sys.argv[3], session.run(['probability'], {'x': x})[0])\n"
    )
    folder = kept.get(name, tmp_path / name)
    if name not in kept:
        assert models.keep(models.fit(windows(), name, FAST), folder) is None
    files = [str(p) for p in (folder / onnx.FILE, tmp_path / "x.npy", tmp_path / "p.npy")]
    subprocess.run([sys.executable, "-c", program, *files], check=True)
    expected = models.load(folder).predict_proba(x)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), expected, atol=onnx.TOLERANCE)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ["random_forest", "svm", "knn"])
def test_classical_students_are_the_same_in_onnx(name: str, classes: int, tmp_path: Path) -> None:
    """Long windows, so that neighbors in time are averaged; the last class has no window."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 701, 2)).astype(np.float32)
    y = np.eye(classes + 1)[rng.integers(classes, size=60)]
    spec = dataclasses.replace(SPEC, shape=(701, 2), classes=tuple("abcd"[: classes + 1]))
    learned = classical.fitted(name, batch.make(x, y, spec), 0)
    assert onnx.write(learned, name, x, tmp_path) is None
    found = onnx.run((tmp_path / onnx.FILE).read_bytes(), x[:7])
    np.testing.assert_allclose(found, learned.probability(x[:7]), atol=onnx.TOLERANCE)


def test_an_onnx_file_that_gives_something_else_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models.fit(windows(), "logistic", FAST)
    monkeypatch.setattr(onnx, "run", lambda content, x: np.full((len(x), 2), 0.5, np.float32))
    said = models.keep(model, tmp_path / "m")
    assert said is not None and "itself gives" in said
    assert not (tmp_path / "m" / onnx.FILE).exists()
    assert models.load(tmp_path / "m").student == "logistic"


def test_no_file_is_a_pickle(kept: dict[str, Path]) -> None:
    for folder in kept.values():
        for path in folder.iterdir():
            with pytest.raises(Exception):  # noqa: B017
                pickle.loads(path.read_bytes())


def forged(folder: Path, name: str, content: bytes) -> None:
    """A changed file, with the SHA-256 that it has now."""
    (folder / name).write_bytes(content)
    about = json.loads((folder / "model.json").read_text())
    about["files"][name] = sha256(folder / name)
    (folder / "model.json").write_text(json.dumps(about))


def append(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + b" ")


def rename_student(folder: Path) -> None:
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"logistic"', '"logistik"'))


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "onnx": (append("model.onnx"), "model.onnx: was changed"),
    "spec": (append("spec.json"), "spec.json: was changed"),
    "gone": (lambda folder: (folder / "model.skops").unlink(), "model.skops: is missing"),
    "student": (rename_student, "did you mean logistic"),
    "no zip": (lambda f: forged(f, "model.skops", b"none"), "model.skops: cannot be read"),
    "type": (
        lambda f: forged(f, "model.skops", skops.io.dumps(Untrusted())),
        "holds types that no student is made of",
    ),
    "other": (
        lambda f: forged(
            f,
            "model.skops",
            skops.io.dumps(LogisticRegression().fit(np.eye(3), [0, 1, 1])),
        ),
        "takes 3 features",
    ),
}


class Untrusted:
    """No student is made of this."""


@pytest.mark.parametrize("case", BAD)
def test_a_model_that_was_changed_is_refused(
    case: str, kept: dict[str, Path], tmp_path: Path
) -> None:
    change, said = BAD[case]
    folder = tmp_path / "m"
    folder.mkdir()
    for path in kept["logistic"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert models.load(folder).student == "logistic"
    change(folder)
    with pytest.raises(StimjaxError, match=said):
        models.load(folder)


def test_weights_of_a_deep_student_are_read_back_or_refused(
    kept: dict[str, Path], tmp_path: Path
) -> None:
    network = classifier("mlp", SPEC.shape, 2)
    params = jax.tree.map(lambda leaf: leaf[None], network.init(jax.random.key(0)))
    weights.save(study.Networks(network, params), tmp_path)
    about = dataclasses.replace(models.about(models.load(kept["logistic"]), {}), student="mlp")
    read = weights.load(tmp_path, about, SPEC)
    assert isinstance(read, study.Networks)
    jax.tree.map(np.testing.assert_array_equal, read.params, params)
    with pytest.raises(StimjaxError, match="is of no network cnn"):
        weights.load(tmp_path, dataclasses.replace(about, student="cnn"), SPEC)


def test_windows_of_another_shape_are_refused(kept: dict[str, Path]) -> None:
    model = models.load(kept["logistic"])
    with pytest.raises(StimjaxError, match=r"the model takes \(n, 12, 2\)"):
        model.predict_proba(np.zeros((3, 2, 12), np.float32))
    with pytest.raises(StimjaxError, match="NaN"):
        model.predict_proba(np.full((3, 12, 2), np.nan, np.float32))


def test_an_unknown_student_is_refused_with_the_nearest() -> None:
    with pytest.raises(StimjaxError, match="there is no student 'cn'; did you mean cnn"):
        models.fit(windows(), "cn", FAST)


def test_real_windows_give_a_private_model(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source, out = tmp_path / "windows", tmp_path / "model"
    source.mkdir()
    batch.save_spec(SPEC, source)
    for number, part in enumerate(("train", "validation")):
        batch.save(windows(seed=number), source, f"{part}-0000")
    assert main(["fit", str(source), "--student", "logistic", "--out", str(out)]) == 0
    assert "trained on 240 real windows (private)" in capsys.readouterr().out
    about = json.loads((out / "model.json").read_text())
    assert about["learned_from"] == "windows" and about["release"] is None
    assert "**Private.**" in (out / "README.md").read_text()
    assert out.stat().st_mode & 0o777 == 0o700
    assert (out / "spec.json").read_bytes() == (source / "spec.json").read_bytes()
    assert models.load(out).private
    assert main(["fit", str(source), "--student", "logistic", "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["fit", str(source), "--student", "forest", "--out", str(tmp_path / "x")]) == 2
    said = capsys.readouterr().err
    assert "there is no student 'forest'" in said and "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnn", "cnn_half", "mlp", "resnet", "transformer"])
@pytest.mark.parametrize("shape", [(240, 5), (8, 8, 1)])
def test_deep_students_are_the_same_in_onnx(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    x = np.random.default_rng(0).normal(size=(60, *shape)).astype(np.float32)
    channels = tuple(Channel(f"c{i}", "") for i in range(shape[-1]))
    y = np.eye(2)[np.arange(60) % 2]
    model = models.fit(batch.make(x, y, Spec(shape, ("a", "b"), channels)), name, FAST)
    assert onnx.write(model.learned, name, x, tmp_path) is None
