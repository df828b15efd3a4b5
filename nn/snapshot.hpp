#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "autograd/random.hpp"
#include "nn/any_tensor.hpp"
#include "nn/parameters.hpp"
#include "nn/safetensors.hpp"
#include "nn/state.hpp"

namespace rw::nn {
namespace detail {

template <class N>
concept Number = std::integral<N> || std::same_as<N, double>;

/// What files hold a number as.
template <Number N>
using Stored = std::conditional_t<std::integral<N>, std::int64_t, double>;

/// A number out of a file. Throws std::invalid_argument where an N cannot hold it.
template <Number N>
N number_from(Stored<N> stored) {
  const N number = static_cast<N>(stored);
  if constexpr (std::integral<N>) {
    if (static_cast<Stored<N>>(number) != stored) fail("snapshot", "an integer of its type", stored);
  }
  return number;
}

template <class T>
Tensor<T>& tensor(NamedTensors& tensors, const std::string& name) {
  return std::get<Tensor<T>>(tensors.at(name));
}

/// An optimiser: tensors for each parameter, the steps taken and the rate.
template <class O, class T>
concept KeepsStates = requires(O& o, const Parameter<T>& p) {
  { o.state_names() } -> std::convertible_to<std::vector<std::string>>;
  { o.state(p) } -> std::convertible_to<std::vector<Tensor<T>>&>;
  o.set_steps(o.steps());
  o.set_learning_rate(o.learning_rate());
};

/// Averages of weights: a tensor for each parameter that was averaged.
template <class O, class T>
concept KeepsAverages = requires(O& o, const Parameter<T>& p) {
  { o.average(p) } -> std::convertible_to<Tensor<T>&>;
  { o.has(p) } -> std::convertible_to<bool>;
  o.forget(p);
};

/// What remembers named numbers, as a schedule that follows the loss.
template <class O>
concept KeepsNumbers = std::copyable<O> && requires(O& o) {
  o.restore(o.numbers());
};

/// The name of a type as it is written in C++.
std::string name_of(const std::type_info& type);

}  // namespace detail

/// All that a training run must remember, as one file. What belongs to it is listed once, and serves to save and to go
/// on, after which every number is bit by bit that of a run that was never stopped:
///     Snapshot run;
///     run.add("model", model.parameters());
///     run.add("adam", adam, model.parameters());
///     run.add("random", random);
///     run.add("epoch", epoch);
///     if (std::filesystem::exists(path)) run.load(path);
///     for (; epoch < 10; run.save(path)) train(epoch++);
/// A snapshot keeps references: what was added must stay where it is. Names of parts are distinct and without dots,
/// else add() throws std::invalid_argument; several parts of a kind are as good as one (an optimiser a group).
/// Options (a momentum, a patience, a rate of dropout) are the program's own and are not kept.
class Snapshot {
 public:
  /// The values of parameters.
  template <class T>
  void add(const std::string& name, const Parameters<T>& parameters);

  /// An optimiser with its type, its learning rate, its steps and what it keeps for these parameters. One optimiser of
  /// several lists of parameters is added once, with all of them in one list.
  template <class T, detail::KeepsStates<T> O>
  void add(const std::string& name, O& optimizer, const Parameters<T>& parameters);

  /// Averages of these parameters, as far as they were averaged.
  template <class T, detail::KeepsAverages<T> O>
  void add(const std::string& name, O& averages, const Parameters<T>& parameters);

  /// What has numbers() and restore(): optim::Plateau, optim::EarlyStopping.
  template <detail::KeepsNumbers O>
  void add(const std::string& name, O& object);

  /// A random source, to go on with the same numbers.
  void add(const std::string& name, Random& random);

  /// An integer, a bool or a double: an epoch, a place in the data, the best loss.
  template <detail::Number N>
  void add(const std::string& name, N& number);

  /// A list of them, of any length: an order of the data, a curve of losses.
  template <detail::Number N>
  void add(const std::string& name, std::vector<N>& numbers);

  /// Text of any length.
  void add(const std::string& name, std::string& text);

  /// The state of a cell, carried from one window of a sequence to the next; it comes back as constants. All its
  /// Variables must be there, in the shapes of the file: begin with initial_state().
  template <class State>
  requires(std::is_aggregate_v<State> && !detail::KeepsNumbers<State>) void add(const std::string& name, State& state);

  /// Writes all parts as write_safetensors() does: at any moment `path` is the old file or the new one, whole, even
  /// when the program is killed or the disk is full. What a killed save left (`path`.part) the next one writes over.
  /// Throws std::runtime_error where the file cannot be written.
  void save(const std::string& path) const;

  /// Gives all parts what they were when the file was written. Throws std::runtime_error where it cannot be read, or
  /// has not exactly these parts with these names, types and shapes; then nothing is changed.
  void load(const std::string& path) const;

 private:
  using Change = std::function<void()>;
  struct Part {
    std::string name;
    std::function<NamedTensors()> pack;
    /// Checks tensors that are alike those of pack(), throws std::invalid_argument; the change may move them out.
    std::function<Change(NamedTensors&)> unpack;
    bool any_length = false;
    std::string kind = {};  // must be that of the file
  };

  void add(Part part);

