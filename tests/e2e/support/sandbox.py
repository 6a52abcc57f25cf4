"""sandbox.py PROFILE COMMAND...: runs a command under a seccomp profile as containers have them.

The profile is Docker's JSON, loaded with the library that container runtimes use. An exit status of 77 says
that the library is not there.
"""

import ctypes
import json
import os
import sys

PR_SET_NO_NEW_PRIVS = 38
ACTIONS = {"SCMP_ACT_ALLOW": 0x7fff0000, "SCMP_ACT_ERRNO": 0x00050000}  # with an errno in the low bits
MASKED_EQ = 7


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operation", ctypes.c_int),
                ("first", ctypes.c_uint64), ("second", ctypes.c_uint64)]


def action_of(name, errno):
    return ACTIONS[name] | (errno if name == "SCMP_ACT_ERRNO" else 0)


def comparison(argument):
    assert argument["op"] == "SCMP_CMP_MASKED_EQ"
    return Comparison(argument["index"], MASKED_EQ, argument["value"], argument["valueTwo"])


def apply(profile):
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        sys.exit(77)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(
        ctypes.c_uint32(action_of(profile["defaultAction"], profile["defaultErrnoRet"]))))
    for rule in profile["syscalls"]:
        action = action_of(rule["action"], rule.get("errnoRet", 1))
        compared = [comparison(one) for one in rule.get("args", [])]
        for name in rule["names"]:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number < 0:
                sys.exit(f"no system call is named {name}")
            failed = library.seccomp_rule_add_array(
                context, ctypes.c_uint32(action), number, len(compared),
                (Comparison * len(compared))(*compared))
            if failed:
                sys.exit(f"the rule for {name}: {os.strerror(-failed)}")
    failed = library.seccomp_load(context)
    if failed:
        sys.exit(f"the profile: {os.strerror(-failed)}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        profile = json.load(file)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    apply(profile)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
