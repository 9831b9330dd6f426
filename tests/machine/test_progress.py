import io
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from stimjax.machine import progress


def test_plain_lines_are_sparse(capsys):
    now = [100.0]
    report = progress.Lines(clock=lambda: now[0])
    report.stage("train")
    for done in range(1000):
        now[0] += 0.1
        report.progress(done, 1000)
    report.note("a channel was left out")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "train"
    assert lines[-1] == "a channel was left out"
    assert 18 <= len(lines) <= 22
    assert all(line.startswith("train: ") and line.endswith(" of 1000") for line in lines[1:-1])


def test_each_stage_starts_its_own_clock(capsys):
    now = [0.0]
    report = progress.Lines(clock=lambda: now[0])
    report.progress(1, 2)
    report.stage("next")
    report.progress(1, 2)
    assert capsys.readouterr().err.splitlines()[-1] == "next"


def test_bars_show_stages_and_notes_as_they_are():
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=80, color_system=None)
    report = progress.Bars(console)
    report.stage("prepare")
    report.progress(3, 4)
    report.note("left out: [a02] /no/markup")
    report.stage("train")
    report.progress(1, 2)
    report.close()
    shown = text.getvalue()
    assert "left out: [a02] /no/markup" in shown
    for part in ("prepare", "train", "1/2"):
        assert part in shown


def test_reporter_is_plain_without_a_terminal_and_goes_to_standard_error(capsys):
    with progress.reporter() as report:
        assert isinstance(report, progress.Lines)
        report.stage("simulate")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "simulate\n")


def test_reporter_draws_bars_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with progress.reporter() as report:
        assert isinstance(report, progress.Bars)
        report.stage("simulate")
        report.progress(0, 3)
    assert "simulate" in capsys.readouterr().err


def test_the_quiet_one_says_nothing(capsys):
    report = progress.Reporter()
    report.stage("x")
    report.note("y")
    report.progress(1, 2)
    report.close()
    assert capsys.readouterr() == ("", "")


def test_a_detail_stands_behind_the_count(capsys):
    now = [0.0]
    report = progress.Lines(clock=lambda: now[0])
    report.stage("making stimuli")
    now[0] += 10
    report.progress(3, 4, "2 a second")
    assert capsys.readouterr().err.splitlines()[-1] == "making stimuli: 3 of 4 (2 a second)"


def test_a_log_gets_a_line_in_a_while_and_the_last(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    for process, name in ((0, "log.jsonl"), (2, "log.jsonl.2")):
        with progress.log(tmp_path / "log.jsonl", process) as write:
            for number in range(101):
                write(f'{{"n": {number}}}')
                now[0] += 0.1
        lines = (tmp_path / name).read_text().splitlines()
        assert lines[0] == '{"n": 0}' and lines[-1] == '{"n": 100}'
        assert 3 <= len(lines) <= 4
    with progress.log(None) as write:
        write("nowhere")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "log.jsonl.2"]


def test_a_file_gets_all_lines_with_their_times_and_why_it_ended(tmp_path, capsys):
    file = tmp_path / "log.txt"
    with progress.reporter(quiet=True, file=file) as report:
        report.stage("train")
        report.note("a channel was left out")
    with pytest.raises(ZeroDivisionError), progress.reporter(quiet=True, file=file) as report:
        report.stage("study")
        _ = 1 / 0
    assert capsys.readouterr() == ("", "")
    times, lines = zip(*(line.split(" ", 1) for line in file.read_text().splitlines()), strict=True)
    end = "ended by ZeroDivisionError: division by zero"
    assert lines == ("train", "a channel was left out", "study", end)
    assert all(datetime.fromisoformat(time).utcoffset() == timedelta(0) for time in times)


def test_a_file_does_not_silence_the_terminal(tmp_path, capsys):
    with progress.reporter(file=tmp_path / "log.txt") as report:
        report.stage("train")
    assert capsys.readouterr().err == "train\n"
    assert (tmp_path / "log.txt").read_text().endswith(" train\n")
