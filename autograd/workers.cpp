#include "autograd/workers.hpp"

#include <pthread.h>
#include <sched.h>

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

// Waking a thread, the kernel likes the core of who wakes it, and of a virtual machine it takes a core that sleeps for
// one that is not to be had: both share a core then, step after step, while another has nothing to do.
void Workers::leave_callers_core() {
  const int core = sched_getcpu();
  if (core < 0 || core == callers_core_) return;
  callers_core_ = core;
  cpu_set_t cores;
  if (pthread_getaffinity_np(pthread_self(), sizeof cores, &cores) != 0) return;
  CPU_CLR(static_cast<std::size_t>(core), &cores);
  if (static_cast<std::size_t>(CPU_COUNT(&cores)) < threads_.size()) return;
  for (std::thread& thread : threads_) pthread_setaffinity_np(thread.native_handle(), sizeof cores, &cores);
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
  leave_callers_core();
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
