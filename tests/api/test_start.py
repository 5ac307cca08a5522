"""The first start compiles and says so, a later one does neither, and no state of the cache stops either."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from process_list import children_of, is_alive
from small_run import layer_file, results_in, same_for_all

import mapsearch

FIXTURES = (layer_file,)  # pytest finds it here, as layers
WAIT = "this takes about half a minute\n"
ONCE = f"mapsearch: compiling (each kernel once after an install); {WAIT}"
ALWAYS = f"mapsearch: compiling (at every start; set NUMBA_CACHE_DIR to a folder that can be written); {WAIT}"
FULL = f"mapsearch: compiling (at every start; free the disk or set NUMBA_CACHE_DIR to a folder of another); {WAIT}"
# Two kernels in two files: a caller, and what it calls.
CALLED = "from mapsearch.model.compiled import leaf\n@leaf\ndef added(n):\n    return n + 1\n"
CALLER = (
    "from called import added\nfrom mapsearch.model.compiled import kernel\n@kernel\ndef doubled(n):\n    return 2 * added(n)\n"
)
KIND = "from enum import IntEnum\nclass Kind(IntEnum):\n    DOUBLE = 2"
MAIN = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="mapsearch: %(message)s", stream=sys.stderr)
from caller import doubled
print(doubled(20))
"""
# No file may be larger than what numba tries out a folder with: a full disk, as far as a process can tell.
FULL_DISK = """
import resource, runpy, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
main = {main!r}
sys.path.insert(0, str(Path(main).parent))
sys.dont_write_bytecode = True
runpy.run_path(main)
"""
NETWORK = "Network n { Layer a { Type: GEMM Dimensions { M: 4, N: 2, K: 3 } Dataflow { SpatialMap(1,1) M } } }\n"
Printed = tuple[int, str, str]


@pytest.fixture(name="kernels")
def two_kernels(tmp_path: Path) -> Path:
    """A folder with the two kernels, not compiled yet."""
    for name, text in (("called", CALLED), ("caller", CALLER), ("main", MAIN)):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.fixture(name="network")
def network_file(tmp_path: Path) -> Path:
    """A directive file of one layer."""
    file = tmp_path / "network.m"
    file.write_text(NETWORK)
    return file


