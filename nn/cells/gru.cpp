#include "nn/cells/gru.hpp"

namespace rw::nn {

template struct Gru<float>;
template struct Gru<double>;

}  // namespace rw::nn
