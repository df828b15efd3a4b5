#pragma once

#include <map>
#include <string>

namespace rw::optim {

/// What something must remember besides tensors, by name; for checkpoints.
using Numbers = std::map<std::string, double>;

/// The number of that name. Throws std::invalid_argument naming `op` where there is none.
double number(const char* op, const Numbers& numbers, const std::string& name);

}  // namespace rw::optim
