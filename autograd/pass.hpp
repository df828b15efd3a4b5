#pragma once

#include "autograd/tape.hpp"

namespace rw {

/// What a backward pass knows so far.
template <class T>
struct Tape<T>::Pass {
  Pass(const Tape& tape, bool records)
      : sums(tape.slots_.size()), taken(tape.regions_.size(), records), wholes(tape.wholes_.size()) {}

  /// The elements of a whole from `begin` on; made with the first region asked for.
  struct Stretch {
    Variable<T> gradients;
    std::size_t begin = 0;
  };

  List<GradientSum<T>> sums;  // one a slot
  List<char> taken;           // regions that were given to one gradient; a second one must not overwrite it
  List<Stretch> wholes;       // the stretch last asked for
};

}  // namespace rw
