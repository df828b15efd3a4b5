#include "nn/safetensors.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "nn/replacement.hpp"

namespace rw::nn {
namespace {

using Json = nlohmann::json;
using Bytes = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian and read as they lie");

constexpr std::uint64_t header_limit = 100'000'000;  // of the format's reference implementation
constexpr const char* metadata_key = "__metadata__";
constexpr std::array<const char*, 4> dtypes = {"F32", "F64", "I64", "U8"};  // in the order of AnyTensor
constexpr std::array<std::uint64_t, 4> widths = {4, 8, 8, 1};

[[noreturn]] void refuse(const char* op, const std::string& expectation, const std::string& path,
                         const std::string& got) {
  throw std::runtime_error(std::string(op) + ": " + path + ": expected " + expectation + "; got " + got);
}

// A name of a file, which may be anything, as a short piece of one line.
std::string quoted(const std::string& name) {
  std::string text = Json(name.substr(0, 80)).dump(-1, ' ', true, Json::error_handler_t::replace);
  return name.size() <= 80 ? text : text + "...";
}

AnyTensor empty_tensor(std::size_t dtype, const Shape& shape) {
  switch (dtype) {
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

template <class T>
Bytes bytes_of(const Tensor<T>& x) {
  return std::as_bytes(std::span(x.data(), x.size()));
}

Bytes bytes_of(const AnyTensor& tensor) {
  return std::visit([](const auto& x) { return bytes_of(x); }, tensor);
}

Shape shape_of(const AnyTensor& tensor) {
  return std::visit([](const auto& x) { return Shape(x.shape()); }, tensor);
}

class Reader {
 public:
  Reader(std::istream& in, const std::string& name) : in_(in), name_(name) {}

  Safetensors read() {
    const Json header = parse(header_text());
    if (!header.is_object()) broken("a JSON object as header", header.type_name());
    Safetensors file;
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == metadata_key) {
        file.metadata = metadata(value);
      } else {
        entries.push_back(entry(name, value));
      }
    }
    check_layout(entries);
    for (const Entry& e : entries) {
      AnyTensor& tensor = file.tensors[e.name] = empty_tensor(e.dtype, e.shape);
      std::visit([this](auto& x) { get(x.data(), bytes_of(x).size()); }, tensor);
    }
    return file;
  }

 private:
  struct Entry {
    std::string name;
    std::size_t dtype;
    Shape shape;
    std::uint64_t begin, end;  // in bytes from the end of the header
  };

  [[noreturn]] void broken(const std::string& expectation, const std::string& got) const {
    refuse("read_safetensors", expectation, name_, got);
  }

  void get(void* to, std::size_t bytes) {
    if (!in_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes))) {
      broken("bytes that can be read", "an error of the system");
    }
  }

  std::string header_text() {
    in_.seekg(0, std::ios::end);
    const auto size = static_cast<std::uint64_t>(in_.tellg());
    in_.seekg(0);
    if (!in_) broken("bytes that can be read", "an error of the system");
    if (size < 8) broken("a header", std::to_string(size) + " bytes in all");
    std::uint64_t length = 0;
    get(&length, sizeof length);
    if (length > size - 8 || length > header_limit) {
      broken("a header within the file and of at most " + std::to_string(header_limit) + " bytes",
             std::to_string(length) + " bytes in a file of " + std::to_string(size));
    }
    data_size_ = size - 8 - length;
    std::string text(length, '\0');
    get(text.data(), length);
    return text;
  }

