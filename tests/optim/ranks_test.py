"""ranks_test.py PROGRAM MPI: optim::Ranks in jobs of several processes. MPI is `with` or `without`: how it was built."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "house"))
import mpi  # noqa: E402
import tap  # noqa: E402

program, built = os.path.abspath(sys.argv[1]), sys.argv[2] == "with"
why_not = "mpirun is not here" if mpi.path is None else "built without MPI" if not built else None


def problems(run, code, out="", err=""):
    """What is wrong with a run; `code` None stands for any but 0."""
    good = run.returncode == code if code is not None else run.returncode != 0
    return ([] if good else [f"exit code {run.returncode}: {run.stderr}"]) + [
        f"no {expected!r} in {text!r}" for expected, text in ((out, run.stdout), (err, run.stderr)) if
        expected not in text]


def job(name, *arguments, **expected):
    if why_not:
        tap.skip(name, why_not)
    else:
        tap.report(name, problems(mpi.run(*arguments), **expected))


alone = subprocess.run([program, "sum"], capture_output=True, text=True, timeout=100)
tap.report("alone it is rank 0 of 1", problems(alone, 0, out="done by 1\n"))
for processes in (1, 2, 3):
    job(f"sums over {processes} ranks", processes, program, "sum", code=0, out=f"done by {processes}\n")
job("an exception ends the job and is told", 3, program, "throw", code=None, err="rank 1 of 3: no more data\n")
job("an exception past run() ends the job", 3, program, "leave", code=None, err="rank 1 of 3: left by an exception\n")
job("a killed rank ends the job", 3, program, "die", code=None, err="signal 9")
tap.finish()
