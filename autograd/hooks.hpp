#pragma once

#include <functional>
#include <type_traits>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"

// Looking at values and gradients as they come by, and at gradients also changing them.

namespace rw {

/// x; the gradient that reaches it from here is f(dy), or stays as it is where f returns nothing.
///     h = on_gradient(h, [](const Variable<float>& dh) { return clip(dh, -1, 1); });
/// It is called once in a backward pass that reaches it. The backward pass throws std::invalid_argument where f returns
/// another shape.
template <class T, class F>
Variable<T> on_gradient(const Variable<T>& x, F f) {
  const auto dx = [f = std::move(f)](const Variable<T>& dy) -> Variable<T> {
    if constexpr (std::is_void_v<std::invoke_result_t<const F&, const Variable<T>&>>) {
      f(dy);
      return dy;
    } else {
      return f(dy);
    }
  };
  return record("on_gradient", x, wrt(x, dx));
}

/// x, which f is shown now, as a constant.
template <class T, class F>
Variable<T> on_value(const Variable<T>& x, const F& f) {
  f(x.detached());
  return x;
}

/// While in scope, f(op, value), with the op's name and a Variable as a constant, is called for every result of that
/// type that is recorded here or by Workers set to work here; then it must bear being called from several threads.
///     const OnRecord<float> hook([&](const char* op, const Variable<float>& value) { ... });
/// What it computes is not recorded.
template <class T>
class OnRecord : public Observer {
 public:
  explicit OnRecord(std::function<void(const char* op, const Variable<T>& value)> f)
      : Observer(of_records), f_(std::move(f)) {}

  void recorded(const Operation& op, const Values& results) override {
    const auto* ys = std::get_if<std::span<const Variable<T>>>(&results);
    if (ys == nullptr) return;
    const Pause<T> pause;
    for (const Variable<T>& y : *ys) f_(op.name, y.detached());
  }

 private:
  std::function<void(const char* op, const Variable<T>& value)> f_;
};

}  // namespace rw
