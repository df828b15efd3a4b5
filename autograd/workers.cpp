#include "autograd/workers.hpp"

#include "autograd/check.hpp"
#include "autograd/observer.hpp"

namespace rw {

Workers::Workers(std::size_t count) : errors_(count) {
  if (count == 0) fail("workers", "at least one worker", count);
  for (std::size_t i = 1; i < count; ++i) threads_.emplace_back([this, i] { work(i); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::work(std::size_t index) {
  for (std::size_t seen = 0;;) {
    std::unique_lock lock(mutex_);
    start_.wait(lock, [&] { return stop_ || round_ != seen; });
    if (stop_) return;
    seen = round_;
    lock.unlock();
    const Observer::Lent observed(observer_);
    try {
      (*task_)(index);
    } catch (...) {
      errors_[index] = std::current_exception();
    }
    lock.lock();
    if (--running_ == 0) done_.notify_one();
  }
}

void Workers::run(const std::function<void(std::size_t)>& task) {
  for (std::exception_ptr& error : errors_) error = nullptr;
  {
    const std::lock_guard lock(mutex_);
    task_ = &task;
    observer_ = Observer::current();
    running_ = threads_.size();
    ++round_;
  }
  start_.notify_all();
  try {
    task(0);
  } catch (...) {
    errors_[0] = std::current_exception();
  }
  {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return running_ == 0; });
  }
  for (const std::exception_ptr& error : errors_) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace rw
