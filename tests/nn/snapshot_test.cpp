#include "nn/snapshot.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "tests/errors.hpp"
#include "tests/folder.hpp"
#include "tests/full_disk.hpp"
#include "tests/nn/training_run.hpp"
#include "tests/optim/kinds.hpp"

namespace {

namespace fs = std::filesystem;
namespace optim = rw::optim;
using rw::Parameter;
using rw::Random;
using rw::Tensor;
using rw::Variable;
using rw::nn::Safetensors;
using rw::nn::Snapshot;
using rw::test::TrainingRun;

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

template <class T>
TrainingRun<T> run_of(const rw::test::Kind<T>& kind, std::uint64_t seed = 1) {
  return {kind.make(kind.rate), seed};
}

TrainingRun<double> adam_run(std::uint64_t seed = 1) { return {std::make_unique<optim::Adam<double>>(), seed}; }

struct OnDisk : Folder {
  const std::string path = file("snapshot");

  std::string written(const Snapshot& parts, const std::string& name = "written") const {
    parts.save(file(name));
    return contents(file(name));
  }

  template <class T>
  std::string after(TrainingRun<T>&& run, int steps) const {
    for (int i = 0; i < steps; ++i) run.step();
    return written(run.parts());
  }

  /// What a run is after 7 steps, a save, a load by another run that knows all parts but one, and 5 more. Seven are two
  /// epochs, after which the rate has fallen, and a step.
  template <class T>
  std::string resumed(TrainingRun<T>&& first, TrainingRun<T>&& second, const std::string& without = "") const {
    for (int i = 0; i < 7; ++i) first.step();
    first.parts(without).save(path);
    second.parts(without).load(path);
    return after(std::move(second), 5);
  }

