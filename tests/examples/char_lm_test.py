"""char_lm_test.py CHAR_LM: the character language model as its user meets it."""

import json
import math
import os
import struct
import sys
import unicodedata

from program import NO_PICTURE, Program, case, common_cases, picture_cases, read, tap, write

program = Program(sys.argv[1])
Run, misuse, failure = program.run, program.misuse, program.failure

RESULT = r"test (\d+\.\d{3}) bits per character; (\d)-gram (\d+\.\d{3})"
EPOCH = r"epoch +\d+  train (\d+\.\d{3})  valid (\d+\.\d{3}) bits per character +\d+ characters/s  \d+:\d\d.*"

# The stories of the smoke run. A network that carries nothing but the last two letters is a 3-gram, of 1.2 bits.
smoke = Run("--smoke", "--log", "log.jsonl", errors=NO_PICTURE)
bits = smoke.numbers(RESULT + r"; the source (\d+\.\d{3})")
smoke.check(bits and bits[3] < bits[0] < 0.8 < bits[2], f"{bits} bits")
smoke.check(sum("characters to learn from" in line for line in smoke.lines) == 1, "no sizes")
epochs = [line for line in smoke.lines if line.startswith("epoch")]
smoke.check(len(epochs) == 8, f"{len(epochs)} epochs")
for line in epochs:
    smoke.numbers(EPOCH, line)
smoke.check("best model saved to char_lm.safetensors" in smoke.lines, "no word of the model")
curve = [json.loads(line) for line in read("log.jsonl").splitlines()]
smoke.check([set(line) for line in curve] == [{"epoch", "train_bits", "valid_bits", "learning_rate", "seconds"}] * 8,
            f"{curve} in the log")
case("the smoke run learns and tells of it",
     smoke.check(curve[-1]["valid_bits"] < curve[0]["valid_bits"] / 2, "does not learn"))
quick = ["train", "--smoke", "--epochs", "1", "--hidden", "8", "--model", "quick"]
common_cases(program, {}, *quick, "--picture", "")
picture_cases(program, *quick)

first = read("char_lm.safetensors")
again = Run("train", "--smoke", "--quiet", "--picture", "", "--model", "again")
again.check(again.lines == smoke.lines[-1:], f"{again.lines} for {smoke.lines[-1:]!r}")
again.check(read("again") == first, "another model for the same seed")
other = Run("train", "--smoke", "--quiet", "--picture", "", "--model", "other", "--cell", "gru", "--seed", "2")
other.check(other.lines != smoke.lines[-1:], "the same numbers for a GRU and another seed")
case("the same seed gives the same model, and --quiet the result alone", again, other)

code, out = program.interrupted("^epoch  1", "train", "--smoke", "--picture", "", "--model", "stopped")
stopped = Run("train", "--smoke", "--picture", "", "--model", "stopped", "--resume")
stopped.check(code == 130 and "stopped in epoch 2; train --resume" in out, f"exit code {code} after {out!r}")
stopped.check(stopped.lines[-1:] == smoke.lines[-1:], f"{stopped.lines[-1:]!r} for {smoke.lines[-1:]!r}")
stopped.check(read("stopped") == first and read("stopped.run") == read("char_lm.safetensors.run"), "other bits")
case("a run that was stopped goes on, bit by bit", stopped,
     failure("none.run", "train", "--smoke", "--resume", "--model", "none"),
     *[failure(f'the flags of that run, "{flag} {then}"; got "{flag} {now}"', "train", "--smoke", "--resume", flag, now)
       for flag, then, now in (("--seed", 1, "3"), ("--threads", 2, "1"), ("--cell", "lstm", "gru"),
                               ("--hidden", 64, "65"), ("--layers", 1, "2"), ("--batch", 16, "8"))])

# Samples.
samples = {arguments: Run("sample", "--length", "80", *arguments) for arguments in
           [(), ("--seed", "2"), ("--temperature", "0"), ("--top-k", "1"), ("--top-p", "0"), ("--temperature", "100")]}
for arguments, run in samples.items():
    run.check(len(run.out) == 81, f"{len(run.out)} characters for 81")
    run.check(all(c in "\n\t" or unicodedata.category(c) != "Cc" for c in run.out), f"control in {run.out!r}")
samples[()].check(samples[()].out != samples["--seed", "2"].out, "the same sample for another seed")
samples["--top-k", "1"].check(len({samples["--temperature", "0"].out, samples["--top-k", "1"].out,
                                   samples["--top-p", "0"].out}) == 1, "the most likely text is not one")
