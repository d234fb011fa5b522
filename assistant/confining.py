"""What a process that parses untrusted files gives up before it reads the first one.

Everywhere: an audit hook refuses what Python code could do (T04, T10: sockets, programs, writing).
On Linux also the kernel refuses it, for the C libraries too: a seccomp filter, which needs no
privilege. Memory, processor time and files are limited where the platform has ``resource``; macOS
ignores the limit of memory. The clock is watched from outside (``pool``).
"""

from __future__ import annotations

import ctypes
import errno
import math
import os
import platform
import struct
import sys
import time
from typing import Any

_OPEN_FILES = 64
_SCRATCH = 2**28  # bytes of a file that a program for recognising text may write

# Refused by audit hook: any event that begins so.
_NETWORK_EVENTS = ("socket.", "urllib.", "http.client.", "ftplib.", "smtplib.", "ssl.")
_ACTING_EVENTS = (
    "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "shutil.", "pty.", "webbrowser.", "winreg.",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# System calls by number, of linux/arch/x86/entry/syscalls/syscall_64.tbl and asm-generic/unistd.h:
# socket connect sendto sendmsg bind listen io_uring_setup, and of acting: execve execveat kill
# ptrace process_vm_writev rename* unlink* rmdir mkdir* truncate chmod* link* symlink* mount
# open creat openat2 (everybody uses openat, whose flags are looked at).
_ACTING_X86_64 = (
    59, 322, 62, 101, 311, 82, 264, 316, 87, 263, 84, 83, 258, 76, 90, 268, 452, 86, 265, 88, 266,
    165, 2, 85, 437,
)  # fmt: skip
_ACTING_AARCH64 = (221, 281, 129, 117, 271, 38, 276, 35, 34, 45, 53, 452, 37, 36, 40, 437)
# For each machine: its number in linux/audit.h, calls of network, of acting, and openat.
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 44, 46, 49, 50, 425), _ACTING_X86_64, 257),
    "aarch64": (0xC00000B7, (198, 203, 206, 211, 200, 201, 425), _ACTING_AARCH64, 56),
}
_X32 = 0x40000000  # calls of another table begin here
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM  # linux/seccomp.h
_NUMBER, _ARCHITECTURE, _THIRD = 0, 4, 32  # offsets in struct seccomp_data
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2  # linux/prctl.h


def confine(memory_mb: int, *, runs_programs: bool = False) -> bool:
    """Gives up the network, writing, programs and more than ``memory_mb`` of memory, for good.

    With ``runs_programs`` those and their scratch files stay possible, without network. True where
    the kernel enforces it.
    """
    refused = _NETWORK_EVENTS if runs_programs else _NETWORK_EVENTS + _ACTING_EVENTS
    limit("AS", memory_mb * 2**20)
    limit("CORE", 0)
    limit("NOFILE", _OPEN_FILES)
    limit("FSIZE", _SCRATCH if runs_programs else 0)
    enforced = _filter(runs_programs)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and not runs_programs and (arguments[2] or 0) & _WRITING
        if writes or event.startswith(refused):
            raise PermissionError(errno.EPERM, f"{event} is refused while parsing")

    sys.addaudithook(refuse)
    return enforced


def allow_seconds(seconds: float) -> None:
    """Processor time from now on, after which the kernel ends the process (SIGXCPU)."""
    limit("CPU", math.ceil(time.process_time() + seconds), soft_only=True)


def limit(name: str, value: int, *, soft_only: bool = False) -> None:
    """Sets RLIMIT_``name``, no higher than it is allowed to be, where there is such a limit."""
    if sys.platform == "win32":
        return
    import resource

    kind = getattr(resource, f"RLIMIT_{name}", None)
    if kind is None:
        return
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (value, hard if soft_only else value))
    except (ValueError, OSError):
        return  # macOS has the limit of memory in name only


def _filter(runs_programs: bool) -> bool:
    """Installs the seccomp filter; False where there is none for this system."""
    calls = _CALLS.get(platform.machine()) if sys.platform == "linux" else None
    if calls is None:
        return False
    program = _program(*calls, runs_programs)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    what = struct.pack("HL", len(program), ctypes.addressof(code))
    pointed = ctypes.create_string_buffer(what)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    pointer = ctypes.addressof(pointed)
    return not (prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or prctl(_SECCOMP, _FILTER, pointer, 0, 0))


def _program(
    architecture: int, network: tuple[int, ...], acting: tuple[int, ...], openat: int, acts: bool
) -> list[tuple[int, int, int, int]]:
    """Lines of (code, lines skipped if true, if false, value): a classic BPF program."""
    numbers = network if acts else network + acting
    looked_at = [] if acts else [(_EQUAL, 0, 2, openat), (_LOAD, 0, 0, _THIRD)]
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
    ]
    for number in numbers:
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    if looked_at:
        lines += [*looked_at, (_ANY_BIT, 1, 0, _WRITING)]
    return [*lines, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
