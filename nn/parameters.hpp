#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "autograd/variable.hpp"

namespace rw::nn {

/// The parameters of a model, in order, under the names they have in a file. A layer lists its own,
///     Parameters<T> parameters() { return {weight_ih, weight_hh, bias}; }
/// and a model joins its layers', so that a name is a path: add("encoder.forward", cell.parameters()) holds
/// encoder.forward.weight_ih. Points to the parameters: valid while they stay where they are.
/// Whatever adds throws std::invalid_argument where a name or a parameter would be there twice, and changes nothing.
template <class T>
class Parameters {
 public:
  using Element = T;

  struct Entry {
    std::string name;
    Parameter<T>* parameter;

    Entry(Parameter<T>& p) : name(p.name()), parameter(&p) {}
    Entry(std::string n, Parameter<T>& p) : name(std::move(n)), parameter(&p) {}
  };

  Parameters() = default;
  Parameters(std::initializer_list<Entry> entries) { append(entries); }

  void add(Parameter<T>& parameter) { append({parameter}); }

  /// Adds a layer's under `prefix` and a dot.
  void add(const std::string& prefix, const Parameters& layer) {
    std::vector<Entry> entries;
    for (const Entry& e : layer) entries.emplace_back(prefix + "." + e.name, *e.parameter);
    append(entries);
  }

  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  std::size_t size() const { return entries_.size(); }

  /// The number of trained numbers.
  std::size_t elements() const {
    std::size_t n = 0;
    for (const Entry& e : entries_) n += e.parameter->size();
    return n;
  }

  /// The parameter of that name, else nullptr.
  Parameter<T>* find(const std::string& name) const {
    const auto it = std::find_if(begin(), end(), [&](const Entry& e) { return e.name == name; });
    return it == end() ? nullptr : it->parameter;
  }

  /// Throws std::invalid_argument where there is none of that name.
  Parameter<T>& operator[](const std::string& name) const {
    Parameter<T>* parameter = find(name);
    if (parameter == nullptr) fail("parameters", "the name of a parameter", name);
    return *parameter;
  }

  /// What an optimiser takes.
  operator std::vector<Parameter<T>*>() const {
    std::vector<Parameter<T>*> list;
    for (const Entry& e : entries_) list.push_back(e.parameter);
    return list;
  }

 private:
  void append(const std::vector<Entry>& entries) {
    std::vector<Entry> all = entries_;
    for (const Entry& entry : entries) {
      for (const Entry& e : all) {
        if (e.name == entry.name) fail("parameters", "distinct names", entry.name, " twice");
        if (e.parameter == entry.parameter) fail("parameters", "each parameter once", e.name, " and ", entry.name);
      }
      all.push_back(entry);
    }
    entries_ = std::move(all);
  }

  std::vector<Entry> entries_;
};

}  // namespace rw::nn
