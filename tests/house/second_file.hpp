#pragma once

#include "autograd/variable.hpp"

/// ½·Σxᵢ².
rw::Variable<double> half_squared_norm(const rw::Variable<double>& x);
