#define OMPI_SKIP_MPICXX  // the C functions alone
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <thread>
#include <type_traits>

#include "optim/optimizer.hpp"
#include "optim/ranks.hpp"

// MPI ends the job by itself where one of its functions fails, so what they return is not looked at.

namespace rw::optim {
namespace {

constexpr std::int64_t nothing = -2, dense = -1;  // kinds of gradients; from 0 on the number of sparse rows

template <class T>
MPI_Datatype type_of() {
  if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
  if constexpr (std::is_same_v<T, double>) return MPI_DOUBLE;
  if constexpr (std::is_same_v<T, std::int64_t>) return MPI_INT64_T;
}

// An environment variable of Open MPI, of MPICH or of Slurm's srun. To begin MPI without them takes a third of a
// second.
bool launched() {
  const auto set = [](const char* name) { return std::getenv(name) != nullptr; };
  return set("OMPI_COMM_WORLD_SIZE") || set("PMI_RANK") || set("PMIX_RANK");
}

// MPI's own wait keeps a processor busy, which threads of other ranks may need.
void wait(MPI_Request request) {
  constexpr int eager = 1000;
  for (int tries = 0, done = 0;; ++tries) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done != 0) return;
    if (tries < eager) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(std::min(tries - eager, 1000)));
    }
  }
}

int checked(std::size_t length) {
  if (length > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    fail("Ranks", "messages of fewer than 2^31 elements", length);
  }
  return static_cast<int>(length);
}

// As many elements of every rank, one after the other.
template <class T>
std::vector<T> gathered(const T* mine, std::size_t length, std::size_t ranks) {
  std::vector<T> all(length * ranks);
  MPI_Request request;
  MPI_Iallgather(mine, checked(length), type_of<T>(), all.data(), checked(length), type_of<T>(), MPI_COMM_WORLD,
                 &request);
  wait(request);
  return all;
}

// The same where ranks have lengths of their own.
template <class T>
std::vector<T> gathered(const T* mine, const std::vector<std::size_t>& lengths, std::size_t rank) {
  std::vector<int> counts, begins;
  std::size_t total = 0;
  for (const std::size_t length : lengths) {
    begins.push_back(checked(total));
    counts.push_back(checked(length));
    total += length;
  }
  std::vector<T> all(total);
  MPI_Request request;
  MPI_Iallgatherv(mine, counts[rank], type_of<T>(), all.data(), counts.data(), begins.data(), type_of<T>(),
                  MPI_COMM_WORLD, &request);
  wait(request);
  return all;
}

// The sum over the ranks in their order: each adds up a stretch of all, and the others get it from there.
template <class T>
void sum_in_place(std::vector<T>& x, std::size_t ranks) {
  const std::size_t stretch = (x.size() + ranks - 1) / ranks;
  x.resize(stretch * ranks);
  std::vector<T> parts(stretch * ranks);
  MPI_Request request;
  MPI_Ialltoall(x.data(), checked(stretch), type_of<T>(), parts.data(), checked(stretch), type_of<T>(), MPI_COMM_WORLD,
                &request);
  wait(request);
  for (std::size_t r = 1; r < ranks; ++r) {
    for (std::size_t i = 0; i < stretch; ++i) parts[i] += parts[r * stretch + i];
  }
  x = gathered(parts.data(), stretch, ranks);
}

// The sum of sparse gradients of `parameter`, of which rank r has lengths[r] rows.
template <class T>
GradientSum<T> sparse_sum(const Parameter<T>& parameter, const RowSparse<T>* mine, std::vector<std::size_t> lengths,
                          std::size_t rank) {
  const Shape& whole = parameter.shape();
  const std::size_t rows = whole.front(), width = parameter.size() / std::max<std::size_t>(rows, 1);
  const auto ids = gathered(mine != nullptr ? mine->ids.data() : nullptr, lengths, rank);
  for (std::size_t& length : lengths) length *= width;
  const auto values = gathered(mine != nullptr ? mine->values.value().data() : nullptr, lengths, rank);
  Shape shape = whole;
  shape.front() = ids.size();
  RowSparse<T> all{empty<std::int64_t>({ids.size()}), Variable<T>::uninitialised(shape), rows};
  std::copy(ids.begin(), ids.end(), all.ids.data());
  std::copy(values.begin(), values.end(), all.values.fresh());
  GradientSum<T> sum;
  sum.add(std::move(all));
  sum.settle();
  return sum;
}

}  // namespace

