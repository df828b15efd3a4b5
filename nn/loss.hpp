#pragma once

// Losses. Each has two functions: L_elements or L_rows gives what every element or row costs, for losses with weights
// of one's own, or for sum(L_rows(...)); L alone is the mean, a variable of one element. All of them may be
// differentiated twice. For sequences without alignment see nn/ctc.hpp.

#include "nn/loss/classes.hpp"
#include "nn/loss/elements.hpp"
#include "nn/loss/vectors.hpp"
