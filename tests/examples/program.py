"""What the tests of the examples share: calling a program in a folder of its own, and what holds for all of them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "house"))
import tap  # noqa: E402

HAS_GNUPLOT = shutil.which("gnuplot") is not None
NO_PICTURE = [] if HAS_GNUPLOT else ["gnuplot is not installed"]  # told on standard error


def read(name):
    with open(name, "rb") as file:
        return file.read()


def write(name, text):
    with open(name, "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)
    return name


class Run:
    """One call, with the checks that hold for every call, and the problems that they and others found."""

    def __init__(self, program, arguments, code, errors, env, timeout, stdin=""):
        done = subprocess.run([program, *arguments], capture_output=True, timeout=timeout, env={**os.environ, **env},
                              input=stdin.encode() if isinstance(stdin, str) else stdin)
        self.call = " ".join([os.path.basename(program), *(argument[:40] for argument in arguments)])
        self.problems = []
        self.out, self.err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        self.lines = self.out.split("\n")[:-1]
        self.check(done.returncode == code, f"exit code {done.returncode} for {code}; {self.err}")
        self.check(not self.out or self.out.endswith("\n"), "its output does not end with a line end")
        self.check(not re.search(r"[\r\x1b]", self.out + self.err), "carriage returns or escapes in a pipe")
        lines = self.err.split("\n")[:-1]
        self.check(len(lines) == len(errors), f"{len(lines)} lines on standard error: {self.err}")
        for line, expected in zip(lines, errors):
            self.check(expected in line, f"no {expected!r} in {line!r}")
            self.check(len(line) < 250, f"a very long line: {line}")

    def check(self, good, problem):
        if not good:
            self.problems.append(f"{self.call}: {problem}")
        return self

    def number(self, pattern):
        """The number that the last line has in the group of the pattern; nan where it is otherwise."""
        found = re.fullmatch(pattern, self.lines[-1] if self.lines else "")
        self.check(found, f"no {pattern!r} in the last line of {self.out!r}")
        return float(found[1]) if found else float("nan")

    def numbers(self, pattern, line=None):
        """Those that the last line, or another one, has in the groups of the pattern; none where it is otherwise."""
        line = line if line is not None else self.lines[-1] if self.lines else ""
        found = re.fullmatch(pattern, line)
        self.check(found, f"{line!r} is not {pattern!r}")
        return [float(group) for group in found.groups()] if found else []


class Program:
    """An example. Its calls are made in a new folder. Who runs the tests has a closer limit of time than this one."""

    def __init__(self, path, timeout=3600):
        self.path, self.timeout = os.path.abspath(path), timeout
        self.folder = tempfile.TemporaryDirectory(prefix="rewind_example_")
        os.chdir(self.folder.name)
        os.environ.pop("REWIND_DATA", None)

    def run(self, *arguments, code=0, errors=(), env=None, stdin=""):
        return Run(self.path, arguments, code, errors, env or {}, self.timeout, stdin)

    def interrupted(self, until, *arguments):
        """Ctrl-C once a line of the output matches: the exit code and the whole output."""
        process = subprocess.Popen([self.path, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True)
        out = ""
        for line in process.stdout:
            out += line
            if re.search(until, line):
                break
        process.send_signal(signal.SIGINT)
        out += process.communicate(timeout=self.timeout)[0]
        return process.returncode, out

    def misuse(self, expected, *arguments):
        run = self.run(*arguments, code=2, errors=[expected])
        return run.check(run.out == "", f"prints {run.out!r}")

    def failure(self, expected, *arguments, env=None):
        return self.run(*arguments, code=1, errors=[expected], env=env)


def case(name, *runs):
    tap.report(name, [problem for run in runs for problem in run.problems])


def repeated(program, first):
    """A --smoke run like the first, which logged to curve.jsonl and kept its model, and one that loads that model."""
    quiet = program.run("--smoke", "--quiet", "--picture", "", "--log", "again.jsonl")
    quiet.check(quiet.lines == first.lines[-1:], f"{quiet.out!r}")
    quiet.check(read("again.jsonl") == read("curve.jsonl"), "another curve for the same seed")
    loaded = program.run("--smoke", "--quiet", "--picture", "", "--load", "model")
    loaded.check(loaded.lines == first.lines[-1:], f"{loaded.out!r} from the model file")
    return quiet, loaded


def common_cases(program, bad_values, *quick):
    """Help, misuse, and --log and --quiet with the arguments of a quick run, which draw no picture."""
    shown = program.run("--help")
    flags = ("--seed", "--threads", "--quiet", "--log", "--smoke")
    case("help tells of all flags", shown.check(all(flag in shown.out for flag in flags), shown.out))
    bad_values = {"--seed": ["-1", "x"], "--threads": ["0", "1000"], **bad_values}
    case("misuse is told in a line", program.misuse("--wat", "--wat"),
         *[program.misuse(flag, flag, value) for flag, values in bad_values.items() for value in values])
    full = program.run(*quick, "--log", "log.jsonl")
    quiet = program.run(*quick, "--quiet")
    case("a seed means one result, with and without --quiet",
         quiet.check(len(quiet.lines) < len(full.lines) and quiet.out == full.out[-len(quiet.out):],
                     f"{quiet.out!r} is not the end of {full.out!r}"))
    lines = [json.loads(line) for line in read("log.jsonl").splitlines()]
    case("the log has an object a line",
         full.check(lines and all(isinstance(line, dict) and line.keys() == lines[0].keys() for line in lines), lines))
    case("a log that cannot be written is told", program.failure("log: expected", *quick, "--log", "none/log"))
    return lines


def stopped_case(program, result, *arguments):
    """Ctrl-C after the first epoch of a run that would take for ever: the last line is the result all the same."""
    code, out = program.interrupted("^epoch", *arguments)
    good = code == 130 and re.search(rf"\nstopped after \d+ epochs\n(.*\n)*{result}\n\Z", out)
    tap.report("Ctrl-C ends it, says so and tells the result", [] if good else [f"exit code {code}: {out!r}"])


def picture_cases(program, *quick):
    for name, begin in (("picture.svg", b"<?xml"), ("picture.png", b"\x89PNG")):
        run = program.run(*quick, "--picture", name, errors=NO_PICTURE)
        drawn = os.path.exists(name) and read(name).startswith(begin)
        case(f"{name} is drawn where gnuplot is", run.check(drawn == HAS_GNUPLOT, "no picture, or another one"))
    case("a picture that cannot be is refused before the work",
         program.misuse("a.gif does not end in .png or .svg", *quick, "--picture", "a.gif"),
         program.misuse("no folder none", *quick, "--picture", "none/a.png"))
