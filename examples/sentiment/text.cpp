#include "examples/sentiment/text.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <stdexcept>

#include "examples/app/files.hpp"

namespace sentiment {
namespace {

[[noreturn]] void refuse(const std::string& path, std::size_t line, const std::string& expected) {
  throw std::runtime_error(path + ": line " + std::to_string(line) + ": expected " + expected);
}

const char* label_of(char grade) { return grade == '2' ? "" : grade < '2' ? "negative" : "positive"; }

/// "(label left right)" or "(label word)", in a line.
Example from_tree(std::string_view tree, const std::string& path, std::size_t line) {
  struct Open {
    char grade;
    std::ptrdiff_t begin;  // the first of its words
  };
  std::vector<Open> open;
  std::vector<std::string> words;
  std::vector<Example> phrases;  // closed, the whole last
  const auto require = [&](bool good) {
    if (!good) refuse(path, line, "a tree in brackets with labels from 0 to 4");
  };
  for (std::size_t at = 0; at < tree.size();) {
    if (tree[at] == '(') {
      require(at + 2 < tree.size() && tree[at + 1] >= '0' && tree[at + 1] <= '4' && (at == 0 || !open.empty()));
      open.push_back({tree[at + 1], std::ptrdiff_t(words.size())});
      at += 2;
    } else if (tree[at] == ')') {
      require(!open.empty() && open.back().begin < std::ptrdiff_t(words.size()));
      phrases.push_back({label_of(open.back().grade), {words.begin() + open.back().begin, words.end()}});
      open.pop_back();
      ++at;
    } else if (tree[at] == ' ') {
      ++at;
    } else {
      const std::size_t end = tree.find_first_of(" )", at);
      require(end != tree.npos && !open.empty());
      const std::string_view word = tree.substr(at, end - at);
      for (std::string& w : words_of(word == "-LRB-" ? "(" : word == "-RRB-" ? ")" : word)) words.push_back(w);
      at = end;
    }
  }
  require(open.empty() && !phrases.empty());
  Example whole = std::move(phrases.back());
  phrases.pop_back();
  std::erase_if(phrases, [](const Example& phrase) { return phrase.label.empty(); });
  whole.phrases = std::move(phrases);
  return whole;
}

Example from_columns(std::string_view row, const Columns& columns, const std::string& path, std::size_t line) {
  std::vector<std::string_view> cells;
  for (std::size_t begin = 0, end = 0; end != row.npos; begin = end + 1) {
    end = row.find('\t', begin);
    cells.push_back(row.substr(begin, end == row.npos ? end : end - begin));
  }
  if (cells.size() < std::max(columns.label, columns.text) || cells[columns.label - 1].empty()) {
    refuse(path, line,
           "a label in column " + std::to_string(columns.label) + " and a text in column " +
               std::to_string(columns.text) + ", between tabs");
  }
  return {std::string(cells[columns.label - 1]), words_of(cells[columns.text - 1])};
}

const char* const subjects[] = {"food",  "service", "music", "plot",  "cast",   "room",   "view",   "staff",
                                "story", "price",   "sound", "phone", "screen", "dinner", "acting", "camera"};
const char* const good[] = {"good", "great", "lovely", "fresh", "charming", "clever", "warm", "perfect"};
const char* const bad[] = {"bad", "awful", "dull", "stale", "boring", "stupid", "cold", "broken"};
const char* const degrees[] = {"", " really", " quite", " very", " that"};
const char* const denials[] = {" not", " never", " hardly"};
const char* const openings[] = {"", "i think ", "we found that ", "in the end "};

template <std::size_t n>
std::string one_of(const char* const (&words)[n], rw::Random& random) {
  return words[random.below(n)];
}

std::string clause(bool positive, rw::Random& random) {
  const bool denied = random.below(3) == 0;
  return "the " + one_of(subjects, random) + " was" + (denied ? one_of(denials, random) : "") +
         one_of(degrees, random) + " " + (positive != denied ? one_of(good, random) : one_of(bad, random));
}

std::string verdict(bool positive, rw::Random& random) {
  const std::string counts = clause(positive, random), opening = one_of(openings, random);
  if (random.below(3) == 0) return opening + counts + " .";
  const std::string other = clause(!positive, random);
  switch (random.below(3)) {
    case 0:
      return opening + other + " , but " + counts + " .";
    case 1:
      return opening + counts + " , although " + other + " .";
    default:
      return "although " + other + " , " + counts + " .";
  }
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool within = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool upper = c >= 'A' && c <= 'Z';
    const bool letter = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'' || byte >= 0x80;
    if (byte > ' ' && !(letter && within)) words.emplace_back();
    if (byte > ' ') words.back() += static_cast<char>(upper ? c - 'A' + 'a' : c);
    within = letter;
  }
  if (words.empty()) words.emplace_back();
  return words;
}

std::vector<Example> read_examples(const std::string& path, const Columns& columns) {
  const std::string text = app::read_data(path);
  const bool trees = text[0] == '(';
  std::vector<Example> examples;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    Example example = trees ? from_tree(line, path, number) : from_columns(line, columns, path, number);
    if (!example.label.empty()) examples.push_back(std::move(example));
  }
  if (examples.empty()) throw std::runtime_error(path + ": expected texts with labels; got none");
  return examples;
}

std::vector<std::string> labels_of(std::span<const Example> examples) {
  std::set<std::string> labels;
  for (const Example& example : examples) labels.insert(example.label);
  return {labels.begin(), labels.end()};
}

bool drop_header(std::vector<Example>& examples, const std::vector<std::string>& known) {
  const auto others = labels_of(std::span(examples).subspan(1));
  const auto within = [&](const std::vector<std::string>& labels) {
    return std::binary_search(labels.begin(), labels.end(), examples.front().label);
  };
  if (others.size() < 2 || within(others) || within(known)) return false;
  examples.erase(examples.begin());
  return true;
}

void hold_out(std::vector<Example>& from, std::size_t count, std::vector<Example>& to, rw::Random& random) {
  random.shuffle(from);
  count = std::min(count, from.size());
  to.insert(to.end(), std::make_move_iterator(from.end() - std::ptrdiff_t(count)), std::make_move_iterator(from.end()));
  from.resize(from.size() - count);
}

std::vector<Example> with_phrases(const std::vector<Example>& examples) {
  std::vector<Example> all = examples;
  for (const Example& example : examples) all.insert(all.end(), example.phrases.begin(), example.phrases.end());
  return all;
}

Parts verdicts(std::size_t train, std::size_t held_out) {
  rw::Random random(1);
  std::set<std::string> seen;
  const auto draw = [&](std::size_t count) {
    std::vector<Example> set;
    while (set.size() < count) {
      const bool positive = random.below(2) == 1;
      const std::string text = verdict(positive, random);
      if (seen.insert(text).second) set.push_back({positive ? "positive" : "negative", words_of(text)});
    }
    return set;
  };
  Parts parts;
  parts.train = draw(train);
  parts.valid = draw(held_out);
  parts.test = draw(held_out);
  return parts;
}

}  // namespace sentiment
