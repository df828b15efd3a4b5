#include "nn/cells/lstm.hpp"

namespace rw::nn {

template struct Lstm<float>;
template struct Lstm<double>;

}  // namespace rw::nn
