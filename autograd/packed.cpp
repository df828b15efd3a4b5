#include "autograd/packed.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "autograd/blas.hpp"

namespace rw {
namespace {

// A tile of the product is as many rows and vectors as fit the registers, with one more row of vectors from B.
#if defined(__AVX512F__)
constexpr std::size_t vector_bytes = 64, tile_rows = 8;
#elif defined(__AVX2__) && defined(__FMA__)
constexpr std::size_t vector_bytes = 32, tile_rows = 4;
#else
constexpr std::size_t vector_bytes = 16, tile_rows = 4;
#endif
constexpr bool fast = vector_bytes > 16;
constexpr std::size_t tile_vectors = 3;
constexpr std::size_t rows_a_pass = 64;  // of A, which stay in the cache while all panels pass by

template <class T>
struct Simd {
  using Vector __attribute__((vector_size(vector_bytes))) = T;  // of the compiler: it fuses a·b + c
  static constexpr std::size_t width = vector_bytes / sizeof(T), panel = tile_vectors * width;

  static Vector load(const T* from) {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  static void store(Vector v, T* to) { std::memcpy(to, &v, sizeof v); }
};

// What the tiles of a panel have in common.
template <class T>
struct Panel {
  const T* b;
  std::size_t k, n, columns;  // n: the columns of all panels
};

// f(r, v) for every vector of a tile. Unrolled, or else the compiler would keep the sums in memory, not in registers.
template <std::size_t rows, std::size_t vectors, class F>
[[gnu::always_inline]] inline void for_tile(const F& f) {
#pragma GCC unroll 8
  for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 3
    for (std::size_t v = 0; v < vectors; ++v) f(r, v);
  }
}

// The sums of a tile whose last vector is cut off; one function for all tiles.
template <class T>
[[gnu::noinline]] void store_cut(const Panel<T>& panel, std::size_t rows, const T* sums, std::size_t width, Addend<T> d,
                                 T* c) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < panel.columns; ++j) {
      const T sum = sums[r * width + j];
      c[r * panel.n + j] = d.data != nullptr ? d.data[r * d.stride + j] + sum : sum;
    }
  }
}

template <class T, std::size_t rows, std::size_t vectors>
[[gnu::noinline]] void multiply_tile(const Panel<T>& panel, const T* a, const T* ahead, Addend<T> d, T* c) {
  using S = Simd<T>;
  constexpr std::size_t width = vectors * S::width;
  const std::size_t k = panel.k;
  if constexpr (rows > 1) {  // asked for now, there when the sums are done
    for (std::size_t r = 0; r < rows; ++r) {
      const T* const there = d.data + r * d.stride;
      for (std::size_t v = 0; v < vectors; ++v) {
        __builtin_prefetch(c + r * panel.n + v * S::width, 1);
        if (d.data != nullptr) __builtin_prefetch(there + v * S::width);
      }
    }
  }
  typename S::Vector sum[rows][vectors];
  for_tile<rows, vectors>([&](std::size_t r, std::size_t v) { sum[r][v] = typename S::Vector{}; });
#pragma GCC unroll 2
  for (std::size_t p = 0; p < k; ++p) {
    typename S::Vector b[vectors];
    for (std::size_t v = 0; v < vectors; ++v) b[v] = S::load(panel.b + (p * vectors + v) * S::width);
    // One row reads as fast as its cache gives: asking for more takes 20 % longer.
    if constexpr (rows > 1) __builtin_prefetch(ahead + p * S::width, 0, 2);
    for_tile<rows, vectors>([&](std::size_t r, std::size_t v) { sum[r][v] += a[r * k + p] * b[v]; });
  }
  if (panel.columns == width) {
    if (d.data != nullptr) {
      for_tile<rows, vectors>(
          [&](std::size_t r, std::size_t v) { sum[r][v] += S::load(d.data + r * d.stride + v * S::width); });
    }
    for_tile<rows, vectors>([&](std::size_t r, std::size_t v) { S::store(sum[r][v], c + r * panel.n + v * S::width); });
    return;
  }
  T whole[rows][width];
  for_tile<rows, vectors>([&](std::size_t r, std::size_t v) { S::store(sum[r][v], whole[r] + v * S::width); });
  store_cut(panel, rows, whole[0], width, d, c);
}

template <class T>
using Tile = void (*)(const Panel<T>&, const T*, const T*, Addend<T>, T*);

template <class T, std::size_t vectors, std::size_t... r>
constexpr std::array<Tile<T>, tile_rows> tiles_of(std::index_sequence<r...>) {
  return {&multiply_tile<T, r + 1, vectors>...};
}

template <class T, std::size_t... v>
constexpr std::array<std::array<Tile<T>, tile_rows>, tile_vectors> all_tiles(std::index_sequence<v...>) {
  return {tiles_of<T, v + 1>(std::make_index_sequence<tile_rows>())...};
}

template <class T>
std::size_t vectors_for(std::size_t columns) {
  return std::min(tile_vectors, (columns + Simd<T>::width - 1) / Simd<T>::width);
}

