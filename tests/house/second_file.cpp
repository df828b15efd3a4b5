#include "tests/house/second_file.hpp"

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

rw::Variable<double> half_squared_norm(const rw::Variable<double>& x) { return 0.5 * sum(x * x); }
