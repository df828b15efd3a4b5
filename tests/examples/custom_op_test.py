"""custom_op_test.py PROGRAM: what the program custom_op prints and refuses."""

import sys

import program as examples
from program import case

custom_op = examples.Program(sys.argv[1])
RESULT = r"right: ([\d.]+) %, a guess ([\d.]+) %; the same with composed ops"

lines = examples.common_cases(custom_op, {
    "--length": ["0", "x"], "--hidden": ["0"], "--updates": ["0"], "--batch": ["0"], "--learning-rate": ["nan", "2"],
}, "--smoke")
half = len(lines) // 2
case("the losses are those of the composed ops", custom_op.run("--smoke").check(
    len(lines) == 160 and all(abs(a["loss"] - b["loss"]) < 1e-9 for a, b in zip(lines[:half], lines[half:])), lines))
smoke = custom_op.run("--smoke")
numbers = smoke.numbers(RESULT)
case("the network learns", smoke.check(numbers and numbers[0] > 95 and numbers[1] == 12.5, numbers))
case("its derivatives are checked", smoke.check("gradients of linear_recurrence: first right" in smoke.lines[0],
                                                smoke.out))
one = custom_op.run("--smoke", "--length", "1", "--updates", "1", "--log", "one.jsonl")
one.numbers(RESULT)
case("a row of one symbol", one.check(len(examples.read("one.jsonl").splitlines()) == 2, "more than one update"))

code, out = custom_op.interrupted("^own op ", "--smoke", "--updates", "400")
good = code == 130 and out.endswith("\nstopped\n") and "composed ops" not in out
examples.tap.report("Ctrl-C ends it and says so", [] if good else [f"exit code {code}: {out!r}"])
examples.tap.finish()
