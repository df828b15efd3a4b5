#include "examples/digits/images.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace digits {

Images take_last(Images& from, std::size_t count) {
  const auto first = static_cast<std::ptrdiff_t>(from.size() - std::min(count, from.size()));
  Images part{from.rows, from.columns};
  part.pixels.assign(std::make_move_iterator(from.pixels.begin() + first), std::make_move_iterator(from.pixels.end()));
  part.labels.assign(from.labels.begin() + first, from.labels.end());
  from.pixels.erase(from.pixels.begin() + first, from.pixels.end());
  from.labels.erase(from.labels.begin() + first, from.labels.end());
  return part;
}

void shuffle(Images& images, rw::Random& random) {
  rw::Random same = random;
  random.shuffle(images.pixels);
  same.shuffle(images.labels);
}

rw::Variable<float> sequences(const Images& images, std::span<const std::size_t> chosen, bool by_row) {
  const std::size_t width = by_row ? images.columns : 1;
  const std::size_t steps = images.rows * images.columns / width, batch = chosen.size();
  rw::Tensor<float> xs = rw::empty<float>({steps, batch, width});
  for (std::size_t b = 0; b < batch; ++b) {
    const float* from = images.pixels[chosen[b]].data();
    for (std::size_t t = 0; t < steps; ++t) std::copy_n(from + t * width, width, xs.data() + (t * batch + b) * width);
  }
  return xs;
}

// Strokes of a font of five by seven pixels, moved about in eight by eight.
Images drawn(std::size_t count, rw::Random& random) {
  static constexpr const char* font[10][7] = {
      {" ### ", "#   #", "#   #", "#   #", "#   #", "#   #", " ### "},
      {"  #  ", " ##  ", "# #  ", "  #  ", "  #  ", "  #  ", "#####"},
      {" ### ", "#   #", "    #", "   # ", "  #  ", " #   ", "#####"},
      {"#### ", "    #", "    #", " ### ", "    #", "    #", "#### "},
      {"   # ", "  ## ", " # # ", "#  # ", "#####", "   # ", "   # "},
      {"#####", "#    ", "#    ", "#### ", "    #", "    #", "#### "},
      {"  ## ", " #   ", "#    ", "#### ", "#   #", "#   #", " ### "},
      {"#####", "    #", "   # ", "   # ", "  #  ", "  #  ", "  #  "},
      {" ### ", "#   #", "#   #", " ### ", "#   #", "#   #", " ### "},
      {" ### ", "#   #", "#   #", " ####", "    #", "   # ", " ##  "},
  };
  Images all{8, 8};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t digit = random.below(10);
    const double slant = random.uniform(-0.3, 0.3), ink = random.uniform(0.5, 1);
    const double left = random.uniform(0, 3), top = random.uniform(0, 1);
    std::vector<float> image(64, 0);
    for (std::size_t y = 0; y < 7; ++y) {
      for (std::size_t x = 0; x < 5; ++x) {
        const long column = std::lround(static_cast<double>(x) + left + slant * (3 - static_cast<double>(y)));
        const long row = std::lround(static_cast<double>(y) + top);
        const bool seen = font[digit][y][x] == '#' && column >= 0 && column < 8 && random.uniform() > 0.05;
        if (seen) image[static_cast<std::size_t>(row * 8 + column)] = static_cast<float>(ink);
      }
    }
    for (float& pixel : image) pixel = std::clamp(pixel + static_cast<float>(0.1 * random.normal()), 0.0f, 1.0f);
    all.pixels.push_back(std::move(image));
    all.labels.push_back(static_cast<std::int64_t>(digit));
  }
  return all;
}

}  // namespace digits
