"""What holds for the source files as texts. A rule takes a folder and returns the problems it finds there."""

import os
import re

FLOORS = {  # who may include whom
    "autograd": {"autograd"},
    "nn": {"autograd", "nn"},
    "optim": {"autograd", "optim"},
    "examples": {"autograd", "nn", "optim", "examples"},
    "bench": {"autograd", "nn", "optim", "examples", "bench"},
    "tests": {"autograd", "nn", "optim", "examples", "tests"},
}
FOREIGN = {  # headers of other libraries, and the only files that may include them
    "xtensor/": {"autograd/shape.hpp", "autograd/tensor.hpp"},
    "xsimd/": {"autograd/lane.hpp"},
    "sys/single_threaded.h": {"autograd/variable.hpp"},
    "cblas.h": {"autograd/blas.cpp", "bench/child.cpp", "bench/floor.cpp"},
    "lapacke.h": {"autograd/blas.cpp", "nn/echo_state.cpp", "nn/spectral.cpp"},
    "mpi.h": {"optim/ranks_mpi.cpp"},
    "dlfcn.h": {"autograd/call_stack.cpp"},
    "dnnl.h": {"autograd/blas.cpp"},
    "onnx/": {"nn/onnx.cpp"},
    "unwind.h": {"autograd/call_stack.cpp"},
    "pmmintrin.h": {"autograd/subnormals.hpp"},
    "fftw3.h": {"examples/speech/sound.hpp"},
    "sndfile.h": {"examples/speech/sound.cpp"},
    "zlib.h": {"examples/digits/files.cpp"},
    "zip.h": {"nn/npz.cpp", "tests/nn/npz_test.cpp"},
    "link.h": {"autograd/call_stack.cpp"},
    "pthread.h": {"autograd/workers.cpp", "tests/autograd/tape_test.cpp", "tests/autograd/workers_test.cpp"},
    "sched.h": {"autograd/workers.cpp", "tests/autograd/workers_test.cpp"},
    "omp.h": {"autograd/blas.cpp", "bench/child.cpp"},
}
IN_LIBRARY = {"cxxabi.h": {"nn/snapshot.cpp"},
              "nlohmann/json.hpp": {"nn/safetensors.cpp"}}  # the same, where examples and tests may use them freely
POSIX = {"fcntl.h", "unistd.h"}
LIBRARY = ("autograd", "nn", "optim")
INTERNAL = {  # not for users
    "autograd/kernels/finite.hpp", "autograd/pass.hpp", "autograd/replacement.hpp", "nn/convert/layout.hpp",
    "nn/files.hpp", "optim/lanes.hpp"}
LONGEST = 400
LONGER = {"docs/from_pytorch.md": "twelve programs, each twice"}  # file: why it may be longer

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def files(root, *endings):
    """The project's own text files with these endings, as paths below the root."""
    found = []
    for folder, folders, names in os.walk(root):
        here = os.path.relpath(folder, root)
        hidden = [name for name in folders if name.startswith(".") and name != ".ci"]
        built = [name for name in folders if name.startswith("build") or name == "__pycache__"]
        folders[:] = sorted(set(folders) - set(hidden) - set(built))
        found += [os.path.normpath(os.path.join(here, name)) for name in sorted(names)]
    return [name for name in found if name.endswith(endings) or not endings]


