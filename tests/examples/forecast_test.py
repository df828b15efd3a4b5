"""forecast_test.py FORECAST: the forecasting example as its user meets it."""

import json
import math
import os
import random
import re
import sys

from program import HAS_GNUPLOT, NO_PICTURE, Program, case, picture_cases, read, repeated, tap, write

program = Program(sys.argv[1])
Run, misuse, failure = program.run, program.misuse, program.failure

RESULT = (r"GRU: MAE ([\d.e+-]+), RMSE ([\d.e+-]+), MASE ([\d.]+); ([\d.]+) % of the values in their 90 % intervals")
SMALL = ["--hidden", "4", "--epochs", "1"]
QUICK = [*SMALL, "--picture", ""]
random.seed(1)
values = [f"{10 + 3 * math.sin(t / 3) + random.gauss(0, 0.3):.3f}" for t in range(300)]


def table(rows, header="time,value\n", end="\n"):
    return header + "".join(f"{t},{row}{end}" for t, row in enumerate(rows))


# The generated series. Who repeats the last value comes to a MASE of 0.91; 0.58 is as good as can be.
smoke = Run("--smoke", "--log", "curve.jsonl", "--model", "model", errors=NO_PICTURE)
smoke.check(HAS_GNUPLOT == os.path.exists("forecast.svg"), "no picture")
mae, rmse, mase, covered = smoke.numbers(RESULT) or 4 * [math.nan]
smoke.check(mae <= rmse and mase < 0.72, f"MASE {mase}")
smoke.check(75 <= covered <= 99, f"{covered} % covered")
for method in ("last value", "a season ago", "echo state", "GRU"):
    smoke.check(any(line.startswith(method + " ") for line in smoke.lines), f"no line of {method}")
smoke.check(any(line.startswith("row 1000: ") for line in smoke.lines), "no forecast beyond the end")
lines = [json.loads(line) for line in read("curve.jsonl").splitlines()]
smoke.check({line.get("method") for line in lines} == {None, "last value", "a season ago", "echo state", "GRU"},
            "methods missing in the log")
epochs = [line for line in lines if "epoch" in line]
smoke.check([line["epoch"] for line in epochs] == list(range(1, len(epochs) + 1)), "epochs missing in the log")
smoke.check(epochs[-1]["train"] < epochs[0]["train"], "the loss does not fall")
small = Run("--smoke", *QUICK)
small.check("GRU of 4 units" in small.out and "epoch   2" not in small.out, "other flags than those given")
case("--smoke learns, tells, draws and logs", smoke, small)
picture_cases(program, "--smoke", *SMALL)

other = Run("--smoke", "--quiet", "--picture", "", "--seed", "2")
other.check(other.lines != smoke.lines[-1:], "the same numbers for another seed")
case("the same seed and a model file give the same numbers", *repeated(program, smoke), other)

# Files of any form that holds the same numbers.
plain = Run("--csv", write("plain.csv", table(values)), *QUICK)
same = {"crlf.csv": table(values).replace("\n", "\r\n"),
        "quoted.csv": '"time","value"\n' + "".join(f'"{t}","{v}"\n' for t, v in enumerate(values)),
        "bare.csv": table(values, header=""),
        "single.csv": "\n".join(values),
        "marked.csv": "\ufeff" + table(values) + "\n\n"}
runs = [Run("--csv", write(file, text), *QUICK) for file, text in same.items()]
for run in runs:
    run.check(run.lines[-1:] == plain.lines[-1:], "other numbers than plain.csv")
runs += [Run("--csv", "plain.csv", "--column", column, *QUICK) for column in ("value", "2")]
filled = Run("--csv", write("gaps.csv", table(["", "NA", *values[:50], "nan", *values[50:]])), "--fill", *QUICK)
filled.check("303 rows" in filled.out, filled.out)
os.mkdir("data")
write("data/below.csv", table(values))
below = Run("--csv", "below.csv", *QUICK, env={"REWIND_DATA": "data"})
case("a CSV file of any form", plain, *runs, filled, below)

