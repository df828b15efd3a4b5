"""course_test.py SOURCE PROGRAMS: the pages of the course say what the programs in the folder PROGRAMS print."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "house"))
import tap  # noqa: E402

source, programs = (os.path.abspath(path) for path in sys.argv[1:3])
LONGEST, LARGEST = 59, 40000  # lines of a program, bytes of a picture
NUMBER = re.compile(r"(?<![\w.−-])\d+(?:\.\d+)?(?:e[+-]\d+)?(?![\w])")
YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def read(*path):
    with open(os.path.join(source, *path), encoding="utf-8") as file:
        return file.read()


def run(name, *arguments):
    return subprocess.run([os.path.join(programs, name), *arguments], capture_output=True, text=True)


def lines_of_program(text):
    """Those that are neither empty nor mark a region."""
    return [line for line in text.splitlines() if line.strip() and not re.fullmatch(r"\s*// \[\w+\]", line)]


def shown(page):
    """The commands of a page, and what stands under each as its output."""
    return re.findall(r"```sh\n(.*?)\n```\n+```text\n(.*?)```", page, re.DOTALL)


def prose(page):
    """What is said in words: no title, blocks, code and links, and nothing about what to try."""
    page = re.sub(r"^# [^\n]*|```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\)|\*\*To try:\*\*.*?\n\n", " ", page, flags=re.DOTALL)
    return YEAR.sub(" ", page)


def number_problems(words, known):
    """Numbers in words that the program neither prints nor has."""
    numbers = set(NUMBER.findall(known))
    return [f"{number} is nowhere in the program or its output" for number in NUMBER.findall(words)
            if number not in numbers]


def words_of_picture(text):
    return re.findall(r"<text[^>]*>(?:<[^>]*>)*([^<]*)", text) + re.findall(r"<title>([^<]*)", text)


lessons = sorted(name[:-4] for name in os.listdir(os.path.join(source, "examples", "course"))
                 if re.fullmatch(r"\d\d_\w+\.cpp", name))
pages = sorted(name[:-3] for name in os.listdir(os.path.join(source, "docs", "course")) if name.endswith(".md"))
index = read("docs", "course.md")
tap.report("a page for each lesson", [] if lessons == pages and len(lessons) > 10 else [f"{lessons} and {pages}"])
tap.report("the first page leads to each", [name for name in lessons if f"](course/{name}.md)" not in index])

with tempfile.TemporaryDirectory(prefix="rewind_course_") as folder:
    for number, name in enumerate(lessons, 1):
        page, code = read("docs", "course", name + ".md"), read("examples", "course", name + ".cpp")
        picture = os.path.join(folder, name + ".svg")
        done = run(name, "--picture", picture)
        problems = [] if done.returncode == 0 else [f"exit code {done.returncode}: {done.stderr}"]

        command = f"build/examples/course/{name} --picture docs/course/{name}.svg"
        if shown(page) != [(command, done.stdout)]:
            problems.append(f"the page does not show {command} and\n{done.stdout}")
        problems += number_problems(prose(page), code + done.stdout)
        row = "".join(line for line in index.splitlines() if f"](course/{name}.md)" in line)
        problems += number_problems(prose(row.split("|", 2)[-1]), code + done.stdout)
        if not page.startswith(f"# {number}. ") or f"[{page.splitlines()[0][2:]}]" not in index:
            problems.append("the page has another title than its number and the one on the first page")

        lines = len(lines_of_program(code))
        if lines > LONGEST:
            problems.append(f"{lines} lines, more than {LONGEST}")
        drawn = read("docs", "course", name + ".svg")
        if len(drawn) > LARGEST:
            problems.append(f"a picture of {len(drawn)} bytes, more than {LARGEST}")
        if f"]({name}.svg)" not in page:
            problems.append("the page does not show its picture")
        if shutil.which("gnuplot") is None:
            problems += [] if "no picture, because gnuplot" in done.stderr else [f"{done.stderr!r} on standard error"]
        else:
            with open(picture, encoding="utf-8") as file:
                new = words_of_picture(file.read())
            if not new or new != words_of_picture(drawn):
                problems.append(f"the picture of the page is another than that of the program: {new}")
        tap.report(name, problems)

first = lessons[0]
wrong = [run(first, "--wat"), run(first, "--seed", "x"), run(first, "more")]
tap.report("misuse is told in one line", [f"{one.returncode}: {one.stderr}" for one in wrong
                                          if one.returncode != 2 or one.stderr.count("\n") != 1 or one.stdout])
place = run("03_bptt", "--picture", "picture.txt")
tap.report("a picture that is none is told in one line",
           [] if place.returncode == 2 and "picture.txt does not end in .png or .svg" in place.stderr
           and place.stderr.count("\n") == 1 else [f"{place.returncode}: {place.stderr}"])
with tempfile.TemporaryDirectory(prefix="rewind_course_") as folder:
    log = os.path.join(folder, "curve.jsonl")
    plain, flagged = run("08_lstm"), run("08_lstm", "--quiet", "--threads", "2", "--log", log)
    with open(log, encoding="utf-8") as file:
        points = [json.loads(line) for line in file]
    nowhere = run("08_lstm", "--log", os.path.join(folder, "none", "curve.jsonl"))
drawn = words_of_picture(read("docs", "course", "08_lstm.svg"))
curves = {point["curve"] for point in points}
tap.report("a log holds the curves of the picture, and changes nothing",
           [] if flagged.returncode == 0 and flagged.stdout == plain.stdout and len(curves) == 5
           and all(name in drawn for name in curves) and all(set(point) == {"curve", "x", "y"} for point in points)
           else [f"{flagged.returncode}: {flagged.stderr}", f"{curves}, drawn {drawn}", flagged.stdout])
tap.report("a log that cannot be written is told before the lesson",
           [] if nowhere.returncode == 1 and nowhere.stderr.count("\n") == 1 and not nowhere.stdout
           else [f"{nowhere.returncode}: {nowhere.stderr}"])
helped, other = run(first, "--help"), run(first, "--seed", "2")
tap.report("help", [] if helped.returncode == 0 and "--seed" in helped.stdout and f"  {first} --" in helped.stdout else
           [helped.stdout])
tap.report("another seed, other numbers", [] if other.returncode == 0 and other.stdout != run(first).stdout else
           [other.stdout])

sample = "# 1. A\n\nIt is 0.25 (Elman 1990).\n\n```sh\na --b\n```\n\n```text\nx 0.25\n```\n\n**To try:** 7.\n\nEnd\n"
tap.report("what is wrong is caught", [problem for good, problem in (
    (shown(sample) == [("a --b", "x 0.25\n")], "output is not found"),
    (number_problems(prose(sample), "1 0.25") == [], "what is right is caught"),
    (len(number_problems(prose(sample), "1 0.255 20.25")) == 1, "a wrong number is not"),
    (len(lines_of_program("a\n\n  // [x]\nb\n")) == 2, "lines are miscounted"),
    (words_of_picture('<text x="1"><tspan font="a" >wave</tspan></text>') == ["wave"], "words are not found"),
) if not good])
tap.finish()
