#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include "autograd/call_stack.hpp"
#include "autograd/variable.hpp"

namespace rw {

/// What an op is called, and whether it only moves or chooses elements, as `slice` and `where` do: its results are then
/// elements of its inputs, and its gradients elements of theirs or sums of those.
struct OpName {
  OpName(const char* name, bool moves = false) : name(name), moves(moves) {}

  const char* name;
  bool moves;
};
inline OpName moving(const char* op) { return {op, true}; }

/// An operation on a tape.
struct Operation {
  const char* name;
  bool moves;          // see OpName
  std::uint64_t tape;  // its run, see Place
  std::size_t node;    // counted in the order of recording
  // The calls that led to it, nullptr where nobody wanted to be told of anomalies when it was recorded.
  const CallStack* calls;
};

/// What looks on, while it is in scope, at the tapes of its thread, and of the threads of Workers that are set to work
/// there: then it is called by several threads at once. Several may look on. While one is called nobody does, and it
/// must record nothing. It may throw, which ends what it was told of; but not where a tape is cleared.
class Observer {
 public:
  /// Variables of either type.
  using Values = std::variant<std::span<const Variable<float>>, std::span<const Variable<double>>>;

  /// What there is to be told.
  enum Events : unsigned {
    of_tapes = 1,
    of_records = 2,
    of_derivatives = 4,
    of_turns = 8,
    of_ops = 15,        // all of these
    of_anomalies = 16,  // for which each element is looked at
  };

  /// wanted: the sum of Events to be told of. One around it that wants more is told of more, and so is this one.
  explicit Observer(unsigned wanted = of_ops)
      : outer_(innermost), wanted_(outer_ != nullptr ? outer_->wanted_ | wanted : wanted) {
    innermost = this;
  }
  virtual ~Observer() { innermost = outer_; }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// of_tapes: a tape begins to record, and forgets its records.
  virtual void started(std::uint64_t /*tape*/) {}
  virtual void cleared(std::uint64_t /*tape*/) {}

  /// of_records: an op was recorded. Results that are made later, as those of Slices, are not among `results`.
  virtual void recorded(const Operation&, const Values& /*results*/) {}

  /// of_turns: the backward pass comes to an op, leaves it.
  virtual void goes_back(const Operation&) {}
  virtual void went_back(const Operation&) {}

  /// of_derivatives: it has one gradient from an op's derivatives. Products and what is added up are seen as the
  /// gradients of leaves, at the end.
  virtual void derived(const Operation&, const Values& /*gradient*/) {}

  /// of_anomalies: what an op made is not finite, "forward" or "backward", or the gradient of a leaf is not.
  virtual void not_finite(const Operation&, const Values&, const char* /*pass*/) {}

  /// The innermost that looks on at this thread, or nullptr.
  static Observer* current() { return innermost; }

  /// Whether anybody who looks on at this thread wants to be told of one of these.
  static bool wanted(unsigned events) { return innermost != nullptr && (innermost->wanted_ & events) != 0; }

  template <class... Args>
  [[gnu::noinline]] static void tell(void (Observer::*event)(Args...), const std::type_identity_t<Args>&... args) {
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
  unsigned wanted_;  // by it and those around it
};

}  // namespace rw
