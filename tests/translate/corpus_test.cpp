#include "examples/translate/corpus.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tests/errors.hpp"

using namespace translate;
namespace fs = std::filesystem;

namespace {

/// A folder that goes away with the test.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "corpus_test_XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }

  fs::path write(const std::string& text) const {
    std::ofstream(path / "pairs.tsv", std::ios::binary) << text;
    return path / "pairs.tsv";
  }
  Corpus read(const std::string& text) const { return read_pairs(write(text)); }
};

std::string text_of(const std::vector<Pair>& pairs) {
  std::string text;
  for (const Pair& pair : pairs) text += "[" + pair.source + "|" + pair.target + "]";
  return text;
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(translate_corpus, Folder)

BOOST_AUTO_TEST_CASE(good_lines_are_kept_as_they_are) {
  const Corpus corpus = read("Hi.\tSalut\u202F!\n  two  spaces \t\u00E9t\u00E9\tCC-BY\tmore\n\nlast\tdernier");
  BOOST_TEST(text_of(corpus.pairs) == "[Hi.|Salut\u202F!][  two  spaces |\u00E9t\u00E9][last|dernier]");
  BOOST_TEST(corpus.problems.empty());
}

BOOST_AUTO_TEST_CASE(windows_files_are_read) {
  const Corpus corpus = read("\xEF\xBB\xBFHi.\tSalut.\r\n\r\nGo.\tVa\tx\r\nBye.\tCiao.\r");
  BOOST_TEST(text_of(corpus.pairs) == "[Hi.|Salut.][Go.|Va][Bye.|Ciao.]");
  BOOST_TEST(corpus.problems.empty());
}

BOOST_AUTO_TEST_CASE(bad_lines_are_named_and_skipped) {
  const std::string mebibyte(1 << 20, 'x');
  const Corpus corpus = read(
      "ok\tbien\n"
      "no tab here\n"
      "\tvide\n"
      "empty\t\u00A0 \textra\n"
      "bad\t\xC3(\n"
      "bad \xFF no tab\n" +
      std::string("nul\0\tnul\n", 9) + "bell\tdring\x07\nc1\t\u0085\nold\rmac\tx\n" + mebibyte +
      "\tlong\nextra\tok\t\xFF\n" + mebibyte.substr(2) + "\tx\n");
  BOOST_REQUIRE(corpus.pairs.size() == 3u);
  BOOST_TEST(corpus.pairs[1].source == "extra");
  BOOST_TEST(corpus.pairs[2].source.size() == (1u << 20) - 2);
  BOOST_TEST(corpus.problems.describe() ==
             "10 lines skipped; no tab: line 2; empty source: line 3; empty target: line 4; invalid UTF-8: line 5-6; "
             "control character U+0000: line 7; control character U+0007: line 8; control character U+0085: line 9; "
             "control character U+000D: line 10; longer than 1 MiB: line 11");
}

BOOST_AUTO_TEST_CASE(problems_are_told_in_one_line) {
  BOOST_TEST(Problems().describe() == "");
  Problems one;
  one.add(7, "no tab");
  BOOST_TEST(one.describe() == "1 line skipped; no tab: line 7");
  Problems some;
  for (const std::size_t line : {2, 3, 4, 5, 8, 9}) some.add(line, line == 4 ? "invalid UTF-8" : "no tab");
  BOOST_TEST(some.describe() == "6 lines skipped; no tab: line 2-3, 5, 8-9; invalid UTF-8: line 4");
  Problems many;
  for (std::size_t line = 2; line <= 40; line += 2) many.add(line, "no tab");
  const std::string twenty = "no tab: line 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40";
  BOOST_TEST(many.describe() == "20 lines skipped; " + twenty);
  many.add(41, "no tab");
  BOOST_TEST(many.describe() == "21 lines skipped; " + twenty + "-41");
  for (std::size_t line = 43; line <= 100; line += 2) many.add(line, "no tab");
  many.add(100, "no tab");
  BOOST_TEST(many.describe() == "51 lines skipped; " + twenty + "-41 and 30 more");
}

BOOST_AUTO_TEST_CASE(lines_as_long_as_allowed_and_longer) {
  const std::size_t most = 1 << 20;
  for (const std::string end : {"", "\n", "\r\n"})
    for (std::size_t size = most - 3; size < most + 24; ++size) {
      const Corpus corpus = read("a\tb\n" + std::string(size - 2, 'x') + "\ty" + end);
      BOOST_REQUIRE(corpus.pairs.size() == (size > most ? 1u : 2u));
      BOOST_TEST(corpus.problems.describe() == (size > most ? "1 line skipped; longer than 1 MiB: line 2" : ""));
      if (size <= most) BOOST_TEST(corpus.pairs[1].target == "y");
    }
  const Corpus corpus = read(std::string(most * 3, 'x') + "\na\tb\n" + std::string(most * 2, '\0'));
  BOOST_TEST(text_of(corpus.pairs) == "[a|b]");
  BOOST_TEST(corpus.problems.describe() == "2 lines skipped; longer than 1 MiB: line 1, 3");
}

BOOST_AUTO_TEST_CASE(unusable_files_are_refused) {
  const auto reading = [](const fs::path& file) { return message<std::runtime_error>([&] { read_pairs(file); }); };
  const std::string start = "read_pairs: a file of 'source TAB target' lines expected; got ";
  BOOST_TEST(reading(path / "none.tsv") ==
             start + (path / "none.tsv").string() + ", which cannot be opened: No such file or directory");
  BOOST_TEST(reading(path) == start + path.string() + ", which is a directory");
  BOOST_TEST(reading("/dev/zero") == start + "/dev/zero, which is a device");
  const fs::path file = write("");
  BOOST_TEST(reading(file) == start + file.string() + ", which is empty");
  write("\n\r\n");
  BOOST_TEST(reading(file) == start + file.string() + ", which holds no pair");
  write("just\ntext\n");
  BOOST_TEST(reading(file) == start + file.string() + ", which holds no pair (2 lines skipped; no tab: line 1-2)");
}

BOOST_AUTO_TEST_CASE(written_pairs_are_read_back) {
  const std::vector<Pair> pairs = {{" a ", "\u00E7a va\u202F?"}, {"b", "\U0001F600"}};
  const fs::path file = write("old\tvieux\n");
  write_pairs(file, pairs);
  BOOST_TEST(contents(file) == " a \t\u00E7a va\u202F?\nb\t\U0001F600\n");
  BOOST_TEST(text_of(read_pairs(file).pairs) == text_of(pairs));
  BOOST_TEST(std::distance(fs::directory_iterator(path), {}) == 1);
}

BOOST_AUTO_TEST_CASE(failed_writing_leaves_nothing_behind) {
  const fs::path file = write("old\tvieux\n");
  for (const Pair& bad : {Pair{"a\tb", "c"}, Pair{"a", "b\nc"}, Pair{"a", "b\r"}})
    BOOST_TEST(message<std::invalid_argument>([&] {
                 write_pairs(file, {{"x", "y"}, bad});
               }) == "write_pairs: text without tab and line end expected; got one in pair 2");
  BOOST_TEST(contents(file) == "old\tvieux\n");

  const fs::path nowhere = path / "none" / "pairs.tsv";
  BOOST_TEST(message<std::runtime_error>([&] {
               write_pairs(nowhere, {{"x", "y"}});
             }) == "write_pairs: a file that can be written expected; got " + nowhere.string() +
                       ": No such file or directory");
  fs::create_directories(path / "folder" / "full");
  BOOST_TEST(message<std::runtime_error>([&] {
               write_pairs(path / "folder", {{"x", "y"}});
             }) == "write_pairs: a file that can be written expected; got " + (path / "folder").string() +
                       ": Is a directory");
  BOOST_TEST(std::distance(fs::directory_iterator(path), {}) == 2);
}

BOOST_AUTO_TEST_CASE(one_source_gathers_its_references) {
  const auto sentences = group_by_source({{"b", "1"}, {"a", "2"}, {"b", "3"}, {"c", "4"}, {"a", "2"}});
  std::string text;
  for (const Sentence& sentence : sentences) {
    text += sentence.source + ":";
    for (const std::string& reference : sentence.references) text += reference;
    text += " ";
  }
  BOOST_TEST(text == "b:13 a:22 c:4 ");
}

BOOST_AUTO_TEST_SUITE_END()
