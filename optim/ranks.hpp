#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

#include "autograd/gradients.hpp"
#include "autograd/shards.hpp"

namespace rw::optim {

/// The processes of an MPI job (`mpirun -n 4 program`), each of which learns its share of every batch; all then take
/// the same step, for sum() gives all of them the same bits. A library of its own, rewind_ranks, so that only programs
/// that use it link MPI. Alone, that is without mpirun or built without MPI, it is rank 0 of 1 and does nothing:
///     optim::Ranks ranks;
///     return ranks.run([&] {
///       ...
///       Learned<float> part = learn<float>(workers, rows, loss, ranks.share());
///       adam.step(parameters, ranks.sum(parameters, std::move(part.gradients)), &workers);
///     });
/// All ranks must call the same functions in the same order, from the thread that made this object. Who waits for
/// others sleeps, so that it takes no time from their threads.
///
/// The job ends as a whole. A rank that leaves by an exception ends it, with one line that says why, and a rank that is
/// killed does too, by mpirun. Where MPI itself fails, it says so and ends the job.
class Ranks {
 public:
  /// Joins the others. MPI is begun where it was not, and then ended by the destructor: a program makes one.
  Ranks();
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  std::size_t rank() const { return rank_; }
  std::size_t count() const { return count_; }
  bool first() const { return rank_ == 0; }  // the one that prints and saves

  /// What learn() wants to know.
  Share share() const { return {rank_, count_}; }

  /// The sum over the ranks, added in their order. Every rank names the same parameters; some may have no gradient, or
  /// a row-sparse one, which stays so where no rank has a dense one. Gradients of anything else are left out. Throws
  /// std::invalid_argument where a gradient has another shape than its parameter.
  template <class T>
  Gradients<T> sum(const std::vector<Parameter<T>*>& parameters, Gradients<T> gradients);

  /// The sum over the ranks, added in their order.
  double sum(double x);

  /// Gives the parameters the values they have on rank 0.
  template <class T>
  void broadcast(const std::vector<Parameter<T>*>& parameters);

  /// Waits until all ranks are here.
  void barrier();

  /// task(), and what it returns. If it throws, writes `rank 1 of 4: ` and the message to standard error and ends the
  /// job with exit code 1; alone, the exception goes on.
  template <class Task>
  auto run(const Task& task) {
    try {
      return task();
    } catch (const std::exception& error) {
      if (count_ == 1) throw;
      abort(error.what());
    }
  }

  /// Ends all processes of the job with exit code 1, after one line on standard error.
  [[noreturn]] void abort(const std::string& message) const;

 private:
  std::size_t rank_ = 0, count_ = 1;
  [[maybe_unused]] bool ours_ = false;  // MPI was begun here
  [[maybe_unused]] int exceptions_ = std::uncaught_exceptions();
};

}  // namespace rw::optim
