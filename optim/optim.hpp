#pragma once

// All optimisers and what goes with them.

#include "optim/adam.hpp"
#include "optim/clip.hpp"
#include "optim/sgd.hpp"
