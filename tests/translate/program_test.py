"""program_test.py TRANSLATE: the program as its user meets it: what it prints, where, and with which exit code."""

import os
import pty
import random
import re
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples"))
from program import Program, case, read, tap, write  # noqa: E402

translate = Program(sys.argv[1])
program, Run, misuse, failure = translate.path, translate.run, translate.misuse, translate.failure
SMALL = ["--hidden", "16", "--embedding", "12", "--vocabulary", "300", "--batch", "16"]


def interrupted():
    """Ctrl-C in the middle of training."""
    training = subprocess.Popen(
        [program, "train", "--corpus", "small.tsv", "--model", "stopped", "--epochs", "9999", *SMALL],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    begun = [training.stdout.readline() for _ in range(3)]  # sizes and two epochs
    training.send_signal(signal.SIGINT)
    out, err = training.communicate(timeout=60)
    run = Run("--model", "stopped", stdin="A cat.\n")
    run.check(training.returncode == 130, f"exit code {training.returncode} after Ctrl-C")
    run.check(re.search(r"stopped in epoch \d+; model saved to stopped; --resume goes on\n$", out), f"after {begun} only {out[-200:]!r}")
    run.check(err == "", f"{err!r} on standard error")
    return run


def curve(name):
    """The lines of a log, without the seconds."""
    return [re.sub(r',"seconds".*', "", line) for line in read(name).decode().splitlines()]


def killed_again_and_again():
    """Each life sees two epochs through and is killed anywhere in the next two; the end is that of a long life."""
    arguments = ["train", "--corpus", "small.tsv", "--epochs", "24", *SMALL]
    run = Run(*arguments, "--model", "straight", "--log", "straight.jsonl")
    kills, resume, chance = 0, [], random.Random(1)
    while True:
        life = subprocess.Popen([program, *arguments, "--model", "killed", "--log", "killed.jsonl", *resume],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        seen = [(life.stdout.readline(), time.monotonic()) for _ in range(3)]  # sizes and two epochs
        if seen[-1][0].startswith("epoch"):
            an_epoch = seen[2][1] - seen[1][1]
            time.sleep(chance.uniform(0, 2 * an_epoch))
            life.kill()
        _, err = life.communicate(timeout=60)
        if life.returncode != -signal.SIGKILL:
            run.check(life.returncode == 0, f"exit code {life.returncode} after {kills} kills: {err}")
            break
        kills, resume = kills + 1, ["--resume"]
        if not os.path.exists("killed.snapshot"):  # it was at its end when it was killed
            break
    run.check(kills >= 2, f"killed {kills} times only")
    run.check(read("killed") == read("straight"), "another model than without kills")
    run.check(curve("killed.jsonl") == curve("straight.jsonl"), "another curve than without kills")
    left = [name for name in os.listdir() if name.startswith("killed.") and name != "killed.jsonl"]
    return run.check(not left, f"leaves {left}")


def on_terminal(*arguments, typed=b""):
    """What the program shows on a terminal of its own, and its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(program, [program, *arguments])
    shown = b""
    os.write(terminal, typed)
    try:
        while block := os.read(terminal, 4096):
            shown += block
    except OSError:  # how the end of a terminal is told
        pass
    os.close(terminal)
    return shown.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# The bundled corpus, and a model of some of it that has learnt next to nothing.
bundled = Run("corpus", "--out", "bundled/deep")
files = {name: read(f"bundled/deep/{name}.tsv").decode() for name in ("train", "valid", "test")}
for name, text in files.items():
    bundled.check(len(text.splitlines()) >= 500, f"{name}.tsv has few lines")
    bundled.check(all(line.count("\t") == 1 for line in text.splitlines()), f"{name}.tsv has lines that are not pairs")
case("corpus writes the bundled corpus", bundled)

write("small.tsv", "".join(files["train"].splitlines(True)[:80]))
write("test.tsv", "".join(files["test"].splitlines(True)[:20]))
trained = Run("train", "--corpus", "small.tsv", "--model", "model", "--epochs", "2", *SMALL)
trained.check(len(trained.lines) == 4 and trained.lines[-1] == "best model saved to model", trained.out)
for line in trained.lines[1:3]:
    trained.check(re.fullmatch(r"epoch  \d  loss \d+\.\d{3}  BLEU +\d+\.\d +\d+ tokens/s  \d+:\d\d.*", line), line)
case("train tells of every epoch", trained)

smoke = Run("train", "--smoke", "--quiet", "--model", "smoke")
case("a smoke run in quiet says where the model is", smoke.check(smoke.out == "best model saved to smoke\n", smoke.out))

again = Run("train", "--corpus", "small.tsv", "--model", "again", "--epochs", "2", *SMALL)
again.check(read("again") == read("model"), "another model for the same seed")
other = Run("train", "--corpus", "small.tsv", "--model", "again", "--epochs", "2", "--seed", "2", *SMALL)
other.check(read("again") != read("model"), "the same model for another seed")
other.check(not [name for name in os.listdir() if name.endswith(".part")], "leaves .part files")
case("the same seed gives the same file", again, other)

validated = Run("train", "--corpus", "small.tsv", "--valid", "test.tsv", "--model", "again", "--epochs", "1", *SMALL)
one = Run("train", "--corpus", write("one.tsv", "Hi.\tSalut.\n"), "--model", "again", "--epochs", "1", *SMALL)
case("train takes any corpus", validated, one)

# Scores.
scores = []
for arguments in ([], ["--beam", "1"], ["--lowercase"], ["--show", "3"]):
    run = Run("evaluate", "--model", "model", "--test", "test.tsv", *arguments)
    beam = 1 if arguments == ["--beam", "1"] else 5
    pattern = rf"BLEU \d+\.\d  chrF \d+\.\d  exact \d+\.\d%  20 sentences  beam {beam}"
    scores.append(run.check(re.fullmatch(pattern, run.lines[-1] if run.lines else ""), run.out))
    scores[-1].check(len(run.lines) == (7 if arguments == ["--show", "3"] else 1), f"{len(run.lines)} lines")
case("evaluate ends with the scores", *scores)

# Malformed lines: skipped, and named by number.
broken = b"Hi.\tSalut.\nno tab\n\tempty\nbad\t\xff\nGo.\tVa.\n"
write("broken.tsv", broken)
named = "broken.tsv: 3 lines skipped; no tab: line 2; empty source: line 3; invalid UTF-8: line 4"
run = Run("evaluate", "--model", "model", "--test", "broken.tsv", errors=[named])
case("malformed lines are named and skipped",
     run.check("  2 sentences  " in run.out, run.out),
     Run("train", "--corpus", "broken.tsv", "--model", "again", "--epochs", "1", *SMALL, errors=[named]))

# Sentence by sentence.
ten_thousand = "word " * 10000
runs = [Run("--model", "model", stdin="A cat.\n\nThe dog sleeps.\r\nNo end"), Run("--model", "model", stdin=""),
        Run("--model", "model", "--beam", "1", stdin="\u65e5\u672c\u8a9e \U0001f600 \u05e9\u05dc\u05d5\u05dd\n")]
for run, count in zip(runs, (4, 0, 1)):
    run.check(len(run.lines) == count, f"{len(run.lines)} lines for {count}")
    run.check("<unk>" not in run.out and "\u2047" not in run.out, run.out)
runs[0].check(runs[0].lines[1:2] == [""], "an empty line is not empty")
case("each line is translated into a line", *runs)

run = Run("--model", "model", stdin=f"A cat.\n{ten_thousand}\nThe dog.\n".encode() + b"bad \xff\nA cat.\n", code=1,
          errors=["line 2: translate: expected a sentence of fewer than 250 word pieces; got ",
                  "line 4: translate: expected a sentence in UTF-8; got invalid bytes"])
run.check(len(run.lines) == 5 and run.lines[1] == run.lines[3] == "", f"{len(run.lines)} lines")
run.check(run.lines[0] == run.lines[-1], "does not go on")
case("a line that cannot be translated is named and left empty", run)

write("long.tsv", f"{ten_thousand}\tmots\n")
case("a long sentence does not stop training",
     Run("train", "--corpus", write("with_long.tsv", read("small.tsv") + read("long.tsv")), "--valid", "with_long.tsv",
         "--model", "again", "--epochs", "1", *SMALL, errors=["left out, being of 250 or more pieces: 1 of 81 pairs"]),
     failure("a sentence of fewer than 250 word pieces", "evaluate", "--model", "model", "--test", "long.tsv"),
     failure("every sentence pair is too long", "train", "--corpus", "long.tsv", "--model", "again", *SMALL))

# Misuse.
case("an unknown flag or command is named", misuse("--wat", "--wat"), misuse("--wat", "train", "--wat"),
     misuse("paint", "paint"), misuse("more", "train", "more"), misuse("--corpus", "evaluate", "--corpus", "small.tsv"))
values = {"--epochs": ["0", "-1", "x", "1.5", "9" * 30, ""], "--batch": ["0"], "--threads": ["0", "1000"],
          "--hidden": ["0"], "--embedding": ["0"], "--vocabulary": ["10"], "--dropout": ["1", "-0.1", "nan"],
          "--learning-rate": ["-1", "nan", "inf"], "--smoothing": ["1", "nan"], "--seed": ["-1", "x", "9" * 30],
          "--pairs": ["1"], "--precision": ["half"]}
case("a bad value is named",
     *[misuse(flag, "train", "--corpus", "none", flag, value) for flag, bad in values.items() for value in bad],
     *[misuse("--beam", *command, "--beam", value) for command in ([], ["evaluate"]) for value in ("0", "x", "-1")],
     misuse("--show", "evaluate", "--show", "-1"))
case("a missing value is named", misuse("--out", "corpus"), misuse("--model", "--model"),
     misuse("--corpus", "train", "--corpus"))
helps = [Run(*command, "--help") for command in ([], ["train"], ["evaluate"], ["corpus"])]
case("help is there", *[run.check("--" in run.out, "no flags") for run in helps])

# Failure. The old model must stay.
before = read("model")
corpora = {"none.tsv": "No such file", ".": "directory", write("empty.tsv", ""): "empty",
           write("blank.tsv", "\n\n"): "no pair", write("words.tsv", "just\nwords\n"): "no tab: line 1-2"}
runs = [failure(why, *command, corpus) for corpus, why in corpora.items()
        for command in (["train", "--model", "model", "--corpus"], ["evaluate", "--model", "model", "--test"],
                        ["train", "--model", "model", "--corpus", "small.tsv", "--valid"])]
case("a corpus that is none is named", *runs, runs[0].check(read("model") == before, "the old model has changed"))

header = b'{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
write("foreign", struct.pack("<Q", len(header)) + header + b"\0" * 4)
write("cut", before[:len(before) // 2])
write("nothing", "")
models = {"none": "which is not there", "foreign": "foreign: not a model of this program", "cut": "cut",
          "nothing": "nothing", "small.tsv": "small.tsv", ".": "."}
case("a model that is none is named",
     *[failure(why, *command, "--model", model) for model, why in models.items()
       for command in ([], ["evaluate", "--test", "test.tsv"])])

os.mkdir("taken")
places = ["none/model", "taken", "/proc/none/model", "model/below"]
case("a place where no model can be is refused at once",
     *[failure(f"translate: expected a place for the model; got {place}: ", "train", "--corpus", "small.tsv", "--model",
               place) for place in places],
     failure("none", "corpus", "--out", "/proc/none"))

case("Ctrl-C keeps the model and says so", interrupted())
case("a run is resumed after Ctrl-C and kills, and the same one only",
     failure("expected --seed 1, as stopped.snapshot began; got 8", "train", "--corpus", "small.tsv", "--model",
             "stopped", "--epochs", "9999", *SMALL, "--seed", "8", "--resume"),
     failure("expected a run to resume at none.snapshot; got none", "train", "--corpus", "small.tsv", "--model", "none",
             *SMALL, "--resume"),
     failure("log: expected", "train", "--corpus", "small.tsv", "--model", "again", *SMALL, "--log", "none/log"),
     killed_again_and_again())

# A terminal.
shown, code = on_terminal("--model", "model", typed=b"A cat.\nThe dog.\n\x04")
tap.report("a terminal gets a prompt", [] if code == 0 and shown.count("> ") == 3 else [f"exit code {code}: {shown!r}"])
shown, code = on_terminal("train", "--corpus", "small.tsv", "--model", "again", "--epochs", "1", *SMALL)
bar = re.search(r"\repoch 1/1 \[=* *\] +\d+%  loss \d+\.\d{3}  \d+ tokens/s  \d+:\d\d left ", shown)
tap.report("a terminal gets a progress bar", [] if code == 0 and bar else [f"exit code {code}: {shown!r}"])

tap.finish()
