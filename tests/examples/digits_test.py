"""digits_test.py DIGITS: the program as its user meets it."""

import gzip
import random
import struct
import sys

from program import Program, case, common_cases, picture_cases, read, stopped_case, tap, write

digits = Program(sys.argv[1])
QUICK = ["--smoke", "--epochs", "1", "--hidden", "4", "--picture", ""]
RESULT = r"right ([0-9.]+) % of \d+ test images \(nearest mean [0-9.]+ %\)"

smoke = digits.run("--smoke", "--picture", "")
right = smoke.number(RESULT)
case("the smoke run learns to read", smoke.check(right >= 93, f"{right} % right"))

lines = common_cases(digits, {"--cell": ["rnn"], "--epochs": ["0"], "--batch": ["0"], "--hidden": ["0"],
                              "--learning-rate": ["nan", "-1"], "--clip": ["0"], "--data": ["none"]}, *QUICK)
tap.report("the curve is logged", [] if set(lines[0]) == {"epoch", "loss", "error", "seconds"} else [str(lines)])
stopped_case(digits, RESULT, "--epochs", "100000", "--hidden", "4", "--picture", "")
picture_cases(digits, *QUICK[:-2])

for cell in ("irnn", "indrnn", "gru", "lstm"):
    run = digits.run(*QUICK, "--cell", cell, "--model", cell)
    again = digits.run("--smoke", "--picture", "", "--model", cell, "--test-only")
    case(f"{cell} is trained, saved and tested again",
         again.check(again.lines[-1:] == run.lines[-1:], f"{again.out!r} for {run.out!r}"), run)
before = read("gru")
write("nothing", "")
write("foreign", before.replace(b"rewind-digits-1", b"rewind-speech-1"))
write("cell", before.replace(b'"cell":"gru"', b'"cell":"rnn"'))
write("apart", read("irnn").replace(b'"cell":"irnn"', b'"cell":"lstm"'))
case("a model that is none is refused",
     *[digits.failure(why, "--smoke", "--picture", "", "--model", bad, "--test-only") for bad, why in
       {"nothing": "nothing", "none": "none, which is not there", "foreign": "of format rewind-digits-1",
        "cell": "cell: expected the cell irnn", "apart": "apart: expected tensors that go together"}.items()],
     digits.misuse("--model", "--test-only"),
     *[digits.misuse("--test-only", "--model", "gru", "--test-only", *flag)
       for flag in (("--cell", "gru"), ("--hidden", "4"), ("--layers", "1"), ("--by-row",))])
case("a place where no model can be is refused at once",
     *[digits.failure("place for the model", "--picture", "", "--epochs", "100000", "--model", place)
       for place in ("none/model", ".")])

# Files: 20 images of 2x2 pixels, light above or below.
images = [(200, 190, 5, i) if i % 2 else (i, 5, 190, 200) for i in range(40)]
csv = "".join(",".join(map(str, image)) + f",{i % 2}\n" for i, image in enumerate(images))
idx = struct.pack(">4I", 0x803, 40, 2, 2) + b"".join(map(bytes, images))
labels = struct.pack(">2I", 0x801, 40) + bytes(i % 2 for i in range(40))
write("a.csv", csv), write("header.csv", "a,b,c,d,class\n" + csv + "\n")
write("a.idx", idx), write("a.idx.gz", gzip.compress(idx)), write("b.idx", labels)
TRAIN = ["--epochs", "20", "--batch", "8", "--hidden", "8", "--learning-rate", "0.02", "--picture", "", "--images"]
runs = [digits.run(*TRAIN, "a.csv"), digits.run(*TRAIN, "header.csv"), digits.run(*TRAIN, "a.idx", "--labels", "b.idx"),
        digits.run(*TRAIN, "a.idx.gz", "--labels", "b.idx"),
        digits.run(*TRAIN, "a.csv", "--test-images", "a.csv"), digits.run(*TRAIN, "a.csv", "--by-row")]
for run in runs:
    right = run.number(RESULT)
    run.check(right == 100, f"{right} % right where any model is")
case("CSV, IDX and compressed IDX are read", *runs)