// Transposes as many vectors as one has elements: rows whose numbers differ in one bit exchange the columns that do.
template <std::size_t bit, class Vector, std::size_t... column>
[[gnu::always_inline]] inline void exchange(Vector* row, std::index_sequence<column...> columns) {
  constexpr std::size_t width = sizeof...(column);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < width; ++i) {
    if (i & bit) continue;
    const Vector a = row[i], b = row[i + bit];
    row[i] = __builtin_shufflevector(a, b, (column & bit ? width + column - bit : column)...);
    row[i + bit] = __builtin_shufflevector(a, b, (column & bit ? width + column : column + bit)...);
  }
  if constexpr (bit > 1) exchange<bit / 2>(row, columns);
}

// to[p, q] = from[q, p] for p < k and q < columns, at most a vector's; rows lie `stride` and `width` apart.
template <class T>
void copy_transposed(const T* from, std::size_t stride, std::size_t columns, std::size_t k, T* to, std::size_t width) {
  using S = Simd<T>;
  std::size_t p = 0;
  for (; columns == S::width && p + S::width <= k; p += S::width) {
    typename S::Vector square[S::width];
#pragma GCC unroll 16
    for (std::size_t q = 0; q < S::width; ++q) square[q] = S::load(from + q * stride + p);
    exchange<S::width / 2>(square, std::make_index_sequence<S::width>());
#pragma GCC unroll 16
    for (std::size_t i = 0; i < S::width; ++i) S::store(square[i], to + (p + i) * width);
  }
  for (; p < k; ++p) {
    for (std::size_t q = 0; q < columns; ++q) to[p * width + q] = from[q * stride + p];
  }
}

}  // namespace

template <class T>
Packed<T>::Packed(View<T> b, bool transposed)
    : k_(b.shape(transposed ? 1 : 0)),
      n_(b.shape(transposed ? 0 : 1)),
      panels_((n_ + Simd<T>::width - 1) / Simd<T>::width * Simd<T>::width * k_) {
  const std::size_t stride = b.shape(1);
  T* to = panels_.data();
  for (std::size_t j = 0; j < n_; j += Simd<T>::panel) {
    const std::size_t width = vectors_for<T>(n_ - j) * Simd<T>::width, columns = std::min(width, n_ - j);
    if (columns < width) std::fill_n(to, k_ * width, T(0));
    if (!transposed) {
      for (std::size_t p = 0; p < k_; ++p) std::copy_n(b.data() + p * stride + j, columns, to + p * width);
    } else {
      for (std::size_t q = 0; q < columns; q += Simd<T>::width) {
        copy_transposed(b.data() + (j + q) * stride, stride, std::min(Simd<T>::width, columns - q), k_, to + q, width);
      }
    }
    to += k_ * width;
  }
}

template <class T>
void Packed<T>::multiply(std::size_t m, const T* a, Addend<T> d, T* c) const {
  const std::size_t panels = (n_ + Simd<T>::panel - 1) / Simd<T>::panel;
  const auto threads = static_cast<std::size_t>(gemm_threads(m * k_ * n_));
  if (threads == 1) return multiply_panels(0, panels, m, a, d, c);
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(static)
#endif
  for (std::size_t t = 0; t < threads; ++t) {
    multiply_panels(panels * t / threads, panels * (t + 1) / threads, m, a, d, c);
  }
}

template <class T>
void Packed<T>::multiply_panels(std::size_t from, std::size_t to, std::size_t m, const T* a, Addend<T> d, T* c) const {
  static constexpr auto tiles = all_tiles<T>(std::make_index_sequence<tile_vectors>());
  for (std::size_t first = 0; first < m; first += rows_a_pass) {
    const std::size_t rows = std::min(rows_a_pass, m - first), blocks = (rows + tile_rows - 1) / tile_rows;
    // One row, step after step, finds what it read last still in the first cache if it turns round each time.
    static thread_local bool backwards = false;
    backwards = m == 1 && !backwards;
    for (std::size_t q = from; q < to; ++q) {
      const std::size_t j = (backwards ? from + (to - 1 - q) : q) * Simd<T>::panel;
      const std::size_t columns = std::min(Simd<T>::panel, n_ - j), vectors = vectors_for<T>(columns);
      const Panel<T> panel{panels_.data() + j * k_, k_, n_, columns};
      const T* next = panel.b + k_ * Simd<T>::panel;
      for (std::size_t i = 0; i < blocks; ++i) {
        const std::size_t begin = first + rows * i / blocks, end = first + rows * (i + 1) / blocks;
        // The first blocks ask for the next panel, a vector each step.
        const T* ahead = i < tile_vectors ? next + i * k_ * Simd<T>::width : panel.b;
        const Addend<T> plus{d.data != nullptr ? d.data + begin * d.stride + j : nullptr, d.stride};
        tiles[vectors - 1][end - begin - 1](panel, a + begin * k_, ahead, plus, c + begin * n_ + j);
      }
    }
  }
}

template <class T>
bool Packed<T>::pays(std::size_t m, std::size_t k, std::size_t n) {
  constexpr std::size_t second_cache = std::size_t{1} << 20;
  return fast && (m > 1 || k * n * sizeof(T) <= second_cache);  // a larger matrix makes one row wait for the memory
}

template class Packed<float>;
template class Packed<double>;

}  // namespace rw
