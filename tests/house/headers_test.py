"""headers_test.py ROOT FOLDER COMPILER...: every header of the library compiles alone and without a warning.

The build has shown it of a header that a source file of the same name includes first.
"""

import concurrent.futures
import os
import subprocess
import sys

import rules
import tap

root, folder, *compiler = sys.argv[1:]
os.makedirs(folder, exist_ok=True)


def built_alone(header):
    source = header[:-len(".hpp")] + ".cpp"
    included = rules.INCLUDE.search(rules.text(root, source)) if os.path.exists(os.path.join(root, source)) else None
    return included is not None and included.group(2) == header


def problems(header):
    source = os.path.join(folder, header.replace("/", "_") + ".cpp")
    with open(source, "w", encoding="utf-8") as file:
        file.write(f'#include "{header}"\n')
    # An object file and not -fsyntax-only, because ccache remembers only those.
    command = [*compiler, "-O0", "-Wall", "-Wextra", "-Werror", f"-I{root}", "-c", source, "-o", source + ".o"]
    run = subprocess.run(command, capture_output=True, text=True)
    return [] if run.returncode == 0 else [run.stderr]


headers = [name for name in rules.sources(root, rules.LIBRARY) if name.endswith(".hpp")]
headers = [name for name in headers if not built_alone(name)]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for header, found in zip(headers, pool.map(problems, headers)):
        tap.report(header, found)
tap.finish()