  /// Refused with this text, and `parts` are what they were.
  void refused(const Snapshot& parts, const std::string& text) const {
    const std::string before = written(parts, "before");
    BOOST_CHECK_EXCEPTION(parts.load(path), std::runtime_error, mentions("snapshot: " + path + ": expected " + text));
    BOOST_TEST((written(parts, "after") == before));
  }
};

const std::vector<std::string> all_parts = {"model", "optimizer", "average", "plateau", "stopping", "random",
                                            "order", "losses",    "epoch",   "place",   "note"};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(snapshot, OnDisk)

BOOST_AUTO_TEST_CASE(a_resumed_run_is_the_run_that_was_not_stopped) {
  for (const auto& kind : rw::test::kinds<float>()) {
    const std::string straight = after(run_of(kind), 12);
    BOOST_TEST((resumed(run_of(kind), run_of(kind, 2)) == straight), kind.name);
    BOOST_TEST((after(run_of(kind), 11) != straight), kind.name);
  }
}

BOOST_AUTO_TEST_CASE(every_part_is_needed) {
  const std::string straight = after(adam_run(), 12);
  for (const std::string& part : all_parts) {
    BOOST_TEST((resumed(adam_run(), adam_run(2), part) != straight), part);
  }
}

BOOST_AUTO_TEST_CASE(saving_changes_nothing) {
  TrainingRun<double> run = adam_run();
  const Snapshot parts = run.parts();
  for (int i = 0; i < 10; ++i) {
    parts.save(path);
    run.step();
  }
  BOOST_TEST((written(parts) == after(adam_run(), 10)));
  BOOST_TEST(files() == 2u);
}

BOOST_AUTO_TEST_CASE(a_run_goes_back_to_its_beginning) {
  TrainingRun<double> run = adam_run();
  const Snapshot parts = run.parts();
  parts.save(path);
  for (int i = 0; i < 3; ++i) run.step();
  const std::string first = written(parts);
  parts.load(path);
  BOOST_TEST(!run.average.has(run.cell.weight_hh));
  for (int i = 0; i < 3; ++i) run.step();
  BOOST_TEST((written(parts) == first));
}

BOOST_AUTO_TEST_CASE(groups_with_optimizers_of_their_own) {
  struct Groups {
    explicit Groups(std::uint64_t seed) : random(seed), layer({.input = 3, .output = 2}, random) {
      parts.add("weights", weights, rw::nn::Parameters<double>{layer.weight});
      parts.add("biases", biases, rw::nn::Parameters<double>{*layer.bias});
      parts.add("layer", layer.parameters());
    }
    void step() {
      rw::Tape<double> tape;
      const auto loss = sum(square(layer(Variable<double>(rw::full<double>({1, 3}, 1))) - 1.0));
      const auto gradients = tape.backward(loss);
      weights.step({&layer.weight}, gradients);
      biases.step({&*layer.bias}, gradients);
    }
    Random random;
    rw::nn::Linear<double> layer;
    optim::Adam<double> weights{{.weight_decay = 0.1}};
    optim::Sgd<double> biases{{.momentum = 0.9}};
    Snapshot parts;
  };
  Groups one(1), two(2);
  one.step();
  one.parts.save(path);
  two.parts.load(path);
  one.step();
  two.step();
  BOOST_TEST((written(one.parts) == written(two.parts)));
}

BOOST_AUTO_TEST_CASE(numbers_come_back_bit_by_bit) {
  struct Values {
    bool yes = true;
    std::int8_t small = -128;
    std::uint64_t large = std::numeric_limits<std::uint64_t>::max();
    std::int64_t low = std::numeric_limits<std::int64_t>::min();
    double third = 1.0 / 3, zero = -0.0, tiny = 5e-324, none = std::bit_cast<double>(0x7ff8dead'beef0001);
    std::vector<std::size_t> places{3, 1, 2};
    std::vector<bool> bits{true, false, true};
    std::vector<double> empty, curve{0.1, -INFINITY};
    std::string text{"a\0\nü", 5};
    Random random{7};
    Snapshot parts;

    Values() {
      parts.add("yes", yes);
      parts.add("small", small);
      parts.add("large", large);
      parts.add("low", low);
      parts.add("third", third);
      parts.add("zero", zero);
      parts.add("tiny", tiny);
      parts.add("none", none);
      parts.add("places", places);
      parts.add("bits", bits);
      parts.add("empty", empty);
      parts.add("curve", curve);
      parts.add("text", text);
      parts.add("random", random);
    }
  };
  Values from, to;
  from.parts.save(path);
  to.yes = false;
  to.small = 1;
  to.large = to.places[0] = 0;
  to.low = 0;
  to.third = to.zero = to.tiny = to.none = 1;
  to.bits.clear();
  to.empty = {1, 2};
  to.curve.clear();
  to.text = "another";
  to.random.bits();
  to.parts.load(path);
  BOOST_TEST((written(to.parts) == contents(path)));
  BOOST_TEST(to.yes);
  BOOST_TEST(to.small == -128);
  BOOST_TEST(to.large == from.large);
  BOOST_TEST(to.low == from.low);
  BOOST_TEST(to.third == from.third);
  BOOST_TEST(std::signbit(to.zero));
  BOOST_TEST(to.tiny == from.tiny);
  BOOST_TEST(std::bit_cast<std::uint64_t>(to.none) == 0x7ff8dead'beef0001);
  BOOST_TEST(to.places == from.places);
  BOOST_TEST((to.bits == from.bits));
  BOOST_TEST(to.empty.empty());
  BOOST_TEST((to.curve == from.curve));
  BOOST_TEST(to.text == from.text);
  BOOST_TEST((to.random == from.random));
}

BOOST_AUTO_TEST_CASE(the_state_of_a_cell_is_carried_on) {
  Random random(1);
  const rw::nn::Lstm<double> cell({.input = 2, .hidden = 3}, random);
  const Variable<double> xs = rw::nn::normal<double>({4, 2, 2}, 1, random);
  auto state = rw::nn::unroll(cell, xs).state, again = cell.initial_state(2);
  Snapshot one, two;
  one.add("state", state);
  one.save(path);
  two.add("state", again);
  two.load(path);
  BOOST_TEST(bool(again.h.value() == state.h.value()));
  BOOST_TEST(bool(again.c.value() == state.c.value()));
  BOOST_TEST(bool(again.h.value() != again.c.value()));
  again = {};
  BOOST_CHECK_EXCEPTION(two.save(path), std::invalid_argument,
                        says("snapshot: expected a state with all its values; got one without"));
}

BOOST_AUTO_TEST_CASE(a_file_of_another_run) {
  const std::string start = "the parts of this run; got ";
  TrainingRun<double> run = adam_run();
  run.step();
  const auto wrong_optimizer = [&](std::unique_ptr<optim::Optimizer<double>> o, const std::string& text) {
    TrainingRun<double> mine{std::move(o), 1};
    refused(mine.parts(), start + text);
  };
  run.parts().save(path);
  wrong_optimizer(std::make_unique<optim::Radam<double>>(),
                  "\"optimizer\" of type \"rw::optim::Adam<double>\" for \"rw::optim::Radam<double>\"");
  wrong_optimizer(std::make_unique<optim::Adam<double>>(optim::AdamOptions{.amsgrad = true}), "no \"optimizer.");
  wrong_optimizer(std::make_unique<optim::Sgd<double>>(), "\"optimizer\" of type \"rw::optim::Adam<double>\" for");

  Random random(1);
  rw::nn::Linear<double> model({.input = 3, .output = 2}, random), wide({.input = 3, .output = 4}, random);
  rw::nn::Linear<float> rough({.input = 3, .output = 2}, random);
  Snapshot small, large, half, twice;
  small.add("model", model.parameters());
  large.add("model", wide.parameters());
  half.add("model", rough.parameters());
  small.save(path);
  refused(large, start + "\"model.bias\" [2] for [4], \"model.weight\" [3, 2] for [3, 4]");
  refused(half, start + "\"model.bias\" of dtype F64 for F32, \"model.weight\" of dtype F64 for F32");
  double loss = 1;
  small.add("loss", loss);
  refused(small, start + "no \"loss\"");
  small.save(path);
  twice.add("model", model.parameters());
  refused(twice, start + "an unknown \"loss\"");
  std::int64_t count = 300;
  std::int8_t narrow = 1;
  Snapshot numbers, few;
  numbers.add("n", count);
  numbers.save(path);
  few.add("n", narrow);
  refused(few, start + "\"n\": snapshot: expected an integer of its type; got 300");
  few = {};
  few.add("n", loss);
  refused(few, start + "\"n\" of dtype I64 for F64");
  std::vector<std::int64_t> list;
  few = {};
  few.add("n", list);
  refused(few, start + "\"n\" [] for [0]");
  rw::nn::write_safetensors(path, {});
  refused(run.parts(), start + "no \"model.cell.bias\", no");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_damaged) {
  TrainingRun<double> run = adam_run(), other = adam_run(2);
  run.step();
  run.parts().save(path);
  const std::string whole = contents(path);
  const Safetensors good = rw::nn::read_safetensors(path);
  const Snapshot parts = other.parts();
  const std::string before = written(parts);
  for (std::size_t n = 0; n < whole.size(); n += 97) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, n);
    BOOST_REQUIRE_EXCEPTION(parts.load(path), std::runtime_error, mentions("read_safetensors: " + path));
  }
  BOOST_TEST((written(parts) == before));

  const auto with = [&](const std::string& name, rw::nn::AnyTensor tensor, const std::string& text) {
    Safetensors bad = good;
    bad.tensors.at(name) = std::move(tensor);
    rw::nn::write_safetensors(path, bad);
    refused(parts, "the parts of this run; got " + text);
  };
  with("random", rw::nn::to_bytes("1 2 3"), "\"random\": restored: expected a state of Random; got 5 bytes");
  with("optimizer.steps", rw::scalar<std::int64_t>(-1),
       "\"optimizer\": snapshot: expected steps of at least 0; got -1");
  with("optimizer.learning_rate", rw::scalar<double>(NAN),
       "\"optimizer\": snapshot: expected a finite learning rate of at least 0; got nan");
  with("plateau.cooling", rw::scalar<double>(1e300), "\"plateau\": plateau: expected a count cooling; got 1e+300");
  with("plateau.rate", rw::scalar<double>(-1), "\"plateau\": plateau: expected rate in [0, inf); got -1");
  with("stopping.waited", rw::scalar<double>(0.5), "\"stopping\": lowest: expected a count waited; got 0.5");
  rw::nn::write_safetensors(path, good);
  parts.load(path);
  BOOST_TEST((written(parts) == whole));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_part) {
  Random random;
  double x = 0;
  Snapshot parts;
  parts.add("x", x);
  const auto refuses = [&](const std::string& name, const std::string& text) {
    BOOST_CHECK_EXCEPTION(parts.add(name, random), std::invalid_argument, says("snapshot: expected " + text));
  };
  refuses("", "a name of a part without dots; got \"\"");
  refuses("a.b", "a name of a part without dots; got \"a.b\"");
  refuses("x", "distinct names of parts; got \"x\" twice");
  parts.save(path);
  BOOST_TEST(rw::nn::read_safetensors(path).tensors.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_save_that_fails_leaves_the_old_file) {
  TrainingRun<double> run = adam_run();
  const Snapshot parts = run.parts();
  parts.save(path);
  const std::string before = contents(path);
  run.step();
  const auto fails = [&](const std::string& to, const std::string& text) {
    BOOST_CHECK_EXCEPTION(parts.save(to), std::runtime_error,
                          mentions("write_safetensors: " + to + ": expected a file to write; got " + text));
    BOOST_TEST((contents(path) == before));
    BOOST_TEST(files() == 1u);
  };
  for (const rlim_t room : {0, 1000, 20000}) {
    const FullDisk full(room);
    fails(path, "File too large");
  }
  fails(file("none/snapshot"), "No such file or directory");
  fails(Folder::path, "Is a directory");

  ::chmod(Folder::path.c_str(), 0555);
  const uid_t user = ::geteuid();
  if (user == 0) BOOST_REQUIRE(::seteuid(65534) == 0);  // root may write everywhere
  fails(path, "Permission denied");
  if (user == 0) BOOST_REQUIRE(::seteuid(user) == 0);
  ::chmod(Folder::path.c_str(), 0755);

  std::ofstream(path + ".part") << std::string(1 << 20, 'x');  // of a save that was killed
  parts.save(path);
  BOOST_TEST((contents(path) != before));
  BOOST_TEST(files() == 1u);
  parts.load(path);
}

BOOST_AUTO_TEST_SUITE_END()
