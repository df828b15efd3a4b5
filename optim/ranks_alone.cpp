#include <cstdio>
#include <cstdlib>

#include "optim/ranks.hpp"

// Without MPI there is one process.

namespace rw::optim {

Ranks::Ranks() = default;
Ranks::~Ranks() = default;

template <class T>
Gradients<T> Ranks::sum(const std::vector<Parameter<T>*>&, Gradients<T> gradients) {
  return gradients;
}

double Ranks::sum(double x) { return x; }

template <class T>
void Ranks::broadcast(const std::vector<Parameter<T>*>&) {}

void Ranks::barrier() {}

void Ranks::abort(const std::string& message) const {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

template Gradients<float> Ranks::sum(const std::vector<Parameter<float>*>&, Gradients<float>);
template Gradients<double> Ranks::sum(const std::vector<Parameter<double>*>&, Gradients<double>);
template void Ranks::broadcast(const std::vector<Parameter<float>*>&);
template void Ranks::broadcast(const std::vector<Parameter<double>*>&);

}  // namespace rw::optim
