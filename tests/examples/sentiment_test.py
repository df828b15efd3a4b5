"""sentiment_test.py SENTIMENT: the classifier of texts as its user meets it."""

import json
import math
import os
import struct
import sys

from program import NO_PICTURE, Program, case, common_cases, picture_cases, read, tap, write

program = Program(sys.argv[1])
Run, misuse, failure = program.run, program.misuse, program.failure

SHARE = r"(\d+\.\d) % \((\d+\.\d) to (\d+\.\d)\)"
RESULT = rf"test accuracy {SHARE}; bag of words {SHARE}; 95 % intervals"
EPOCH = r"(?:bag of words|lstm|gru) +epoch +\d+  loss \d+\.\d{3}  valid \d+\.\d{3}  accuracy +(\d+\.\d) %  \d+:\d\d.*"

# In the verdicts of the smoke run words alone cannot tell more than two thirds.
smoke = Run("--smoke", "--log", "log.jsonl", errors=NO_PICTURE)
result = smoke.numbers(RESULT)
if result:
    accuracy, low, high, words, words_low, words_high = result
    smoke.check(low < accuracy <= high and words_low < words < words_high, f"{result}")
    smoke.check(accuracy > 90, f"{accuracy} % of the network")
    smoke.check(45 < words < 70, f"{words} % of the bag of words")
epochs = [line for line in smoke.lines if " epoch " in line]
for line in epochs:
    smoke.numbers(EPOCH, line)
curve = [json.loads(line) for line in read("log.jsonl").splitlines()]
smoke.check(len(curve) == len(epochs) and {line["model"] for line in curve} == {"bag of words", "lstm"}, f"{curve}")
smoke.check(all({"epoch", "loss", "valid_loss", "valid_accuracy", "seconds"} < set(line) for line in curve), f"{curve}")
case("the smoke run learns what words alone do not tell", smoke)
quick = ["train", "--smoke", "--epochs", "1", "--hidden", "4", "--model", "quick"]
common_cases(program, {}, *quick, "--picture", "")
picture_cases(program, *quick)

again = Run("train", "--smoke", "--quiet", "--picture", "", "--model", "again")
again.check(again.lines == smoke.lines[-1:], f"{again.lines} for {smoke.lines[-1:]!r}")
again.check(read("again") == read("sentiment.safetensors"), "another model for the same seed")
case("the same seed gives the same model, and --quiet the result alone", again)

praise = "the food was not bad .\nAlthough the plot was great, the cast was awful.\n\nwords never seen\n"
classified = Run("classify", stdin=praise)
labels = [line.split("\t") for line in classified.lines]
classified.check([label[0] for label in labels[:2]] == ["positive", "negative"], classified.out)
classified.check(len(labels) == 4 and all(0.5 <= float(label[1]) <= 1 for label in labels), classified.out)
classified.check([label[2] for label in labels] == praise.split("\n")[:-1], classified.out)
case("lines are classified", classified, Run("classify", stdin=""))

# Texts of others.
rows = [(f"it is {word} {n % 7} times", label) for n in range(60)
        for word, label in (("fine", "+"), ("poor", "-"), ("so so", "0"))]
three = "".join(f"{label}\t{text}\n" for text, label in rows)
write("three.tsv", "\ufeff" + three)  # a mark that some editors write
write("header.tsv", "\ufefflabel\ttext\n" + three)
write("rare.tsv", three + "".join(f"{n}\tit is odd\n" for n in range(1, 41)))
write("turned.tsv", "".join(f"{text}\t{label}\tx\r\n" for text, label in rows))
trees = "".join(f"({label} (2 It) (2 (2 is) ({label} {word})))\n"
                for word, label in (("fine", 4), ("poor", 0), ("-LRB-", 3), ("bad", 1), ("there", 2)) * 20)
os.makedirs("data/set")
write("data/set/trees.txt", trees)
quick = ["train", "--smoke", "--picture", "", "--model", "m"]
trees = [*quick, "--train", "set/trees.txt", "--valid", "set/trees.txt", "--test", "set/trees.txt"]
data = {"REWIND_DATA": "data"}
runs = [Run(*quick, "--train", "three.tsv"), Run(*quick, "--train", "three.tsv", "--cell", "gru", "--pooling", "last"),
        Run(*quick, "--train", "turned.tsv", "--label-column", "2", "--text-column", "1"),
        Run(*quick, "--train", "header.tsv"), Run(*trees, env=data), Run(*trees, "--phrases", env=data)]
