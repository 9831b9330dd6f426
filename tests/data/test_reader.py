import shutil

import pytest

from stimjax.data import reader
from stimjax.errors import StimjaxError


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
        ("notes.txt", r"notes\.txt: is of no format read here; accepted are \.edf .* and \.hea"),
        ("none.edf", r"none\.edf: no such file or folder"),
        ("none", r"none: no such file or folder"),
        ("empty", r"empty: holds no recording; name files or folders of \.edf"),
        ("b-Hypnogram.edf", "holds no recording"),
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


def test_real_recordings(shared_data, tmp_path):
    found = reader.find([shared_data])
    assert len(found) == 68
    subjects = {reader.header(path).subject for path in found}
    assert len(subjects) == 68
    for ending in ("hea", "dat", "apn"):
        shutil.copy(shared_data / "apnea-ecg" / f"c02r.{ending}", tmp_path)
    assert list(reader.read(tmp_path / "c02r.hea", ["flow"]).signals) == ["flow"]
