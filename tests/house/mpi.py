"""Jobs of several processes for tests, where Open MPI's mpirun is there."""

import os
import shutil
import subprocess

path = shutil.which("mpirun")
# As many processes as are asked for, by anybody, anywhere; one thread a product, and none bound to a processor.
environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def command(processes, *program):
    return [path, "--oversubscribe", "--bind-to", "none", "-n", str(processes), *program]


def run(processes, *program):
    return subprocess.run(command(processes, *program), env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=100)
