"""Runs the programs of from_pytorch.py: each prints what the comments beside show() say. Needs PyTorch."""

import contextlib
import io
import os
import re
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "house"))
import tap  # noqa: E402

MARK = re.compile(r"^# \[(\w+)\]\n(.*?)^# \[end\]\n", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^show\(.*\)  # (.*)$", re.MULTILINE)


def difference(begin, program):
    """The problems of one program, after the lines that all begin with."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(begin + program, {})
    expected, got = SHOWN.findall(program), printed.getvalue().splitlines()
    return [] if expected and got == expected else [f"expected {expected}, got {got}"]


with open(os.path.join(here, "from_pytorch.py"), encoding="utf-8") as file:
    programs = dict(MARK.findall(file.read()))
begin = programs.pop("begin")
try:
    import torch  # noqa: F401
except ImportError:
    print("1..0 # SKIP PyTorch is not installed")
    sys.exit()

with tempfile.TemporaryDirectory(prefix="rewind_pytorch_") as folder:
    os.chdir(folder)
    for name, program in programs.items():
        try:
            tap.report(name, difference(begin, program))
        except ModuleNotFoundError as missing:
            tap.report(f"{name} # SKIP no module {missing.name}", [])
    os.chdir(here)
tap.report("a wrong number is caught", [] if difference(begin, "show(1)  # 2\n") else ["show(1) passed for 2"])
tap.finish()
