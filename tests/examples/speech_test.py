"""speech_test.py SPEECH: the program as its user meets it; SPEECH is `missing` where it could not be built."""

import json
import math
import os
import re
import struct
import sys

from program import Program, case, common_cases, picture_cases, stopped_case, tap, write

if sys.argv[1] == "missing":
    tap.skip("speech", "libsndfile or FFTW is not installed")
    tap.finish()
    sys.exit()

speech = Program(sys.argv[1])
QUICK = ["--smoke", "--epochs", "1", "--hidden", "4", "--picture", ""]
RESULT = r"{} voices +(?:\d+) words   alone +[0-9.]+ %   in strings +([0-9.]+) %   \(nearest mean, alone +[0-9.]+ %\)"


def wav(samples, rate=8000, channels=1, announced=None):
    data = b"".join(struct.pack("<h", round(32767 * s)) for s in samples)
    size = len(data) if announced is None else announced
    return (b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, 1, channels, rate, 2 * channels * rate, 2 * channels, 16) + b"data" +
            struct.pack("<I", size) + data)


def tone(hertz, seconds=0.3, rate=8000):
    return [0.5 * math.sin(2 * math.pi * hertz * n / rate) for n in range(int(seconds * rate))]


def model_file(shapes, form="rewind-speech-1"):
    """Tensors of those shapes, and metadata that promises more."""
    at, header = 0, {"__metadata__": {"format": form, "hidden": "4096", "layers": "16"}}
    for name, shape in shapes.items():
        end = at + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


smoke = speech.run("--smoke", "--picture", "", "--model", "model")
unseen = smoke.number(RESULT.format("unseen"))
known = re.fullmatch(RESULT.format("known"), smoke.lines[-2])
smoke.check(unseen <= 15, f"{unseen} % wrong of a voice it does not know")
smoke.check(known and float(known[1]) <= 15, f"{smoke.lines[-2]} of voices that it knows")
case("the smoke run learns to hear", smoke)

common_cases(speech, {"--epochs": ["0"], "--batch": ["0"], "--hidden": ["0"], "--layers": ["0"],
                      "--dropout": ["1", "nan"], "--learning-rate": ["nan", "-1"]}, *QUICK)
stopped_case(speech, RESULT.format("unseen"), "--epochs", "100000", "--hidden", "4", "--picture", "")
picture_cases(speech, *QUICK[:-2])

# Recordings: digits as tones, by two speakers.
for folder, speakers in (("data", ("ann", "bob")), ("alone", ("ann",))):
    for part in ("train", "valid", "test"):
        os.makedirs(f"{folder}/{part}")
        for digit in range(3):
            for speaker in speakers:
                write(f"{folder}/{part}/{digit}_{speaker}_{len(part)}.wav", wav(tone(400 + 600 * digit)))
os.symlink("data", "spoken-digits")
run = speech.run("--data", "data", *QUICK[1:])
case("a folder of recordings is learnt from", run, run.check(len(run.lines) == 4, run.out),
     speech.run("--data", "data", *QUICK[1:], "--unseen", "none"),
     speech.run("--data", "data", *QUICK[1:], "--test", "data/valid", "--unseen", "ann"),
     speech.run(*QUICK[1:], "--test", "data/valid", env={"REWIND_DATA": "."}))
case("an unknown speaker is named", speech.failure("got eve", "--data", "data", "--unseen", "eve"),
     speech.failure("got ann (--unseen none learns of all)", "--data", "alone"))
case("folders that are not there are named", speech.failure("none/train: expected files", "--data", "none"),
     speech.failure("data: expected a sound file", "--model", "model", "data"),
     speech.failure("none: expected files", "--data", "data", "--test", "none"),
     speech.misuse("--test requires --data", "--test", "data/test"),
     speech.failure("/none/spoken-digits/train", env={"REWIND_DATA": "/none"}))

heard = speech.run("--model", "model", write("a.wav", wav(tone(500))), write("b.wav", wav([0.0] * 100)),
                   write("c.wav", wav(tone(700, rate=16000), rate=16000)),
                   write("d.wav", wav([x for s in tone(500) for x in (s, s)], channels=2)))
heard.check(len(heard.lines) == 4 and all(re.fullmatch(r"[a-d]\.wav:( \d)*", line) for line in heard.lines), heard.out)
heard.check(heard.lines[0][5:] == heard.lines[-1][5:], f"stereo is heard otherwise: {heard.out}")
case("recordings are listened to", heard)

whole = wav(tone(500))
bad = {b"": "a sound file", whole[:20]: "4844 bytes as its header tells; got 20", whole[:-100]: "4844 bytes",
       b"x" * 200: "a sound file", wav([]): "at least one sample", wav(tone(500), rate=4000): "8000 to",
       wav(tone(500), rate=2**31 - 1): "8000 to 384000 samples a second; got 2147483647"}
runs = [speech.failure("bad.wav: expected " + why, "--model", "model", write("bad.wav", data))
        for data, why in bad.items()]
case("a recording that is none is named", *runs, speech.misuse("--model", "a.wav"),
     speech.failure("none.wav: expected a file", "--model", "model", "none.wav"))
write("data/train/2_bob_9.wav", whole[:-100])
case("a broken recording among others is named",
     speech.failure("data/train/2_bob_9.wav: expected", "--data", "data", *QUICK[1:]))
write("data/train/2_bob_9.wav", wav(tone(500, rate=16000), rate=16000))
case("another rate among others is named",
     speech.failure("8000 samples a second everywhere", "--data", "data", *QUICK[1:]))
layer = {f"layers.0.{way}.{name}": shape for way in ("forward", "backward")
         for name, shape in (("weight_ih", [80, 4]), ("weight_hh", [1, 4]))}
models = {"nothing": (b"", "nothing"), "foreign": (model_file(layer, "x"), "foreign: expected a model of this program"),
          "empty": (model_file({}), "layers.0.forward.weight_hh"),
          "apart": (model_file({**layer, "layers.1.forward.weight_hh": [16, 64]}), "layers.1.forward.weight_ih"),
          "wide": (model_file({**layer, "layers.0.forward.weight_hh": [4096, 1]}), "tensors that go together"),
          "bare": (model_file(layer), "bare")}
case("a model that is none is named", speech.failure("none, which is not there", "--model", "none", "a.wav"),
     *[speech.failure(why, "--model", write(name, data), "a.wav") for name, (data, why) in models.items()],
     *[speech.failure("place for the model", "--picture", "", "--model", place) for place in ("none/model", ".")])

tap.finish()