  std::vector<Part> parts_;
};

template <class T>
void Snapshot::add(const std::string& name, const Parameters<T>& parameters) {
  const auto unpack = [parameters](NamedTensors& from) -> Change {
    return [parameters, &from] {
      for (const auto& [key, p] : parameters) p->assign(std::move(detail::tensor<T>(from, key)));
    };
  };
  add({.name = name, .pack = [parameters] { return nn::pack(parameters).tensors; }, .unpack = unpack});
}

template <class T, detail::KeepsStates<T> O>
void Snapshot::add(const std::string& name, O& optimizer, const Parameters<T>& parameters) {
  const auto each = [&optimizer, parameters](const auto& f) {
    for (const auto& entry : parameters) {
      std::vector<Tensor<T>>& kept = optimizer.state(*entry.parameter);
      for (std::size_t i = 0; i < kept.size(); ++i) f(optimizer.state_names()[i] + "." + entry.name, kept[i]);
    }
  };
  const auto pack = [&optimizer, each] {
    NamedTensors to;
    to["steps"] = scalar(static_cast<std::int64_t>(optimizer.steps()));
    to["learning_rate"] = scalar<double>(optimizer.learning_rate());
    each([&](const std::string& key, const Tensor<T>& kept) { to[key] = kept; });
    return to;
  };
  const auto unpack = [&optimizer, each](NamedTensors& from) -> Change {
    const auto steps = *detail::tensor<std::int64_t>(from, "steps").data();
    const double rate = *detail::tensor<double>(from, "learning_rate").data();
    if (steps < 0) fail("snapshot", "steps of at least 0", steps);
    if (!(rate >= 0 && std::isfinite(rate))) fail("snapshot", "a finite learning rate of at least 0", rate);
    return [&optimizer, &from, each, steps, rate] {
      optimizer.set_steps(static_cast<std::uint64_t>(steps));
      optimizer.set_learning_rate(rate);
      each([&](const std::string& key, Tensor<T>& kept) { kept = std::move(detail::tensor<T>(from, key)); });
    };
  };
  add({.name = name, .pack = pack, .unpack = unpack, .kind = detail::name_of(typeid(optimizer))});
}

template <class T, detail::KeepsAverages<T> O>
void Snapshot::add(const std::string& name, O& averages, const Parameters<T>& parameters) {
  const auto pack = [&averages, parameters] {
    NamedTensors to;
    Indices averaged = empty<std::int64_t>({parameters.size()});
    auto* has = averaged.data();
    for (const auto& [key, p] : parameters) {
      *has = averages.has(*p);
      to["mean." + key] = *has++ ? averages.average(*p) : p->value();
    }
    to["averaged"] = std::move(averaged);
    return to;
  };
  const auto unpack = [&averages, parameters](NamedTensors& from) -> Change {
    return [&averages, &from, parameters] {
      const auto* has = detail::tensor<std::int64_t>(from, "averaged").data();
      for (const auto& [key, p] : parameters) {
        if (*has++) {
          averages.average(*p) = std::move(detail::tensor<T>(from, "mean." + key));
        } else {
          averages.forget(*p);
        }
      }
    };
  };
  add({.name = name, .pack = pack, .unpack = unpack});
}

template <detail::KeepsNumbers O>
void Snapshot::add(const std::string& name, O& object) {
  const auto pack = [&object] {
    NamedTensors to;
    for (const auto& [key, number] : object.numbers()) to[key] = scalar<double>(number);
    return to;
  };
  const auto unpack = [&object](NamedTensors& from) -> Change {
    auto numbers = object.numbers();
    for (auto& [key, number] : numbers) number = *detail::tensor<double>(from, key).data();
    O restored = object;
    restored.restore(numbers);
    return [&object, restored] { object = restored; };
  };
  add({.name = name, .pack = pack, .unpack = unpack});
}

template <detail::Number N>
void Snapshot::add(const std::string& name, N& number) {
  using S = detail::Stored<N>;
  const auto pack = [&number] { return NamedTensors{{"", scalar<S>(static_cast<S>(number))}}; };
  const auto unpack = [&number](NamedTensors& from) -> Change {
    return [&number, value = detail::number_from<N>(*detail::tensor<S>(from, "").data())] { number = value; };
  };
  add({.name = name, .pack = pack, .unpack = unpack});
}

template <detail::Number N>
void Snapshot::add(const std::string& name, std::vector<N>& numbers) {
  using S = detail::Stored<N>;
  const auto pack = [&numbers] {
    Tensor<S> to = empty<S>({numbers.size()});
    std::transform(numbers.begin(), numbers.end(), to.data(), [](N n) { return static_cast<S>(n); });
    return NamedTensors{{"", std::move(to)}};
  };
  const auto unpack = [&numbers](NamedTensors& from) -> Change {
    const Tensor<S>& stored = detail::tensor<S>(from, "");
    std::vector<N> values(stored.size());
    std::transform(stored.data(), stored.data() + stored.size(), values.begin(), detail::number_from<N>);
    return [&numbers, values] { numbers = values; };
  };
  add({.name = name, .pack = pack, .unpack = unpack, .any_length = true});
}

template <class State>
requires(std::is_aggregate_v<State> && !detail::KeepsNumbers<State>) void Snapshot::add(const std::string& name,
                                                                                        State& state) {
  const auto pack = [&state] {
    NamedTensors to;
    map_state(
        [&](const auto& v) {
          if (!v.defined()) fail("snapshot", "a state with all its values", "one without");
          to[std::to_string(to.size())] = v.value();
          return v;
        },
        state);
    return to;
  };
  const auto unpack = [&state](NamedTensors& from) -> Change {
    return [&state, &from] {
      std::size_t i = 0;
      const auto read = [&]<class T>(const Variable<T>&) {
        return Variable<T>(std::move(detail::tensor<T>(from, std::to_string(i++))));
      };
      state = map_state(read, state);
    };
  };
  add({.name = name, .pack = pack, .unpack = unpack});
}

}  // namespace rw::nn
