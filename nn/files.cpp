#include "nn/files.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <stdexcept>

namespace rw::nn {

namespace files {

void refuse(const char* op, const std::string& expectation, const std::string& path, const std::string& got) {
  throw std::runtime_error(std::string(op) + ": " + path + ": expected " + expectation + "; got " + got);
}

void refuse_faults(const char* op, const std::string& expectation, const std::string& path,
                   const std::vector<std::string>& faults) {
  if (faults.empty()) return;
  constexpr std::size_t shown = 4;
  std::string list;
  for (std::size_t i = 0; i < std::min(shown, faults.size()); ++i) list += (i > 0 ? ", " : "") + faults[i];
  if (faults.size() > shown) list += " and " + std::to_string(faults.size() - shown) + " more";
  refuse(op, expectation, path, list);
}

void check_is_file(const char* op, const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    refuse(op, "a file", path, "a folder or device");
  }
}

std::string printable(std::string_view name) {
  constexpr std::size_t shown = 80;
  constexpr const char* digits = "0123456789abcdef";
  std::string text = "\"";
  for (const unsigned char c : name.substr(0, shown)) {
    if (c == '"' || c == '\\') text += '\\';
    if (c >= ' ' && c <= '~') {
      text += static_cast<char>(c);
    } else {
      text.append("\\x").append({digits[c / 16], digits[c % 16]});
    }
  }
  return text + (name.size() <= shown ? "\"" : "\"...");
}

bool is_name(std::string_view name) {
  if (name.find('\0') != name.npos) return false;
  if (name.find_first_of("/\\") == 0 || name.find(':') == 1) return false;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find_first_of("/\\", begin), name.size());
    if (name.substr(begin, end - begin) == "..") return false;
    begin = end + 1;
  }
  return true;
}

Shape shape_of(const AnyTensor& tensor) {
  return std::visit([](const auto& x) { return Shape(x.shape()); }, tensor);
}

std::span<const std::byte> bytes_of(const AnyTensor& tensor) {
  return std::visit([](const auto& x) { return std::as_bytes(std::span(x.data(), x.size())); }, tensor);
}

std::span<std::byte> bytes_of(AnyTensor& tensor) {
  return std::visit([](auto& x) { return std::as_writable_bytes(std::span(x.data(), x.size())); }, tensor);
}

AnyTensor empty_tensor(std::size_t index, const Shape& shape) {
  switch (index) {
    case 0:
      return rw::empty<float>(shape);
    case 1:
      return rw::empty<double>(shape);
    case 2:
      return rw::empty<std::int64_t>(shape);
    default:
      return rw::empty<std::uint8_t>(shape);
  }
}

std::optional<std::uint64_t> byte_size(std::size_t width, const Shape& shape) {
  std::uint64_t bytes = width;
  bool none = false;
  for (const std::uint64_t extent : shape) {
    none = none || extent == 0;
    // As if no extent were 0: strides must fit too.
    if (__builtin_mul_overflow(bytes, std::max<std::uint64_t>(extent, 1), &bytes)) return {};
    if (bytes > static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max())) return {};
  }
  return none ? 0 : bytes;
}

}  // namespace files

template <class T>
const Tensor<T>& get(const NamedTensors& tensors, const std::string& name) {
  const auto it = tensors.find(name);
  const Tensor<T>* tensor = it == tensors.end() ? nullptr : std::get_if<Tensor<T>>(&it->second);
  if (tensor != nullptr) return *tensor;
  throw std::runtime_error("get: expected a tensor " + files::printable(name) + " of dtype " +
                           files::dtypes[AnyTensor(Tensor<T>()).index()] + "; got " +
                           (it == tensors.end() ? "none of that name" : files::dtypes[it->second.index()]));
}

template const Tensor<float>& get(const NamedTensors&, const std::string&);
template const Tensor<double>& get(const NamedTensors&, const std::string&);
template const Indices& get(const NamedTensors&, const std::string&);
template const Tensor<std::uint8_t>& get(const NamedTensors&, const std::string&);

}  // namespace rw::nn
