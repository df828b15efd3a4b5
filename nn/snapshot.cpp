#include "nn/snapshot.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "nn/files.hpp"

namespace rw::nn {
namespace {

using files::printable;

std::string joined(const std::string& part, const std::string& key) { return key.empty() ? part : part + "." + key; }

}  // namespace

namespace detail {

std::string name_of(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    std::free);
  return name ? name.get() : type.name();
}

}  // namespace detail

void Snapshot::add(Part part) {
  if (part.name.empty() || part.name.find('.') != part.name.npos) {
    fail("snapshot", "a name of a part without dots", printable(part.name));
  }
  for (const Part& p : parts_) {
    if (p.name == part.name) fail("snapshot", "distinct names of parts", printable(part.name), " twice");
  }
  parts_.push_back(std::move(part));
}

void Snapshot::add(const std::string& name, Random& random) {
  const auto pack = [&random] { return NamedTensors{{"", to_bytes(random.state())}}; };
  const auto unpack = [&random](NamedTensors& from) -> Change {
    const Random restored = Random::restored(to_text(detail::tensor<std::uint8_t>(from, "")));
    return [&random, restored] { random = restored; };
  };
  add({.name = name, .pack = pack, .unpack = unpack, .any_length = true, .kind = "random"});
}

void Snapshot::add(const std::string& name, std::string& text) {
  const auto pack = [&text] { return NamedTensors{{"", to_bytes(text)}}; };
  const auto unpack = [&text](NamedTensors& from) -> Change {
    return [&text, value = to_text(detail::tensor<std::uint8_t>(from, ""))] { text = value; };
  };
  add({.name = name, .pack = pack, .unpack = unpack, .any_length = true});
}

void Snapshot::save(const std::string& path) const {
  Safetensors file;
  for (const Part& part : parts_) {
    if (!part.kind.empty()) file.metadata[part.name] = part.kind;
    for (auto& [key, tensor] : part.pack()) file.tensors[joined(part.name, key)] = std::move(tensor);
  }
  write_safetensors(path, file);
}

void Snapshot::load(const std::string& path) const {
  Safetensors file = read_safetensors(path);
  std::vector<std::string> faults;
  std::vector<NamedTensors> found(parts_.size());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    const std::string kind = file.metadata[part.name];
    if (kind != part.kind) {
      faults.push_back(printable(part.name) + " of type " + printable(kind) + " for " + printable(part.kind));
    }
    for (const auto& [key, now] : part.pack()) {
      const std::string name = joined(part.name, key);
      auto node = file.tensors.extract(name);
      if (node.empty()) {
        faults.push_back("no " + printable(name));
        continue;
      }
      const Shape shape = files::shape_of(node.mapped()), wanted = files::shape_of(now);
      if (node.mapped().index() != now.index()) {
        faults.push_back(printable(name) + " of dtype " + files::dtypes[node.mapped().index()] + " for " +
                         files::dtypes[now.index()]);
      } else if (part.any_length ? shape.size() != wanted.size() : shape != wanted) {
        faults.push_back(printable(name) + " " + to_string(shape) + " for " + to_string(wanted));
      }
      found[i][key] = std::move(node.mapped());
    }
  }
  for (const auto& entry : file.tensors) faults.push_back("an unknown " + printable(entry.first));
  constexpr const char* parts_of_run = "the parts of this run";
  files::refuse_faults("snapshot", parts_of_run, path, faults);

  std::vector<Change> changes;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    try {
      changes.push_back(parts_[i].unpack(found[i]));
    } catch (const std::invalid_argument& e) {
      faults.push_back(printable(parts_[i].name) + ": " + e.what());
    }
  }
  files::refuse_faults("snapshot", parts_of_run, path, faults);
  for (const Change& change : changes) change();
}

}  // namespace rw::nn
