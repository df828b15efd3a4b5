#pragma once

#include <sys/types.h>

#include "bench/contender.hpp"

namespace bench {

/// A contender in a process of its own, so that thread pools, allocators and peak memory stay apart. It works only
/// while it is asked something. Everything throws std::runtime_error, naming the contender, where the process died or
/// the contender threw.
class Child {
 public:
  Child(std::string name, const MakeContender& make, const Task& task);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  const std::string& name() const { return name_; }

  Results results();

  /// Does n steps; the seconds of each.
  std::vector<double> steps(std::size_t n);

  /// The most memory that was in use since results(), less what the process began with, in MB.
  double peak_mb();

 private:
  std::string ask(char what, std::size_t n = 0);

  std::string name_;
  int socket_ = -1;
  pid_t process_ = -1;
};

}  // namespace bench
