// ranks_program sum|throw|leave|die: one rank of the job that ranks_test.py starts.

#include "optim/ranks.hpp"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "autograd/autograd.hpp"

namespace {

using namespace rw;

void check(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("wrong: " + what);
}

template <class T>
Tensor<T> numbers(const Shape& shape, std::uint64_t stream) {
  Random random(stream);
  Tensor<T> x = empty<T>(shape);
  for (T& element : x) element = static_cast<T>(random.uniform(-1, 1));
  return x;
}

template <class T>
bool same_bits(const Variable<T>& a, const Variable<T>& b) {
  return a.shape() == b.shape() && std::memcmp(a.value().data(), b.value().data(), a.size() * sizeof(T)) == 0;
}

/// Parameters whose gradients are of different kinds on different ranks.
template <class T>
struct Model {
  Parameter<T> dense{"dense", numbers<T>({5, 4}, 1)}, number{"number", numbers<T>({}, 2)};
  Parameter<T> sparse{"sparse", numbers<T>({9, 3}, 3)}, mixed{"mixed", numbers<T>({9, 3}, 4)};
  Parameter<T> some{"some", numbers<T>({7}, 5)}, last{"last", numbers<T>({9, 1}, 6)}, none{"none", numbers<T>({2}, 7)};

  std::vector<Parameter<T>*> parameters() { return {&dense, &number, &sparse, &mixed, &some, &last, &none}; }

  Gradients<T> gradients(std::size_t rank, std::size_t count) {
    const auto weighed = [rank](const Variable<T>& x, std::uint64_t stream) {
      return rw::sum(x * Variable<T>(numbers<T>(x.shape(), 100 * rank + stream)));
    };
    Indices ids = empty<std::int64_t>({2 + rank});  // rank 0: 1, 5
    for (std::size_t i = 0; i < ids.size(); ++i) ids(i) = static_cast<std::int64_t>((4 * i + rank + 1) % 9);
    Tape<T> tape;
    Variable<T> loss = weighed(dense, 1) + weighed(number, 2) + weighed(gather_rows(sparse, ids), 3);
    loss = loss + (rank == 0 ? weighed(mixed, 4) : weighed(gather_rows(mixed, ids), 5));
    if (rank > 0) loss = loss + weighed(some, 6);
    if (rank == count - 1) loss = loss + weighed(gather_rows(last, ids), 7);
    return tape.backward(loss);
  }
};

template <class T>
void gradients_add_up(optim::Ranks& ranks) {
  Model<T> model;
  Gradients<T> expected = model.gradients(0, ranks.count());
  for (std::size_t r = 1; r < ranks.count(); ++r) expected += model.gradients(r, ranks.count());
  const Gradients<T> got = ranks.sum(model.parameters(), model.gradients(ranks.rank(), ranks.count()));
  for (const Parameter<T>* p : model.parameters()) {
    check(got.has(*p) == expected.has(*p), p->name() + " is there");
    check(same_bits(got[*p], expected[*p]), "the sum of " + p->name());
    const RowSparse<T>*rows = got.rows(*p), *wanted = expected.rows(*p);
    check((rows == nullptr) == (wanted == nullptr), "the kind of " + p->name());
    check(rows == nullptr || rows->ids == wanted->ids, "the rows of " + p->name());
  }
  check(got.rows(model.sparse) != nullptr && got.rows(model.last) != nullptr, "sparse gradients stay sparse");
}

void shards_add_up(optim::Ranks& ranks) {
  Parameter<double> weight("weight", numbers<double>({6, 4}, 1));
  const Variable<double> x(numbers<double>({29, 6}, 2));
  for (const std::size_t threads : {1, 2}) {
    Workers workers(threads), team(threads * ranks.count());
    for (const std::size_t rows : {29, 12, 3}) {
      const auto loss = [&](const Shard& s) {
        const auto begin = static_cast<std::ptrdiff_t>(s.begin), end = static_cast<std::ptrdiff_t>(s.end);
        return rw::sum(square(tanh(matmul(slice(x, 0, begin, end), weight)))) * Random(s.index).uniform();
      };
      const auto expected = learn<double>(team, rows, loss);
      auto part = learn<double>(workers, rows, loss, ranks.share());
      const double got = ranks.sum(part.loss);
      const auto gradients = ranks.sum<double>({&weight}, std::move(part.gradients));
      check(std::abs(got - expected.loss) <= 1e-12, "the loss");
      double worst = 0;
      const Variable<double> difference = gradients[weight] - expected.gradients[weight];
      for (const double element : difference.value()) worst = std::max(worst, std::abs(element));
      check(worst <= 1e-12, "the gradient of the joint batch");
    }
  }
}

void numbers_and_parameters(optim::Ranks& ranks) {
  double expected = 0.1;
  for (std::size_t r = 1; r < ranks.count(); ++r) expected += 0.1 + double(r);
  check(ranks.sum(0.1 + double(ranks.rank())) == expected, "the sum of numbers");

  Parameter<float> a("a", numbers<float>({3, 5}, 10 + ranks.rank())), b("b", numbers<float>({}, 20 + ranks.rank()));
  const Variable<float> before = a.detached();
  ranks.broadcast<float>({&a, &b});
  check(same_bits<float>(a, numbers<float>({3, 5}, 10)) && same_bits<float>(b, numbers<float>({}, 20)), "broadcast");
  check(same_bits<float>(before, numbers<float>({3, 5}, 10 + ranks.rank())), "values read before");

  Gradients<float> wrong;
  GradientSum<float> sum;
  sum.add(Variable<float>(zeros<float>({2})));
  wrong.insert(a.place(), std::move(sum));
  try {
    ranks.sum<float>({&a}, std::move(wrong));
    check(ranks.count() == 1, "no error for a wrong shape");
  } catch (const std::invalid_argument& error) {
    check(std::strstr(error.what(), "Ranks::sum: expected") == error.what(), error.what());
  }
}

}  // namespace

int main(int, char** argv) {
  const std::string mode = argv[1];
  try {
    optim::Ranks ranks;
    if (mode == "leave" && ranks.rank() == 1) throw std::runtime_error("this one knows why");
    return ranks.run([&] {
      if (mode == "throw" && ranks.rank() == 1) throw std::runtime_error("no more data");
      if (mode == "die" && ranks.rank() == 1) std::raise(SIGKILL);
      if (mode == "sum") {
        gradients_add_up<float>(ranks);
        gradients_add_up<double>(ranks);
        shards_add_up(ranks);
        numbers_and_parameters(ranks);
      }
      ranks.barrier();
      if (ranks.first()) std::printf("done by %zu\n", ranks.count());
      return 0;
    });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
