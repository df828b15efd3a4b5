// The words of README.md and docs/ hold: their code is code of tests/docs/ and examples/course/, and what they name is
// there.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const fs::path root = REWIND_SOURCE_DIR;

Lines lines_of(const std::string& text) {
  std::istringstream in(text);
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// The lines without the indentation that all of them share.
std::string outdented(const Lines& lines) {
  std::size_t indent = std::string::npos;
  for (const std::string& line : lines) indent = std::min(indent, line.find_first_not_of(' '));
  Lines out;
  for (const std::string& line : lines) out.push_back(line.substr(std::min(indent, line.size())));
  return joined(out);
}

// What stands between `// [name]` and `// [end]`, in Python `# [name]` and `# [end]`, by name.
std::map<std::string, std::string> regions(const std::string& source) {
  static const std::regex mark(R"(\s*(?://|#) \[(\w+)\])");
  std::map<std::string, std::string> found;
  std::string name;
  Lines inside;
  std::smatch match;
  for (const std::string& line : lines_of(source)) {
    if (!std::regex_match(line, match, mark)) {
      inside.push_back(line);
    } else if (match[1] == "end") {
      found[name] = outdented(inside);
    } else {
      name = match[1];
      inside.clear();
    }
  }
  return found;
}

struct Block {
  std::string language, text, above;  // above: the line before the fence
};

std::vector<Block> blocks(const std::string& page) {
  std::vector<Block> found;
  std::string above;
  bool inside = false;
  for (const std::string& line : lines_of(page)) {
    if (line.rfind("```", 0) == 0) {
      if (!inside) found.push_back({line.substr(3), "", above});
      inside = !inside;
    } else if (inside) {
      found.back().text += line + "\n";
    }
    above = line;
  }
  return found;
}

// The page without its blocks.
std::string prose(const std::string& page) {
  Lines lines;
  bool inside = false;
  for (const std::string& line : lines_of(page)) {
    const bool fence = line.rfind("```", 0) == 0;
    inside = inside != fence;
    if (!inside && !fence) lines.push_back(line);
  }
  return joined(lines);
}

using Problems = std::vector<std::string>;
using Source = std::map<std::string, std::map<std::string, std::string>>;  // file: region: text

// Each block of C++ or Python is the region that the line above it names; `shown` takes the regions met.
Problems code_problems(const std::string& page, const Source& source, std::set<std::string>& shown) {
  static const std::regex origin(R"(<!-- from (\S+): (\w+) -->)");
  Problems problems;
  for (const Block& block : blocks(page)) {
    if (block.language != "cpp" && block.language != "python") continue;
    std::smatch match;
    if (!std::regex_match(block.above, match, origin)) {
      problems.push_back("no origin above\n" + block.text);
      continue;
    }
    const auto file = source.find(match[1]);
    const auto region =
        file == source.end() ? std::map<std::string, std::string>::const_iterator() : file->second.find(match[2]);
    if (file == source.end() || region == file->second.end()) {
      problems.push_back("nothing is marked as " + block.above);
    } else if (region->second != block.text) {
      problems.push_back("another text than " + block.above + "\n" + region->second);
    }
    shown.insert(match.str(1) + ": " + match.str(2));
  }
  return problems;
}

// Links and the names of files in backquotes lead somewhere.
Problems path_problems(const std::string& page, const fs::path& folder) {
  static const std::regex link(R"(\]\(([^)#]+)[^)]*\))"),
      quoted(R"(`((?:autograd|nn|optim|examples|tests|docs|tools)/[\w./]*)`)");
  Problems problems;
  const std::string text = prose(page);
  const auto look = [&](const std::regex& pattern, const fs::path& from) {
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
      const std::string target = (*it)[1];
      if (target.find("://") == std::string::npos && !fs::exists(from / target))
        problems.push_back("no file " + target);
    }
  };
  look(link, folder);
  look(quoted, root);
  for (const Block& block : blocks(page)) {
    if (block.language != "tree") continue;
    for (const std::string& line : lines_of(block.text)) {
      const std::string path = line.substr(0, line.find(' '));
      if (!path.empty() && !fs::exists(root / path)) problems.push_back("no file " + path);
    }
  }
  return problems;
}

// The source of build/FOLDER/NAME: FOLDER/main.cpp, or FOLDER/NAME.cpp where a folder has several programs.
fs::path program_source(const fs::path& program) {
  const fs::path one = root / program.parent_path() / "main.cpp";
  return fs::exists(one) ? one : root / (program.string() + ".cpp");
}

