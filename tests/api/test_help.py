"""What help ends with, `mapsearch help`, and the completion of shells."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mapsearch.cli import COMMANDS, main, make_parser
from mapsearch.commands.examples import ENDS

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parent.parent.parent


def _printed(capsys: Capture, *argv: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_ends_with_examples_and_a_page(capsys: Capture, command: str) -> None:
    """Every help has examples of its own command, which parse, and names pages that are there."""
    lines, pages = ENDS[command]
    text = _printed(capsys, *filter(None, [command]), "--help")
    parser, _ = make_parser()
    for line in lines:
        assert f"\n  mapsearch {line}\n" in text
        assert line.startswith(command)
        if not line.startswith("help"):
            assert parser.parse_args(shlex.split(line)).command in COMMANDS
    assert text.endswith(f"more in the repository: {pages}\n")
    assert all((ROOT / page).is_file() for page in pages.split(", "))


def test_help_is_a_command_too(capsys: Capture) -> None:
    """`mapsearch help COMMAND` is the command's --help, and `mapsearch help` the program's."""
    assert _printed(capsys, "help", "run") == _printed(capsys, "run", "--help")
    assert _printed(capsys, "help") == _printed(capsys, "--help")


@pytest.mark.skipif(find_spec("shtab") is None, reason="an extra package is not installed")
def test_bash_completes_commands_options_and_words(capsys: Capture, tmp_path: Path) -> None:
    """In a bash that has read the printed script, Tab offers the commands, a command's options and an option's words."""
    script = tmp_path / "completion.bash"
    script.write_text(_printed(capsys, "--print-completion", "bash"))
    for words, offered in (
        (["mapsearch", "comp"], {"compare", "compare-models"}),
        (["mapsearch", "run", "--dry"], {"--dry-run"}),
        (["mapsearch", "run", "--tiles", "d"], {"divisors"}),
    ):
        typed = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}"
        code = f"source {script}; {typed}; _shtab_mapsearch; echo ${{COMPREPLY[@]}}"
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)  # noqa: S603, S607 our own script
        assert set(done.stdout.split()) == offered


def test_completion_needs_its_extra(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without shtab one line says what to install."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["--print-completion", "bash"]) == 2
    assert capsys.readouterr().err == (
        "mapsearch: error: completion needs shtab, not installed here; pip install shtab, or in the folder of mapsearch's sources: "
        "pip install '.[completion]'\n"
    )


def test_a_shell_that_is_not_known(capsys: Capture) -> None:
    """Another shell is one line that names those there are."""
    assert main(["--print-completion", "fish"]) == 2
    assert capsys.readouterr().err.startswith(
        "mapsearch: error: argument --print-completion: must be one of bash, zsh, tcsh, got 'fish'"
    )
