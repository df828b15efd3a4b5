#include "examples/app/program.hpp"

#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <new>
#include <stdexcept>

namespace app {
namespace {

volatile std::sig_atomic_t pressed = 0;

}  // namespace

// CLI::Range lets nan through, and CLI::NonNegativeNumber spells out the largest number.
CLI::Validator between(double low, double high) {
  char range[64];
  std::snprintf(range, sizeof range, "[%g, %g]", low, high);
  const auto problem = [=, text = std::string(range)](const std::string& value) {
    double x = 0;
    const bool good = CLI::detail::lexical_cast(value, x) && x >= low && x <= high;
    return good ? std::string() : "Value " + value + " not in " + text;
  };
  return {problem, range};
}

const CLI::Validator natural(
    [](const std::string& value) {
      const bool good = value.find_first_not_of("0123456789") == value.npos && !value.empty() && value.size() < 19;
      return good ? std::string() : "Value " + value + " is not a natural number of at most 18 digits";
    },
    "NATURAL");

CLI::Option* add_count(CLI::App& flags, const std::string& name, std::size_t& value, const std::string& what,
                       std::size_t most, std::size_t least) {
  return flags.add_option(name, value, what)->check(CLI::Range(least, most))->capture_default_str();
}

CLI::Option* add_number(CLI::App& flags, const std::string& name, double& value, const std::string& what, double low,
                        double high) {
  return flags.add_option(name, value, what)->check(between(low, high))->capture_default_str();
}

void add_common(CLI::App& flags, Common& common, const std::string& smoke) {
  flags.add_option("--seed", common.seed, "same seed and threads, same numbers")->check(natural)->capture_default_str();
  add_count(flags, "--threads", common.threads, "threads that share the work", 256);
  flags.add_option("--log", common.log, "file for the curve, an object of JSON a line");
  flags.add_flag("--quiet", common.quiet, "errors and the result, nothing else");
  if (!smoke.empty()) flags.add_flag("--smoke", common.smoke, smoke);
}

int run(CLI::App& flags, int argc, char** argv, const std::function<int()>& body) {
  const std::string name = flags.get_name();
  try {
    flags.parse(argc, argv);
    const int code = body();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw std::runtime_error("the output could not be written");
    return code;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return flags.exit(error);
    std::fprintf(stderr, "%s: %s (see --help)\n", name.c_str(), error.what());
    return misuse;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s: not enough memory; smaller batches or models need less\n", name.c_str());
    return failure;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return failure;
  }
}

bool interrupted() {
  static const auto before = std::signal(SIGINT, [](int) {
    pressed = 1;
    std::signal(SIGINT, SIG_DFL);
  });
  (void)before;
  return pressed != 0;
}

void say(const Common& common, const char* format, ...) {
  if (common.quiet) return;
  std::va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::fflush(stdout);
}

}  // namespace app
