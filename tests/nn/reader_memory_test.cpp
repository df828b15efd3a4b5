#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>

#include "autograd/allocator.hpp"
#include "examples/translate/corpus.hpp"
#include "nn/safetensors.hpp"
#include "tests/folder.hpp"

// What the readers take at most, held against what their pages promise. A program of its own: what others have freed
// would be taken again unseen.

namespace {

constexpr double MiB = 1 << 20;
const boost::unit_test::enable_if<rw::recycles> measurable;  // sanitizers take memory themselves

double peak() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

/// By how many bytes the peak of a process grows when it runs `read`, which returns whether it found what it should,
/// and must not throw.
template <class Read>
double growth_of(Read read) {
  const auto found = [&]() noexcept { return read(); };  // a child that throws must not go on with other cases
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    const double before = peak();
    const bool good = found();
    const double growth = peak() - before;
    ::_exit(good && ::write(ends[1], &growth, sizeof growth) == sizeof growth ? 0 : 1);
  }
  double growth = 0;
  ::close(ends[1]);
  BOOST_TEST(::read(ends[0], &growth, sizeof growth) == ssize_t{sizeof growth});
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  BOOST_TEST(status == 0);
  return growth;
}

/// The number in four letters.
std::string name_of(std::size_t i) {
  std::string name;
  for (int k = 0; k < 4; ++k, i /= 26) name += static_cast<char>('a' + i % 26);
  return name;
}

/// In a file, bytes of it.
double written(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  return static_cast<double>(text.size());
}

/// A safetensors file from the entries of its header and its data.
double written(const std::string& path, const std::string& entries, const std::string& data) {
  const std::uint64_t length = entries.size() + 2;
  return written(path, std::string(reinterpret_cast<const char*>(&length), 8) + "{" + entries + "}" + data);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(reader_memory, Folder)

BOOST_AUTO_TEST_CASE(the_measure_measures, *measurable) {
  const auto taken = [](std::size_t mebibytes) {
    return growth_of([&] { return std::string(mebibytes << 20, 'x').size() == mebibytes << 20; });
  };
  BOOST_TEST(taken(0) < MiB);
  BOOST_TEST(taken(50) > 49 * MiB);
  BOOST_TEST(taken(50) < 51 * MiB);
}

BOOST_AUTO_TEST_CASE(safetensors_of_many_small_tensors, *measurable) {
  std::string entries, data(80'000, '\1');
  for (std::size_t i = 0; i < data.size(); ++i) {
    entries += (i > 0 ? ",\"" : "\"") + name_of(i) + R"(":{"dtype":"U8","shape":[],"data_offsets":[)" +
               std::to_string(i) + "," + std::to_string(i + 1) + "]}";
  }
  const double size = written(file("a"), entries, data);
  BOOST_TEST(size > 4.5e6);
  BOOST_TEST(growth_of([&] { return rw::nn::read_safetensors(file("a")).tensors.size() == data.size(); }) < 30 * size);
}

BOOST_AUTO_TEST_CASE(safetensors_of_much_small_metadata, *measurable) {
  std::string entries = R"("__metadata__":{)";
  constexpr std::size_t count = 450'000;
  for (std::size_t i = 0; i < count; ++i) entries += (i > 0 ? ",\"" : "\"") + name_of(i) + R"(":"")";
  const double size = written(file("a"), entries + "}", "");
  BOOST_TEST(size > 4.4e6);
  BOOST_TEST(growth_of([&] { return rw::nn::read_safetensors(file("a")).metadata.size() == count; }) < 30 * size);
}

BOOST_AUTO_TEST_CASE(a_corpus_of_bad_lines, *measurable) {
  std::string text = "a\tb\n";
  for (const char* line : {"x\n", "x\n\n", "\t\n", "x\n\xff\n"}) {
    for (std::size_t i = 0; i < 600'000; ++i) text += line;
  }
  BOOST_TEST(written(file("a"), text) > 5e6);
  BOOST_TEST(growth_of([&] { return translate::read_pairs(file("a")).pairs.size() == 1; }) < 4 * MiB);
}

BOOST_AUTO_TEST_CASE(a_corpus_of_short_pairs, *measurable) {
  constexpr std::size_t count = (1 << 20) + 1;  // when the list has just grown, it is there twice
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "a\tb\n";
  const double size = written(file("a"), text);
  BOOST_TEST(growth_of([&] { return translate::read_pairs(file("a")).pairs.size() == count; }) < 40 * size + 4 * MiB);
}

BOOST_AUTO_TEST_SUITE_END()
