#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rw {

class Observer;

/// A fixed team of threads for one shard of a batch each. The threads stay, and with them their recycled memory.
class Workers {
 public:
  /// `count` workers, the calling thread included. Throws std::invalid_argument where count is 0.
  explicit Workers(std::size_t count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t count() const { return threads_.size() + 1; }

  /// Runs task(0) ... task(count() - 1), each on its own thread, and waits for all; task(0) runs on the calling thread,
  /// the others on the cores that the caller may use and is not on, where these suffice.
  /// Observers of the calling thread look on at all of them. Rethrows the exception of the lowest-numbered task that
  /// threw.
  void run(const std::function<void(std::size_t)>& task);

 private:
  void work(std::size_t index);
  void leave_callers_core();

  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(std::size_t)>* task_ = nullptr;
  Observer* observer_ = nullptr;
  std::size_t round_ = 0, running_ = 0;
  int callers_core_ = -1;
  bool stop_ = false;
  std::vector<std::exception_ptr> errors_;
  std::vector<std::thread> threads_;
};

}  // namespace rw
