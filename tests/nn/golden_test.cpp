#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>

#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/nn/common.hpp"

// Reference values of PyTorch: a folder of safetensors files, one case each, which says in its metadata what it is. The
// test reads tests/golden, or the folder that REWIND_GOLDEN or the arguments `-- --golden DIR` name. There, cases that
// the library has nothing for are counted and named; in tests/golden they are failures.

namespace {

namespace fs = std::filesystem;
using rw::Gradients;
using rw::Indices;
using rw::Parameter;
using rw::slice;
using rw::Tape;
using rw::Tensor;
using rw::nn::Bidirectional;
using rw::nn::Gru;
using rw::nn::Lstm;
using rw::nn::map_state;
using rw::nn::Safetensors;
using V = rw::Variable<double>;

constexpr double tolerance = 1e-10, infinity = std::numeric_limits<double>::infinity();

/// Thrown where the library has nothing for a case.
struct Unsupported {
  std::string what;
};

/// One file, and how far our figures are off.
class Case {
 public:
  Case(std::string name, Safetensors file) : name_(std::move(name)), file_(std::move(file)) {}

  const std::string& name() const { return name_; }
  const Safetensors& file() const { return file_; }
  bool has(const std::string& tensor) const { return file_.tensors.contains(tensor); }
  const Tensor<double>& operator[](const std::string& tensor) const { return file_.get<double>(tensor); }
  const Indices& indices(const std::string& tensor) const { return file_.get<std::int64_t>(tensor); }

  const std::string& option(const std::string& key) {
    read_.insert(key);
    const auto it = file_.metadata.find(key);
    if (it == file_.metadata.end()) throw Unsupported{"no " + key};
    return it->second;
  }
  double number(const std::string& key) { return std::stod(option(key)); }
  void require(const std::string& key, const std::string& value) {
    if (option(key) != value) throw Unsupported{key + " " + option(key)};
  }

  /// Called before anything is compared: an option that nobody asked for makes it a case of another kind.
  void refuse_other_options() const {
    for (const auto& [key, value] : file_.metadata) {
      if (key != "torch" && !read_.contains(key)) throw Unsupported{key + " " + value};
    }
  }

  /// Against the tensor of that name. Elements near zero count relative to 1 % of the largest.
  void compare(const std::string& tensor, const V& ours) {
    compared_.insert(tensor);
    const Tensor<double>& theirs = (*this)[tensor];
    const bool scalar = ours.rank() == 0 && theirs.size() == 1;
    double error = scalar || ours.shape() == theirs.shape() ? 0 : infinity, largest = 0;
    for (const double x : theirs) largest = std::max(largest, std::abs(x));
    for (std::size_t i = 0; error < infinity && i < theirs.size(); ++i) {
      const double x = ours.value().data()[i], y = theirs.data()[i];
      const double relative = x == y ? 0 : std::abs(x - y) / std::max(std::abs(y), 0.01 * largest);
      error = std::isfinite(relative) ? std::max(error, relative) : infinity;
    }
    worst_ = std::max(worst_, error);
    std::ostringstream fault;
    fault << tensor << " has a relative error of " << error;
    if (error > tolerance) faults_.push_back(fault.str());
  }

  /// Every gradient and each of these results must have been compared.
  void finish(const std::set<std::string>& results) {
    for (const auto& [tensor, value] : file_.tensors) {
      const bool result = tensor.rfind("grad.", 0) == 0 || results.contains(tensor);
      if (result && !compared_.contains(tensor)) faults_.push_back(tensor + " was not compared");
    }
    if (compared_.empty()) faults_.push_back("nothing was compared");
  }

