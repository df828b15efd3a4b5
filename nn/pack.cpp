#include <algorithm>
#include <set>
#include <vector>

#include "nn/files.hpp"
#include "nn/safetensors.hpp"

// Parameters in files of named tensors.

namespace rw::nn {
namespace {

using files::dtypes;
using files::printable;

template <class T>
Tensor<T> converted(const AnyTensor& tensor) {
  return std::visit(
      [](const auto& from) {
        Tensor<T> to = rw::empty<T>(from.shape());
        std::transform(from.data(), from.data() + from.size(), to.data(), [](auto x) { return static_cast<T>(x); });
        return to;
      },
      tensor);
}

}  // namespace

template <class T>
Safetensors pack(const Parameters<T>& parameters) {
  Safetensors file;
  for (const auto& [name, parameter] : parameters) file.tensors[name] = parameter->value();
  return file;
}

template <class T>
void unpack(const Safetensors& file, const Parameters<T>& parameters, const std::string& name) {
  std::vector<std::string> faults;
  std::set<std::string> known;
  std::vector<Tensor<T>> values;
  for (const auto& [key, parameter] : parameters) {
    known.insert(key);
    const auto it = file.tensors.find(key);
    if (it == file.tensors.end()) {
      faults.push_back("no " + printable(key));
    } else if (const Shape shape = files::shape_of(it->second); it->second.index() > 1) {
      faults.push_back(printable(key) + " of dtype " + dtypes[it->second.index()]);
    } else if (shape != parameter->shape()) {
      faults.push_back(printable(key) + " " + to_string(shape) + " for " + to_string(parameter->shape()));
    } else {
      values.push_back(converted<T>(it->second));
    }
  }
  for (const auto& [key, tensor] : file.tensors) {
    if (tensor.index() <= 1 && !known.contains(key)) faults.push_back("an unknown " + printable(key));
  }
  files::refuse_faults("load", "the model's parameters", name, faults);
  auto value = values.begin();
  for (const auto& entry : parameters) entry.parameter->assign(std::move(*value++));
}

template <class T>
void save(const std::string& path, const Parameters<T>& parameters, std::map<std::string, std::string> metadata) {
  Safetensors file = pack(parameters);
  file.metadata = std::move(metadata);
  write_safetensors(path, file);
}

template <class T>
void load(const std::string& path, const Parameters<T>& parameters) {
  unpack(read_safetensors(path), parameters, path);
}

template Safetensors pack(const Parameters<float>&);
template Safetensors pack(const Parameters<double>&);
template void unpack(const Safetensors&, const Parameters<float>&, const std::string&);
template void unpack(const Safetensors&, const Parameters<double>&, const std::string&);
template void save(const std::string&, const Parameters<float>&, std::map<std::string, std::string>);
template void save(const std::string&, const Parameters<double>&, std::map<std::string, std::string>);
template void load(const std::string&, const Parameters<float>&);
template void load(const std::string&, const Parameters<double>&);

}  // namespace rw::nn
