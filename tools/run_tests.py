"""Runs the test programs that meson knows, two at a time, and counts their cases."""

import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

AT_ONCE = 2
SHOWN_LINES = 40  # of what a failed case said


class Cases:
    """Counts of cases, and what the failed ones said."""

    def __init__(self):
        self.passed = self.skipped = 0
        self.failures = []  # (name, lines)
        self.table = []  # lines that a program wants to be seen, `# | like | this |`

    def fail(self, name, lines=()):
        self.failures.append((name, [line for line in lines if line.strip()]))

    def add(self, name, failed, lines):
        if failed:
            self.fail(name, lines)
        else:
            self.passed += 1

    def counts(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {len(self.failures)} failed{skipped}"


def boost_cases(lines, expected, filtered):
    """The cases of a Boost.Test program from its log of level unit_scope. One that was entered and never left, or never
    entered at all, has failed: the program did not live to see it through."""
    cases, suites, name, said, failed, seen = Cases(), [], None, [], False, 0
    for line in lines:
        step = re.search(r'(Entering|Leaving) test (suite|case) "(.*?)"', line)
        skipped = re.search(r'Test case ".*" is skipped because (disabled)?', line)
        if skipped:
            cases.skipped += not (filtered and skipped[1])  # a filter disables all others
            seen += not skipped[1]  # the number of cases that Boost.Test goes to run is without the disabled
        elif step is None:
            said.append(line)
            failed = failed or f'error: in "{name}"' in line
        elif step[2] == "suite":
            suites = suites + [step[3]] if step[1] == "Entering" else suites[:-1]
        elif step[1] == "Entering":
            name, said, failed, seen = "/".join(suites + [step[3]]), [], False, seen + 1
        else:
            cases.add(name, failed, said)
            name = None
    if name is not None:
        cases.fail(name, said + ["did not end"])
    for _ in range(expected - seen):
        cases.fail("a case that was never begun")
    return cases


def tap_cases(lines):
    """The cases of a program that speaks the Test Anything Protocol."""
    cases, planned = Cases(), None
    for line in lines:
        result = re.match(r"(not )?ok\b[\s\d]*-?\s*(.*)", line)
        plan = re.match(r"1\.\.(\d+)", line)
        if plan:
            planned = int(plan[1])
            if planned == 0 and "# SKIP" in line:  # the whole program
                cases.skipped = planned = 1
        elif result and "# SKIP" in line:
            cases.skipped += 1
        elif result:
            cases.add(result[2], result[1], [])
        elif line.startswith("# |"):
            cases.table.append(line[2:])
        elif cases.failures and line.startswith("#"):
            cases.failures[-1][1].append(line[1:])
    if planned != cases.passed + len(cases.failures) + cases.skipped:
        cases.fail("all of the plan", lines[-SHOWN_LINES:])
    return cases


def cases_of(test, output, status, filtered):
    """The cases of one program. status: its exit code, or why it has none."""
    lines = output.splitlines()
    running = re.search(r"^Running (\d+) test cases?\.\.\.", output, re.MULTILINE)
    if test["protocol"] == "tap":
        cases = tap_cases(lines)
    elif running:
        cases = boost_cases(lines, int(running[1]), filtered)
    elif "no test cases matching filter" in output:
        return Cases()
    else:  # a program that is one case
        cases = Cases()
        if status == 77:
            cases.skipped += 1
        else:
            cases.add("exit code 0", status != 0, lines)
    if status not in (0, 77) and not cases.failures:
        cases.fail("exit code 0", lines)
    if cases.failures and status not in (0, 1, 201):  # 201: cases have failed, says Boost.Test
        cases.failures[-1][1].append(f"the program ended with {status}")
    return cases


def shown(lines):
    """What fits of the lines, from both ends."""
    half = SHOWN_LINES // 2
    return lines if len(lines) <= SHOWN_LINES else lines[:half] + ["..."] + lines[-half:]


def run(test, build, filtered):
    """(cases, seconds) of one program; it runs in the build folder where meson says nothing else."""
    environment = {**os.environ, **test["env"], "BOOST_TEST_LOG_LEVEL": "unit_scope", "BOOST_TEST_COLOR_OUTPUT": "no"}
    if filtered:
        environment["BOOST_TEST_RUN_FILTERS"] = filtered
    start = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        program = subprocess.Popen(test["cmd"], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   env=environment, cwd=test["workdir"] or build, start_new_session=True)
        try:
            status = program.wait(test["timeout"] or None)
        except subprocess.TimeoutExpired:
            status = f"a timeout of {test['timeout']} s"
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        output.seek(0)
        return cases_of(test, output.read(), status, filtered), time.monotonic() - start


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("build")
    arguments.add_argument("programs", nargs="*")
    arguments.add_argument("--filter", default="")
    arguments.add_argument("--learning", action="store_true")
    options = arguments.parse_intermixed_args()

    introspected = subprocess.run(["meson", "introspect", "--tests", options.build], capture_output=True, check=True)
    tests = json.loads(introspected.stdout)
    unknown = set(options.programs) - {test["name"] for test in tests}
    if unknown:
        sys.exit(f"test: no program is named {', '.join(sorted(unknown))}; there are "
                 f"{', '.join(sorted(test['name'] for test in tests))}")
    if options.programs:
        tests = [test for test in tests if test["name"] in options.programs]
    elif not options.learning:
        tests = [test for test in tests if not any(suite.endswith("learning") for suite in test["suite"])]
    if options.filter:
        tests = [test for test in tests if any(suite.endswith("boost") for suite in test["suite"])]
    tests.sort(key=lambda test: -test["priority"])

    total = Cases()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(run, test, options.build, options.filter): test["name"] for test in tests}
        for future in concurrent.futures.as_completed(running):
            cases, seconds = future.result()
            print(f"{running[future]:<12} {seconds:6.1f} s   {cases.counts()}", flush=True)
            for line in cases.table:
                print(f"    {line}")
            for name, lines in cases.failures:
                print(f"    FAILED {name}")
                for line in shown(lines):
                    print(f"        {line}", flush=True)
            total.passed += cases.passed
            total.skipped += cases.skipped
            total.failures += cases.failures
    if not total.passed + len(total.failures) + total.skipped:
        total.fail("no case at all")
    print(total.counts())
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
