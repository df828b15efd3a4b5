#include "autograd/kernels/broadcast.hpp"

#include <algorithm>

namespace rw::kernels {

std::size_t merge_axes(const Shape& out, std::span<const Shape* const> in, std::span<const std::size_t> pitch,
                       std::span<std::size_t> extent, std::size_t* stride, std::size_t* step) {
  const std::size_t n = in.size(), innermost = extent.size() - 1;
  bool same = true, pitched = false;
  for (std::size_t k = 0; k < n; ++k) {
    pitched = pitched || pitch[k] != 0;
    same = same && pitch[k] == 0 && *in[k] == out;
  }
  if (same) {
    extent[0] = size_of(out);
    std::fill_n(stride, n, 1);
    return 1;
  }
  // From the innermost axis on, and from the end of the plan: an axis joins the one inside it where every input goes
  // on with the same stride.
  std::fill_n(step, n, 1);
  std::size_t axes = 0;
  for (std::size_t i = out.size(); i-- > 0;) {
    std::size_t* const here = stride + (innermost - axes) * n;
    const std::size_t* const inside = here + n;
    bool joins = axes > 0;
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t missing = out.size() - in[k]->size();
      const std::size_t own = i < missing ? 1 : (*in[k])[i - missing];
      here[k] = own == 1 ? 0 : step[k];
      step[k] = i + 1 == out.size() && pitch[k] != 0 ? pitch[k] : step[k] * own;
      joins = joins && here[k] == inside[k] * extent[innermost - axes + 1];
    }
    if (out[i] == 1 && !(pitched && i + 1 == out.size())) continue;  // rows stay rows: their steps are 0 or 1
    if (joins) {
      extent[innermost - axes + 1] *= out[i];
    } else {
      extent[innermost - axes++] = out[i];
    }
  }
  if (axes == 0) {  // one element
    extent[0] = 1;
    std::fill_n(stride, n, 0);
    return 1;
  }
  std::copy_n(extent.begin() + static_cast<std::ptrdiff_t>(innermost + 1 - axes), axes, extent.begin());
  std::copy_n(stride + (innermost + 1 - axes) * n, axes * n, stride);
  return axes;
}

bool next_row(std::span<const std::size_t> outer, const std::size_t* stride, std::size_t* index,
              std::span<std::size_t> offset) {
  for (std::size_t a = outer.size(); a-- > 0; index[a] = 0) {
    const std::size_t* const step = stride + a * offset.size();
    if (++index[a] < outer[a]) {
      for (std::size_t k = 0; k < offset.size(); ++k) offset[k] += step[k];
      return true;
    }
    for (std::size_t k = 0; k < offset.size(); ++k) offset[k] -= step[k] * (outer[a] - 1);
  }
  return false;
}

}  // namespace rw::kernels
