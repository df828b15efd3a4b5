#pragma once

#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include "nn/safetensors.hpp"

namespace golden {

using rw::Indices;
using rw::Tensor;
using rw::nn::Safetensors;
using V = rw::Variable<double>;

constexpr double tolerance = 1e-10, infinity = std::numeric_limits<double>::infinity();

/// Thrown where the test does not know what a case is of.
struct Unknown {
  std::string what;
};

/// One file, and how far our figures are off.
class Case {
 public:
  Case(std::string name, Safetensors file) : name_(std::move(name)), file_(std::move(file)) {
    kind_ = option("case") + " " + option("kind");
  }

  const std::string& name() const { return name_; }
  const std::string& kind() const { return kind_; }
  const Safetensors& file() const { return file_; }
  bool has(const std::string& tensor) const { return file_.tensors.contains(tensor); }
  const Tensor<double>& operator[](const std::string& tensor) const { return file_.get<double>(tensor); }
  const Indices& indices(const std::string& tensor) const { return file_.get<std::int64_t>(tensor); }

  const std::string& option(const std::string& key) {
    read_.insert(key);
    const auto it = file_.metadata.find(key);
    if (it == file_.metadata.end()) throw Unknown{kind_ + ": no " + key};
    return it->second;
  }
  const std::string& option(const std::string& key, const std::string& otherwise) {
    return file_.metadata.contains(key) ? option(key) : otherwise;
  }
  double number(const std::string& key) { return std::stod(option(key)); }
  void require(const std::string& key, const std::string& value) {
    if (option(key) != value) throw Unknown{kind_ + ": " + key + " " + option(key)};
  }

  /// Called before anything is compared: an option that nobody asked for makes it a case of another kind.
  void refuse_other_options() const {
    for (const auto& [key, value] : file_.metadata) {
      if (key != "torch" && key != "version" && !read_.contains(key)) throw Unknown{kind_ + ": " + key};
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
  std::string name_, kind_;
  Safetensors file_;
  std::set<std::string> read_, compared_;
  std::vector<std::string> faults_;
  double worst_ = 0;
};

/// A layer of PyTorch: values and every gradient.
void check_layer(Case& c);

/// Layers of other libraries: values alone.
void check_foreign(Case& c);

/// A whole model of PyTorch by the names in its state_dict: values alone.
void check_state(Case& c);

}  // namespace golden
