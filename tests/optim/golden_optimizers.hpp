#pragma once

#include "tests/nn/golden_case.hpp"

namespace golden {

/// The path that an optimiser of PyTorch took.
void check_optimizer(Case& c);

}  // namespace golden
