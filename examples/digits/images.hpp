#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "autograd/random.hpp"
#include "autograd/variable.hpp"

namespace digits {

/// Grey pictures of one size with their classes.
struct Images {
  std::size_t rows = 0, columns = 0;
  std::vector<std::vector<float>> pixels = {};  // row by row, of each image
  std::vector<std::int64_t> labels = {};        // 0..255

  std::size_t size() const { return pixels.size(); }
};

/// Reads IDX, the format of MNIST: big-endian sizes, then bytes; plain or compressed by gzip. A claim of the header
/// takes no memory before the bytes are there. Throws std::runtime_error of one line where a file is not there, is
/// broken, holds more than 2²⁸ pixels, or has not as many labels as images.
Images read_idx(const std::string& images, const std::string& labels);

/// Reads CSV, with or without a header: the pixels of a square image row by row, numbers of at least 0, then its class.
/// Throws std::runtime_error of one line where the file is not there or a row is otherwise.
Images read_csv(const std::string& path);

/// Draws digits of 8×8 pixels in 0..1: a small font, slanted, moved, faded, with noise and missing pixels.
Images drawn(std::size_t count, rw::Random& random);

/// Moves the last `count` images of a set, which loses them, into one of their own.
Images take_last(Images& from, std::size_t count);

/// The same random order for images and labels.
void shuffle(Images& images, rw::Random& random);

/// Images as sequences [T, B, I]: a pixel a step, T = rows·columns and I = 1, or a row a step.
rw::Variable<float> sequences(const Images& images, std::span<const std::size_t> chosen, bool by_row);

}  // namespace digits
