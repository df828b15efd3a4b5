"""job_test.py TRANSLATE MPI: training by several processes. MPI is `with` or `without`: how the program was built."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "house"))
import mpi  # noqa: E402
import tap  # noqa: E402

program, built = os.path.abspath(sys.argv[1]), sys.argv[2] == "with"
why_not = "mpirun is not here" if mpi.path is None else "built without MPI" if not built else None
folder = tempfile.TemporaryDirectory(prefix="rewind_job_")
os.chdir(folder.name)
TRAIN = [program, "train", "--corpus", "small.tsv", "--hidden", "16", "--embedding", "12", "--vocabulary", "300",
         "--batch", "16"]


def alone(*arguments):
    return subprocess.run([program, *arguments] if arguments[0] != program else arguments, env=mpi.environment,
                          input="A cat.\n", capture_output=True, text=True, timeout=100)


def curve(name):
    with open(name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def curves_differ(processes, threads):
    """The same batches by one process and by several: every loss must be the same to 1e-10, and every BLEU."""
    flags = ["--precision", "double", "--epochs", "3", "--dropout", "0.3"]
    one = alone(*TRAIN, *flags, "--model", "one", "--log", "one.jsonl", "--threads", str(processes * threads))
    job = mpi.run(processes, *TRAIN, *flags, "--model", "job", "--log", "job.jsonl", "--threads", str(threads))
    problems = [f"exit code {run.returncode}: {run.stderr}" for run in (one, job) if run.returncode != 0]
    if problems:
        return problems
    a, b = curve("one.jsonl"), curve("job.jsonl")
    if len(a) != len(b) or len(a) != 3 * 6:  # five batches and the epoch itself
        return [f"{len(a)} and {len(b)} lines"]
    worst = max(abs(x["loss"] - y["loss"]) for x, y in zip(a, b))
    if not worst <= 1e-10:
        problems.append(f"the losses differ by {worst}")
    if [x.get("bleu") for x in a] != [y.get("bleu") for y in b]:
        problems.append("the scores differ")
    told = f" {threads} threads in each of {processes} processes\n"
    if told not in job.stdout or job.stdout.count("\n") != one.stdout.count("\n"):
        problems.append(f"prints {job.stdout!r}")
    print(f"# {processes} processes: losses differ by {worst:.1e} at most")
    return problems


def ranks_of(job):
    """The processes that mpirun started, in no order."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                name, rest = file.read().rsplit(")", 1)
        except OSError:  # gone meanwhile
            continue
        if int(rest.split()[1]) == job.pid and "translate" in name:
            found.append(int(pid))
    return found


def ended(model, end):
    """A job of two processes after its first two epochs, ended by end(job): its exit code and all that it said."""
    job = subprocess.Popen(mpi.command(2, *TRAIN, "--threads", "1", "--epochs", "9999", "--model", model),
                           env=mpi.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    begun = [job.stdout.readline() for _ in range(3)]  # sizes and two epochs
    end(job)
    out, err = job.communicate(timeout=60)
    return job.returncode, "".join(begun) + out, err


def is_whole(model):
    """The model translates, and one process goes on with the run of the job, but with no other settings."""
    line = alone("--model", model)
    problems = [] if line.returncode == 0 and line.stdout.count("\n") == 1 else [f"no model: {line.stderr}"]
    other = mpi.run(2, *TRAIN, "--threads", "2", "--epochs", "9999", "--model", model, "--resume")
    refused = f"train: expected --threads of all processes 2, as {model}.snapshot began; got 4"
    if other.returncode == 0 or refused not in other.stderr:
        problems.append(f"does not refuse other settings: {other.stderr}")
    run = subprocess.Popen([*TRAIN, "--threads", "2", "--epochs", "9999", "--model", model, "--resume"],
                           env=mpi.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    begun = [run.stdout.readline() for _ in range(2)]  # sizes and an epoch
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    if run.returncode != 130 or f"model saved to {model}" not in out:
        problems.append(f"does not go on after {begun}: {out[-200:]!r} {err!r}")
    return problems


def killed():
    code, _, err = ended("killed", lambda job: os.kill(ranks_of(job)[-1], signal.SIGKILL))
    return ([] if code != 0 else ["exit code 0"]) + (
        [] if "signal 9" in err else [f"no word of the killed process in {err!r}"]) + is_whole("killed")


def interrupted():
    code, out, err = ended("stopped", lambda job: job.send_signal(signal.SIGINT))
    return ([] if code != 0 else ["exit code 0"]) + (
        [] if "model saved to stopped" in out else [f"only {out[-200:]!r}; {err}"]) + is_whole("stopped")


def no_corpus():
    job = mpi.run(2, program, "train", "--corpus", "none.tsv", "--model", "none")
    problems = [] if job.returncode != 0 else ["exit code 0"]
    return problems + ([] if " of 2: read_pairs: a file of" in job.stderr else [f"says {job.stderr!r}"])


def case(name, problems, *arguments):
    if why_not:
        tap.skip(name, why_not)
    else:
        tap.report(name, problems(*arguments))


if not why_not:
    alone("corpus", "--out", "bundled")
    with open("bundled/train.tsv", encoding="utf-8") as lines, open("small.tsv", "w", encoding="utf-8") as small:
        small.writelines(list(lines)[:80])
case("two processes learn what two threads learn", curves_differ, 2, 1)
case("three processes learn what three threads learn", curves_differ, 3, 1)
case("two processes of two threads learn what four threads learn", curves_differ, 2, 2)
case("a killed process ends the job, and the model is whole", killed)
case("Ctrl-C ends the job with the model saved", interrupted)
case("a corpus that is none ends the job", no_corpus)
tap.finish()