  // Nesting is bounded and names are checked while reading: the parsed object would keep the last of several.
  Json parse(const std::string& text) const {
    std::array<std::set<std::string>, 2> keys;  // of the header, of the tensor being read
    const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
      using Event = Json::parse_event_t;
      if ((event == Event::object_start && depth > 1) || (event == Event::array_start && depth > 2)) {
        broken("a flat JSON header", "an object or array " + std::to_string(depth + 1) + " deep");
      }
      if (event == Event::object_start && depth == 1) keys[1].clear();
      if (event == Event::key && !keys[depth == 1 ? 0 : 1].insert(value.get<std::string>()).second) {
        broken("each name once", quoted(value.get<std::string>()) + " twice");
      }
      return true;
    };
    try {
      return Json::parse(text, check);
    } catch (const Json::parse_error& e) {
      broken("a JSON header", "an error at its byte " + std::to_string(e.byte));
    } catch (const Json::out_of_range&) {
      broken("a JSON header", "a number out of range");
    }
  }

  std::map<std::string, std::string> metadata(const Json& value) const {
    const auto is_text = [](const Json& v) { return v.is_string(); };
    if (!value.is_object() || !std::all_of(value.begin(), value.end(), is_text)) {
      broken("metadata that maps names to text", value.type_name());
    }
    return value.get<std::map<std::string, std::string>>();
  }

  Entry entry(const std::string& name, const Json& value) const {
    const auto naturals = [&](const char* key) {
      return value.contains(key) && value[key].is_array() &&
             std::all_of(value[key].begin(), value[key].end(), [](const Json& v) { return v.is_number_unsigned(); });
    };
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value["dtype"].is_string() ||
        !naturals("shape") || !naturals("data_offsets") || value["data_offsets"].size() != 2) {
      broken("a dtype, shape and data_offsets for each tensor", "others for " + quoted(name));
    }
    const auto dtype = std::find(dtypes.begin(), dtypes.end(), value["dtype"].get<std::string>()) - dtypes.begin();
    if (dtype == std::ssize(dtypes)) {
      broken("dtype F32, F64, I64 or U8", quoted(value["dtype"].get<std::string>()) + " for " + quoted(name));
    }
    Entry e{name, static_cast<std::size_t>(dtype), {}, value["data_offsets"][0], value["data_offsets"][1]};
    for (const Json& extent : value["shape"]) e.shape.push_back(extent.get<std::size_t>());
    return e;
  }

  // Tensors follow one another without gap or overlap, each of the size of its shape, up to the end of the file.
  void check_layout(std::vector<Entry>& entries) const {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::uint64_t position = 0;
    for (const Entry& e : entries) {
      const std::string got = quoted(e.name) + " at [" + std::to_string(e.begin) + ", " + std::to_string(e.end) + ")";
      if (e.begin != position || e.end < e.begin) {
        broken("data_offsets without gap or overlap, next from " + std::to_string(position), got);
      }
      if (e.end > data_size_) broken("data_offsets within " + std::to_string(data_size_) + " bytes of data", got);
      if (!holds(e)) broken("data_offsets that fit the shape", got + " " + shape_text(e.shape));
      position = e.end;
    }
    if (position != data_size_) {
      broken("data up to byte " + std::to_string(position), std::to_string(data_size_) + " bytes");
    }
  }

  // Whether the bytes of e are those of its shape. Overflow is looked for as if no extent were 0: strides must fit too.
  static bool holds(const Entry& e) {
    std::uint64_t bytes = widths[e.dtype];
    bool none = false;
    for (const std::uint64_t extent : e.shape) {
      none = none || extent == 0;
      if (__builtin_mul_overflow(bytes, std::max<std::uint64_t>(extent, 1), &bytes)) return false;
      if (bytes > static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max())) return false;
    }
    return e.end - e.begin == (none ? 0 : bytes);
  }

  static std::string shape_text(const Shape& shape) {
    return shape.size() <= 16 ? to_string(shape) : "of " + std::to_string(shape.size()) + " axes";
  }

  std::istream& in_;
  const std::string& name_;
  std::uint64_t data_size_ = 0;
};

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
const Tensor<T>& Safetensors::get(const std::string& name) const {
  const char* wanted = dtypes[AnyTensor(Tensor<T>()).index()];
  const auto it = tensors.find(name);
  const Tensor<T>* tensor = it == tensors.end() ? nullptr : std::get_if<Tensor<T>>(&it->second);
  if (tensor != nullptr) return *tensor;
  throw std::runtime_error("safetensors: expected a tensor " + quoted(name) + " of dtype " + wanted + "; got " +
                           (it == tensors.end() ? "none of that name" : dtypes[it->second.index()]));
}

Safetensors read_safetensors(std::istream& in, const std::string& name) { return Reader(in, name).read(); }