code, out = program.interrupted("^epoch   3", "--epochs", "1000000", "--patience", "1000000", "--picture", "")
good = code == 130 and "stopped in epoch " in out and re.search(RESULT + "\n$", out)
tap.report("Ctrl-C ends the training, not the run", [] if good else [f"exit code {code}: {out}"])

several = Run("--csv", "plain.csv", "--horizon", "5", "--season", "19,38", *QUICK)
several.check(sum(line.startswith("row ") for line in several.lines) == 5, "not five rows beyond the end")
constant = Run("--csv", write("constant.csv", table(["7"] * 200)), *QUICK)
case("several rows ahead, a constant series", several, constant)

files = {"none.csv": (None, "No such file"), "empty.csv": ("", "empty file"), "header.csv": ("time,value\n", "values"),
         "short.csv": (table(values[:30]), "at least 20 rows"),
         "text.csv": (table(["1"] * 8 + ["mild"] + ["2"] * 90), 'in line 10 of text.csv; got "mild"'),
         "nan.csv": (table(["1"] * 8 + ["NaN"] + ["2"] * 90), 'a finite number in column "value" in line 10 of nan'),
         "gap.csv": (table(["1"] * 8 + [""] + ["2"] * 90), 'in line 10 of gap.csv; got ""'),
         "wide.csv": (table(["1", "2", "3,4", "5"]), "expected 2 fields in line 4 of wide.csv; got 3"),
         "blank.csv": ("1\n2\n\n3\n", "in line 3 of blank.csv; got an empty line"),
         "open.csv": ('a,b\n1,"2\n3,4\n', "a closing quote in line 2 of open.csv"),
         "bytes.csv": (bytes(range(256)) * 8, "bytes.csv"), ".": (None, "a directory")}
write("kept.jsonl", "old")
typo = failure("No such file", "--csv", "none.csv", "--log", "kept.jsonl", *QUICK)
case("a file that is no series is named", typo.check(read("kept.jsonl") == b"old", "the old log is gone"),
     failure("data/ts-classic/daily-min-temperatures.csv: No such file", *QUICK, env={"REWIND_DATA": "data"}),
     *[failure(expected, "--csv", file if text is None else write(file, text), *QUICK)
       for file, (text, expected) in files.items()],
     failure('which are "time", "value"; got "cost"', "--csv", "plain.csv", "--column", "cost", *QUICK),
     failure("a season", "--csv", "plain.csv", "--season", "250", *QUICK))
case("a model that is none is named",
     failure("got none, which is not there (--model makes one)", "--csv", "plain.csv", "--load", "none", *QUICK),
     failure("plain.csv", "--csv", "plain.csv", "--load", "plain.csv", *QUICK),
     failure("expected horizon 1, seasons 48, which model was trained for; got horizon 2, seasons 7,9",
             "--csv", "plain.csv", "--load", "model", "--horizon", "2", "--season", "7,9", *QUICK),
     failure("a place for the model; got none/model", "--csv", "plain.csv", "--model", "none/model", *QUICK))

values = {"--horizon": ["0", "x"], "--season": ["1", "x", "7,1"], "--level": ["1", "nan"], "--epochs": ["0"],
          "--hidden": ["0"], "--threads": ["0"], "--seed": ["-1"], "--learning-rate": ["nan"]}
case("a bad value or flag is named", misuse("--wat", "--wat"), misuse("--csv", "--csv"),
     *[misuse(flag, flag, value) for flag, bad in values.items() for value in bad],
     misuse("--load", "--load", "model", "--model", "other"),
     misuse("--column requires --csv", "--column", "2"), misuse("--fill requires --csv", "--fill"))
helped = Run("--help")
case("help is there", helped.check("forecast --csv" in helped.out and "--horizon" in helped.out, helped.out))
tap.finish()
