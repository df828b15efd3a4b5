#include "autograd/kernels/layout.hpp"

#include <algorithm>
#include <cstdlib>

namespace rw::kernels {
namespace {

struct Axis {
  std::size_t extent;
  std::ptrdiff_t from, to;  // steps in elements
};

// The axes of a copy between a region and its row-major form. Axes of extent 1 are left out, neighbours that go on
// alike are merged, and the axis with the shortest step in the region stands last or next to last.
List<Axis> axes_of(const Region& region, bool read) {
  List<Axis> axes;  // innermost first until the end
  std::ptrdiff_t packed = 1;
  for (std::size_t a = region.shape.size(); a-- > 0;) {
    const std::size_t extent = region.shape[a];
    if (extent == 1) continue;
    const std::ptrdiff_t step = region.step[a], from = read ? step : packed, to = read ? packed : step;
    const auto inner = [&](std::ptrdiff_t Axis::*side) {
      return axes.back().*side * static_cast<std::ptrdiff_t>(axes.back().extent);
    };
    if (!axes.empty() && inner(&Axis::from) == from && inner(&Axis::to) == to) {
      axes.back().extent *= extent;
    } else {
      axes.push_back({extent, from, to});
    }
    packed *= static_cast<std::ptrdiff_t>(extent);
  }
  while (axes.size() < 2) axes.push_back({1, 0, 0});
  const auto shorter_step = [&](const Axis& a, const Axis& b) {
    return std::abs(read ? a.from : a.to) < std::abs(read ? b.from : b.to);
  };
  if (axes[0].from != 1 || axes[0].to != 1)
    std::iter_swap(axes.begin() + 1, std::min_element(axes.begin() + 1, axes.end(), shorter_step));
  std::reverse(axes.begin(), axes.end());
  return axes;
}

// In square tiles, so that both sides stay in the cache where rows become columns.
template <class T>
void copy_plane(const T* from, T* to, const Axis& outer, const Axis& inner) {
  if (inner.from == 1 && inner.to == 1) {
    return copy_rows(from, outer.from, to, outer.to, outer.extent, inner.extent);
  }
  constexpr std::size_t tile = 16;
  for (std::size_t i0 = 0; i0 < outer.extent; i0 += tile) {
    const std::size_t i1 = std::min(i0 + tile, outer.extent);
    for (std::size_t j0 = 0; j0 < inner.extent; j0 += tile) {
      const std::size_t j1 = std::min(j0 + tile, inner.extent);
      for (std::size_t i = i0; i < i1; ++i) {
        const T* f = from + static_cast<std::ptrdiff_t>(i) * outer.from;
        T* t = to + static_cast<std::ptrdiff_t>(i) * outer.to;
        for (auto j = static_cast<std::ptrdiff_t>(j0); j < static_cast<std::ptrdiff_t>(j1); ++j) {
          t[j * inner.to] = f[j * inner.from];
        }
      }
    }
  }
}

template <class T>
void copy_axes(const T* from, T* to, const Axis* axes, std::size_t count) {
  if (count == 2) return copy_plane(from, to, axes[0], axes[1]);
  for (std::size_t i = 0; i < axes->extent; ++i, from += axes->from, to += axes->to) {
    copy_axes(from, to, axes + 1, count - 1);
  }
}

}  // namespace

Steps steps_of(const Shape& shape) {
  Steps step(shape.size());
  std::ptrdiff_t next = 1;
  for (std::size_t a = shape.size(); a-- > 0;) {
    step[a] = next;
    next *= static_cast<std::ptrdiff_t>(shape[a]);
  }
  return step;
}

template <class T>
Tensor<T> read_region(View<T> x, const Region& region) {
  Tensor<T> out = empty<T>(region.shape);
  if (out.size() == 0) return out;
  const List<Axis> axes = axes_of(region, true);
  copy_axes(x.data() + region.offset, out.data(), axes.data(), axes.size());
  return out;
}

template <class T>
Tensor<T> write_region(View<T> x, const Region& region, const Shape& shape, T fill) {
  Tensor<T> out = x.size() == size_of(shape) ? empty<T>(shape) : full<T>(shape, fill);
  if (x.size() == 0) return out;
  const List<Axis> axes = axes_of(region, false);
  copy_axes(x.data(), out.data() + region.offset, axes.data(), axes.size());
  return out;
}

template <class T>
void copy_rows(const T* from, std::ptrdiff_t from_step, T* to, std::ptrdiff_t to_step, std::size_t rows,
               std::size_t width) {
  if (width == 1) {  // a call of memmove an element would cost more than the copy
    for (auto i = std::ptrdiff_t(0); i < static_cast<std::ptrdiff_t>(rows); ++i) to[i * to_step] = from[i * from_step];
    return;
  }
  for (std::size_t i = 0; i < rows; ++i, from += from_step, to += to_step) std::copy_n(from, width, to);
}

template Tensor<float> read_region(View<float>, const Region&);
template Tensor<double> read_region(View<double>, const Region&);
template Tensor<float> write_region(View<float>, const Region&, const Shape&, float);
template Tensor<double> write_region(View<double>, const Region&, const Shape&, double);
template void copy_rows(const float*, std::ptrdiff_t, float*, std::ptrdiff_t, std::size_t, std::size_t);
template void copy_rows(const double*, std::ptrdiff_t, double*, std::ptrdiff_t, std::size_t, std::size_t);

}  // namespace rw::kernels
