"""A release: made, read back, damaged in every way, and searched for what must not be in it."""

import ast
import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from stimjax import batch, config, release
from stimjax.batch import Batch, Channel, Spec
from stimjax.config.recipes import RECIPES
from stimjax.data import prepare
from stimjax.data.edf.writer import Trace, write_edf
from stimjax.disk import store
from stimjax.disk.documents import Guarantee, Manifest
from stimjax.errors import StimjaxError
from stimjax.release import card
from stimjax.students.classical import features_of

SPEC = Spec(
    shape=(120, 2),
    classes=("normal", "apnea"),
    channels=(
        Channel("SpO2", "%", center=95.0, scale=4.0, low=-5.0, high=1.25, resolution=0.25),
        Channel("flow", "", "recording", low=-2.5, high=3.1),
    ),
    rate=1.0,
    label_start=15.0,
    label_seconds=60.0,
)
MANIFEST = Manifest(
    count=25,
    method=config.Synthesis("paper", 25, RECIPES["paper"]),
    classes=(14, 11),
    accepted=(13, 12),
    failed=(2, 5),
    hits=(13, 11),
    lane_steps=400,
    uses=("the teacher's weights", "the range of each channel"),
    privacy=Guarantee(),
    versions={"stimjax": "0.1.0"},
)


def made_up(spec: Spec, n: int, seed: int = 0) -> Batch:
    """Stimuli that reach exactly from the lowest to the highest value."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(spec.low, spec.high, (n, *spec.shape)).astype(np.float32)
    x[0, 0], x[0, -1] = spec.low, spec.high
    return batch.make(x, rng.dirichlet(np.ones(len(spec.classes)), n), spec)


def write(folder: Path, spec: Spec = SPEC, **changes: Any) -> list[Batch]:
    folder.mkdir(parents=True)
    shards = [made_up(spec, n, seed=n) for n in (10, 10, 5)]
    for number, shard in enumerate(shards):
        release.save_shard(folder, number, shard)
    release.finish(folder, spec, dataclasses.replace(MANIFEST, **changes))
    return shards


@pytest.fixture
def made(tmp_path: Path) -> Path:
    write(tmp_path / "release")
    return tmp_path / "release"


def test_read_back_as_it_was_made(tmp_path):
    shards = batch.concatenate(write(tmp_path / "release"))
    loaded = release.load(tmp_path / "release")
    assert loaded.spec == SPEC
    for field in batch.FIELDS:
        np.testing.assert_array_equal(getattr(loaded, field), getattr(shards, field))
    manifest = release.load_manifest(tmp_path / "release")
    assert dataclasses.replace(manifest, files={}) == MANIFEST
    assert sorted(manifest.files) == [
        "README.md",
        "prepare.py",
        "spec.json",
        *(f"stimuli-0000{number}.safetensors" for number in range(3)),
    ]


def test_two_writes_give_the_same_bytes(tmp_path):
    for name in ("one", "two/deeper"):
        write(tmp_path / name)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two/deeper")
    )
    assert one == two


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest as someone would who makes it fit."""
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def flip(name: str, at: float) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[int(at * (len(content) - 1))] ^= 1
        (folder / name).write_bytes(content)

    return damage


def replace_shard(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[Path], None]:
    """Change a shard and its hash in the manifest, so that only its content can betray it."""

    def damage(folder: Path) -> None:
        path = folder / "stimuli-00001.safetensors"
        arrays = {name: array.copy() for name, array in store.load_arrays(path).items()}
        change(arrays)
        store.save_arrays(path, arrays)
        rewrite(folder, lambda m: m["files"].update({path.name: store.sha256(path)}))

    return damage


def put(field: str, index: Any, value: Any) -> Callable[[Path], None]:
    return replace_shard(lambda arrays: arrays[field].__setitem__(index, value))