Ranks::Ranks() {
  int begun = 0, rank = 0, count = 1;
  MPI_Initialized(&begun);
  if (begun == 0) {
    if (!launched()) return;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &begun);
    ours_ = true;
  }
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  rank_ = static_cast<std::size_t>(rank);
  count_ = static_cast<std::size_t>(count);
}

Ranks::~Ranks() {
  if (std::uncaught_exceptions() > exceptions_ && count_ > 1) abort("left by an exception");
  if (ours_) MPI_Finalize();
}

template <class T>
Gradients<T> Ranks::sum(const std::vector<Parameter<T>*>& parameters, Gradients<T> gradients) {
  check_gradients("Ranks::sum", parameters, gradients);
  if (count_ == 1) return gradients;
  const Pause<T> pause;
  const std::size_t n = parameters.size();
  std::vector<std::int64_t> kinds;
  for (const Parameter<T>* p : parameters) {
    const RowSparse<T>* sparse = gradients.rows(*p);
    const auto rows = static_cast<std::int64_t>(sparse != nullptr ? sparse->ids.size() : 0);
    kinds.push_back(!gradients.has(*p) ? nothing : sparse == nullptr ? dense : rows);
  }
  kinds = gathered(kinds.data(), n, count_);

  Gradients<T> total;
  std::vector<const Parameter<T>*> dense_ones;
  std::vector<T> elements;  // of them, one after the other
  for (std::size_t i = 0; i < n; ++i) {
    const Parameter<T>& p = *parameters[i];
    bool is_dense = false, is_sparse = false;
    std::vector<std::size_t> rows;
    for (std::size_t r = 0; r < count_; ++r) {
      const std::int64_t kind = kinds[r * n + i];
      is_dense = is_dense || kind == dense;
      is_sparse = is_sparse || kind >= 0;
      rows.push_back(static_cast<std::size_t>(std::max<std::int64_t>(kind, 0)));
    }
    if (is_dense) {
      dense_ones.push_back(&p);
      const Variable<T> gradient = gradients[p];
      elements.insert(elements.end(), gradient.value().begin(), gradient.value().end());
    } else if (is_sparse) {
      total.insert(p.place(), sparse_sum(p, gradients.rows(p), rows, rank_));
    }
  }
  sum_in_place(elements, count_);
  const T* element = elements.data();
  for (const Parameter<T>* p : dense_ones) {
    Tensor<T> gradient = empty<T>(p->shape());
    std::copy_n(element, p->size(), gradient.data());
    element += p->size();
    GradientSum<T> sum;
    sum.add(Variable<T>(std::move(gradient)));
    total.insert(p->place(), std::move(sum));
  }
  return total;
}

double Ranks::sum(double x) {
  const std::vector<double> all = count_ == 1 ? std::vector{x} : gathered(&x, 1, count_);
  return std::accumulate(all.begin() + 1, all.end(), all.front());
}

template <class T>
void Ranks::broadcast(const std::vector<Parameter<T>*>& parameters) {
  if (count_ == 1) return;
  for (Parameter<T>* p : parameters) {
    p->update([](Tensor<T>& x) {
      MPI_Request request;
      MPI_Ibcast(x.data(), checked(x.size()), type_of<T>(), 0, MPI_COMM_WORLD, &request);
      wait(request);
    });
  }
}

void Ranks::barrier() {
  if (count_ == 1) return;
  MPI_Request request;
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  wait(request);
}

void Ranks::abort(const std::string& message) const {
  // In one piece: mpirun puts what it says itself between two.
  const std::string who = count_ > 1 ? "rank " + std::to_string(rank_) + " of " + std::to_string(count_) + ": " : "";
  std::fprintf(stderr, "%s\n", (who + message).c_str());
  std::fflush(nullptr);
  if (count_ > 1) MPI_Abort(MPI_COMM_WORLD, 1);
  std::_Exit(1);
}

template Gradients<float> Ranks::sum(const std::vector<Parameter<float>*>&, Gradients<float>);
template Gradients<double> Ranks::sum(const std::vector<Parameter<double>*>&, Gradients<double>);
template void Ranks::broadcast(const std::vector<Parameter<float>*>&);
template void Ranks::broadcast(const std::vector<Parameter<double>*>&);

}  // namespace rw::optim
