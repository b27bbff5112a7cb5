"""Runs a program as a unit file of systemd would confine it, as far as that can be done without systemd: its system call
filter, its address families, no writable and executable memory, no new privileges, a read-only file system, another user.

    confine.py UNIT USER-ID WRITABLE[,WRITABLE...] PROGRAM [ARGUMENT...]
"""

import ctypes
import os
import subprocess
import sys

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
CLONE_NEWNS = 0x00020000
PR_SET_NO_NEW_PRIVS = 38
ALLOW, EPERM = 0x7FFF0000, 0x00050001
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
PROT_EXEC = 4
EQ, MASKED_EQ = 4, 7


def settings(unit):
    """Every setting of a unit, each with all its values in order."""
    found = {}
    with open(unit, encoding="utf-8") as file:
        for line in file:
            key, mark, value = line.strip().partition("=")
            if mark and not key.startswith("#"):
                found.setdefault(key, []).append(value)
    return found


def members(name):
    """The system calls of a set such as `@system-service`."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name], capture_output=True, text=True, check=True)
    calls = set()
    for line in listed.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            calls |= members(word)
    return calls


def allowed(unit):
    """What the filter of a unit lets through; systemd always adds `@default` to a list of what is allowed."""
    calls = members("@default")
    for value in settings(unit)["SystemCallFilter"]:
        words = value.removeprefix("~").split()
        named = set().union(*(members(word) for word in words))
        calls = calls - named if value.startswith("~") else calls | named
    return calls


class Argument(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_uint), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def filter_calls(unit):
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(EPERM))
    only_families = {FAMILIES[name] for name in settings(unit)["RestrictAddressFamilies"][0].split()}
    for name in sorted(allowed(unit)):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            continue
        if name == "socket":
            for family in only_families:
                rule(seccomp, context, number, Argument(0, EQ, family, 0))
        elif name in ("mprotect", "pkey_mprotect"):
            # As MemoryDenyWriteExecute does; the loader maps code with mmap alone.
            rule(seccomp, context, number, Argument(2, MASKED_EQ, PROT_EXEC, 0))
        else:
            assert seccomp.seccomp_rule_add_array(context, ALLOW, number, 0, None) == 0, name
    assert seccomp.seccomp_load(context) == 0


def rule(seccomp, context, number, argument):
    array = (Argument * 1)(argument)
    assert seccomp.seccomp_rule_add_array(context, ALLOW, number, 1, array) == 0


def hide(libc, unit, writable):
    def mount(source, target, flags):
        if libc.mount(source, target, None, ctypes.c_ulong(flags), None) != 0:
            raise OSError(ctypes.get_errno(), f"mount {target}")

    assert libc.unshare(CLONE_NEWNS) == 0
    mount(b"none", b"/", MS_REC | MS_PRIVATE)
    for path in writable:
        mount(path.encode(), path.encode(), MS_BIND)
    for value in settings(unit).get("InaccessiblePaths", []):
        for path in value.split():
            path = path.removeprefix("-")
            if os.path.isfile(path):
                mount(b"/dev/null", path.encode(), MS_BIND)
    mount(b"none", b"/", MS_REMOUNT | MS_BIND | MS_RDONLY)


def main():
    unit, user, writable, *program = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    hide(libc, unit, writable.split(","))
    os.setgroups([])
    os.setresgid(int(user), int(user), int(user))
    os.setresuid(int(user), int(user), int(user))
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    filter_calls(unit)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
