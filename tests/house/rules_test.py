"""Holds the rules against the project, and against planted offenders that each rule must catch."""

import os
import sys
import tempfile

import rules
import tap

VERSION = {
    "meson.build": "project('a', 'cpp',\n  version: '1.2.3',\n",
    "autograd/version.hpp": "#pragma once\n#define REWIND_VERSION_MAJOR 1\n#define REWIND_VERSION_MINOR 2\n"
                            '#define REWIND_VERSION_PATCH 3\n#define REWIND_VERSION "1.2.3"\n',
    "CHANGELOG.md": "# Changes\n\n## 1.2.3\n",
}
OFFENDERS = {
    "floors": {"nn/a.hpp": '#include "optim/b.hpp"\n', "optim/b.hpp": ""},
    "floors by a relative path": {"autograd/a.cpp": '  # include "../tests/b.hpp"\n', "tests/b.hpp": ""},
    "foreign_headers": {"autograd/ops/a.hpp": "#include <xtensor/xmath.hpp>\n"},
    "foreign_headers in an example": {"examples/a.cpp": "#include <cblas.h>\n"},
    "foreign_headers unheard of": {"nn/a.cpp": "#include <fmt/core.h>\n"},
    "umbrellas": {"nn/nn.hpp": '#include "nn/a.hpp"\n', "nn/a.hpp": "", "nn/b.hpp": ""},
    "headers_are_guarded": {"nn/a.hpp": "int a();\n"},
    "everything_is_built": {"tests/nn/a.cpp": "", "tests/meson.build": "files('nn/b.cpp')\n"},
    "short_files": {"nn/a.cpp": "\n" * (rules.LONGEST + 1)},
    "versions_agree": {**VERSION, "CHANGELOG.md": "# Changes\n\n## 1.2.4\n"},
    "speaks_of_itself": {"docs/a.md": "see ../sha" + "red/data\n"},
}
INNOCENT = {
    **VERSION,
    "autograd/autograd.hpp": '#pragma once\n#include "autograd/blas.hpp"\n#include "autograd/version.hpp"\n',
    "autograd/blas.hpp": "#pragma once\n#include <vector>\n",
    "autograd/blas.cpp": '#include <cblas.h>\n#include "blas.hpp"\n',
    "autograd/meson.build": "files('blas.cpp')\n",
    "docs/a.md": "a network/workers.hpp\n" * rules.LONGEST,
}


def planted(tree, rule):
    with tempfile.TemporaryDirectory() as root:
        for name, content in tree.items():
            os.makedirs(os.path.join(root, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(content)
        return rule(root)


for rule in rules.ALL:
    tap.report(rule.__name__, rule(sys.argv[1]))
    tap.report(f"{rule.__name__} lets the innocent go", planted(INNOCENT, rule))
for name, tree in OFFENDERS.items():
    caught = planted(tree, getattr(rules, name.split()[0]))
    tap.report(f"{name} catches an offender", [] if len(caught) == 1 else [f"expected one problem; got {caught}"])
tap.finish()
