"""Help, options and configuration files."""

import json
import os
import re
import subprocess
import sys

import pytest

from stimjax import config
from stimjax.command import main, options
from stimjax.errors import StimjaxError


def test_help_imports_nothing_heavy(tmp_path):
    code = (
        "import sys, stimjax.command.main\n"
        "assert stimjax.command.main.main(sys.argv[1:]) == 0\n"
        "heavy = {'jax', 'matplotlib', 'sklearn', 'scipy', 'orbax', 'rich'} & sys.modules.keys()\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    for words in (["--help"], ["run", "--help"], ["--version"]):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_preparing_imports_nothing_heavy(built, tmp_path):
    code = (
        "import sys, stimjax.command.main\n"
        "assert stimjax.command.main.main(sys.argv[1:]) == 0\n"
        "heavy = {'jax', 'jinja2', 'pyedflib', 'scipy'} & sys.modules.keys()\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    words = ["prepare", built[0] / "cohort", "--out", tmp_path / "windows"]
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)


def test_help_names_every_command_and_option(run):
    status, out, _ = run("--help")
    assert status == 0
    assert all(f"  {verb} " in out for verb in main.VERBS)
    for verb in main.VERBS:
        status, out, err = run(verb, "--help")
        assert (status, err) == (0, "")
        assert f"usage: stimjax {verb}" in out
        for option in options._names(main.VERBS[verb]):
            assert re.search(rf"{re.escape(option)}[ ,]", out), option
        unlike = ("fit", "score", "prior", "export", "verify", "sign", "inspect", "completion")
        if verb not in unlike:
            assert {"--seed", "--config", "--overwrite"} <= set(options._names(main.VERBS[verb]))


def test_help_is_a_command_too_and_lists_the_exit_statuses(run):
    assert run("help") == run("--help")
    assert run("help", "verify") == run("verify", "--help")
    assert all(f"  {code} " in run("help")[1] for code in main.STATUS)


def test_no_color_where_none_is_wanted():
    code = (
        "import pty, sys\n"
        "pty.spawn([sys.executable, '-m', 'stimjax', 'verify', '--help'])"  # a terminal
    )
    environment = os.environ | {"TERM": "xterm"}
    for more, colored in (({}, True), ({"NO_COLOR": "1"}, False)):
        words = [sys.executable, "-c", code]
        said = subprocess.run(words, capture_output=True, env=environment | more, check=True).stdout
        assert b"RELEASE" in said
        assert (b"\x1b[" in said) == colored


def test_a_shell_completes_commands_and_options(run, tmp_path):
    for shell in ("zsh", "fish"):
        assert "synthesize" in run("completion", shell)[1]
    script = tmp_path / "stimjax.bash"
    script.write_text(
        run("completion", "bash")[1] + "\nfunction completed {\n"
        '  COMP_WORDS=(stimjax "$@"); COMP_CWORD=$#; COMPREPLY=()\n'
        "  $(complete -p stimjax | sed 's/.*-F \\([^ ]*\\).*/\\1/'); echo ${COMPREPLY[@]}\n"
        "}\ncompleted ver\ncompleted study --tea\n"
    )
    done = subprocess.run(["bash", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["verify", "--teacher"]


def test_quiet_json_and_a_log_file(run, tmp_path):
    log, cohort = tmp_path / "log.txt", tmp_path / "cohort"
    words = ["simulate", cohort, "--subjects", 1, "--hours", 0.5, "--quiet", "--json"]
    status, out, err = run(*words, "--log-file", log)
    assert (status, err) == (0, "")
    (recording,) = json.loads(out)["recordings"]
    assert recording["subject"] == "subject-001"
    assert log.read_text().endswith(" simulating recordings\n")
    assert run("prepare", cohort, "--out", tmp_path / "w", "--log-file", log, "--quiet")[0] == 2
    assert "ended by StimjaxError: " in log.read_text()


def test_version_is_told(run):
    assert re.fullmatch(r"stimjax \d+\.\d+\S*\n", run("--version")[1])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "name a command first: demo, run"),
        ("--seed 3", "name a command first"),
        ("synthesise x", "there is no command synthesise; did you mean synthesize?"),
        ("xyz", "there is no command xyz; stimjax --help lists all"),
        ("prepare a --outt x", "there is no option --outt; did you mean --out?"),
        ("train w --out x --fit.step 3", "did you mean --fit.steps?"),
        ("train w --out x --steps 3", "no option --steps; did you mean --fit.steps or --dp.steps?"),
        ("run --data a --out x --count 3", "did you mean --synthesis.count?"),
        ("prepare a", "--out is missing"),
        ("prepare --out x", "name the recordings"),
        ("run --data --out x", "name the recordings"),
        ("verify", "RELEASE is missing"),
        ("verify a b", "Unrecognized options: b"),
        ("prepare a --out", "Missing value for argument '--out'"),
        ("prepare a --out x --split sbject", "invalid choice 'sbject' for argument '--split'"),
        ("prepare a --out x --rate fast", "--rate: could not convert"),
        ("prepare a --out x --rate nan", "--rate is nan; it has to be a number"),
        ("prepare a --out x --rate -1", "--rate is -1.0; it has to be a number of at least 0"),
        ("train w --out x --seed -1", "--seed is -1; it has to be from 0"),
        ("train w --out x --fit.batch 0", "--fit.batch is 0; it has to be at least 1"),
        ("run --data a --out x --teacher.candidates 0", "--teacher.candidates is 0"),
        ("synthesize t --out x --lanes=-1", "--lanes is -1; it has to be a number of at least 0"),
        ("train w --out x --config none.yaml", "none.yaml: cannot be read"),
        (
            "run --data a --out x --teacher.networks cn",
            "--teacher.networks: there is no network 'cn'; did you mean cnn?",
        ),
        ("demo --study.students cnn knm", "there is no student 'knm'; did you mean knn? (choose"),
        ("train w --out x --critic cmm", "--critic: there is no network 'cmm'; choose from none"),
        ("demo --prepare.task stages", "say --task"),
        ("inspect none.edf", "none.edf: no such file"),
    ],
)
def test_a_wrong_command_line_is_one_line(refused, words, reason):
    assert reason in refused(*words.split())


