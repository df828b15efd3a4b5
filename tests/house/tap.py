"""Results in the Test Anything Protocol, which meson reads: a line a case, the problems of a failed one below it."""

count = 0


def report(name, problems):
    """One case; it has failed where there are problems."""
    global count
    count += 1
    print(f"{'not ok' if problems else 'ok'} {count} - {name}")
    for problem in problems:
        for line in problem.splitlines():
            print(f"# {line}")


def skip(name, why):
    """A case that cannot be tried here."""
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}")


def finish():
    print(f"1..{count}")