  double worst() const { return worst_; }
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  std::string name_;
  Safetensors file_;
  std::set<std::string> read_, compared_;
  std::vector<std::string> faults_;
  double worst_ = 0;
};

template <class C>
auto first_state(const C& cell, std::size_t batch) {
  return cell.initial_state(batch);
}
template <class C>
auto first_state(const Bidirectional<C>& layer, std::size_t batch) {
  return typename Bidirectional<C>::State{layer.forward.initial_state(batch), layer.backward.initial_state(batch)};
}

template <class C>
auto run(const C& cell, const V& x, const std::vector<std::size_t>& lengths, const typename C::State& initial) {
  return unroll(cell, x, {.initial = initial, .lengths = lengths});
}
template <class C>
auto run(const Bidirectional<C>& layer, const V& x, const std::vector<std::size_t>& lengths,
         const typename Bidirectional<C>::State& initial) {
  return unroll(layer, x, lengths, initial);
}

// Our gradients as PyTorch has them: both of its biases receive the gradient of ours, but in a GRU's n gate.
template <class C>
void compare_parameters(Case& c, const Gradients<double>& g, C& cell, const std::string& suffix = "_l0") {
  const auto p = cell.parameters();
  c.compare("grad.weight_ih" + suffix, transpose(g[p["weight_ih"]]));
  c.compare("grad.weight_hh" + suffix, transpose(g[p["weight_hh"]]));
  if (p.find("bias") == nullptr) return;
  V bias = g[p["bias"]];
  c.compare("grad.bias_ih" + suffix, bias);
  if (p.find("bias_hn") != nullptr) {
    const V hn = g[p["bias_hn"]];
    bias = rw::concatenate({slice(bias, 0, 0, -static_cast<std::ptrdiff_t>(hn.size())), hn}, 0);
  }
  c.compare("grad.bias_hh" + suffix, bias);
}
template <class C>
void compare_parameters(Case& c, const Gradients<double>& g, Bidirectional<C>& layer) {
  compare_parameters(c, g, layer.forward);
  compare_parameters(c, g, layer.backward, "_l0_reverse");
}

// PyTorch has the states h (and c) of all directions in one tensor each.
template <class Layer>
void check_layer(Case& c, Layer layer) {
  unpack(rw::nn::from_torch(c.file()), layer.parameters(), c.name());
  std::vector<std::size_t> lengths;
  if (c.has("lengths")) lengths.assign(c.indices("lengths").begin(), c.indices("lengths").end());
  const std::vector<std::string> kinds =
      c.has("c0") ? std::vector<std::string>{"h", "c"} : std::vector<std::string>{"h"};

  Tape<double> tape;
  const V x = tape.watch(c["x"]);
  std::vector<V> begin;
  for (const std::string& kind : kinds) begin.push_back(tape.watch(c[kind + "0"]));
  std::size_t k = 0;
  const auto initial = map_state(
      [&](const V&) {
        const auto direction = static_cast<std::ptrdiff_t>(k / kinds.size());
        return squeeze(slice(begin[k++ % kinds.size()], 0, direction, direction + 1), 0);
      },
      first_state(layer, x.shape()[1]));
  const auto result = run(layer, x, lengths, initial);
  std::vector<std::vector<V>> end(kinds.size());
  k = 0;
  map_state([&](const V& v) { return end[k++ % kinds.size()].push_back(v), v; }, result.state);

  std::map<std::string, V> results{{"y", result.outputs}};
  for (std::size_t i = 0; i < kinds.size(); ++i) results[kinds[i] + "n"] = stack(end[i]);
  V loss = rw::scalar<double>(0);
  for (const auto& [name, value] : results) {
    c.compare(name, value);
    loss = loss + sum(V(c["cotangent." + name]) * value);
  }
  const auto g = tape.backward(loss);
  c.compare("loss", loss);
  c.compare("grad.x", g[x]);
  for (std::size_t i = 0; i < kinds.size(); ++i) c.compare("grad." + kinds[i] + "0", g[begin[i]]);
  compare_parameters(c, g, layer);
  c.finish({"y", "hn", "cn", "loss"});
}

template <class Cell>
void check_cell(Case& c) {
  c.require("layers", "1");
  c.require("proj", "0");
  c.require("nonlinearity", "tanh");
  c.require("layout", "time,batch,feature");
  const bool both = c.option("bidirectional") == "1", bias = c.option("bias") == "1";
  c.refuse_other_options();
  rw::Random random(1);
  const auto cell = [&] {
    return Cell({.input = c["weight_ih_l0"].shape(1), .hidden = c["weight_hh_l0"].shape(1), .bias = bias}, random);
  };
  if (both) {
    check_layer(c, Bidirectional<Cell>{cell(), cell()});
  } else {
    check_layer(c, cell());
  }
}

void check_cross_entropy(Case& c) {
  const std::string reduction = c.option("reduction");
  const rw::nn::CrossEntropyOptions options{.ignore = static_cast<std::int64_t>(c.number("ignore_index")),
                                            .smoothing = c.number("label_smoothing")};
  c.refuse_other_options();
  const Indices& target = c.indices("target");
  Tape<double> tape;
  const V logits = tape.watch(c["logits"]);
  const V value = reduction == "mean"  ? cross_entropy(logits, target, options)
                  : reduction == "sum" ? cross_entropy_sum(logits, target, options)
                                       : cross_entropy_rows(logits, target, options);
  c.compare("value", value);
  c.compare("grad.logits", tape.backward(sum(V(c["cotangent"]) * value))[logits]);
  c.finish({"value"});
}

void check_embedding(Case& c) {
  const auto padding = static_cast<std::int64_t>(c.number("padding_idx"));
  c.refuse_other_options();
  rw::Random random(1);
  rw::nn::Embedding<double> embedding(
      {.vocabulary = c["weight"].shape(0), .dimension = c["weight"].shape(1), .padding = padding}, random);
  embedding.weight.assign(c["weight"]);
  Tape<double> tape;
  const V value = embedding(c.indices("ids"));
  c.compare("value", value);
  c.compare("grad.weight", tape.backward(sum(V(c["cotangent"]) * value))[embedding.weight]);
  c.finish({"value"});
}

Gradients<double> gradients(const Parameter<double>& p, const V& value) {
  Gradients<double> g;
  rw::GradientSum<double> sum;
  sum.add(value);
  sum.settle();
  g.insert(p.place(), std::move(sum));
  return g;
}

template <class Optimizer>
void check_optimizer(Case& c, typename Optimizer::Options options) {
  options.learning_rate = c.number("lr");
  c.refuse_other_options();
  Optimizer optimizer(options);
  Parameter<double> p("p", c["start"]);
  std::vector<V> path;
  for (const V& gradient : unstack(V(c["gradients"]))) {
    optimizer.step({&p}, gradients(p, gradient));
    path.push_back(Tensor<double>(p.value()));
  }
  c.compare("path", stack(path));
  c.finish({"path"});
}

void check_clip(Case& c) {
  const double limit = c.number("max");
  c.refuse_other_options();
  std::vector<Parameter<double>> parameters;
  Gradients<double> all;
  for (std::size_t i = 0; c.has("g" + std::to_string(i)); ++i) {
    const Tensor<double>& g = c["g" + std::to_string(i)];
    all += gradients(parameters.emplace_back("p", g), V(g));
  }
  c.compare("norm", V(rw::scalar(rw::optim::clip_global_norm(all, limit))));
  std::set<std::string> results{"norm"};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string out = "out" + std::to_string(i);
    c.compare(out, all[parameters[i]]);
    results.insert(out);
  }
  c.finish(results);
}