def text(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read()


def includes(root, name):
    """(its path below the root where it is ours, the text between the quotes) of every #include."""
    for quote, target in INCLUDE.findall(text(root, name)):
        beside = os.path.normpath(os.path.join(os.path.dirname(name), target))
        ours = [path for path in (beside, target) if os.path.exists(os.path.join(root, path))]
        yield (ours[0] if quote == '"' and ours else None), target


def sources(root, folders=FLOORS):
    return [name for name in files(root, ".hpp", ".cpp") if name.split("/")[0] in folders]


def floors(root):
    problems = []
    for name in sources(root):
        floor = name.split("/")[0]
        for ours, target in includes(root, name):
            if ours and ours.split("/")[0] not in FLOORS[floor]:
                problems.append(f"{name} includes {target}: {floor}/ must not know {ours.split('/')[0]}/")
    return problems


def foreign_headers(root):
    problems = []
    for name in sources(root):
        library = name.split("/")[0] in LIBRARY
        for ours, target in includes(root, name):
            rules = {**FOREIGN, **IN_LIBRARY} if library else FOREIGN
            allowed = next((who for header, who in rules.items() if target.startswith(header)), None)
            standard = re.fullmatch(r"[a-z_0-9]+", target) or target in POSIX
            if ours is None and (name not in allowed if allowed is not None else library and not standard):
                users = ", ".join(sorted(allowed or {"nobody here"}))
                problems.append(f"{name} includes {target}, which is for {users}")
    return problems


def umbrellas(root):
    """autograd/autograd.hpp, nn/nn.hpp and optim/optim.hpp lead to every public header of their folder."""
    problems = []
    for floor in LIBRARY:
        reached, open_ = set(), [f"{floor}/{floor}.hpp"]
        while open_:
            name = open_.pop()
            if name not in reached and os.path.exists(os.path.join(root, name)):
                reached.add(name)
                open_ += [ours for ours, _ in includes(root, name) if ours]
        headers = {name for name in sources(root, {floor}) if name.endswith(".hpp")} - INTERNAL
        problems += [f"{floor}/{floor}.hpp does not lead to {name}" for name in sorted(headers - reached)]
    return problems


def headers_are_guarded(root):
    return [f"{name} has no #pragma once" for name in sources(root)
            if name.endswith(".hpp") and "#pragma once" not in text(root, name)]


def everything_is_built(root):
    """Every .cpp file is named in a meson.build above it: a forgotten test would pass for ever."""
    built = set()
    for build in files(root, "meson.build"):
        for quoted in re.findall(r"'([^'\n]+\.cpp)'", text(root, build)):
            built.add(os.path.normpath(os.path.join(os.path.dirname(build), quoted)))
    return [f"{name} is in no meson.build" for name in sources(root) if name.endswith(".cpp") and name not in built]


def short_files(root):
    problems = []
    scripts = [name for name in files(root) if name.split("/")[0] in ("tools", ".ci")]
    for name in files(root, ".hpp", ".cpp", ".py", ".build", ".md") + scripts:
        lines = text(root, name).count("\n")
        if lines > LONGEST and name not in LONGER:
            problems.append(f"{name} has {lines} lines, more than {LONGEST}")
    return problems


def speaks_of_itself(root):
    """No file knows a place outside the project; only .ci/run knows where its data may lie."""
    outside = re.compile(r"\b[s]essions?\b|(?<![\w.])/[w]ork\b|\.\./[s]hared\b", re.IGNORECASE)
    problems = []
    for name in files(root):
        if name == ".ci/run" or name.endswith((".tsv", ".safetensors", ".npz", ".model")):
            continue
        for number, line in enumerate(text(root, name).splitlines(), 1):
            if outside.search(line):
                problems.append(f"{name}:{number}: {line.strip()}")
    return problems


def versions_agree(root):
    """The build, the header and the first version in the changes name the same one."""
    patterns = {"meson.build": r"  version: '(.*)',", "autograd/version.hpp": r'REWIND_VERSION "(.*)"',
                "CHANGELOG.md": r"## (\d.*)"}
    found = {name: re.search(pattern, text(root, name))[1] for name, pattern in patterns.items()}
    parts = re.findall(r"REWIND_VERSION_[A-Z]+ (\d+)", text(root, "autograd/version.hpp"))
    found["the parts in autograd/version.hpp"] = ".".join(parts)
    return [f"versions differ: {found}"] if len(set(found.values())) > 1 else []


ALL = [floors, foreign_headers, umbrellas, headers_are_guarded, everything_is_built, short_files, speaks_of_itself,
       versions_agree]