wild = samples["--temperature", "100"]
wild.check(any(ord(c) > 127 for c in wild.out) and "\ufffd" not in wild.out, f"no UTF-8 beyond ASCII in {wild.out!r}")
prompted = Run("sample", "--length", "5", "--prompt", "Größe ")
prompted.check(prompted.out.startswith("Größe ") and len(prompted.out) == 12, repr(prompted.out))
case("samples", *samples.values(), prompted)

# Texts.
text = "".join(f"{n} times {n} is {n * n}.\n" for n in range(400))
write("text.txt", text)
evaluated = Run("evaluate", "--text", "text.txt")
evaluated.numbers(rf"\d+\.\d{{3}} bits per character, {len(text)} characters")
unseen = Run("evaluate", "--text", write("unseen.txt", "日本語 " * 10))
unseen.numbers(r"\d+\.\d{3} bits per character, 40 characters")
whole = Run("train", "--smoke", "--quiet", "--picture", "", "--model", "m", "--text", "text.txt")
whole.numbers(RESULT)
os.makedirs("data/set")
write("data/set/train.txt", text)
given = Run("train", "--smoke", "--hidden", "8", "--picture", "", "--model", "m", "--text", "set/train.txt", "--valid",
            "text.txt", "--test", "unseen.txt", env={"REWIND_DATA": "data"})
given.numbers(RESULT)
given.check(f"{len(text)} characters to learn from, {len(text)} to validate on, 40 to test; lstm of 7200 parameters" in
            given.out, given.out)
one_line = Run("train", "--smoke", "--quiet", "--picture", "", "--model", "m", "--text", write("one.txt", "aé" * 150))
one_line.numbers(RESULT)
case("any text will do", evaluated, unseen, whole, given, one_line)

# Misuse and failure.
values = {"--epochs": ["0", "-1", "x", "1.5", ""], "--hidden": ["0"], "--layers": ["9"], "--dropout": ["1", "nan"],
          "--learning-rate": ["-1", "nan"], "--cell": ["elman"], "--temperature": ["-1", "nan"],
          "--top-k": ["-1", "257"], "--top-p": ["1.5"], "--sample": ["-1"]}
case("misuse is named", misuse("paint", "paint"), misuse("--text", "train", "--valid", "x"),
     *[misuse(flag, "train", flag, value) for flag, bad in values.items() for value in bad])
help_ = Run("--help")
case("help says where more of it is", help_.check("char_lm COMMAND --help tells" in help_.out, help_.out))


def model(name, metadata, shapes):
    """A file of tensors whose numbers are 0."""
    header, end = {"__metadata__": metadata}, 0
    for key, shape in shapes.items():
        begin, end = end, end + 4 * math.prod(shape)
        header[key] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    return write(name, struct.pack("<Q", len(text)) + text + bytes(end))


lstm = {"format": "rewind-char-lm-1", "cell": "lstm"}
model("foreign", {"format": "pt"}, {"a": [1]})
model("elman", {**lstm, "cell": "elman"}, {})
model("vast", lstm, {"embedding.weight": [0, 2**24], "rnn.0.weight_ih": [2**24, 0], "rnn.0.weight_hh": [0, 0]})
write("cut", first[:len(first) // 2])
write("within.txt", b"\x80" * 400)  # bytes that go on with a character
write("empty.txt", "")
write("short.txt", "short\n")
train = ["train", "--smoke", "--text"]
case("what cannot be read is named",
     failure("none.txt, which is not there", *train, "none.txt"), failure("which is a folder", *train, "data"),
     failure("which is empty", *train, "empty.txt"), failure("at least 200 bytes", *train, "short.txt"),
     failure("expected characters of UTF-8", *train, "within.txt"),
     failure("expected characters of UTF-8", "evaluate", "--text", "within.txt"),
     failure("expected a text of at least as many bytes as the batch", *train, "short.txt", "--valid", "short.txt",
             "--test", "short.txt"),
     *[failure(why, *command, "--model", model) for command in (["sample"], ["evaluate"])
       for model, why in {"none": "which is not there", "foreign": "foreign: expected a model of this program",
                          "elman": "elman: expected cell lstm or gru",
                          "vast": "vast: expected the tensors of one model", "cut": "cut",
                          "text.txt": "text.txt", "empty.txt": "empty.txt"}.items()])
case("a place where no model can be is named",
     *[failure(f"the model; got {place}: ", "train", "--smoke", *more, "--model", place).check(
         not os.path.exists("..run"), "leaves ..run") for place in ("none/model", ".") for more in ([], ["--resume"])])
tap.finish()
