#include "nn/npz.hpp"

#include <zip.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "autograd/replacement.hpp"
#include "nn/files.hpp"

namespace rw::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "npy files are written as the numbers lie in memory");

constexpr std::uint64_t always_allowed = std::uint64_t{64} << 20;
constexpr std::size_t longest_header = 10'000;  // NumPy's own limit
constexpr std::string_view magic = "\x93NUMPY", ending = ".npy";
constexpr std::string_view empty_archive("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
constexpr std::array<const char*, 4> types = {"f4", "f8", "i8", "u1"};  // in the order of AnyTensor

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using Source = std::unique_ptr<zip_source_t, Discard>;

std::string message(zip_error_t& error) {
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

/// What the header of a .npy file says.
struct Header {
  std::string descr;  // byte order, kind and width: <f4
  bool column_major = false;
  Shape shape;
};

/// Reads the Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, its keys in any order.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  std::optional<Header> parse() {
    Header header;
    std::vector<std::string> seen;
    if (!take("{")) return {};
    while (!take("}")) {
      std::string key;
      if (!word(key) || !take(":") || std::find(seen.begin(), seen.end(), key) != seen.end()) return {};
      bool fits = false;
      if (key == "descr") fits = word(header.descr);
      if (key == "fortran_order") fits = (header.column_major = take("True")) || take("False");
      if (key == "shape") fits = tuple(header.shape);
      if (!fits) return {};
      seen.push_back(std::move(key));
      if (!take(",") && !rest_.starts_with('}')) return {};
    }
    return seen.size() == 3 && rest_.empty() ? std::optional(header) : std::nullopt;
  }

 private:
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size()));
    return true;
  }

  bool word(std::string& text) {
    const std::string_view quote = rest_.starts_with('"') ? "\"" : "'";
    if (!take(quote)) return false;
    const std::size_t end = rest_.find(quote);
    if (end == rest_.npos) return false;
    text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return take(quote);
  }

  bool tuple(Shape& shape) {
    if (!take("(")) return false;
    while (!take(")")) {
      std::size_t extent = 0;
      const char* begin = rest_.data();
      const auto [end, error] = std::from_chars(begin, begin + rest_.size(), extent);
      if (error != std::errc() || shape.size() == Shape::capacity) return false;
      take(rest_.substr(0, static_cast<std::size_t>(end - begin)));
      shape.push_back(extent);
      if (!take(",") && !rest_.starts_with(')')) return false;
    }
    return true;
  }

  std::string_view rest_;
};