void check(Case& c) {
  const std::string kind = c.option("case") + " " + c.option("kind");
  if (kind == "layer gru") return check_cell<Gru<double>>(c);
  if (kind == "layer lstm") return check_cell<Lstm<double>>(c);
  if (kind == "loss cross_entropy") return check_cross_entropy(c);
  if (kind == "loss embedding") return check_embedding(c);
  if (kind == "optimiser sgd") return check_optimizer<rw::optim::Sgd<double>>(c, {});
  if (kind == "optimiser adam") {
    return check_optimizer<rw::optim::Adam<double>>(
        c, {.beta1 = c.number("beta1"), .beta2 = c.number("beta2"), .epsilon = c.number("eps")});
  }
  if (kind == "clip norm") return check_clip(c);
  throw Unsupported{kind};
}

const fs::path own = fs::path(TESTS_DIR) / "golden";

fs::path folder() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  for (int i = 1; i + 1 < suite.argc; ++i) {
    if (std::string(suite.argv[i]) == "--golden") return suite.argv[i + 1];
  }
  const char* named = std::getenv("REWIND_GOLDEN");
  return named != nullptr ? fs::path(named) : own;
}

Case load(const fs::path& path) { return {path.stem(), rw::nn::read_safetensors(path)}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(golden)

BOOST_AUTO_TEST_CASE(equals_the_reference) {
  BOOST_REQUIRE_MESSAGE(fs::is_directory(folder()), "expected a folder of golden files; got " << folder());
  std::set<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder())) paths.insert(entry.path());
  std::vector<std::string> unsupported;
  std::size_t cases = 0;
  double worst = 0;
  for (const fs::path& path : paths) {
    const std::string name = path.filename();
    try {
      if (path.extension() != ".safetensors") throw Unsupported{"another kind of file"};
      Case c = load(path);
      check(c);
      for (const std::string& fault : c.faults()) BOOST_ERROR(name + ": " + fault);
      worst = std::max(worst, c.worst());
      ++cases;
    } catch (const Unsupported& e) {
      unsupported.push_back(name + " (" + e.what + ")");
      if (fs::equivalent(folder(), own)) BOOST_ERROR(unsupported.back() + " is not supported");
    } catch (const std::exception& e) {
      BOOST_ERROR(name + ": " + e.what());
    }
  }
  BOOST_TEST(cases > 0u, "no case in " << folder());
  std::cout << cases << " cases, worst relative error " << worst << std::endl;
  if (!unsupported.empty()) std::cout << unsupported.size() << " not supported:" << std::endl;
  for (const std::string& line : unsupported) std::cout << "  " << line << std::endl;
}

