#pragma once

#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <string>
#include <utility>

/// What `interpreter` says to a program, and its exit code.
inline std::pair<std::string, int> ask(const std::string& interpreter, const std::string& program) {
  std::string output;
  FILE* pipe = ::popen((interpreter + " -c '" + program + "' 2>&1").c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  char part[256];
  while (std::fgets(part, sizeof part, pipe) != nullptr) output += part;
  const int status = ::pclose(pipe);
  return {output, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

/// The Python that has these packages, `a b`: the user's, else the system's, whose packages are Debian's; empty
/// where neither has.
inline std::string python_with(const std::string& packages) {
  const std::string search =
      "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, \"" + packages + "\".split())))";
  for (const std::string interpreter : {"python3", "/usr/bin/python3"}) {
    if (ask(interpreter, search).second == 0) return interpreter;
  }
  return "";
}

/// For a case that asks Python: it is skipped, and counted so, where no Python has these packages.
inline boost::unit_test::precondition needs_python(const std::string& packages) {
  return boost::unit_test::precondition([packages](boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result found = !python_with(packages).empty();
    found.message() << "no Python has all of " << packages;
    return found;
  });
}

/// What the program says to the Python that has these packages; it must succeed.
inline std::string python(const std::string& packages, const std::string& program) {
  const auto [output, code] = ask(python_with(packages), program);
  BOOST_TEST(code == 0, output);
  return output;
}
