#include "autograd/blas.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <vector>

// oneDNN multiplies few rows, which a recurrent step has, up to 2.7 times as fast as OpenBLAS, because it packs
// nothing. See also Packed.
#if REWIND_ONEDNN
#include <dnnl.h>
#include <omp.h>
#endif

namespace rw {
namespace {

std::atomic<int> wanted_threads{0};  // 0: as the libraries choose

// Both libraries wait by spinning: a thread that is late, for whatever reason, costs more than it saves below that.
constexpr std::size_t least_shared = std::size_t{1} << 20;

void use_threads(int threads) {
  static std::atomic<int> of_openblas{0};
  if (of_openblas.load(std::memory_order_relaxed) != threads) {
    of_openblas = threads;
    openblas_set_num_threads(threads);
  }
#if REWIND_ONEDNN
  thread_local int of_openmp = 0;  // OpenMP keeps the number a thread
  if (of_openmp != threads) omp_set_num_threads(of_openmp = threads);
#endif
}

CBLAS_TRANSPOSE flag(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

// A row times a matrix: the matrix-vector call reads the matrix at two to four times the speed of a thin product.
template <class T>
void row_times_matrix(std::size_t n, std::size_t k, const T* x, MatrixView<T> b, T beta, T* y) {
  const auto rows = static_cast<blasint>(b.transposed ? n : k), columns = static_cast<blasint>(b.transposed ? k : n);
  const CBLAS_TRANSPOSE t = flag(!b.transposed);
  const auto stride = static_cast<blasint>(b.stride);
  if constexpr (sizeof(T) == sizeof(float)) {
    cblas_sgemv(CblasRowMajor, t, rows, columns, 1.0f, b.data, stride, x, 1, beta, y, 1);
  } else {
    cblas_dgemv(CblasRowMajor, t, rows, columns, 1.0, b.data, stride, x, 1, beta, y, 1);
  }
}

#if REWIND_ONEDNN
void onednn_sgemm(std::size_t m, std::size_t n, std::size_t k, MatrixView<float> a, MatrixView<float> b, float beta,
                  float* c, std::size_t c_stride) {
  // Looking for a profiler, oneDNN would touch every library of the process: 9 MB where there are two hundred.
  static const dnnl_status_t unprofiled =
      std::getenv("ONEDNN_JIT_PROFILE") == nullptr ? dnnl_set_jit_profiling_flags(0) : dnnl_success;
  static_cast<void>(unprofiled);
  const auto size = [](std::size_t extent) { return static_cast<dnnl_dim_t>(extent); };
  // It copies a stretch of B and frees that again, of which the C library keeps several: by slices they are small.
  constexpr std::size_t widest = 2048;
  const std::size_t slices = (n + widest - 1) / widest;
  for (std::size_t s = 0; s < slices; ++s) {
    const std::size_t from = n * s / slices, to = n * (s + 1) / slices;
    const float* const columns = b.data + from * (b.transposed ? b.stride : 1);
    const dnnl_status_t status =
        dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', size(m), size(to - from), size(k), 1.0f, a.data,
                   size(a.stride), columns, size(b.stride), beta, c + from, size(c_stride));
    if (status != dnnl_success) fail("gemm", "a product that oneDNN takes", "status ", int(status));
  }
}
#endif

}  // namespace

template <class T>
void gemm(std::size_t m, std::size_t n, std::size_t k, MatrixView<T> a, MatrixView<T> b, T beta, T* c,
          std::size_t c_stride) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) c[i * c_stride + j] = beta == T(0) ? T(0) : beta * c[i * c_stride + j];
    }
    return;
  }
  if (wanted_threads.load(std::memory_order_relaxed) != 0) use_threads(gemm_threads(m * n * k));
  if (m == 1 && (!a.transposed || a.stride == 1)) return row_times_matrix(n, k, a.data, b, beta, c);
  const auto lda = static_cast<blasint>(std::max<std::size_t>(a.stride, 1));
  const auto ldb = static_cast<blasint>(std::max<std::size_t>(b.stride, 1));
  const auto ldc = static_cast<blasint>(c_stride);
  const auto rows = static_cast<blasint>(m), columns = static_cast<blasint>(n), inner = static_cast<blasint>(k);
  if constexpr (sizeof(T) == sizeof(float)) {
#if REWIND_ONEDNN
    return onednn_sgemm(m, n, k, a, b, beta, c, c_stride);
#endif
    cblas_sgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), rows, columns, inner, 1.0f, a.data, lda, b.data,
                ldb, beta, c, ldc);
  } else {
    cblas_dgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), rows, columns, inner, 1.0, a.data, lda, b.data,
                ldb, beta, c, ldc);
  }
}

void set_gemm_threads(int threads) {
  if (threads < 1) fail("set_gemm_threads", "at least one thread", threads);
  wanted_threads = threads;
  use_threads(threads);
}

int gemm_threads(std::size_t multiplications) {
  if (multiplications < least_shared) return 1;
  const int wanted = wanted_threads.load(std::memory_order_relaxed);
#if REWIND_ONEDNN
  if (wanted == 0) return omp_get_max_threads();
#endif
  return wanted == 0 ? openblas_get_num_threads() : wanted;
}

Tensor<double> orthonormal_columns(const Tensor<double>& a) {
  check_rank("orthonormal_columns", a.shape(), 2);
  const std::size_t m = a.shape(0), n = a.shape(1);
  if (m < n) fail("orthonormal_columns", "at least as many rows as columns", a.shape());
  Tensor<double> q = a;
  std::vector<double> tau(n), sign(n);
  const auto rows = static_cast<lapack_int>(m), columns = static_cast<lapack_int>(n);
  int info = LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, rows, columns, q.data(), columns, tau.data());
  for (std::size_t j = 0; j < n; ++j) sign[j] = q.data()[j * n + j] < 0 ? -1 : 1;
  if (info == 0) info = LAPACKE_dorgqr(LAPACK_ROW_MAJOR, rows, columns, columns, q.data(), columns, tau.data());
  if (info != 0) fail("orthonormal_columns", "a matrix of finite values", "LAPACK info ", info);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) q.data()[i * n + j] *= sign[j];
  }
  return q;
}

template void gemm(std::size_t, std::size_t, std::size_t, MatrixView<float>, MatrixView<float>, float, float*,
                   std::size_t);
template void gemm(std::size_t, std::size_t, std::size_t, MatrixView<double>, MatrixView<double>, double, double*,
                   std::size_t);

}  // namespace rw