Safetensors read_safetensors(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    refuse("read_safetensors", "a file", path, "a folder or device");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse("read_safetensors", "a file", path, std::strerror(errno));
  return read_safetensors(in, path);
}

void write_safetensors(const std::string& path, const Safetensors& file) {
  std::vector<const std::pair<const std::string, AnyTensor>*> tensors;
  for (const auto& tensor : file.tensors) tensors.push_back(&tensor);
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto* a, const auto* b) {
    return widths[a->second.index()] > widths[b->second.index()];  // wide elements first: all are aligned
  });

  Json header = Json::object();
  if (!file.metadata.empty()) header[metadata_key] = file.metadata;
  std::uint64_t position = 0;
  for (const auto* tensor : tensors) {
    const auto& [name, value] = *tensor;
    if (name == metadata_key) refuse("write_safetensors", "names of tensors", path, metadata_key);
    const std::uint64_t end = position + bytes_of(value).size();
    const Shape shape = shape_of(value);
    header[name] = {{"dtype", dtypes[value.index()]},
                    {"shape", std::vector<std::size_t>(shape.begin(), shape.end())},
                    {"data_offsets", Json::array({position, end})}};
    position = end;
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const Json::type_error&) {
    refuse("write_safetensors", "names and metadata in UTF-8", path, "other bytes");
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  if (length > header_limit) {
    refuse("write_safetensors", "a header of at most " + std::to_string(header_limit) + " bytes", path,
           std::to_string(length));
  }

  try {
    Replacement out(path);
    out.write(std::as_bytes(std::span(&length, 1)));
    out.write(std::as_bytes(std::span(text)));
    for (const auto* tensor : tensors) out.write(bytes_of(tensor->second));
    out.commit();
  } catch (const std::system_error& e) {
    refuse("write_safetensors", "a file to write", path, e.code().message());
  }
}

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
      faults.push_back("no " + quoted(key));
    } else if (const Shape shape = shape_of(it->second); it->second.index() > 1) {
      faults.push_back(quoted(key) + " of dtype " + dtypes[it->second.index()]);
    } else if (shape != parameter->shape()) {
      faults.push_back(quoted(key) + " " + to_string(shape) + " for " + to_string(parameter->shape()));
    } else {
      values.push_back(converted<T>(it->second));
    }
  }
  for (const auto& [key, tensor] : file.tensors) {
    if (tensor.index() <= 1 && !known.contains(key)) faults.push_back("an unknown " + quoted(key));
  }
  if (!faults.empty()) {
    constexpr std::size_t shown = 4;
    std::string list;
    for (std::size_t i = 0; i < std::min(shown, faults.size()); ++i) list += (i > 0 ? ", " : "") + faults[i];
    if (faults.size() > shown) list += " and " + std::to_string(faults.size() - shown) + " more";
    refuse("load", "the model's parameters", name, list);
  }
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

Tensor<std::uint8_t> to_bytes(std::string_view text) {
  Tensor<std::uint8_t> bytes = rw::empty<std::uint8_t>({text.size()});
  std::copy(text.begin(), text.end(), bytes.data());
  return bytes;
}

std::string to_text(const Tensor<std::uint8_t>& bytes) { return {bytes.data(), bytes.data() + bytes.size()}; }

template const Tensor<float>& Safetensors::get(const std::string&) const;
template const Tensor<double>& Safetensors::get(const std::string&) const;
template const Indices& Safetensors::get(const std::string&) const;
template const Tensor<std::uint8_t>& Safetensors::get(const std::string&) const;
template Safetensors pack(const Parameters<float>&);
template Safetensors pack(const Parameters<double>&);
template void unpack(const Safetensors&, const Parameters<float>&, const std::string&);
template void unpack(const Safetensors&, const Parameters<double>&, const std::string&);
template void save(const std::string&, const Parameters<float>&, std::map<std::string, std::string>);
template void save(const std::string&, const Parameters<double>&, std::map<std::string, std::string>);
template void load(const std::string&, const Parameters<float>&);
template void load(const std::string&, const Parameters<double>&);

}  // namespace rw::nn
