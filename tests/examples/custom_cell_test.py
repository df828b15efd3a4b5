"""custom_cell_test.py PROGRAM: what the program custom_cell prints, draws and refuses."""

import sys

import program as examples
from program import case

custom_cell = examples.Program(sys.argv[1])
QUICK = ("--smoke", "--length", "20", "--picture", "")
RESULT = r"squared error: FastGRNN ([\d.]+), LSTM ([\d.]+), always 1: ([\d.]+)"

lines = examples.common_cases(custom_cell, {
    "--length": ["1", "x"], "--hidden": ["0"], "--updates": ["0"], "--batch": ["0"], "--learning-rate": ["nan", "-1"],
}, *QUICK)
case("the log has the curves of both cells", custom_cell.run(*QUICK).check(
    [line["cell"] for line in lines] == 20 * ["FastGRNN"] + 20 * ["LSTM"], lines))
examples.picture_cases(custom_cell, "--smoke")

smoke = custom_cell.run(*QUICK)
errors = smoke.numbers(RESULT)
case("the cell learns", smoke.check(errors and errors[0] < 0.02, errors))
case("its gradients are checked", smoke.check("gradients of FastGRNN: first right to" in smoke.lines[0], smoke.out))
other = custom_cell.run(*QUICK, "--seed", "2")
case("another seed, other numbers", other.check(other.lines[-1:] != smoke.lines[-1:], "the same numbers"))
small = custom_cell.run(*QUICK, "--hidden", "8", "--updates", "10")
case("--smoke leaves the flags that are given", small.check("\nFastGRNN        8 " in small.out, small.out))

code, out = custom_cell.interrupted("^FastGRNN ", *QUICK, "--updates", "1000")
good = code == 130 and out.endswith("\nstopped\n") and "squared error" not in out
examples.tap.report("Ctrl-C ends it and says so", [] if good else [f"exit code {code}: {out!r}"])
examples.tap.finish()
