#pragma once

#include <string>
#include <utility>
#include <vector>

#include "autograd/tape.hpp"

namespace rw {

/// Variables and what to call them in a picture.
template <class T>
using Names = std::vector<std::pair<std::string, Variable<T>>>;

/// The records of a tape as a graph for Graphviz' `dot`: ops with the shapes of their results, an arrow from what an op
/// reads to it for each derivative, leaves as boxes. `names` are those of parameters, of what the tape watches, and of
/// results:
///     std::ofstream("graph.dot") << dot(tape, {{"x", x}, {w.name(), w}});      // dot -Tsvg graph.dot > graph.svg
template <class T>
std::string dot(const Tape<T>& tape, const Names<T>& names = {});

extern template std::string dot(const Tape<float>&, const Names<float>&);
extern template std::string dot(const Tape<double>&, const Names<double>&);

}  // namespace rw
