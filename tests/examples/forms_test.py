"""forms_test.py PROGRAM...: what the forms have in common; each runs whole as a test of its own."""

import os
import sys

import program as examples
from program import case

paths = {os.path.basename(path): os.path.abspath(path) for path in sys.argv[1:]}
for name, path in paths.items():
    form = examples.Program(path)
    helped = form.run("--help")
    case(f"{name} has the flags of all programs", helped.check(
        all(flag in helped.out for flag in ("--seed", "--threads", "--quiet", "--log")), helped.out),
        form.misuse("--wat", "--wat"), form.misuse("--seed", "--seed", "x"), form.misuse("--threads", "--threads", "0"))

form = examples.Program(paths["one_to_many"])
logged = form.run("--log", "log.jsonl", "--threads", "2")
lines = [examples.json.loads(line) for line in examples.read("log.jsonl").splitlines()]
case("the losses are logged", logged.check([line["step"] for line in lines] == list(range(1, 601)) and
                                           lines[-1]["loss"] < lines[0]["loss"] / 10, lines[-1]))
case("a log that cannot be written is told", form.failure("log: expected", "--log", "none/log"))
examples.tap.finish()
