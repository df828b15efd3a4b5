#pragma once

#include <string>

#include "nn/parameters.hpp"

namespace rw::nn {

struct SummaryOptions {
  bool statistics = false;  // mean and standard deviation of the elements of each parameter
};

/// The parameters of a model as a table, a line each with name, shape, elements and bytes, and a line of sums:
///     name          shape    elements  bytes
///     weight_ih     [2, 16]        32    128
///     bias          [16]           16     64
///     2 parameters                 48    192
template <class T>
std::string summary(const Parameters<T>& parameters, const SummaryOptions& options = {});

/// The same of whatever has parameters().
template <class M>
requires requires(M& model) { model.parameters(); }
std::string summary(M& model, const SummaryOptions& options = {}) { return summary(model.parameters(), options); }

}  // namespace rw::nn
