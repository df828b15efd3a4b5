#include "nn/safetensors.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "nn/files.hpp"
#include "nn/replacement.hpp"

namespace rw::nn {
namespace {

using Json = nlohmann::json;
using files::dtypes;
using files::printable;
using files::refuse;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian and read as they lie");

constexpr std::uint64_t header_limit = 100'000'000;  // of the format's reference implementation
constexpr std::size_t most_tensors = 20'000;         // the JSON parser takes time by their square
constexpr const char* metadata_key = "__metadata__";

class Reader {
 public:
  Reader(std::istream& in, const std::string& name) : in_(in), name_(name) {}

  Safetensors read() {
    const Json header = parse(header_text());
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
      AnyTensor& tensor = file.tensors[e.name] = files::empty_tensor(e.dtype, e.shape);
      get(files::bytes_of(tensor));
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

  void get(std::span<std::byte> to) {
    if (!in_.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()))) {
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
    get(std::as_writable_bytes(std::span(&length, 1)));
    if (length > size - 8 || length > header_limit) {
      broken("a header within the file and of at most " + std::to_string(header_limit) + " bytes",
             std::to_string(length) + " bytes in a file of " + std::to_string(size));
    }
    data_size_ = size - 8 - length;
    std::string text(length, '\0');
    get(std::as_writable_bytes(std::span(text)));
    if (!text.starts_with('{')) broken("a JSON object as header", "one that begins " + printable(text.substr(0, 1)));
    if (text.find('\0') != text.npos) broken("a JSON header", "a zero byte");  // the parser would stop there
    return text;
  }

  // Nesting and arrays are bounded and names are checked while reading: numbers take many times the size of their text,
  // and the parsed object would keep the last of several names.
  Json parse(const std::string& text) const {
    std::array<std::set<std::string>, 2> keys;  // of the header, of the tensor being read
    std::size_t objects = 0, numbers = 0;       // in the header, in the array being read
    const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
      using Event = Json::parse_event_t;
      if ((event == Event::object_start && depth > 1) || (event == Event::array_start && depth > 2)) {
        broken("a flat JSON header", "an object or array " + std::to_string(depth + 1) + " deep");
      }
      if (event == Event::object_start && depth == 1) {
        keys[1].clear();
        if (++objects > most_tensors) broken("at most " + std::to_string(most_tensors) + " tensors", "more");
      }
      if (event == Event::array_start) numbers = 0;
      if (event == Event::value && depth == 3 && ++numbers > Shape::capacity) {
        broken("arrays of at most " + std::to_string(Shape::capacity) + " numbers", "more");
      }
      if (event == Event::key && !keys[depth == 1 ? 0 : 1].insert(value.get<std::string>()).second) {
        broken("each name once", printable(value.get<std::string>()) + " twice");
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
    if (!files::is_name(name)) broken("names that stay within a folder", printable(name));
    const auto naturals = [&](const char* key) {
      return value.contains(key) && value[key].is_array() &&
             std::all_of(value[key].begin(), value[key].end(), [](const Json& v) { return v.is_number_unsigned(); });
    };
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value["dtype"].is_string() ||
        !naturals("shape") || !naturals("data_offsets") || value["data_offsets"].size() != 2) {
      broken("a dtype, shape and data_offsets for each tensor", "others for " + printable(name));
    }
    const auto dtype = std::find(dtypes.begin(), dtypes.end(), value["dtype"].get<std::string>()) - dtypes.begin();
    if (dtype == std::ssize(dtypes)) {
      broken("dtype F32, F64, I64 or U8", printable(value["dtype"].get<std::string>()) + " for " + printable(name));
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
      const std::string got =
          printable(e.name) + " at [" + std::to_string(e.begin) + ", " + std::to_string(e.end) + ")";
      if (e.begin != position || e.end < e.begin) {
        broken("data_offsets without gap or overlap, next from " + std::to_string(position), got);
      }
      if (e.end > data_size_) broken("data_offsets within " + std::to_string(data_size_) + " bytes of data", got);
      if (files::byte_size(files::widths[e.dtype], e.shape) != e.end - e.begin) {
        broken("data_offsets that fit the shape", got + " " + to_string(e.shape));
      }
      position = e.end;
    }
    if (position != data_size_) {
      broken("data up to byte " + std::to_string(position), std::to_string(data_size_) + " bytes");
    }
  }

  std::istream& in_;
  const std::string& name_;
  std::uint64_t data_size_ = 0;
};

}  // namespace

Safetensors read_safetensors(std::istream& in, const std::string& name) { return Reader(in, name).read(); }

Safetensors read_safetensors(const std::string& path) {
  files::check_is_file("read_safetensors", path);
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse("read_safetensors", "a file", path, std::strerror(errno));
  return read_safetensors(in, path);
}

void write_safetensors(const std::string& path, const Safetensors& file) {
  std::vector<const std::pair<const std::string, AnyTensor>*> tensors;
  for (const auto& tensor : file.tensors) tensors.push_back(&tensor);
  // Wide elements first: all are aligned.
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto* a, const auto* b) {
    return files::widths[a->second.index()] > files::widths[b->second.index()];
  });

  Json header = Json::object();
  if (!file.metadata.empty()) header[metadata_key] = file.metadata;
  std::uint64_t position = 0;
  for (const auto* tensor : tensors) {
    const auto& [name, value] = *tensor;
    if (name == metadata_key) refuse("write_safetensors", "names of tensors", path, metadata_key);
    if (!files::is_name(name)) refuse("write_safetensors", "names that stay within a folder", path, printable(name));
    const std::uint64_t end = position + files::bytes_of(value).size();
    const Shape shape = files::shape_of(value);
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
    for (const auto* tensor : tensors) out.write(files::bytes_of(tensor->second));
    out.commit();
  } catch (const std::system_error& e) {
    refuse("write_safetensors", "a file to write", path, e.code().message());
  }
}

Tensor<std::uint8_t> to_bytes(std::string_view text) {
  Tensor<std::uint8_t> bytes = rw::empty<std::uint8_t>({text.size()});
  std::copy(text.begin(), text.end(), bytes.data());
  return bytes;
}

std::string to_text(const Tensor<std::uint8_t>& bytes) { return {bytes.data(), bytes.data() + bytes.size()}; }

}  // namespace rw::nn
