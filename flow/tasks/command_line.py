"""What a command line asks for: commands, `name=value` words, the folder that its paths are relative to."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from doit import get_initial_workdir

from flow.diagnostics import BuildError, Problem, quoted, suggest
from flow.spec import build_name, parse_words

TOLERANT = frozenset({"list", "help", "clean", "info", "forget", "ignore", "dumpdb", "tabcompletion", "reset-dep"})
"""doit's own commands: a spec with a problem must not keep anybody from listing or cleaning."""
RUNNERS = ("run", "auto", "strace")
"""doit's commands that only say how the words behind them are run."""
_VALUED_SHORT = ("-f", "-d", "-n", "-P", "-v", "-o", "-r")
_VALUED_LONG = ("file", "dir", "process", "parallel-type", "verbosity", "output-file", "reporter", "db-file", "backend")
VALUED = frozenset((*_VALUED_SHORT, *(f"--{name}" for name in _VALUED_LONG)))
"""doit's options that take the next word as their value."""
ALWAYS = ("-a", "--always-execute")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line as words.

    Attributes:
        commands: words that are neither options nor `name=value`; `explore:name` is kept whole.
        pairs: the `name=value` words as written.
        always: whether everything is to run again.
        here: the folder that the user stands in.
    """

    commands: tuple[str, ...]
    pairs: tuple[str, ...]
    always: bool
    here: Path

    @property
    def tolerant(self) -> bool:
        return bool(self.commands) and self.commands[0] in TOLERANT

    def stems(self) -> tuple[str, ...]:
        """The commands that are asked for, `explore:name` as `explore`; `build` where there is none."""
        stems = tuple(word.partition(":")[0] for word in self.commands if word not in RUNNERS)
        return stems or ("build",)

    def values(self, known: Sequence[str]) -> dict[str, str]:
        """Name to value; BuildError for names that are not known."""
        return parse_words(self.pairs, known)


def read_line(arguments: Sequence[str], root: Path) -> CommandLine:
    """The words behind `doit`."""
    bare = tuple(_bare(arguments))
    pairs = tuple(a for a in arguments if "=" in a and not a.startswith("-"))
    return CommandLine(bare, pairs, any(a in ALWAYS for a in arguments), _here(root))


def _bare(arguments: Sequence[str]) -> Iterator[str]:
    value_follows = False
    for word in arguments:
        if not value_follows and word[:1] != "-" and "=" not in word:
            yield word
        value_follows = word in VALUED


def _here(root: Path) -> Path:
    """Where the user stands: doit has moved to the project's folder, unless `-d` names another one."""
    cwd = Path.cwd()
    return Path(get_initial_workdir() or cwd) if cwd == root else cwd


def check_commands(line: CommandLine, known: Collection[str], specs: Collection[str]) -> None:
    """CLI010 for every word that nobody knows. Names of files and patterns are left to doit.

    Args:
        line: the command line.
        known: commands, stages and sub-tasks.
        specs: names of the builds in specs/, for the hint of a forgotten `spec=`.
    """
    if line.tolerant:
        return
    unknown = [word for word in line.commands if word not in known and not set("*/") & set(word)]
    problems = []
    for word in unknown:
        message = f"there is no command {quoted(word)}"
        problems.append(Problem("CLI010", message, _hint(word, known, specs)))
    if problems:
        raise BuildError(tuple(problems))


def _hint(word: str, known: Collection[str], specs: Collection[str]) -> str:
    stem, _, name = word.rpartition(":")
    if name in specs:
        return f"did you mean '{stem or 'build'} spec={name}'?"
    return suggest(word, [k for k in known if ":" not in k or stem]) or "`doit list` shows what there is"


def writable_folder(value: str, here: Path, make: bool) -> Path:
    """The build folder, made unless it is only looked at; CLI011 where nothing can be written."""
    path = Path(os.path.abspath(here / value))
    try:
        if make:
            path.mkdir(parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(13, "no permission to write")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"the build folder {quoted(path)} cannot be used: {reason}"
        raise BuildError(Problem("CLI011", message, "name another one with build_dir=FOLDER")) from None
    return path


OURS = frozenset(
    {"resolved.json", "explore", "realise", "hls", "vivado", "weights", "host", "schedule.json", "report", "virtual"}
)
"""What lies in a spec's folder."""


def spec_folder(build_dir: Path, path: Path) -> Path:
    """Where a spec's own artefacts lie; CLI012 if something else lies there already.

    Cleaning removes this folder, so it must not be somebody's.
    """
    return own_folder(build_dir / build_name(path))


def own_folder(folder: Path) -> Path:
    """The folder; CLI012 if it holds what no build has put there."""
    there = [] if not folder.is_dir() else [p.name for p in folder.iterdir() if not p.name.startswith(".")]
    if there and not OURS & set(there):
        message = f"{quoted(folder)} holds files that are not of a build, such as {quoted(min(there))}"
        raise BuildError(Problem("CLI012", message, "rename the spec, or name another folder with build_dir=FOLDER"))
    return folder
