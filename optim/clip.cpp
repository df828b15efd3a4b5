#include "optim/clip.hpp"

#include <cmath>

namespace rw::optim {

template <class T>
double clip_global_norm(Gradients<T>& gradients, double limit) {
  if (!(limit > 0)) fail("clip_global_norm", "a limit above 0", limit);
  const double norm = gradients.norm();
  const double factor = limit / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) gradients.scale(static_cast<T>(factor));
  return norm;
}

template double clip_global_norm(Gradients<float>&, double);
template double clip_global_norm(Gradients<double>&, double);

}  // namespace rw::optim
