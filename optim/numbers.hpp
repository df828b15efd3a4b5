#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace rw::optim {

/// What something must remember besides tensors, by name; for snapshots.
using Numbers = std::map<std::string, double>;

/// The number of that name. Throws std::invalid_argument naming `op` where there is none.
double number(const char* op, const Numbers& numbers, const std::string& name);

/// The same for what was counted. Throws std::invalid_argument also where it is no whole number in [0, 2⁵³].
std::uint64_t count(const char* op, const Numbers& numbers, const std::string& name);

}  // namespace rw::optim
