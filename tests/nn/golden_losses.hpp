#pragma once

#include "tests/nn/golden_case.hpp"

namespace golden {

/// A loss of PyTorch: its value and every gradient.
void check_loss(Case& c);

}  // namespace golden
