#pragma once

#include "autograd/gradients.hpp"

namespace rw::optim {

/// Clips all gradients as one vector: g ← g·limit / (‖g‖ + 10⁻⁶) where that makes it shorter (Pascanu, Mikolov &
/// Bengio 2013). Returns ‖g‖ as it was. Where it is not finite the gradients stay as they are: whoever wants to skip
/// such a step asks std::isfinite of the result. Throws std::invalid_argument where limit is not above 0.
template <class T>
double clip_global_norm(Gradients<T>& gradients, double limit);

}  // namespace rw::optim