// What the test would say of a file that is slightly wrong, incomplete or of another kind.
BOOST_AUTO_TEST_CASE(sees_what_is_wrong) {
  const auto faults = [](Safetensors file) {
    Case c("case", std::move(file));
    check(c);
    return c.faults();
  };
  const Safetensors good = rw::nn::read_safetensors(own / "gru_bidirectional.safetensors");
  BOOST_TEST(faults(good).empty());
  for (const auto& [name, value] : good.tensors) {
    if (name.rfind("cotangent.", 0) == 0) continue;
    Safetensors bad = good;
    Tensor<double>& tensor = std::get<Tensor<double>>(bad.tensors[name]);
    tensor.data()[tensor.size() - 1] += 1e-7;
    BOOST_TEST(!faults(bad).empty(), name);
  }
  Safetensors more = good;
  more.tensors["grad.weight_hr_l0"] = rw::zeros<double>({1});
  BOOST_TEST(faults(more) == std::vector<std::string>{"grad.weight_hr_l0 was not compared"},
             boost::test_tools::per_element());

  const auto refused = [&](const std::string& key, const std::string& value, const std::string& what) {
    Safetensors other = good;
    other.metadata[key] = value;
    BOOST_CHECK_EXCEPTION(faults(other), Unsupported, [&](const Unsupported& e) { return e.what == what; });
  };
  refused("kind", "rnn", "layer rnn");
  refused("layers", "2", "layers 2");
  refused("peephole", "1", "peephole 1");
}

BOOST_AUTO_TEST_SUITE_END()