for run, sizes in zip(runs, ["126 texts to learn from, 18 to validate on, 36 to test; 3 labels"] * 4 +
                      [f"{count} texts to learn from, 80 to validate on, 80 to test; 2 labels" for count in (80, 160)]):
    result = run.numbers(RESULT)
    run.check(result and result[0] > 90, f"{result}")
    run.check(sizes in run.out, run.out)
runs[3].check("header.tsv: the first line is taken as a header" in runs[3].out, "no word of the header")
case("texts in columns and trees", *runs)
rare = Run(*quick, "--epochs", "1", "--train", "rare.tsv")
rare.numbers(RESULT)
case("a label that is seen once ends nothing",
     rare.check("of the texts held out are dropped: no text to learn from" in rare.out, rare.out))

code, out = program.interrupted("^lstm", "train", "--smoke", "--picture", "", "--model", "stopped")
stopped = Run("classify", "--model", "stopped", stdin="the food was not bad .\n")
stopped.check(code == 130 and out.endswith("stopped; the best model so far saved to stopped\n"), f"{code}: {out!r}")
code, out = program.interrupted("^bag of words", "train", "--smoke", "--picture", "", "--model", "early", "--epochs",
                                "100000", "--patience", "100000")
stopped.check(code == 130 and out.endswith("stopped in the bag of words; no model yet\n"), f"{code}: {out[-200:]!r}")
case("Ctrl-C keeps the model and says so", stopped.check(not os.path.exists("early"), "a model of the bag of words"))

values = {"--epochs": ["0", "-1", "x", "1.5", ""], "--hidden": ["0"], "--dropout": ["1", "nan"], "--cell": ["elman"],
          "--pooling": ["max"], "--learning-rate": ["-1", "nan"], "--label-column": ["0"]}
case("misuse is named", misuse("paint", "paint"), misuse("--train", "train", "--test", "x"),
     *[misuse(flag, "train", flag, value) for flag, bad in values.items() for value in bad])
help_ = Run("--help")
case("help says where more of it is", help_.check("sentiment COMMAND --help tells" in help_.out, help_.out))

write("empty.tsv", "")
write("blank.tsv", "\n\n")
write("words.tsv", "+\tfine\njust words\n")
write("one.tsv", "+\tfine\n" * 50)
write("other.tsv", "*\tfine\n")
write("few.tsv", "+\tfine\n-\tpoor\n")
write("tree.txt", "(4 (2 It) (4 works))\n(9 (2 It) (4 works))\n")
case("a file that holds no texts is named",
     *[failure(why, *quick, "--train", bad) for bad, why in
       {"none.tsv": "none.tsv, which is not there", "data": "which is a folder", "empty.tsv": "which is empty",
        "blank.tsv": "expected texts with labels; got none", "one.tsv": "at least two labels; got + alone",
        "words.tsv": "words.tsv: line 2: expected a label in column 1 and a text in column 2, between tabs",
        "few.tsv": "expected at least 10 texts",
        "tree.txt": "tree.txt: line 2: expected a tree in brackets with labels from 0 to 4"}.items()],
     failure('other.tsv: expected the labels of the training texts ("+, -, 0"); got "*"', *quick, "--train",
             "three.tsv", "--test", "other.tsv"))


def model(name, metadata, shapes):
    """A file of tensors whose numbers are 0, and bytes where there is one extent."""
    header, end = {"__metadata__": metadata}, 0
    for key, shape in shapes.items():
        begin, end = end, end + (4 if len(shape) == 2 else 1) * math.prod(shape)
        header[key] = {"dtype": "F32" if len(shape) == 2 else "U8", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    return write(name, struct.pack("<Q", len(text)) + text + bytes(end))


lstm = {"format": "rewind-sentiment-1", "cell": "lstm", "pooling": "mean"}
cell = {f"rnn.{way}.weight_{of}": [1, 4] for way in ("forward", "backward") for of in ("ih", "hh")}
model("foreign", {"format": "pt"}, {"a": [1]})
model("mute", lstm, {"words": [0], "labels": [0], "embedding.weight": [2, 1], **cell, "output.weight": [2, 0]})
full = read("sentiment.safetensors")
write("cut", full[:len(full) // 2])
case("a model that is none is named",
     *[failure(why, "classify", "--model", bad) for bad, why in
       {"none": "which is not there", "foreign": "foreign: expected a model of this program",
        "mute": "mute: expected the tensors of one model", "cut": "cut", "three.tsv": "three.tsv",
        "empty.tsv": "empty.tsv"}.items()],
     failure("none/model", "train", "--smoke", "--quiet", "--picture", "", "--model", "none/model"))
tap.finish()
