#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "autograd/tensor.hpp"

namespace rw::nn {

/// A tensor of one of the element types that files hold.
using AnyTensor = std::variant<Tensor<float>, Tensor<double>, Indices, Tensor<std::uint8_t>>;

using NamedTensors = std::map<std::string, AnyTensor>;

/// The tensor of that name and element type. Throws std::runtime_error where there is none.
template <class T>
const Tensor<T>& get(const NamedTensors& tensors, const std::string& name);

}  // namespace rw::nn