/// `from` in column-major order, `to` in row-major order.
void transpose(std::span<const std::byte> from, std::span<std::byte> to, const Shape& shape, std::size_t width) {
  std::vector<std::size_t> index(shape.size()), stride(shape.size(), width);
  for (std::size_t axis = 1; axis < shape.size(); ++axis) stride[axis] = stride[axis - 1] * shape[axis - 1];
  std::size_t at = 0;
  for (std::size_t done = 0; done < to.size(); done += width) {
    std::copy_n(from.begin() + at, width, to.begin() + done);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      at += stride[axis];
      if (++index[axis] < shape[axis]) break;
      at -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/// One .npy file of an archive.
class Entry {
 public:
  Entry(zip_t* archive, const zip_stat_t& stat, const std::string& path)
      : file_(zip_fopen_index(archive, stat.index, 0)), left_(stat.size), name_(stat.name), path_(path) {
    if (!file_) broken("an array that can be read", zip_strerror(archive));
  }

  AnyTensor read() {
    std::array<unsigned char, 12> start{};
    get(std::as_writable_bytes(std::span(start).first(10)));
    const bool known = std::equal(magic.begin(), magic.end(), start.begin(),
                                  [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
    if (!known || start[6] < 1 || start[6] > 3) broken("an npy file of version 1 to 3", "another");
    if (start[6] > 1) get(std::as_writable_bytes(std::span(start).last(2)));
    const std::size_t length = start[8] + 0x100u * start[9] + 0x10000u * start[10] + 0x1000000u * start[11];
    if (length > longest_header) {
      broken("a header of at most " + std::to_string(longest_header) + " bytes", std::to_string(length));
    }
    std::string text(length, '\0');
    get(std::as_writable_bytes(std::span(text)));

    const auto header = HeaderParser(text).parse();
    if (!header) {
      broken("a header of descr, fortran_order and shape of at most " + std::to_string(Shape::capacity) + " axes",
             files::printable(text));
    }
    const std::string& descr = header->descr;
    const std::size_t type = static_cast<std::size_t>(
        std::find(types.begin(), types.end(), descr.substr(std::min<std::size_t>(1, descr.size()))) - types.begin());
    const bool one_byte = type < types.size() && files::widths[type] == 1;
    if (type == types.size() || (descr[0] != '<' && descr[0] != '>' && !(descr[0] == '|' && one_byte))) {
      broken("dtype float32, float64, int64 or uint8", files::printable(descr));
    }
    const auto bytes = files::byte_size(files::widths[type], header->shape);
    if (bytes != left_) {
      broken("as many bytes as the shape " + to_string(header->shape) + " takes", std::to_string(left_));
    }
    AnyTensor tensor = files::empty_tensor(type, header->shape);
    fill(files::bytes_of(tensor), *header, files::widths[type]);
    char more;
    const zip_int64_t n = zip_fread(file_.get(), &more, 1);  // compares the checksum too
    if (n != 0) broken("an array that can be read", n < 0 ? zip_file_strerror(file_.get()) : "more bytes than stated");
    return tensor;
  }

 private:
  [[noreturn]] void broken(const std::string& expectation, const std::string& got) const {
    files::refuse("read_npz", expectation, path_, got + " in " + files::printable(name_));
  }

  void get(std::span<std::byte> to) {
    if (to.size() > left_) broken("a whole npy file", "one cut short");
    left_ -= to.size();
    while (!to.empty()) {
      const zip_int64_t n = zip_fread(file_.get(), to.data(), to.size());
      if (n <= 0) {
        broken("an array that can be read", n < 0 ? zip_file_strerror(file_.get()) : "fewer bytes than stated");
      }
      to = to.subspan(static_cast<std::size_t>(n));
    }
  }

  void fill(std::span<std::byte> to, const Header& header, std::size_t width) {
    const bool turned = header.column_major && header.shape.size() > 1 && !to.empty();
    std::vector<std::byte> columns(turned ? to.size() : 0);
    const std::span<std::byte> lying = turned ? std::span(columns) : to;
    get(lying);
    if (header.descr[0] == '>') {
      for (auto at = lying.begin(); at != lying.end(); at += static_cast<std::ptrdiff_t>(width)) {
        std::reverse(at, at + static_cast<std::ptrdiff_t>(width));
      }
    }
    if (turned) transpose(lying, to, header.shape, width);
  }

  std::unique_ptr<zip_file_t, Discard> file_;
  std::uint64_t left_;
  std::string name_;
  const std::string& path_;
};

NamedTensors read_all(Source source, std::uint64_t size, const std::string& path, const NpzLimits& limits) {
  if (size == 0) files::refuse("read_npz", "a zip archive", path, "no bytes");  // an empty archive to libzip
  zip_error_t error;
  zip_error_init(&error);
  const Archive archive(zip_open_from_source(source.get(), ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (!archive) files::refuse("read_npz", "a zip archive", path, message(error));
  source.release();  // belongs to the archive now

  std::uint64_t allowed = 0;
  if (__builtin_mul_overflow(size, std::uint64_t{limits.expansion}, &allowed) ||
      __builtin_add_overflow(allowed, always_allowed, &allowed)) {
    allowed = ~std::uint64_t{0};
  }
  std::uint64_t left = allowed;
  NamedTensors tensors;
  const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive.get(), static_cast<zip_uint64_t>(i), 0, &stat) != 0) {
      files::refuse("read_npz", "a zip archive", path, zip_strerror(archive.get()));
    }
    const std::string_view file = stat.name;
    const std::string_view name = file.substr(0, file.size() - std::min(file.size(), ending.size()));
    if (!file.ends_with(ending) || !files::is_name(name)) {
      files::refuse("read_npz", "arrays with names that end in .npy and stay within a folder", path,
                    files::printable(file));
    }
    if (stat.encryption_method != ZIP_EM_NONE ||
        (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)) {
      files::refuse("read_npz", "arrays that are stored or deflated", path, files::printable(file));
    }
    if (stat.size > left) {
      files::refuse("read_npz", "at most " + std::to_string(allowed) + " bytes of arrays (NpzLimits::expansion)", path,
                    "more");
    }
    left -= stat.size;
    if (tensors.contains(std::string(name))) {
      files::refuse("read_npz", "each name once", path, files::printable(file) + " twice");
    }
    tensors.emplace(name, Entry(archive.get(), stat, path).read());
  }
  return tensors;
}

std::string npy_header(const AnyTensor& tensor) {
  std::string shape;
  for (const std::size_t extent : files::shape_of(tensor)) shape += std::to_string(extent) + ", ";
  if (!shape.empty()) shape.resize(shape.size() - (files::shape_of(tensor).size() == 1 ? 1 : 2));  // (2,) but (2, 3)
  const char* order = files::widths[tensor.index()] == 1 ? "|" : "<";
  std::string text = std::string("{'descr': '") + order + types[tensor.index()] +
                     "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr std::size_t before = magic.size() + 4, alignment = 64;
  text.append(alignment - 1 - (before + text.size()) % alignment, ' ').append("\n");
  const char numbers[] = {1, 0, static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
  return std::string(magic).append(numbers, sizeof numbers) + text;
}

[[noreturn]] void refuse_to_write(const std::string& path, const std::string& got) {
  files::refuse("write_npz", "a file to write", path, got);
}

/// The archive, open for reading; none where there are no tensors.
Source archive_of(const NamedTensors& tensors, const std::string& path, const NpzOptions& options) {
  if (tensors.empty()) return nullptr;
  zip_error_t error;
  zip_error_init(&error);
  Source bytes(zip_source_buffer_create(nullptr, 0, 0, &error));
  if (!bytes) refuse_to_write(path, message(error));
  Archive archive(zip_open_from_source(bytes.get(), ZIP_CREATE | ZIP_TRUNCATE, &error));
  if (!archive) refuse_to_write(path, message(error));
  zip_source_keep(bytes.get());  // the archive has one share, we the other

  std::vector<std::string> headers;
  headers.reserve(tensors.size());  // the archive points to them
  for (const auto& [name, tensor] : tensors) {
    if (!files::is_name(name)) {
      files::refuse("write_npz", "names that stay within a folder", path, files::printable(name));
    }
    headers.push_back(npy_header(tensor));
    // libzip only reads these bytes, whatever its types say.
    const auto part = [](const void* at, std::size_t size) {
      return zip_buffer_fragment_t{static_cast<zip_uint8_t*>(const_cast<void*>(at)), size};
    };
    const auto data = files::bytes_of(tensor);
    const zip_buffer_fragment_t parts[] = {part(headers.back().data(), headers.back().size()),
                                           part(data.data(), data.size())};
    Source source(zip_source_buffer_fragment(archive.get(), parts, data.empty() ? 1 : 2, 0));
    const std::string file = name + std::string(ending);
    const zip_int64_t index = source ? zip_file_add(archive.get(), file.c_str(), source.get(), ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) files::refuse("write_npz", "names in UTF-8", path, files::printable(name));
    source.release();
    const auto place = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t first_day = (1 << 5) | 1;  // 1 January 1980, as NumPy writes: no clock in the bytes
    zip_file_set_dostime(archive.get(), place, 0, first_day, 0);
    zip_set_file_compression(archive.get(), place, options.compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  if (zip_close(archive.get()) != 0) refuse_to_write(path, zip_strerror(archive.get()));
  archive.release();
  if (zip_source_open(bytes.get()) != 0) refuse_to_write(path, zip_error_strerror(zip_source_error(bytes.get())));
  return bytes;
}

}  // namespace

NamedTensors read_npz(std::span<const std::byte> bytes, const std::string& name, NpzLimits limits) {
  zip_error_t error;
  zip_error_init(&error);
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error));
  if (!source) files::refuse("read_npz", "bytes that can be read", name, message(error));
  return read_all(std::move(source), bytes.size(), name, limits);
}

NamedTensors read_npz(const std::string& path, NpzLimits limits) {
  files::check_is_file("read_npz", path);
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  if (none) files::refuse("read_npz", "a file", path, none.message());
  zip_error_t error;
  zip_error_init(&error);
  Source source(zip_source_file_create(path.c_str(), 0, -1, &error));
  if (!source) files::refuse("read_npz", "a file", path, message(error));
  return read_all(std::move(source), size, path, limits);
}

void write_npz(const std::string& path, const NamedTensors& tensors, NpzOptions options) {
  try {
    const Source bytes = archive_of(tensors, path, options);
    Replacement out(path);
    if (tensors.empty()) out.write(std::as_bytes(std::span(empty_archive)));  // libzip would write none
    std::vector<std::byte> part(1 << 16);
    for (zip_int64_t n; bytes && (n = zip_source_read(bytes.get(), part.data(), part.size())) != 0;) {
      if (n < 0) refuse_to_write(path, zip_error_strerror(zip_source_error(bytes.get())));
      out.write(std::span(part).first(static_cast<std::size_t>(n)));
    }
    out.commit();
  } catch (const std::system_error& e) {
    refuse_to_write(path, e.code().message());
  }
}

}  // namespace rw::nn
