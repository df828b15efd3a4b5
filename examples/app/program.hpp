#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>

// What every example's command line has in common.

namespace app {

constexpr int failure = 1, misuse = 2, stopped = 130;  // exit codes; the last as a shell reports Ctrl-C

struct Common {
  std::uint64_t seed = 1;
  std::size_t threads = 2;
  bool quiet = false, smoke = false;
  std::string log = {};  // where the curve goes, an object of JSON a line
};

/// Adds --seed, --threads, --quiet, --log and, where it is explained, --smoke.
void add_common(CLI::App& flags, Common& common, const std::string& smoke = {});

/// Parses the command line and runs `body`, which returns the exit code. A wrong flag is told in one line, as is an
/// exception of `body`, and output that could not be written.
int run(CLI::App& flags, int argc, char** argv, const std::function<int()>& body);

/// Whether Ctrl-C was pressed since the first call of this function, after which only the second one ends the program.
bool interrupted();

/// Adds a flag for a whole number in [least, most], or a number in [low, high], and shows its default.
CLI::Option* add_count(CLI::App& flags, const std::string& name, std::size_t& value, const std::string& what,
                       std::size_t most, std::size_t least = 1);
CLI::Option* add_number(CLI::App& flags, const std::string& name, double& value, const std::string& what, double low,
                        double high);

/// What a --smoke run takes for a flag that was not given.
template <class T>
void smaller(const CLI::App& flags, const std::string& name, T& value, std::type_identity_t<T> small) {
  if (flags.count(name) == 0) value = small;
}

/// A number in [low, high]; nan is none.
CLI::Validator between(double low, double high);

/// A whole number of at most 18 digits.
extern const CLI::Validator natural;

/// printf() unless quiet, and at once.
[[gnu::format(printf, 2, 3)]] void say(const Common& common, const char* format, ...);

}  // namespace app
