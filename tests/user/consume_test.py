"""consume_test.py ROOT BUILD COMPILER...: the library as other projects take it. The build is installed in a folder of
its own; there pkg-config, CMake and meson find it; and it is a subproject of meson. Each time the programs of this
folder are built out of the tree and run."""

import json
import os
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "house"))
import tap  # noqa: E402

root, build = (os.path.abspath(path) for path in sys.argv[1:3])
compiler = sys.argv[3:]
here = os.path.join(root, "tests", "user")
folder = os.path.join(build, "tests", "consumers")  # a place that stays the same lets ccache know the sources again
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
environment = {**os.environ, "CXX": " ".join(compiler)}


class Failed(Exception):
    pass


def run(*command, **more):
    """What the command prints; where it fails, the test does."""
    done = subprocess.run(command, cwd=folder, env={**environment, **more}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit code {done.returncode}\n" + "\n".join(done.stdout.splitlines()[-30:]))
    return done.stdout


def expect(good, problem):
    if not good:
        raise Failed(problem)


def learns(program, name):
    printed = run(program, f"{name}.safetensors")
    expect("reloaded, bit by bit: 100.0 % right" in printed, printed)


def checks(program):
    expect("No errors detected" in run(program), "no word of Boost.Test")


def installed(name):
    """The path of a file of the installed tree, which lies under a prefix that the build chose."""
    found = [os.path.join(path, name) for path, _, names in os.walk(os.path.join(folder, "installed")) if name in names]
    expect(len(found) == 1, f"{len(found)} files {name} installed")
    return found[0]


def install():
    run("meson", "install", "-C", build, "--no-rebuild", "--quiet", DESTDIR=os.path.join(folder, "installed"))
    headers = os.path.dirname(os.path.dirname(installed("nn.hpp")))
    for floor in ("autograd", "nn", "optim"):
        for path, _, names in os.walk(os.path.join(root, floor)):
            there = os.path.join(headers, os.path.relpath(path, root))
            wanted = sorted(name for name in names if name.endswith(".hpp"))
            expect(sorted(os.listdir(there)) == sorted(wanted + [d for d in os.listdir(path)
                   if os.path.isdir(os.path.join(path, d))]), f"{there} holds other files than the headers of {path}")


def small():
    run(*compiler, "-shared", "-s", "-o", "whole.so", "-Wl,--whole-archive", installed("librewind.a"),
        "-Wl,--no-whole-archive")
    size = os.path.getsize(os.path.join(folder, "whole.so"))
    expect(size < 3_000_000, f"as a shared library it has {size} bytes, more than 3 MB")


def by_pkg_config():
    path = {"PKG_CONFIG_PATH": os.path.dirname(installed("rewind.pc"))}
    flags = run("pkg-config", "--cflags", "--libs", "rewind", **path).split()
    for name, sources, more in (("update_gate", ["update_gate.cpp"], []),
                                ("check", ["check.cpp", "main.cpp"],
                                 ["-DBOOST_TEST_DYN_LINK", "-lboost_unit_test_framework"])):
        objects = []
        for source in sources:
            objects.append(os.path.join(folder, f"{source}.o"))
            # Optimised once: else it is enough to see that it builds and is right.
            optimisation = "-O2" if name == "update_gate" else "-O0"
            run(*compiler, "-std=c++20", optimisation, "-Wall", "-Wextra", "-Werror", *flags, *more, "-c",
                os.path.join(here, source), "-o", objects[-1])
        run(*compiler, *objects, *flags, *more, "-o", name)
    learns("./update_gate", "pkg_config")
    checks("./check")


def by_cmake():
    run("cmake", "-S", here, "-B", "cmake", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_COMPILER=" + compiler[-1],
        *(["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if "ccache" in compiler[0] else []),
        "-DRewind_DIR=" + os.path.dirname(installed("RewindConfig.cmake")))
    run("cmake", "--build", "cmake", "-j", "2")
    learns("cmake/update_gate", "cmake")
    checks("cmake/check")


def by_meson():
    run("meson", "setup", "meson", here, "-Doptimization=0", PKG_CONFIG_PATH=os.path.dirname(installed("rewind.pc")))
    run("ninja", "-C", "meson", "-j", "2")
    learns("meson/update_gate", "meson")
    checks("meson/check")


def as_subproject():
    shutil.copytree(here, os.path.join(folder, "parent"))
    os.mkdir(os.path.join(folder, "parent", "subprojects"))
    os.symlink(root, os.path.join(folder, "parent", "subprojects", "rewind"))
    run("meson", "setup", "subproject", "parent", "-Doptimization=0", "--wrap-mode=forcefallback")
    run("ninja", "-C", "subproject", "-j", "2")
    checks("subproject/check")


def as_archive():
    run("meson", "dist", "-C", build, "--no-tests", "--allow-dirty", "--formats", "gztar")
    archives = [name for name in os.listdir(os.path.join(build, "meson-dist")) if name.endswith(".tar.gz")]
    expect(len(archives) == 1, f"{archives} in meson-dist")
    with tarfile.open(os.path.join(build, "meson-dist", archives[0])) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    for wanted in ("meson.build", "LICENSE", "CHANGELOG.md", "nn/nn.hpp", "tools/RewindConfig.cmake.in"):
        expect(wanted in names, f"the archive has no {wanted}")


cases = [install, by_pkg_config, by_cmake, by_meson, as_subproject]
if os.path.isdir(os.path.join(root, ".git")):
    cases.append(as_archive)
with open(os.path.join(build, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as file:
    options = {option["name"]: option["value"] for option in json.load(file)}
if options["optimization"] == "3" and options["default_library"] == "static":
    cases.append(small)
for case in cases:
    problems = []
    try:
        case()
    except Failed as failed:
        problems = [str(failed)]
    tap.report(case.__name__.replace("_", " "), problems)
tap.finish()
