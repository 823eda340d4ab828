"""What a build prints: one line a stage, `up to date` when there was nothing to do, problems as they are."""

from __future__ import annotations

import time
from typing import Any

from doit.reporter import ConsoleReporter

_WIDTH = 12


class StageReporter(ConsoleReporter):  # type: ignore[misc]  # doit carries no types
    """Console reporter of the stages."""

    desc = "one line a stage"

    def __init__(self, outstream: Any, options: dict[str, Any]) -> None:
        super().__init__(outstream, options)
        self._start = time.perf_counter()
        self._ran = 0
        self._current = 0

    def execute_task(self, task: Any) -> None:
        """Stages print when they end; their progress bars show that they run."""

    def add_success(self, task: Any) -> None:
        summary = (task.values or {}).get("summary")
        if summary is not None:
            self._ran += 1
            stage, _, name = task.name.partition(":")
            self.write(f"{stage:<{_WIDTH}}{name}: {summary}\n")

    def skip_uptodate(self, task: Any) -> None:
        self._current += 1

    def add_failure(self, task: Any, fail: Any) -> None:
        self._ran += 1
        super().add_failure(task, fail)

    def _write_failure(self, result: dict[str, Any], write_exception: bool = True) -> None:
        message = result["exception"].get_msg()
        self.write(f"{result['task'].name} failed\n{message}\n")

    def complete_run(self) -> None:
        if self.runtime_errors:
            self.write("\n".join(self.runtime_errors) + "\n")
        elif self._current and not self._ran and not self.failures:
            self.write(f"up to date ({time.perf_counter() - self._start:.1f} s)\n")