bad_csv = {"": "got the empty file", csv + "nan,1,2,3,0\n": 'number in column "1" in line 41 of bad.csv; got "nan"',
           csv + "1,2,,3,0\n": 'column "3" in line 41', csv + "1,2,x,3,0\n": 'column "3" in line 41',
           csv + "1,-2,3,4,0\n": "expected pixels of 0 to 1e30 for image 41", csv + "1,2,3,0\n": "5 fields in line 41",
           "1,2,3,4,5,0\n": "expected the pixels of a square image", "0\n": "expected the pixels",
           csv + "1,2,3,4,0.5\n": "expected a class", csv + "1,2,3,4,256\n": "expected a class",
           csv + "1,2,3,1e99,0\n": "expected pixels of 0 to 1e30", "1,2,3,4,0\n": "at least 10 images",
           csv + "\n1,2,3,4,0\n": "a row in line 41", "a,b,c,d,class\n": "a header alone",
           "1,200,190,5,0\n0,5,9,200,0\n" * 20: "two classes, the class in the last column; got 0 alone"}
case("a CSV file that is none is named",
     *[digits.failure(why, *TRAIN, write("bad.csv", text)) for text, why in bad_csv.items()],
     digits.failure("got none.csv", *TRAIN, "none.csv"),
     *[digits.failure("expected CSV, or IDX together with --labels", *TRAIN, name) for name in ("a.idx", "a.idx.gz")])

sizes = [(0, 2, 2), (40, 0, 2), (2**32 - 1, 2**32 - 1, 2**32 - 1), (2**32 - 1, 1024, 1024), (1, 2, 65536)]
bad_idx = {b"": "early or damaged end", idx[:10]: "early or damaged end", idx[:-1]: "early or damaged end",
           idx + b"x": "got more", labels: "begins with 2051", gzip.compress(idx)[:-20]: "early or damaged end",
           gzip.compress(idx)[:-8] + b"\0" * 8: "damaged",
           **{struct.pack(">4I", 0x803, *size) + b"\0" * 99: "images of 1 to 1024 pixels" for size in sizes},
           struct.pack(">4I", 0x803, 2**18, 32, 32) + b"\0" * 99: "labels, one an image"}
case("an IDX file that is none is named",
     *[digits.failure(why, *TRAIN, write("bad.idx", data), "--labels", "b.idx") for data, why in bad_idx.items()],
     digits.failure("a.idx: expected IDX that begins with 2049", *TRAIN, "a.idx", "--labels", "a.idx"),
     digits.failure("none: expected a file", *TRAIN, "a.idx", "--labels", "none"))
case("sources that contradict one another are named",
     digits.misuse("--images", "--labels", "b.idx"), digits.misuse("--images", "--test-images", "a.csv"),
     digits.misuse("--test-images", "--images", "a.csv", "--test-labels", "b.idx"),
     digits.misuse("--images", "--data", "drawn", "--images", "a.csv"),
     digits.failure("REWIND_DATA", "--data", "optdigits"),
     digits.failure("got /none/optdigits/train.csv", env={"REWIND_DATA": "/none"}),
     digits.failure("test images of 2x2; got 1x1", *TRAIN, "a.csv", "--test-images", write("one.csv", "5,0\n")),
     digits.failure("lstm", "--images", "a.csv", "--model", "lstm", "--test-only"))

source = random.Random(0)
noise = [",".join(str(source.randrange(256)) for _ in range(4)) + f",{source.randrange(2)}\n" for _ in range(60)]
NOISE = ["--images", write("noise.csv", "".join(noise)), "--model", "noise"]
run = digits.run(*NOISE, "--epochs", "1", "--by-row", "--picture", "")
runs = [digits.run(*NOISE, "--test-only", "--seed", seed) for seed in "123"]
case("no seed tests a model on what it was trained on", run,
     *[again.check(again.lines[-1:] == run.lines[-1:], f"{again.out!r} for {run.out!r}") for again in runs])
tap.report("no failure touches the old model", [] if read("gru") == before else ["it has changed"])

tap.finish()
