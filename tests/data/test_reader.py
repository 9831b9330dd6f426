import contextlib
import shutil

import pytest

from stimjax import batch
from stimjax.batch import Channel, Spec
from stimjax.data import reader
from stimjax.data.people import NOTHING_TOLD
from stimjax.data.recording import Header, Opened
from stimjax.data.secrets import Secret
from stimjax.errors import StimjaxError
from stimjax.privacy.attacks import files


@pytest.fixture
def tree(tmp_path, raw_edf):
    """Recordings of both formats, scoring files, and what is neither."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    raw_edf("b.edf")
    raw_edf("deep/A.EDF")
    raw_edf("b-Hypnogram.edf", signals=[], seconds="0", reserved="EDF+C", stamps=["0"])
    (tmp_path / ".hidden.edf").write_bytes(b"junk")
    (tmp_path / "deep" / "broken.edf").write_bytes(b"junk")
    for name in ("a01", "a01r", "a01er", "a02", "a02r", "a03", "er/a01"):
        (tmp_path / "deep" / f"{name}.hea").write_text("")
    (tmp_path / "notes.txt").write_text("")
    return tmp_path


def test_find_searches_folders_sorts_and_leaves_out(tree):
    expected = [
        "b.edf", "deep/A.EDF", "deep/a01er.hea", "deep/a02r.hea", "deep/a03.hea",
        "deep/broken.edf", "deep/er/a01.hea",
    ]  # fmt: skip
    assert [path.relative_to(tree).as_posix() for path in reader.find([tree])] == expected


def test_find_gives_each_file_once(tree):
    twice = [tree, tree / "b.edf", tree / "deep" / ".." / "b.edf", str(tree / "deep")]
    assert len(reader.find(twice)) == 7


def test_find_takes_named_files(tree):
    named = [tree / "deep" / "a01r.hea", tree / "b-Hypnogram.edf", tree / "b.edf"]
    assert reader.find(named) == [tree / "b.edf", tree / "deep" / "a01r.hea"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "notes.txt",
            r"notes\.txt: is of no format read here; accepted are \.edf, .* and \.hea",
        ),
        ("none.edf", r"none\.edf: no such file or folder"),
        ("none", r"none: no such file or folder"),
        ("empty", r"empty: holds no recording; name files or folders of \.edf"),
        ("b-Hypnogram.edf", r"holds no recording \(b-Hypnogram.edf holds annotations only"),
    ],
)
def test_find_says_what_is_wrong(tree, name, message):
    (tree / "empty").mkdir()
    with pytest.raises(StimjaxError, match=message):
        reader.find([tree / name])


def test_nothing_to_search():
    with pytest.raises(StimjaxError, match="no path: holds no recording"):
        reader.find([])


def test_header_and_read_follow_the_ending(tree, raw_edf):
    path = raw_edf("NIGHT.EDF")
    assert reader.header(path) == reader.read(path).header
    assert list(reader.read(path, ["sao2"]).signals) == ["SpO2"]
    with pytest.raises(StimjaxError, match="accepted are"):
        reader.read(tree / "notes.txt")
    with pytest.raises(StimjaxError, match="accepted are"):
        reader.header(tree / "notes.txt")


@pytest.fixture
def diary(tree, monkeypatch):
    """A recording of a third format, which the first word of its file names."""
    path = tree / "night.diary"
    path.write_text("Berta Vogel slept well")

    @contextlib.contextmanager
    def open_(path):
        header = Header(path.stem, path.read_text().split()[0], 60.0, {}, NOTHING_TOLD)
        yield Opened(header, lambda channels: {}, list)

    def secrets(path):
        yield Secret("name in a diary", " ".join(path.read_text().split()[:2]))

    monkeypatch.setitem(reader._FORMATS, ".diary", reader.Format("a diary", open_, secrets))
    return path


def test_a_third_format_is_found_read_and_named(tree, diary):
    assert diary in reader.find([tree])
    assert reader.header(diary).subject == reader.read(diary).header.subject == "Berta"
    with pytest.raises(StimjaxError, match=r"and \.hea \(WFDB\).* and \.diary \(a diary\)$"):
        reader.header(tree / "notes.txt")


def test_a_format_says_itself_what_its_secrets_are(tree, diary):
    own = [
        Secret("recording name", "night"),
        Secret("file name", "night.diary"),
        Secret("first bytes of a recording", b"Berta Vogel slept well"),
        Secret("name in a diary", "Berta Vogel"),
    ]
    assert list(reader.secrets(diary)) == own
    batch.save_spec(Spec((60, 1), ("a", "b"), (Channel("SpO2", "%"),)), tree)
    assert files.secrets_of(tree, [diary]) == own
    (tree / "release").mkdir()
    (tree / "release" / "README.md").write_text("With thanks to Berta Vogel.")
    (finding,) = files.search(tree / "release", own)
    assert finding.value == 1 and "name in a diary" in finding.note


def test_an_ending_may_have_several_points(tree, diary, monkeypatch):
    """Its files are told from others that end alike, and the recording's name is what is left."""
    for name in ("Night-7.Diary.TXT", "night-7.notes.txt", ".diary.txt"):
        (tree / name).write_text("Berta Vogel slept well")
    monkeypatch.setitem(reader._FORMATS, ".diary.txt", reader._FORMATS[".diary"])
    path = tree / "Night-7.Diary.TXT"
    assert {diary, path} == {p for p in reader.find([tree]) if "diary" in p.name.lower()}
    assert reader.name(path) == "Night-7" and reader.name(tree / "b.edf") == "b"
    assert Secret("recording name", "Night-7") in reader.secrets(path)
    for name in ("night-7.notes.txt", ".diary.txt"):
        with pytest.raises(StimjaxError, match="is of no format"):
            reader.header(tree / name)
    monkeypatch.setitem(reader._FORMATS, ".txt", reader._FORMATS[".edf"])
    assert reader.name(path) == "Night-7"  # the longest ending counts


def test_every_part_of_a_format_is_needed():
    with pytest.raises(TypeError, match="secrets"):
        reader.Format("a diary", reader.header)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("name", ["gone.edf", "gone.hea", "notes.txt"])
def test_secrets_of_what_cannot_be_read(tree, name):
    with pytest.raises(StimjaxError, match=rf"{name}: (cannot be read|is of no format)"):
        list(reader.secrets(tree / name))


def test_real_recordings(shared_data, tmp_path):
    found = reader.find([shared_data])
    assert len(found) == 68
    subjects = {reader.header(path).subject for path in found}
    assert len(subjects) == 68
    for ending in ("hea", "dat", "apn"):
        shutil.copy(shared_data / "apnea-ecg" / f"c02r.{ending}", tmp_path)
    assert list(reader.read(tmp_path / "c02r.hea", ["flow"]).signals) == ["flow"]