@pytest.fixture(name="package")
def copied_package(tmp_path: Path) -> Path:
    """A copy of the package, without caches and apart from sources that someone may be editing."""
    package = tmp_path / "site" / "mapsearch"
    shutil.copytree(Path(mapsearch.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    return package


def _start(*arguments: str | Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    return subprocess.Popen(  # noqa: S603 our own command
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, **environment},
    )


def _end(process: subprocess.Popen[str]) -> Printed:
    """The exit code, and what was printed on standard output and on standard error."""
    out, err = process.communicate()
    return process.returncode, out, err


def _compiled(kernels: Path, **environment: str) -> Printed:
    return _end(_start(kernels / "main.py", environment=environment))


def _evaluated(network: Path, **environment: str) -> subprocess.Popen[str]:
    return _start("-m", "mapsearch", "evaluate", network, "--json", environment=environment)


def _searching(layers: Path, out: Path) -> list[str]:
    return ["-m", "mapsearch", "run", "--layer-set", str(layers), "--trials", "1", "--jobs", "1", "--out", str(out)]


def _cannot_hold_a_cache(folder: Path) -> None:
    """Put a file where numba would make its folder; permissions would not keep root from writing."""
    (folder / "__pycache__").write_text("")


def test_the_first_process_tells_and_the_second_has_no_need_to(kernels: Path) -> None:
    """Compiling two kernels is reported once, on standard error; a later process loads them in silence."""
    assert _compiled(kernels) == (0, "42\n", ONCE)
    assert _compiled(kernels) == (0, "42\n", "")


def _damage(file: Path, how: str) -> None:
    """Do to a file of the cache what a crash or a failing disk may."""
    size = file.stat().st_size
    match how:
        case "empty" | "half":
            os.truncate(file, 0 if how == "empty" else size // 2)
        case "zeros":
            file.write_bytes(bytes(size))
        case "flipped":
            content = bytearray(file.read_bytes())
            content[size // 2] ^= 0xFF
            file.write_bytes(content)
        case _:
            file.unlink()


@pytest.mark.parametrize("how", ["empty", "half", "zeros", "flipped", "gone"])
def test_a_damaged_file_is_compiled_anew(kernels: Path, how: str) -> None:
    """Files of the cache that are damaged are replaced: the next process compiles, and those after it need not."""
    _compiled(kernels)
    (data,), (index,) = (list((kernels / "__pycache__").glob(each)) for each in ("caller.doubled.*.nbc", "caller.doubled.*.nbi"))
    _damage(data, how)
    _damage(index, how)
    assert _compiled(kernels) == (0, "42\n", ONCE)
    assert _compiled(kernels) == (0, "42\n", "")


def test_a_changed_kernel_reaches_those_that_call_it(kernels: Path) -> None:
    """After a kernel's file has changed, a kernel of another file that calls it is compiled anew too."""
    _compiled(kernels)
    (kernels / "called.py").write_text(CALLED.replace("n + 1", "n + 10"))
    assert _compiled(kernels) == (0, "60\n", ONCE)


def test_only_what_kernels_are_made_of_is_compiled_anew(kernels: Path) -> None:
    """Docstrings, comments and other functions of a kernel's file may change, and nothing is compiled."""
    _compiled(kernels)
    text = CALLED.replace("    return", '    """One more."""\n    return')
    (kernels / "called.py").write_text(f'"""Counting."""\n\n\ndef other():\n    return 3\n\n\n# More.\n{text}')
    assert _compiled(kernels) == (0, "42\n", "")


@pytest.mark.parametrize("constant", ["2", "Kind.DOUBLE"])
def test_a_changed_constant_is_compiled_anew(kernels: Path, constant: str) -> None:
    """A kernel goes with the constants of its module and of others' that it uses."""
    caller = CALLER.replace("2 *", "TIMES *").replace("@kernel", f"{KIND}\nTIMES = {constant}\n@kernel")
    (kernels / "caller.py").write_text(caller)
    assert _compiled(kernels) == (0, "42\n", ONCE)
    (kernels / "caller.py").write_text(caller.replace("TIMES = ", "TIMES = 1 + "))
    assert _compiled(kernels) == (0, "63\n", ONCE)


def test_a_full_disk_is_told(kernels: Path) -> None:
    """Where nothing can be saved, each process compiles, and says why and how to avoid it."""
    for _ in range(2):
        process = _start("-c", FULL_DISK.format(main=str(kernels / "main.py")), environment={})
        assert _end(process) == (0, "42\n", FULL)


def test_kernels_need_no_cache(kernels: Path) -> None:
    """Where neither the package's folder nor the user's can be written, each process compiles, and says how to avoid it."""
    _cannot_hold_a_cache(kernels)
    nowhere = str(kernels / "main.py")
    for _ in range(2):
        assert _compiled(kernels, HOME=nowhere, XDG_CACHE_HOME=nowhere) == (0, "42\n", ALWAYS)


@pytest.mark.nightly
def test_two_first_processes_at_once(network: Path, package: Path) -> None:
    """Two commands that start together with no cache both tell and print the same; a third need not tell."""
    site = str(package.parent)
    together = [_evaluated(network, PYTHONPATH=site) for _ in range(2)]
    first, second = (_end(process) for process in together)
    assert first == second
    code, out, err = first
    assert (code, err) == (0, ONCE)
    assert _end(_evaluated(network, PYTHONPATH=site)) == (0, out, "")


@pytest.mark.nightly
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process cannot be kept to one core")
def test_a_first_run_with_one_core_or_two(layers: Path, package: Path, tmp_path: Path) -> None:
    """A first run, whose kernels compile in two processes or in one, tells once; with its cache another is silent."""
    found: list[tuple[str, set[str]]] = []
    cores = os.sched_getaffinity(0)
    for name, kept in (("two", cores), ("one", {min(cores)})):
        site, environment = tmp_path / name, {"PYTHONPATH": str(tmp_path / name)}
        shutil.copytree(package, site / "mapsearch")
        os.sched_setaffinity(0, kept)
        try:
            first = _end(_start(*_searching(layers, tmp_path / f"{name}-1"), environment=environment))
        finally:
            os.sched_setaffinity(0, cores)
        again = _end(_start(*_searching(layers, tmp_path / f"{name}-2"), environment=environment))
        assert (first[0], again[0]) == (0, 0)
        assert first[2].count("compiling") == 1
        assert first[2].removeprefix(ONCE) == again[2]
        assert same_for_all(results_in(tmp_path / f"{name}-1")) == same_for_all(results_in(tmp_path / f"{name}-2"))
        found.append((again[2], {file.name for file in site.rglob("*.nbi")}))
    assert found[0] == found[1]


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")
def test_a_first_run_that_is_killed(layers: Path, package: Path, tmp_path: Path) -> None:
    """A run that is killed while its kernels compile leaves no process, and a cache with which the next one works."""
    environment = {"PYTHONPATH": str(package.parent)}
    process = _start(*_searching(layers, tmp_path / "1"), environment=environment)
    assert process.stderr is not None
    assert process.stderr.readline() == ONCE
    while not (children := children_of(process.pid)):
        assert process.poll() is None
    process.kill()
    process.communicate()
    while any(map(is_alive, children)):
        time.sleep(0.1)
    assert _end(_start(*_searching(layers, tmp_path / "2"), environment=environment))[0] == 0


@pytest.mark.nightly
@pytest.mark.parametrize("home", [True, False])
def test_an_install_that_cannot_be_written(network: Path, package: Path, *, home: bool) -> None:
    """A read-only install uses the user's cache, and where there is none either, the command works all the same."""
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        _cannot_hold_a_cache(folder)
    user = package.parent / "user"
    if home:
        user.mkdir()
    else:
        user.write_text("")
    environment = {"PYTHONPATH": str(package.parent), "HOME": str(user), "XDG_CACHE_HOME": str(user)}
    code, out, err = _end(_evaluated(network, **environment))
    assert (code, err) == (0, ONCE if home else ALWAYS)
    assert _end(_evaluated(network, **environment)) == (0, out, "" if home else ALWAYS)
