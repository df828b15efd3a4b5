"""headers_test.py ROOT FOLDER COMPILER...: every header of the library compiles alone and without a warning."""

import concurrent.futures
import os
import subprocess
import sys

import rules
import tap

root, folder, *compiler = sys.argv[1:]
os.makedirs(folder, exist_ok=True)


def problems(header):
    source = os.path.join(folder, header.replace("/", "_") + ".cpp")
    with open(source, "w", encoding="utf-8") as file:
        file.write(f'#include "{header}"\n')
    # An object file and not -fsyntax-only, because ccache remembers only those.
    command = [*compiler, "-O0", "-Wall", "-Wextra", "-Werror", f"-I{root}", "-c", source, "-o", source + ".o"]
    run = subprocess.run(command, capture_output=True, text=True)
    return [] if run.returncode == 0 else [run.stderr]


headers = [name for name in rules.sources(root, rules.LIBRARY) if name.endswith(".hpp")]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for header, found in zip(headers, pool.map(problems, headers)):
        tap.report(header, found)
tap.finish()
