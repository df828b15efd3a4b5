#pragma once

#include "autograd/tape.hpp"

namespace rw {

/// What a backward pass knows so far.
template <class T>
struct Tape<T>::Pass {
  Pass(const Tape& tape, bool records)
      : sums(tape.slots_.size()), taken(tape.regions_.size(), records), wholes(tape.wholes_.size()) {}

  List<GradientSum<T>> sums;  // one a slot
  List<char> taken;           // regions that were given to one gradient; a second one must not overwrite it
  List<Variable<T>> wholes;   // made with the first region asked for
};

}  // namespace rw
