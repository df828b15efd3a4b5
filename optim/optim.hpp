#pragma once

// All optimisers and what goes with them.

#include "optim/adadelta.hpp"
#include "optim/adagrad.hpp"
#include "optim/adam.hpp"
#include "optim/average.hpp"
#include "optim/clip.hpp"
#include "optim/lion.hpp"
#include "optim/numbers.hpp"
#include "optim/ranks.hpp"
#include "optim/rmsprop.hpp"
#include "optim/schedule.hpp"
#include "optim/sgd.hpp"
#include "optim/validation.hpp"
