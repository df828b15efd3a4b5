#include <zlib.h>

#include <cmath>
#include <fstream>
#include <memory>

#include "examples/app/csv.hpp"
#include "examples/app/files.hpp"
#include "examples/digits/images.hpp"

namespace digits {
namespace {

using app::bad_file;

/// An IDX file of bytes, opened; zlib reads plain files as well.
class Idx {
 public:
  Idx(const std::string& path, std::uint32_t axes) : path_(path), file_(gzopen(path.c_str(), "rb"), gzclose) {
    if (!file_) bad_file(path, "a file that can be read", "none");
    const std::uint32_t magic = 0x800 + axes, found = number();
    if (found != magic) bad_file(path, "IDX that begins with " + std::to_string(magic), std::to_string(found));
    for (std::uint32_t a = 0; a < axes; ++a) sizes.push_back(number());
  }

  std::vector<unsigned char> bytes(std::size_t count) {
    std::vector<unsigned char> all(count);
    const int got = gzread(file_.get(), all.data(), static_cast<unsigned>(count));
    if (got != static_cast<int>(count)) bad_file(path_, "as many bytes as it announces", "an early or damaged end");
    return all;
  }

  void end() {
    if (gzgetc(file_.get()) != -1) bad_file(path_, "as many bytes as it announces", "more");
    int error = Z_OK;  // of the checksum
    gzerror(file_.get(), &error);
    if (error != Z_OK) bad_file(path_, "a whole gzip file", "a damaged one");
  }

  std::vector<std::uint32_t> sizes;

 private:
  std::uint32_t number() {
    std::uint32_t n = 0;
    for (const unsigned char byte : bytes(4)) n = n << 8 | byte;
    return n;
  }

  std::string path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

}  // namespace

Images read_idx(const std::string& images, const std::string& labels) {
  Idx pictures(images, 3), classes(labels, 1);
  const std::uint64_t count = pictures.sizes[0], rows = pictures.sizes[1], columns = pictures.sizes[2];
  const std::uint64_t side = 1024, most = std::uint64_t(1) << 28;
  if (count == 0 || rows == 0 || columns == 0 || rows > side || columns > side || count > most / (rows * columns)) {
    bad_file(images, "images of 1 to 1024 pixels a side, 2^28 pixels in all",
             std::to_string(count) + " of " + std::to_string(rows) + "x" + std::to_string(columns));
  }
  if (classes.sizes[0] != count) {
    bad_file(labels, std::to_string(count) + " labels, one an image", std::to_string(classes.sizes[0]));
  }
  Images all{rows, columns};
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto bytes = pictures.bytes(rows * columns);
    all.pixels.emplace_back(bytes.begin(), bytes.end());
    all.labels.push_back(classes.bytes(1)[0]);
  }
  pictures.end();
  classes.end();
  return all;
}

Images read_csv(const std::string& path) {
  const int first = std::ifstream(path).peek();
  if (first == 0 || first == 0x1F) bad_file(path, "CSV, or IDX together with --labels", "a binary file");
  app::CsvReader csv(path);
  const std::size_t pixels = csv.names().size() - 1;
  const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(pixels)));
  if (side == 0 || side * side != pixels) {
    bad_file(path, "the pixels of a square image and its class in a row", std::to_string(pixels + 1) + " columns");
  }
  Images all{side, side};
  while (csv.next()) {
    std::vector<float>& image = all.pixels.emplace_back();
    const auto check = [&](bool good, const char* expected, std::size_t column) {
      if (!good)
        bad_file(path, std::string(expected) + " for image " + std::to_string(all.size()),
                 app::shown(csv.text(column)));
    };
    for (std::size_t c = 0; c < pixels; ++c) {
      const double x = csv.number(c);
      check(x >= 0 && x <= 1e30, "pixels of 0 to 1e30", c);
      image.push_back(static_cast<float>(x));
    }
    const double label = csv.number(pixels);
    check(label >= 0 && label <= 255 && label == std::floor(label), "a class of 0, 1, ..., 255", pixels);
    all.labels.push_back(static_cast<std::int64_t>(label));
  }
  if (all.size() == 0) bad_file(path, "at least one image", "a header alone");
  return all;
}

}  // namespace digits
