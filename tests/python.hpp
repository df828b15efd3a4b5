#pragma once

#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <string>

/// Runs a Python program, which exits with 77 where a package that it needs is missing: with the user's Python, else
/// with the system's, whose packages are Debian's. False where neither can run it; else it must succeed.
inline bool python(const std::string& program, std::string& output) {
  for (const std::string interpreter : {"python3", "/usr/bin/python3"}) {
    output.clear();
    FILE* pipe = ::popen((interpreter + " -c '" + program + "' 2>&1").c_str(), "r");
    BOOST_REQUIRE(pipe != nullptr);
    char part[256];
    while (std::fgets(part, sizeof part, pipe) != nullptr) output += part;
    const int status = ::pclose(pipe);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 77 || code == 127) continue;
    BOOST_TEST(code == 0, output);
    return true;
  }
  return false;
}