// A command's own text and, of a program, what it shares with others.
std::string command_text(const fs::path& source) {
  std::string text = text_of(source);
  if (source.extension() != ".cpp") return text;
  for (const fs::path& folder : {source.parent_path(), root / "examples/app"}) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) text += text_of(entry.path());
  }
  return text;
}

// Commands are scripts of ours or programs that we build, and know the flags they are given.
Problems command_problems(const std::string& page) {
  Problems problems;
  for (const Block& block : blocks(page)) {
    if (block.language != "sh") continue;
    for (const std::string& line : lines_of(block.text)) {
      std::istringstream words(line.substr(0, line.find(" #")));
      std::string word;
      words >> word;
      fs::path source = root / word;
      if (word.rfind("build/", 0) == 0) source = program_source(word.substr(6));
      if (word.empty() || !fs::is_regular_file(source)) {
        problems.push_back("no command " + line);
        continue;
      }
      const std::string program = command_text(source);
      while (words >> word) {
        if (word.rfind("--", 0) == 0 && program.find(word) == std::string::npos) problems.push_back("no flag " + word);
      }
    }
  }
  return problems;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found{root / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

Source snippets() {
  Source source;
  for (const std::string folder : {"tests/docs/", "examples/course/"}) {
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      const fs::path extension = entry.path().extension();
      if ((extension != ".cpp" && extension != ".py") || entry.path().filename() == "snippets_test.cpp") continue;
      source[folder + entry.path().filename().string()] = regions(text_of(entry.path()));
    }
  }
  return source;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(docs)

BOOST_AUTO_TEST_CASE(the_code_of_the_pages_is_code_of_the_tests) {
  const Source source = snippets();
  std::set<std::string> shown;
  for (const fs::path& page : pages()) {
    for (const std::string& problem : code_problems(text_of(page), source, shown))
      BOOST_ERROR(page.filename() << ": " << problem);
  }
  for (const auto& [file, regions] : source) {
    for (const auto& region : regions)
      BOOST_TEST(shown.count(file + ": " + region.first) == 1u, file << ": no page shows " << region.first);
  }
  BOOST_TEST(shown.size() > 20u);
}

BOOST_AUTO_TEST_CASE(links_and_names_of_files_lead_somewhere) {
  for (const fs::path& page : pages()) {
    for (const std::string& problem : path_problems(text_of(page), page.parent_path()))
      BOOST_ERROR(page.filename() << ": " << problem);
  }
}

BOOST_AUTO_TEST_CASE(commands_are_ours) {
  for (const fs::path& page : pages()) {
    for (const std::string& problem : command_problems(text_of(page))) BOOST_ERROR(page.filename() << ": " << problem);
  }
}

BOOST_AUTO_TEST_CASE(every_page_has_a_way_to_it) {
  const std::string start = text_of(root / "README.md"), course = text_of(root / "docs/course.md");
  for (const fs::path& page : pages()) {
    const std::string name = fs::relative(page, root / "docs").string();
    const bool from_start = start.find("](docs/" + name + ")") != std::string::npos;
    const bool from_course = course.find("](" + name + ")") != std::string::npos && name.rfind("course/", 0) == 0;
    BOOST_TEST((name == "../README.md" || from_start || from_course), name);
  }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_caught) {
  const Source source = {{"a.cpp", regions("// [one]\n  int x;\n\n    int y;\n  // [end]\n")}};
  const std::string right = "<!-- from a.cpp: one -->\n```cpp\nint x;\n\n  int y;\n```\n";
  std::set<std::string> shown;
  BOOST_TEST(code_problems(right, source, shown).empty());
  BOOST_TEST(shown.count("a.cpp: one") == 1u);
  BOOST_TEST(code_problems(std::regex_replace(right, std::regex("x"), "z"), source, shown).size() == 1u);
  BOOST_TEST(code_problems(std::regex_replace(right, std::regex("one"), "two"), source, shown).size() == 1u);
  BOOST_TEST(code_problems("```cpp\nint x;\n```\n", source, shown).size() == 1u);
  BOOST_TEST(code_problems("```python\nx = 1\n```\n", source, shown).size() == 1u);
  BOOST_TEST(regions("# [two]\nx = 1\n# [end]\n")["two"] == "x = 1\n");

  BOOST_TEST(path_problems("[a](README.md) [b](https://example.org) `tests/docs/`", root).empty());
  BOOST_TEST(path_problems("[a](docs/none.md) `nn/none.hpp`\n```tree\nnone.md  a page\n```\n", root).size() == 3u);

  BOOST_TEST(command_problems("```sh\ntools/test --filter a  # --none\n```\n").empty());
  BOOST_TEST(command_problems("```sh\ntools/test --none\ntools/none\nnone\n```\n").size() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