SHARD = "stimuli-00001.safetensors"
CHANGED = "was changed or damaged"
DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    *((flip(SHARD, at), f"{SHARD}: {CHANGED}") for at in (0, 0.02, 0.5, 1)),
    (flip("spec.json", 0.5), f"spec.json: {CHANGED}"),
    (flip("README.md", 0.5), f"README.md: {CHANGED}"),
    (lambda f: (f / SHARD).write_bytes(b""), f"{SHARD}: {CHANGED}"),
    (lambda f: (f / SHARD).unlink(), f"{SHARD}: is missing; the manifest lists it"),
    (lambda f: (f / "spec.json").unlink(), "spec.json: is missing; the manifest lists it"),
    (lambda f: (f / "manifest.json").unlink(), "manifest.json: is missing"),
    (lambda f: (f / "manifest.json").write_text("{"), "manifest.json: is not valid JSON"),
    (lambda f: (f / "notes.txt").write_text("hi"), "notes.txt: is not listed in the manifest"),
    (lambda f: (f / "more").mkdir(), "more: is not listed in the manifest"),
    (
        lambda f: release.save_shard(f, 3, made_up(SPEC, 5)),
        "stimuli-00003.safetensors: is not listed in the manifest",
    ),
    (lambda f: rewrite(f, lambda m: m.update(count=24)), "holds 25 stimuli, the manifest says 24"),
    (lambda f: rewrite(f, lambda m: m.pop("count")), 'missing value for field "count"'),
    (lambda f: rewrite(f, lambda m: m["files"].pop("README.md")), "does not list README.md"),
    (lambda f: rewrite(f, lambda m: m.pop("files")), 'is damaged (missing value for "files")'),
    (lambda f: rewrite(f, lambda m: m.update(files=["a"])), "manifest.json: is damaged (wrong"),
    (lambda f: rewrite(f, lambda m: m.update(schema=2)), "has schema 2; this version reads 1"),
    (lambda f: rewrite(f, lambda m: m.pop("schema")), "has schema null; this version reads 1"),
    (lambda f: rewrite(f, lambda m: m["files"].update({SHARD: 5})), 'field "files"'),
    *(
        (
            lambda f, name=name: rewrite(f, lambda m: m["files"].update({name: "0" * 64})),
            f"manifest.json: names a file outside the release: {name}",
        )
        for name in ("../secret", "/etc/passwd", "more/inside", "..", ".", "")
    ),
    (put("x", (2, 7, 0), 1.26), "stimulus 12 leaves the range that the spec promises"),
    (put("x", (0, 0, 1), -2.6), "stimulus 10 leaves the range that the spec promises"),
    (put("x", (0, 0, 1), np.nan), f"{SHARD}: x holds NaN"),
    (put("y", 3, [0.5, 0.6]), f"{SHARD}: label 3 is no probability"),
    (put("weight", 3, -1), f"{SHARD}: weight 3 is negative"),
    (put("subject", 4, 17), "a stimulus names a subject"),
    (replace_shard(lambda a: a.pop("y")), f"{SHARD}: holds no 'y'"),
    (replace_shard(lambda a: a.update(x=a["x"][:, :-1])), f"{SHARD}: x has shape (10, 119, 2)"),
]


@pytest.mark.parametrize("number", range(len(DAMAGE)))
def test_every_damage_is_named(made, number):
    damage, reason = DAMAGE[number]
    (made.parent / "secret").write_text("secret")
    damage(made)
    with pytest.raises(StimjaxError) as error:
        release.load(made)
    message = str(error.value)
    assert reason in message and message.startswith(str(made)) and "\n" not in message


def test_rounding_at_the_ends_of_the_range_is_no_error(made):
    put("x", (0, 0), SPEC.high + np.float32(1e-6))(made)
    assert len(release.load(made)) == 25


@pytest.mark.parametrize("name", ["none", "file"])
def test_no_release(tmp_path, name):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(StimjaxError, match="is no release"):
        release.load(tmp_path / name)


def snippets(folder: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)


def test_the_numpy_snippet_of_the_card_loads_it_without_stimjax(made):
    check = """
import sys
assert "stimjax" not in sys.modules and "jax" not in sys.modules
np.savez("../loaded.npz", x=x, y=y, label=label)
"""
    code = snippets(made)[0] + check
    subprocess.run([sys.executable, "-I", "-c", code], cwd=made, check=True)
    loaded, expected = np.load(made.parent / "loaded.npz"), release.load(made)
    np.testing.assert_array_equal(loaded["x"], expected.x)
    np.testing.assert_array_equal(loaded["y"], expected.y)
    np.testing.assert_array_equal(loaded["label"], np.argmax(expected.y, axis=1))
    assert loaded["x"].dtype == np.float32


def test_the_scikit_learn_snippet_of_the_card_learns_soft_labels(made, monkeypatch):
    monkeypatch.chdir(made)
    names: dict[str, Any] = {}
    exec(snippets(made)[1], names)
    expected = release.load(made)
    flat = expected.x.reshape(25, -1)
    for model in ("forest", "neighbors"):
        assert names[model].predict(flat).shape == (25, 2)
    np.testing.assert_allclose(names["neighbors"].predict(flat).sum(axis=1), 1, rtol=1e-5)


