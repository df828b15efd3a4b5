"""killed_test.py KILLED_RUN: a training that is killed again and again loses nothing."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "house"))
import tap  # noqa: E402

program = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory(prefix="rewind_killed_")
os.chdir(folder.name)
KILLS = 50
STEPS = 100


def read(name):
    with open(name, "rb") as file:
        return file.read()


def whole(name, steps, threads, *more):
    """A run that nobody kills."""
    subprocess.run([program, name, str(steps), str(threads), *more], check=True, stdout=subprocess.DEVNULL, timeout=100)


def killed(name, delay):
    """The steps that a run told of before it was killed, `delay` seconds after its first word; whether it was."""
    run = subprocess.Popen([program, name, str(STEPS), "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = run.stdout.readline()
    time.sleep(delay)
    run.send_signal(signal.SIGKILL)
    out, err = run.communicate(timeout=60)
    told = [int(line) for line in (first + out).split("\n")[:-1]]
    return told, run.returncode == -signal.SIGKILL, err


def kills():
    begin = time.monotonic()
    whole("every", STEPS, 2, "each")
    step = (time.monotonic() - begin) / STEPS
    states = [None] + [read(f"every.{step}") for step in range(1, STEPS + 1)]  # of a run that was never stopped
    problems, count, parts, ends = [], 0, 0, 0
    done = 0  # the step of the file on disk
    while count < KILLS and not problems:
        told, was_killed, err = killed("run", random.uniform(0, 6 * step))
        count += was_killed
        parts += os.path.exists("run.part")
        if err or not told or told[0] != done:
            problems.append(f"started again after step {done} it told {told[:1]} {err}")
            break
        now = read("run") if os.path.exists("run") else None
        done = next((step for step in (told[-1], told[-1] + 1) if step <= STEPS and states[step] == now), None)
        if done is None:
            problems.append(f"killed after it told of step {told[-1]}: neither the state of this step nor of the next")
        if not {"run", "run.part"}.issuperset(name for name in os.listdir() if not name.startswith("every.")):
            problems.append(f"other files are left: {os.listdir()}")
        if done == STEPS:  # too early for the last kill: from the start again
            os.remove("run")
            done, ends = 0, ends + 1
    if not problems:
        whole("run", STEPS, 2)
        if read("run") != states[-1]:
            problems.append("in the end not the state of the run that was never stopped")
        if os.path.exists("run.part"):
            problems.append("a part of a killed save is left when the run has ended")
    print(f"# {count} kills, {parts} of them in the middle of a save; {ends} runs came to their end meanwhile")
    tap.report("50 kills at random moments lose nothing", problems)


def bits():
    problems = []
    for threads in (1, 2, 3):
        for name in ("first", "second"):
            whole(f"{name}{threads}", 12, threads)
        if read(f"first{threads}") != read(f"second{threads}"):
            problems.append(f"two runs with {threads} threads differ")
    tap.report("the same seed and number of threads give the same bits", problems)


kills()
bits()
tap.finish()
