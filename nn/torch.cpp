#include "nn/torch.hpp"

#include "nn/files.hpp"

namespace rw::nn {
namespace {

/// x [a, b] as [b, a].
AnyTensor transposed(const AnyTensor& x) {
  return std::visit(
      []<class From>(const From& from) -> AnyTensor {
        From to = rw::empty<typename From::value_type>({from.shape(1), from.shape(0)});
        for (std::size_t i = 0; i < from.shape(0); ++i) {
          for (std::size_t j = 0; j < from.shape(1); ++j) to(j, i) = from(i, j);
        }
        return to;
      },
      x);
}

/// A linear layer's, whose W is [I, O] here and [O, I] there.
void turn(Safetensors& linear) { linear.tensors["weight"] = transposed(linear.tensors.at("weight")); }

std::string joined(const std::vector<std::string>& faults) {
  std::string list;
  for (const std::string& fault : faults) list += (list.empty() ? "" : ", ") + fault;
  return list;
}

/// How a state_dict differs from one that fits.
std::vector<std::string> differences(const Safetensors& file, const Safetensors& fitting, const std::string& beneath) {
  using files::printable;
  std::vector<std::string> faults;
  for (const auto& [name, tensor] : fitting.tensors) {
    const auto it = file.tensors.find(name);
    if (it == file.tensors.end()) {
      faults.push_back("no " + printable(name));
    } else if (it->second.index() > 1) {
      faults.push_back(printable(name) + " of dtype " + files::dtypes[it->second.index()]);
    } else if (const Shape theirs = files::shape_of(it->second), ours = files::shape_of(tensor); theirs != ours) {
      faults.push_back(printable(name) + " " + to_string(theirs) + " for " + to_string(ours));
    }
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with(beneath) && !fitting.tensors.contains(name)) faults.push_back("an unknown " + printable(name));
  }
  return faults;
}

}  // namespace

template <class T>
Safetensors TorchNames<T>::pack() const {
  Safetensors all;
  for (const auto& [prefix, kind, parameters] : modules_) {
    Safetensors module = nn::pack(parameters);
    if (kind == Kind::recurrent) {
      module = to_torch(module, prefix);
    } else {
      if (kind == Kind::linear) turn(module);
      NamedTensors named;
      for (auto& [name, tensor] : module.tensors) named[prefix + name] = std::move(tensor);
      module.tensors = std::move(named);
    }
    all.tensors.merge(module.tensors);
    if (!module.tensors.empty()) fail("torch", "distinct names", module.tensors.begin()->first, " twice");
  }
  return all;
}

template <class T>
void TorchNames<T>::unpack(const Safetensors& file, const std::string& path, const std::string& beneath) const {
  const std::vector<std::string> faults = differences(file, pack(), beneath);
  if (!faults.empty()) files::refuse("import_torch", "the names and shapes of the model", path, joined(faults));
  for (const auto& [prefix, kind, parameters] : modules_) {
    Safetensors module;
    if (kind == Kind::recurrent) {
      module = from_torch(file, prefix);
    } else {
      for (const auto& entry : parameters) module.tensors[entry.name] = file.tensors.at(prefix + entry.name);
      if (kind == Kind::linear) turn(module);
    }
    nn::unpack(module, parameters, path);
  }
}

template <class T>
void import_torch(const std::string& path, const TorchNames<T>& names) {
  names.unpack(read_safetensors(path), path);
}

template <class T>
void export_torch(const std::string& path, const TorchNames<T>& names) {
  Safetensors file = names.pack();
  file.metadata["format"] = "pt";  // whose tensors these are, as PyTorch's own writer says
  write_safetensors(path, file);
}

template class TorchNames<float>;
template class TorchNames<double>;
template void import_torch(const std::string&, const TorchNames<float>&);
template void import_torch(const std::string&, const TorchNames<double>&);
template void export_torch(const std::string&, const TorchNames<float>&);
template void export_torch(const std::string&, const TorchNames<double>&);

}  // namespace rw::nn
