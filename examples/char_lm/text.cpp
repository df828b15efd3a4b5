#include "examples/char_lm/text.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

#include "autograd/random.hpp"
#include "examples/app/files.hpp"

namespace char_lm {
namespace {

constexpr std::size_t shortest = 200;  // bytes of a text to be cut

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Takes about the last `size` bytes off: whole lines where there are some, else whole characters.
std::string cut_end(std::string& text, std::size_t size) {
  std::size_t at = text.find('\n', text.size() - size) + 1;
  if (at == 0 || at == text.size()) at = text.size() - size;
  for (int i = 0; i < 3 && at > 0 && continues(text[at]); ++i) --at;  // no character has more of these
  std::string end = text.substr(at);
  text.resize(at);
  return end;
}

const char* const names[] = {"Ida", "Nora", "Lena", "Ruth", "Vera", "Edith", "Clara", "Maud",
                             "Tom", "Karl", "Hugo", "Emil", "Paul", "Jonas", "Oskar", "Felix"};
const char* const trades[] = {"miller", "baker", "painter", "sailor", "teacher", "farmer", "doctor", "gardener"};
const char* const colours[] = {"red", "green", "blue", "yellow", "black", "white", "silver", "brown"};
const char* const things[] = {"boat", "kite",   "coat",  "drum",   "lamp",   "chair", "box",   "flag",
                              "hat",  "basket", "clock", "bottle", "ribbon", "cart",  "wheel", "bell"};
const char* const times[] = {"morning", "evening", "Sunday", "winter", "summer", "autumn", "week", "night"};
const char* const verbs[] = {"took", "carried", "brought", "sent", "dragged", "rolled", "pushed", "lifted"};
const char* const places[] = {"harbour", "market", "bridge", "church", "forest", "river", "station", "school",
                              "island",  "castle", "garden", "square", "tavern", "mill",  "meadow",  "tower"};
const char* const ends[] = {"sold", "lost", "broken", "stolen", "given away", "burnt", "found again", "forgotten"};

class Teller {
 public:
  explicit Teller(std::uint64_t seed) : random_(seed) {}

  std::string story() {
    const std::size_t who = choose(std::size(names));
    const std::string she = who < 8 ? "she" : "he", trade = one_of(trades);
    const std::string it = std::string("the ") + one_of(colours) + " " + one_of(things);
    std::string text = std::string(names[who]) + " the " + trade + " had " + it + ". Every " + one_of(times) + " " +
                       she + " " + one_of(verbs) + " " + it + " to the " + one_of(places) + ".";
    if (choose(2) == 1) text += " Nobody at the " + std::string(one_of(places)) + " liked it.";
    return text + " In the end " + it + " was " + one_of(ends) + ".\n";
  }

  std::string stories(std::size_t count) {
    std::string all;
    while (count-- > 0) all += story();
    return all;
  }

  double bits() const { return bits_; }

 private:
  std::size_t choose(std::size_t n) {
    bits_ += std::log2(n);
    return random_.below(n);
  }

  template <std::size_t n>
  const char* one_of(const char* const (&words)[n]) {
    return words[choose(n)];
  }

  rw::Random random_;
  double bits_ = 0;
};

}  // namespace

Parts read_parts(const std::string& text, const std::string& valid, const std::string& test) {
  Parts parts;
  parts.train = app::read_data(text);
  const std::size_t share = parts.train.size() / 20;
  if ((valid.empty() || test.empty()) && parts.train.size() < shortest) {
    throw std::runtime_error("text: expected at least " + std::to_string(shortest) + " bytes to hold some out; got " +
                             std::to_string(parts.train.size()) + " in " + text);
  }
  parts.test = test.empty() ? cut_end(parts.train, share) : app::read_data(test);
  parts.valid = valid.empty() ? cut_end(parts.train, share) : app::read_data(valid);
  return parts;
}

Parts stories(std::size_t train) {
  const std::size_t held_out = std::max<std::size_t>(train / 20, 20);
  Teller test(3);
  Parts parts{Teller(1).stories(train), Teller(2).stories(held_out), test.stories(held_out)};
  parts.source_bits = test.bits();
  return parts;
}

std::size_t characters(std::string_view text) {
  const auto count = text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues));
  if (count > 0) return count;
  throw std::runtime_error("text: expected characters of UTF-8; got " + std::to_string(text.size()) +
                           " bytes of which none begins one");
}

// The table of well-formed byte sequences of the Unicode standard (chapter 3, table 3-7); 0xC2 0x80 to 0x9F are
// control characters.
bool Printable::allows(unsigned byte) const {
  if (left_ > 0) return byte >= low_ && byte <= high_;
  return byte == '\n' || byte == '\t' || (byte >= 0x20 && byte < 0x7F) || (byte >= 0xC2 && byte <= 0xF4);
}

void Printable::take(unsigned byte) {
  if (left_ > 0) {
    --left_;
    low_ = 0x80, high_ = 0xBF;
  } else if (byte >= 0xC2) {
    left_ = 1 + (byte >= 0xE0) + (byte >= 0xF0);
    low_ = byte == 0xC2 || byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    high_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
  }
}

}  // namespace char_lm
