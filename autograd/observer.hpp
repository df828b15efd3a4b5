#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include "autograd/call_stack.hpp"
#include "autograd/variable.hpp"

namespace rw {

/// An operation on a tape.
struct Operation {
  const char* name;
  std::uint64_t tape;       // its run, see Place
  std::size_t node;         // counted in the order of recording
  const CallStack** calls;  // where observers may keep what led to it, nullptr before; no place for a seed
};

/// What looks on, while it is in scope, at the tapes of its thread, and of the threads of Workers that are set to work
/// there: then it is called by several threads at once. Several may look on. While one is called nobody does, and it
/// must record nothing. It may throw, which ends what it was told of; but not where a tape is cleared.
class Observer {
 public:
  /// Variables of either type.
  using Values = std::variant<std::span<const Variable<float>>, std::span<const Variable<double>>>;

  Observer() : outer_(innermost) { innermost = this; }
  virtual ~Observer() { innermost = outer_; }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// A tape begins to record, and forgets its records.
  virtual void started(std::uint64_t /*tape*/) {}
  virtual void cleared(std::uint64_t /*tape*/) {}

  /// An op was recorded. Results that are made later, as those of Slices, are not among `results`.
  virtual void recorded(const Operation&, const Values& /*results*/) {}

  /// The backward pass comes to an op, has one gradient from its derivatives, leaves it. Products and what is added up
  /// are seen as the gradients of leaves, at the end.
  virtual void goes_back(const Operation&) {}
  virtual void derived(const Operation&, const Values& /*gradient*/) {}
  virtual void went_back(const Operation&) {}

  /// The innermost that looks on at this thread, or nullptr: then nobody has to be told.
  static Observer* current() { return innermost; }

  template <class... Args>
  static void tell(void (Observer::*event)(Args...), const std::type_identity_t<Args>&... args) {
    Observer* const first = innermost;
    const Lent nobody(nullptr);
    for (Observer* o = first; o != nullptr; o = o->outer_) (o->*event)(args...);
  }

  /// While in scope, `observer` and those around it look on at this thread instead of its own.
  class Lent {
   public:
    explicit Lent(Observer* observer) : own_(std::exchange(innermost, observer)) {}
    ~Lent() { innermost = own_; }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

   private:
    Observer* own_;
  };

 private:
  static inline constinit thread_local Observer* innermost = nullptr;

  Observer* outer_;
};

}  // namespace rw
