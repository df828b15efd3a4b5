#include "nn/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "autograd/replacement.hpp"
#include "nn/files.hpp"

namespace rw::nn {
namespace {

using Json = nlohmann::json;
using files::dtypes;
using files::printable;
using files::refuse;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian and read as they lie");

constexpr std::uint64_t header_limit = 100'000'000;  // of the format's reference implementation
constexpr const char* metadata_key = "__metadata__";

struct Refusal {
  const std::string& file;
  [[noreturn]] void operator()(const std::string& expectation, const std::string& got) const {
    refuse("read_safetensors", expectation, file, got);
  }
};

struct Entry {
  std::string name;
  std::size_t dtype = 0;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  // in bytes from the end of the header
};

// Takes what the header says while it is parsed: all of it as a Json would take many times the memory of the text, and
// keep the last of several entries of one name.
class Header {
 public:
  explicit Header(const Refusal& broken) : broken_(broken) {}

  std::map<std::string, std::string> metadata;
  std::vector<Entry> entries;

  // What Json::sax_parse meets. All return true: go on.
  bool start_object(std::size_t) {
    enter(2);
    if (depth_ == 1) return true;
    entry_ = {};
    entry_.name = name_;
    offsets_.clear();
    keys_[1].clear();
    return true;
  }

  bool key(const std::string& key) {
    if (!keys_[depth_ - 1].insert(key).second) broken_("each name once", printable(key) + " twice");
    (depth_ == 1 ? name_ : field_) = key;
    if (depth_ == 1 && !files::is_name(key)) broken_("names that stay within a folder", printable(key));
    return true;
  }

  bool string(const std::string& text) {
    if (depth_ == 2 && name_ == metadata_key) {
      metadata[field_] = text;
    } else if (depth_ == 2 && field_ == "dtype") {
      entry_.dtype = static_cast<std::size_t>(std::find(dtypes.begin(), dtypes.end(), text) - dtypes.begin());
      if (entry_.dtype == dtypes.size()) {
        broken_("dtype F32, F64, I64 or U8", printable(text) + " for " + printable(name_));
      }
    } else {
      other();
    }
    return true;
  }

  bool start_array(std::size_t) {
    enter(3);
    const bool known = field_ == "shape" || field_ == "data_offsets";
    if (depth_ < 3 || name_ == metadata_key || !known) other();
    return true;
  }

  bool number_unsigned(std::uint64_t number) {
    if (depth_ < 3) other();
    Shape& numbers = field_ == "shape" ? entry_.shape : offsets_;
    if (numbers.size() == Shape::capacity) {
      broken_("arrays of at most " + std::to_string(Shape::capacity) + " numbers", "more");
    }
    numbers.push_back(number);
    return true;
  }

  bool end_array() {
    --depth_;
    return true;
  }

  bool end_object() {
    if (--depth_ != 1 || name_ == metadata_key) return true;
    if (keys_[1].size() != 3 || offsets_.size() != 2) other();
    entry_.begin = offsets_[0];
    entry_.end = offsets_[1];
    entries.push_back(std::move(entry_));
    return true;
  }

  bool null() { other(); }
  bool boolean(bool) { other(); }
  bool number_integer(std::int64_t) { other(); }
  bool number_float(double, const std::string&) { other(); }
  bool binary(Json::binary_t&) { other(); }

  bool parse_error(std::size_t byte, const std::string&, const Json::exception& error) {
    const bool range = dynamic_cast<const Json::out_of_range*>(&error) != nullptr;
    broken_("a JSON header", range ? "a number out of range" : "an error at its byte " + std::to_string(byte));
  }

 private:
  void enter(std::size_t deepest) {
    if (++depth_ > deepest) broken_("a flat JSON header", "an object or array " + std::to_string(depth_) + " deep");
  }

  [[noreturn]] void other() const {
    if (name_ == metadata_key) broken_("metadata that maps names to text", "others");
    broken_("a dtype, shape and data_offsets for each tensor", "others for " + printable(name_));
  }

  const Refusal& broken_;
  std::size_t depth_ = 0;                      // 1 in the header, 2 in a tensor or the metadata, 3 in an array
  std::array<std::set<std::string>, 2> keys_;  // of the header, of the object in it
  std::string name_, field_;                   // the last of each
  Entry entry_;
  Shape offsets_;
};

class Reader {
 public:
  Reader(std::istream& in, const std::string& name) : in_(in), broken_{name} {}

  Safetensors read() {
    Header header(broken_);
    Json::sax_parse(header_text(), &header);
    check_layout(header.entries);
    Safetensors file{std::move(header.metadata), {}};
    for (const Entry& e : header.entries) {
      AnyTensor& tensor = file.tensors[e.name] = files::empty_tensor(e.dtype, e.shape);
      get(files::bytes_of(tensor));
    }
    return file;
  }

 private:
  void get(std::span<std::byte> to) {
    if (!in_.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()))) {
      broken_("bytes that can be read", "an error of the system");
    }
  }

  std::string header_text() {
    in_.seekg(0, std::ios::end);
    const auto size = static_cast<std::uint64_t>(in_.tellg());
    in_.seekg(0);
    if (!in_) broken_("bytes that can be read", "an error of the system");
    if (size < 8) broken_("a header", std::to_string(size) + " bytes in all");
    std::uint64_t length = 0;
    get(std::as_writable_bytes(std::span(&length, 1)));
    if (length > size - 8 || length > header_limit) {
      broken_("a header within the file and of at most " + std::to_string(header_limit) + " bytes",
              std::to_string(length) + " bytes in a file of " + std::to_string(size));
    }
    data_size_ = size - 8 - length;
    std::string text(length, '\0');
    get(std::as_writable_bytes(std::span(text)));
    if (!text.starts_with('{')) broken_("a JSON object as header", "one that begins " + printable(text.substr(0, 1)));
    if (text.find('\0') != text.npos) broken_("a JSON header", "a zero byte");  // the parser would stop there
    return text;
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
        broken_("data_offsets without gap or overlap, next from " + std::to_string(position), got);
      }
      if (e.end > data_size_) broken_("data_offsets within " + std::to_string(data_size_) + " bytes of data", got);
      if (files::byte_size(files::widths[e.dtype], e.shape) != e.end - e.begin) {
        broken_("data_offsets that fit the shape", got + " " + to_string(e.shape));
      }
      position = e.end;
    }
    if (position != data_size_) {
      broken_("data up to byte " + std::to_string(position), std::to_string(data_size_) + " bytes");
    }
  }

  std::istream& in_;
  Refusal broken_;
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