def test_an_unknown_key_is_one_line_with_the_nearest(refused, tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text("synthesis: {cuont: 3}")
    line = refused("synthesize", "t", "--out", "x", "--config", path)
    assert "there is no setting synthesis.cuont; did you mean synthesis.count?" in line


def test_options_go_over_the_file_and_seed_over_all(run, monkeypatch, tmp_path):
    from stimjax.job import run as whole

    seen = []

    def pretend(data, out, chosen, **how):
        seen.append(chosen)
        raise StimjaxError("enough")

    monkeypatch.setattr(whole, "run", pretend)
    path = tmp_path / "job.yaml"
    path.write_text("prepare: {rate: 2, seed: 5}\nteacher: {candidates: 2, networks: [mlp]}\n")
    words = ["run", "--data", "a", "--out", "x", "--config", path, "--teacher.networks", "gru"]
    run(*words)
    run(*words, "--seed", 9, "--channels", "SpO2, HR", "flow")
    run("demo", "--task", "stages")
    file, seeded, demo = seen
    assert (file.prepare.rate, file.prepare.seed, file.synthesis.seed) == (2.0, 5, None)
    assert (file.teacher.candidates, file.teacher.networks) == (2, ("gru",))
    assert (seeded.prepare.seed, seeded.synthesis.seed, seeded.study.seed) == (9, 9, 9)
    assert seeded.prepare.channels == ("SpO2", "HR", "flow")
    assert (demo.prepare.task, demo.simulation.task, demo.prepare.rate) == ("stages", "stages", 0)


def test_thorough_goes_under_the_file_and_options(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text("study: {seeds: 2}\n")
    words = ["--data", "a", "--out", "x", "--thorough"]
    plain = options.parse(main.verbs.Run, words[:-1], "")
    every = options.parse(main.verbs.Run, words, "")
    fewer = options.parse(main.verbs.Run, [*words, "--config", str(path)], "")
    one = options.parse(main.verbs.Run, [*words, "--study.students", "knn"], "")
    assert (plain.study, every.study) == (config.Study(), config.THOROUGH)
    assert (fewer.study.seeds, fewer.study.students) == (2, config.THOROUGH.students)
    assert (one.study.seeds, one.study.students) == (5, ("knn",))


def test_a_files_recipe_is_not_taken_for_another_method(refused, tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text("synthesis: {method: paper, recipe: {tries: 7}}")
    line = refused("synthesize", "t", "--out", "x", "--config", path, "--method", "probe")
    assert "has a recipe for paper" in line