def test_the_scikit_learn_snippet_learns_what_a_study_does(tmp_path, monkeypatch):
    """Means of neighbors in time; nights that anybody may have, for k-nearest neighbors alone."""
    spec = dataclasses.replace(SPEC, shape=(1001, 2))
    shard = made_up(spec, 40)
    columns = {"origin": (np.arange(40) % 2).astype(np.int32)}
    (tmp_path / "release").mkdir()
    release.save_shard(tmp_path / "release", 0, dataclasses.replace(shard, columns=columns))
    method = config.Synthesis("public", 40, RECIPES["public"])
    release.finish(
        tmp_path / "release", spec, dataclasses.replace(MANIFEST, count=40, method=method)
    )
    monkeypatch.chdir(tmp_path / "release")
    names: dict[str, Any] = {}
    exec(snippets(tmp_path / "release")[1], names)
    wanted = features_of(np.asarray(shard.x))
    np.testing.assert_allclose(names["x"], wanted, rtol=1e-6)
    assert names["neighbors"][-1].n_samples_fit_ == 20
    assert names["forest"].n_features_in_ == wanted.shape[1]


def test_the_torch_snippet_of_the_card_is_the_numpy_one_in_torch(made):
    numpy_code, _, torch_code = snippets(made)
    # Word for word the NumPy one, but for the names of the library.
    renamed = torch_code.replace("import torch\n", "import numpy as np\n")
    renamed = renamed.replace("safetensors.torch", "safetensors.numpy")
    renamed = renamed.replace("torch.cat", "np.concatenate")
    tree = ast.parse(numpy_code)
    tree.body = tree.body[:-1]  # `label`, which torch's losses do not need
    assert ast.dump(ast.parse(renamed)) == ast.dump(tree)


def test_the_torch_snippet_of_the_card_loads_it(made, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(made)
    names: dict[str, Any] = {}
    exec(snippets(made)[2], names)
    expected = release.load(made)
    np.testing.assert_array_equal(names["x"].numpy(), expected.x)
    assert torch.nn.CrossEntropyLoss()(names["y"], names["y"]).isfinite()


def test_the_card_says_what_is_in_it(made):
    card = (made / "README.md").read_text()
    for fact in (
        *("25 synthetic windows", "2 classes:\nnormal, apnea", "normal 13, apnea 12"),
        *("normal 2, apnea 5", "method `paper`.", "from 0.75 to 0.9999", "120 x 2"),
        "1 samples a second; the label speaks of the 60 s that begin 15 s after the start",
        *("| SpO2 | % | x * 4 + 95 | -5 | 1.25 |", "  - the teacher's weights\n"),
        *("| flow | - | deviations from the recording's own median", "Not stated. Ask the data"),
        *("## Motivation", "## How it was made", "## What it can and cannot be used for"),
        "## License",
        *("python prepare.py RECORDING OUT.npz", "| SpO2 | 50 to 100.5 | 1800 s | none |"),
        *("**Resample** to 1 Hz", "a window of 120 samples for each span of 60 s"),
    ):
        assert fact in card
    assert "{{" not in card and "{%" not in card
    assert "\n|---|---|---|---|---|\n| SpO2" in card  # Markdown wants a table without a gap


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "the teacher's whole softmax"),
        ({"inhibit": 0.5, "inhibit_by": ("directions",)}, "the teacher's whole softmax"),
        ({"inhibit": 0.25}, "the teacher's softmax, rounded to multiples of 0.25 that sum to 1"),
        ({"inhibit": 1.0}, "the teacher's most probable class alone, with probability 1"),
    ],
)
def test_the_card_says_how_labels_were_rounded(made, change, said):
    method = dataclasses.replace(MANIFEST.method, **change)
    text = card.render(release.load(made).spec, dataclasses.replace(MANIFEST, method=method))
    assert f"and its label is {said}.\n" in text


def front(text: str) -> dict[str, Any]:
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


def test_the_card_begins_with_what_the_hub_reads(made):
    head = front((made / "README.md").read_text())
    assert (head["license"], head["viewer"]) == ("unknown", False)
    assert head["task_categories"] == ["tabular-classification"]
    assert head["size_categories"] == ["n<1K"] and {"synthetic", "sleep"} <= set(head["tags"])


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("CC BY 4.0", {"license": "cc-by-4.0"}),
        ("Ours: ask 'us'", {"license": "other", "license_name": "Ours: ask 'us'"}),
    ],
)
def test_a_license_is_named_as_the_hub_names_it(made, said, read):
    method = dataclasses.replace(MANIFEST.method, license=said)
    manifest = dataclasses.replace(MANIFEST, method=method, count=1000)
    head = front(card.render(SPEC, manifest))
    assert read.items() <= head.items() and head["size_categories"] == ["1K<n<10K"]


