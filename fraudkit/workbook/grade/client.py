"""How papermill talks to a graded kernel: errors do not stop a notebook, floods and endless cells do.

Everything that a kernel sends is taken as hostile: counted, bounded, and dropped when it is malformed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from nbclient.exceptions import CellExecutionComplete
from nbclient.util import run_sync
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine

from fraudkit.workbook.grade.launch import GradedKernelManager
from fraudkit.workbook.grade.limits import RunLimits

GRACE_SECONDS = 2.0  # between asking a cell to stop and killing its kernel
DROPPED = "\n[more output was dropped]\n"
SAVE_SECONDS = 2.0


@dataclass
class Ended:
    """How a run went: `reason` "" when it went to its end, cells that raised, cells that took too long."""

    reason: str = ""
    note: str = ""
    errors: int = 0
    late: int = 0
    bytes: int = 0
    cells: dict[int, int] = field(default_factory=dict)


class GradedClient(PapermillNotebookClient):
    """Runs the cells; counts what they print; goes on after an error and after a cell that takes too long."""

    def __init__(self, nb_man: Any, limits: RunLimits, ended: Ended, **kwargs: Any) -> None:
        super().__init__(nb_man, **kwargs)
        self.limits = limits
        self.ended = ended
        self.current = -1
        self.timeout_func = lambda cell: limits.cell_seconds

    async def async_execute_cell(self, cell: Any, cell_index: int, *args: Any, **kwargs: Any) -> Any:
        """One cell; after the notebook has ended, none."""
        self.current = cell_index
        if self.ended.reason:
            return cell
        done = await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        if cell.cell_type == "code" and any(output.output_type == "error" for output in cell.outputs):
            self.ended.errors += 1
        return done

    execute_cell = run_sync(async_execute_cell)

    async def _async_handle_timeout(self, timeout: float, cell: Any = None) -> None:
        """Ask the cell to stop; end the kernel when it does not."""
        self.ended.late += 1
        if self.km is not None:
            await self.km.interrupt_kernel()
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._end_if_still_at, self.current)

    def _end_if_still_at(self, index: int) -> None:
        if self.current == index and self.task_poll_for_reply is not None and not self.task_poll_for_reply.done():
            self.end("timeout", f"a cell would not stop after {self.limits.cell_seconds:g} s")
            self.task_poll_for_reply.cancel()

    def end(self, reason: str, note: str) -> None:
        """Kill the kernel; the notebook is over."""
        self.ended.reason, self.ended.note = reason, note
        process = getattr(getattr(self.km, "provisioner", None), "process", None)
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Take one message, if it fits what a cell may still say and is well formed."""
        kind = msg.get("msg_type", "")
        if kind.startswith("comm") or self.ended.reason:
            return None
        if kind not in ("status", "execute_input"):
            size = 200 + size_of(msg.get("content"))
            self.ended.bytes += size
            before = self.ended.cells.get(cell_index, 0)
            self.ended.cells[cell_index] = before + size
            if self.ended.bytes > self.limits.notebook_bytes:
                self.end("flooded", f"more than {self.limits.notebook_bytes:,} bytes of output")
                return None
            room = self.limits.cell_bytes - before
            if size > room:
                if room > 0:
                    text = str(msg["content"].get("text", ""))[:room] if kind == "stream" else ""
                    cell.outputs.append(new_output("stream", name="stdout", text=text + DROPPED))
                return None
        try:
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception:  # not what an honest kernel sends
            return None


def size_of(value: Any, depth: int = 0) -> int:
    """About how many bytes a decoded message takes."""
    if isinstance(value, str):
        return len(value)
    if depth > 50:
        return 1_000
    if isinstance(value, dict):
        return sum(16 + len(str(key)) + size_of(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return sum(8 + size_of(item, depth + 1) for item in value)
    return 8


class GradedEngine(NBClientEngine):
    """Papermill's engine over `GradedClient`."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        limits: RunLimits,
        ended: Ended,
        folder: str,
        start_timeout: int = 60,
        **kwargs: Any,
    ) -> Any:
        """Run the notebook that papermill has prepared, saving it every few seconds instead of twice a cell."""
        save, saved = nb_man.save, time.monotonic()

        def save_seldom(**_: Any) -> None:
            nonlocal saved
            if time.monotonic() - saved > SAVE_SECONDS:
                saved = time.monotonic()
                save()

        nb_man.save = save_seldom
        client = GradedClient(
            nb_man,
            limits,
            ended,
            km=GradedKernelManager(folder=folder),
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            allow_errors=True,
            interrupt_on_timeout=True,
            raise_on_iopub_timeout=False,
            record_timing=False,
            store_widget_state=False,
            shutdown_kernel="immediate",
        )
        try:
            return client.execute(cleanup_kc=True)
        finally:
            nb_man.save = save  # papermill saves once more at the end
