#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>

#include "nn/nn.hpp"
#include "optim/optim.hpp"

// After warm-up neither a training step nor a step of streaming takes memory from the system. What is counted is every
// call of operator new in the whole program, on any thread.

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  if (counting) ++allocations;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  return memory != nullptr ? memory : throw std::bad_alloc();
}

}  // namespace

// Not inlined: else GCC takes the std::free inside for one that does not fit the new outside.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

BOOST_AUTO_TEST_SUITE(allocation)

using namespace rw;

namespace {

const boost::unit_test::enable_if<recycles> recycling;  // what recycles nothing allocates with every step

/// The calls of operator new in one run of `step` after a few for warm-up.
template <class Step>
std::size_t allocations_of(const Step& step) {
  for (int i = 0; i < 4; ++i) step();
  allocations = 0;
  counting = true;
  step();
  counting = false;
  return allocations;
}

Indices ids(const Shape& shape, std::int64_t below) {
  Indices all = empty<std::int64_t>(shape);
  for (std::size_t i = 0; i < all.size(); ++i) all.data()[i] = static_cast<std::int64_t>(i * 7 + i / 5) % below;
  return all;
}

constexpr std::size_t steps = 6, batch = 5, vocabulary = 40, dimension = 12, hidden = 16;

/// A language model: which word comes next?
template <class T, class Cell>
struct Model {
  Random random{1};
  nn::Embedding<T> embedding{{vocabulary, dimension, 0}, random};
  Cell cell{{.input = dimension, .hidden = hidden}, random};
  nn::Linear<T> output{{hidden, vocabulary}, random};
  nn::UnrollOptions<typename Cell::State> options;
  Indices words = ids({steps, batch}, vocabulary), targets = ids({steps, batch}, vocabulary - 1);

  nn::Parameters<T> parameters() {
    nn::Parameters<T> all;
    all.add("embedding", embedding.parameters());
    all.add("cell", cell.parameters());
    all.add("output", output.parameters());
    return all;
  }

  Variable<T> loss() const {
    const auto states = nn::unroll(cell, embedding(words), options);
    return nn::cross_entropy(output(states.outputs), targets, {.ignore = 3});
  }
};

template <class T, class Cell>
std::size_t allocations_of_training(const std::vector<std::size_t>& lengths = {}) {
  Model<T, Cell> model;
  model.options.lengths = lengths;
  const std::vector<Parameter<T>*> parameters = model.parameters();
  optim::Adam<T> adam;
  Tape<T> tape;
  double first = 0, last = 0;
  const std::size_t count = allocations_of([&] {
    const Variable<T> loss = model.loss();
    Gradients<T> gradients = tape.backward(loss);
    tape.clear();
    optim::clip_global_norm(gradients, 0.5);
    adam.step(parameters, gradients);
    last = loss.item();
    if (first == 0) first = last;
  });
  BOOST_TEST(last < first);  // it did train
  return count;
}

/// One step of one sequence: an input that comes in, a state that goes on, an output that is read.
template <class Layer>
std::size_t allocations_of_streaming(const Layer& layer) {
  Random random(1);
  const nn::Linear<float> readout({.input = hidden, .output = 2}, random);
  auto state = layer.initial_state(1);
  float sum = 0;
  const std::size_t count = allocations_of([&] {
    const Variable<float> x = full<float>({1, dimension}, 1 + sum);
    auto next = nn::step(layer, x, state);
    state = std::move(next.state);
    sum += readout(next.output).value().data()[0];
  });
  BOOST_TEST(sum != 0);
  return count;
}

template <class Cell>
Cell cell_of(std::size_t input) {
  Random random(1);
  return Cell({.input = input, .hidden = hidden}, random);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_counter_counts) {
  BOOST_TEST(allocations_of([] { ::operator delete(::operator new(100)); }) == 1u);
  constexpr std::size_t bytes = std::size_t{1} << 28;  // more with every call than was ever given back
  std::vector<void*> held;
  held.reserve(5);
  BOOST_TEST(allocations_of([&] { held.push_back(acquire(bytes)); }) >= 1u);
  for (void* block : held) release(block, bytes);
}

BOOST_AUTO_TEST_CASE(lstm, *recycling) {
  BOOST_TEST((allocations_of_training<float, nn::Lstm<float>>() == 0u));
  BOOST_TEST((allocations_of_training<double, nn::Lstm<double>>() == 0u));
}

BOOST_AUTO_TEST_CASE(lstm_of_ragged_rows, *recycling) {
  BOOST_TEST((allocations_of_training<float, nn::Lstm<float>>({6, 2, 5, 0, 1}) == 0u));
}

BOOST_AUTO_TEST_CASE(gru, *recycling) { BOOST_TEST((allocations_of_training<float, nn::Gru<float>>() == 0u)); }

BOOST_AUTO_TEST_CASE(streaming, *recycling) {
  BOOST_TEST(allocations_of_streaming(cell_of<nn::Lstm<float>>(dimension)) == 0u);
  BOOST_TEST(allocations_of_streaming(cell_of<nn::Gru<float>>(dimension)) == 0u);
}

BOOST_AUTO_TEST_CASE(streaming_through_a_stack, *recycling) {
  nn::Stack<nn::Lstm<float>> deep{{}, {.residual = true}};
  deep.layers.push_back(cell_of<nn::Lstm<float>>(dimension));
  deep.layers.push_back(cell_of<nn::Lstm<float>>(hidden));
  BOOST_TEST(allocations_of_streaming(deep) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