def test_the_card_of_images_with_a_license(tmp_path):
    spec = Spec((3, 5, 1), ("0", "1"), (Channel("intensity", "", low=0.0, high=1.0),))
    method = dataclasses.replace(MANIFEST.method, license="CC BY 4.0")
    write(tmp_path / "release", spec, method=method)
    card = (tmp_path / "release" / "README.md").read_text()
    assert "3 x 5 x 1 (height x width x channel)" in card and "samples a second" not in card
    assert card.rstrip().endswith("## License\nCC BY 4.0")
    assert len(release.load(tmp_path / "release")) == 25


def test_nothing_of_a_person_a_recording_a_date_or_a_path_is_in_any_byte(tmp_path):
    source = tmp_path / "ZZCLINIC"
    source.mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        spo2 = rng.integers(80, 101, 600).astype(float)
        scored = [(60.0 * m, 60.0, ("Normal", "Apnea")[(m + i) % 2]) for m in range(10)]
        path = source / f"ZZNIGHT{i}.edf"
        write_edf(path, "code", [Trace("SpO2", "%", 1, spo2, 0.0, 127.0, (0, 127))], scored)
        content = bytearray(path.read_bytes())
        content[8:88] = f"ZZCODE{i} F 14-JUL-1953 ZZTOPNAME".encode().ljust(80)
        content[88:168] = b"Startdate 21-MAR-1987 ZZADMIN ZZTECH ZZDEVICE".ljust(80)
        content[168:184] = b"21.03.8723.17.41"
        path.write_bytes(content)
    windows = tmp_path / "ZZWINDOWS"
    windows.mkdir()
    prepare.prepare([source], config.Prepare(test_subjects="ZZCODE1"), windows)
    assert b"ZZ" not in (windows / "spec.json").read_bytes()
    spec = batch.load_spec(windows)
    write(tmp_path / "ZZRELEASE", spec)
    folder = tmp_path / "ZZRELEASE"
    assert len(release.load(folder)) == 25
    secrets = ["ZZ", "topname", "21-MAR", "1987-03", "21.03.87", "23.17", "1953", "JUL-"]
    secrets += [str(tmp_path), tmp_path.name, "/tmp", str(Path.home()), ".edf"]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 7
    for path in files:
        text = path.name + path.read_bytes().decode("latin-1")
        hashes = r'"[0-9a-f]{64}"'  # in which anything may turn up by chance
        text = re.sub(hashes, "", text).casefold()
        if path.suffix == ".safetensors":  # numbers, likewise: short names only in the header
            header = text[: text.index("}}") + 2]
            assert not [secret for secret in secrets if secret.casefold() in header]
        found = [secret for secret in secrets if len(secret) > 5 and secret.casefold() in text]
        assert not found, (path.name, found)
        if path.suffix != ".safetensors":
            assert not [secret for secret in secrets if secret.casefold() in text]
    # The windows that went in do not come out, either.
    published = release.load(folder).x.reshape(25, -1)
    private = batch.load(windows, "train").x.reshape(-1, published.shape[1])
    assert not (published[:, None] == private[None]).all(axis=2).any()


def test_files_are_added_to_a_finished_release_and_listed(made):
    folder, before = made, release.load_manifest(made)
    release.add(folder, {"report.html": "<p>one</p>", "utility.json": "{}"})
    release.add(folder, {"report.html": "<p>two</p>"})
    assert len(release.load(folder)) == before.count
    after = release.load_manifest(folder)
    assert dataclasses.replace(after, files=before.files) == before
    assert set(after.files) == {*before.files, "report.html", "utility.json"}
    assert (folder / "report.html").read_text() == "<p>two</p>"
    (folder / "report.html").write_text("changed")
    with pytest.raises(StimjaxError, match="was changed"):
        release.load(folder)
    with pytest.raises(StimjaxError, match="was changed"):  # nothing is added to a damaged one
        release.add(folder, {"more.txt": ""})
    assert not (folder / "more.txt").exists()


@pytest.mark.parametrize(
    "name", ["spec.json", "manifest.json", "stimuli-00009.safetensors", "../x"]
)
def test_what_a_release_is_made_of_is_not_replaced(made, name):
    with pytest.raises(StimjaxError, match="a file of the release itself"):
        release.add(made, {name: ""})
