#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

namespace rw {

/// A file that takes the place of another, or of none, at commit(): at any moment there is the old one or the new one,
/// whole, even after a crash. It is written as `path`.part beside it; without commit() nothing is left of that.
/// Where `path` is a link, the file behind it is replaced. Throws std::system_error.
class Replacement {
 public:
  explicit Replacement(const std::string& path) {
    namespace fs = std::filesystem;
    const fs::path target = fs::weakly_canonical(fs::absolute(path));
    if (fs::is_directory(target)) fail_with(EISDIR);
    if (fs::exists(target) && !fs::is_regular_file(target)) fail_with(EINVAL);  // a rename would replace a device
    target_ = target;
    part_ = target_ + ".part";
    fd_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd_ < 0) fail_with(errno);
  }

  ~Replacement() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(part_.c_str());
  }

  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno != EINTR) fail_with(errno);
      if (n > 0) bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  void commit() {
    while (::fsync(fd_) != 0) {
      if (errno != EINTR) fail_with(errno);
    }
    if (::rename(part_.c_str(), target_.c_str()) != 0) fail_with(errno);
    ::close(fd_);
    fd_ = -1;
    const std::string folder = std::filesystem::path(target_).parent_path();
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // so that the new name lasts as well
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
  }

 private:
  [[noreturn]] static void fail_with(int error) { throw std::system_error(error, std::generic_category()); }

  std::string target_, part_;
  int fd_ = -1;
};

}  // namespace rw
