#include "autograd/replacement.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>
#include <vector>

#include "tests/folder.hpp"

// A crash cannot be had in a test; the calls that outlast it can be watched, in their order.

namespace {

std::vector<std::string> calls;
std::vector<int> faults;  // errors that the next calls of fsync give

std::string path_of(int fd) { return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)); }

}  // namespace

// In place of the C library's.
extern "C" int fsync(int fd) {
  struct stat status {};
  ::fstat(fd, &status);
  calls.push_back("fsync " + path_of(fd) + (S_ISREG(status.st_mode) ? " " + std::to_string(status.st_size) : ""));
  if (faults.empty()) return static_cast<int>(::syscall(SYS_fsync, fd));
  errno = faults.back();
  faults.pop_back();
  return -1;
}
extern "C" int rename(const char* from, const char* to) noexcept {
  calls.push_back(std::string("rename ") + from + " " + to);
  return ::renameat(AT_FDCWD, from, AT_FDCWD, to);
}

namespace {

struct Watched : Folder {
  std::string target = std::filesystem::canonical(path) / "x", part = target + ".part", folder = path;

  Watched() {
    std::ofstream(target) << "old";
    calls.clear();
    faults.clear();
  }

  void replace() const {
    rw::Replacement file(target);
    file.write(std::as_bytes(std::span("new one", 7)));
    file.commit();
  }

  std::string contents() const {
    std::ifstream in(target);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

using Calls = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(replacement, Watched)

BOOST_AUTO_TEST_CASE(all_bytes_are_synced_then_renamed_then_the_folder_is_synced) {
  replace();
  const Calls expected{"fsync " + part + " 7", "rename " + part + " " + target,
                       "fsync " + std::filesystem::canonical(path).string()};
  BOOST_TEST(calls == expected, boost::test_tools::per_element());
  BOOST_TEST(contents() == "new one");
}

BOOST_AUTO_TEST_CASE(what_is_not_synced_replaces_nothing) {
  faults = {EIO};
  BOOST_CHECK_EXCEPTION(replace(), std::system_error, [](const auto& error) { return error.code().value() == EIO; });
  BOOST_TEST(calls == Calls{"fsync " + part + " 7"}, boost::test_tools::per_element());
  BOOST_TEST(contents() == "old");
  BOOST_TEST(files() == 1u);
}

BOOST_AUTO_TEST_CASE(a_sync_that_a_signal_stops_is_begun_again) {
  faults = {EINTR, EINTR};
  replace();
  BOOST_TEST(calls.size() == 5u);
  BOOST_TEST(contents() == "new one");
}

BOOST_AUTO_TEST_SUITE_END()
