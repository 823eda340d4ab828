"""doit's SQLite store, written after every task instead of once at the end.

A build that is killed in its last stage must not repeat the others.
"""

from __future__ import annotations

from typing import Any

from doit.dependency import SqliteDB


class StateDB(SqliteDB):  # type: ignore[misc]  # doit carries no types
    """Backend of the task states; two doit processes may share it."""

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        super().set(task_id, dependency, value)
        if dependency == "deps:":  # the last thing that doit saves of a task
            row = (task_id, self.codec.encode(self._cache[task_id]))
            self._conn.execute("insert or replace into doit values (?,?)", row)
            self._conn.commit()
            self._dirty.discard(task_id)
