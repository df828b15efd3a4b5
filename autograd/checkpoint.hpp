#pragma once

#include "autograd/record.hpp"

namespace rw {

/// f(), a vector of variables, as one operation: the tape keeps its results, and the backward pass computes it again to
/// go back through it (Griewank 1992; Chen et al. 2016). Memory then holds the records of one such part at a time, for
/// the price of a second forward pass.
///     const auto ys = checkpoint<float>([=, &layer] { return std::vector{layer(x)}; });
/// What f reads is found out: parameters and variables of the tape, captured by value, receive their gradients. It must
/// compute the same again: random numbers from a copied source, what it refers to alive and unchanged.
/// The backward pass throws std::invalid_argument where it is itself recorded, or where f reads other values than it
/// did, as those of a parameter that was changed.
template <class T, class F>
std::vector<Variable<T>> checkpoint(F f) {
  Tape<T>* around = Tape<T>::current();
  if (around == nullptr) return f();
  const auto run = [around, f = std::move(f)] {
    std::vector<Variable<T>> ys = f();
    for (Variable<T>& y : ys) {
      if (around->holds(y)) y = record(moving("checkpoint"), y, same(y));  // handed on as it is: that, too, is read
    }
    return ys;
  };
  std::vector<Variable<T>> ys;
  List<Variable<T>> reads;
  {
    Tape<T> part(*around);
    for (const Variable<T>& y : run()) ys.push_back(y.detached());
    reads = part.reads();
  }
  std::vector<const Variable<T>*> inputs;
  for (const Variable<T>& x : reads) inputs.push_back(&x);
  const auto derivative = [run, around, reads](std::span<const Variable<T>> dys, Flow<T>& flow) {
    if (Tape<T>::current() != nullptr) fail("checkpoint", "a backward pass that is not recorded", "a recorded one");
    const auto recomputed = [&] {
      Tape<T> part(*around);
      const std::vector<Variable<T>> again = run();
      const auto unchanged = [](const Variable<T>& a, const Variable<T>& b) {
        return a.place() == b.place() && a.same_value(b);
      };
      if (!std::equal(reads.begin(), reads.end(), part.reads().begin(), part.reads().end(), unchanged)) {
        fail("checkpoint", "the values that the forward pass read", "others");
      }
      return part.backward(again, dys);
    };
    const Gradients<T> gradients = recomputed();
    for (std::size_t i = 0; i < reads.size(); ++i) {
      if (const RowSparse<T>* rows = gradients.rows(reads[i])) {
        flow.add(i, *rows);
      } else if (gradients.has(reads[i])) {
        flow.add(i, gradients[reads[i]]);
      }
    }
  };
  record_all(moving("checkpoint"), std::span<Variable<T>>(ys), wrt(inputs, derivative));
  return ys;
}

}  // namespace rw
