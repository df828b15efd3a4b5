#include "nn/safetensors.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "tests/errors.hpp"
#include "tests/folder.hpp"
#include "tests/full_disk.hpp"
#include "tests/python.hpp"

namespace {

namespace fs = std::filesystem;
using rw::Shape;
using rw::Tensor;
using rw::nn::Safetensors;

const std::string golden = std::string(TESTS_DIR) + "/golden/";

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A file from its parts; `claimed` is the header length it states.
std::string bytes(const std::string& header, std::size_t data, std::uint64_t claimed) {
  return std::string(reinterpret_cast<const char*>(&claimed), 8) + header + std::string(data, '\1');
}
std::string bytes(const std::string& header, std::size_t data = 0) { return bytes(header, data, header.size()); }

Safetensors parse(const std::string& text) {
  std::istringstream in(text);
  return rw::nn::read_safetensors(in, "m");
}

void refused(const std::string& file, const std::string& text) {
  BOOST_CHECK_EXCEPTION(parse(file), std::runtime_error, mentions("read_safetensors: m: expected " + text));
}

Safetensors sample() {
  Safetensors file;
  file.metadata = {{"language", "français"}, {"steps", "12"}};
  file.tensors["a.half"] = rw::tensor<float>({2, 3}, {0.5, -1, 2, 1e30, -0.0, 3});
  file.tensors["text"] = rw::nn::to_bytes({"bytes\n\0x", 8});
  file.tensors["double"] = rw::scalar<double>(1.0 / 3);
  file.tensors["ids"] = rw::tensor<std::int64_t>({2}, {-1, std::numeric_limits<std::int64_t>::max()});
  file.tensors["none"] = rw::empty<float>({0, 4});
  return file;
}

void check_same(const Safetensors& a, const Safetensors& b) {
  BOOST_TEST(a.metadata == b.metadata);
  BOOST_REQUIRE(a.tensors.size() == b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) BOOST_TEST(bool(tensor == b.tensors.at(name)), name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(safetensors)

BOOST_AUTO_TEST_CASE(reads_files_of_others) {
  const Safetensors lstm = rw::nn::read_safetensors(golden + "lstm_plain.safetensors");
  BOOST_TEST(lstm.metadata.at("kind") == "lstm");
  BOOST_TEST(lstm.metadata.at("layout") == "time,batch,feature");
  BOOST_TEST(lstm.tensors.size() == 21u);
  BOOST_TEST(bool(lstm.get<double>("weight_ih_l0").shape() == Shape{20, 3}));
  BOOST_TEST(bool(lstm.get<double>("hn").shape() == Shape{1, 2, 5}));
  // The last output of a sequence is the last state.
  const Tensor<double>&y = lstm.get<double>("y"), &hn = lstm.get<double>("hn");
  BOOST_TEST(std::equal(hn.begin(), hn.end(), y.data() + 2 * 2 * 5));
  BOOST_TEST(rw::nn::read_safetensors(golden + "gru_plain.safetensors").metadata.at("kind") == "gru");
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const Folder folder;
  const std::string path = folder.file("a.safetensors");
  rw::nn::write_safetensors(path, sample());
  check_same(sample(), rw::nn::read_safetensors(path));
  BOOST_TEST(rw::nn::to_text(rw::nn::read_safetensors(path).get<std::uint8_t>("text")) == std::string("bytes\n\0x", 8));
  rw::nn::write_safetensors(path, {});
  check_same({}, rw::nn::read_safetensors(path));
  BOOST_TEST(folder.files() == 1u);
}

BOOST_AUTO_TEST_CASE(bytes_are_fixed_and_aligned) {
  const Folder folder;
  rw::nn::write_safetensors(folder.file("a"), sample());
  rw::nn::write_safetensors(folder.file("b"), rw::nn::read_safetensors(folder.file("a")));
  const std::string a = contents(folder.file("a"));
  BOOST_TEST(a == contents(folder.file("b")));
  std::uint64_t length = 0;
  std::copy_n(a.data(), 8, reinterpret_cast<char*>(&length));
  BOOST_TEST(length % 8 == 0u);

  Safetensors small;
  small.tensors["b"] = rw::tensor<std::uint8_t>({1}, {7});
  small.tensors["w"] = rw::tensor<float>({1}, {1});
  rw::nn::write_safetensors(folder.file("small"), small);
  const std::string header =
      R"({"b":{"data_offsets":[4,5],"dtype":"U8","shape":[1]},"w":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  BOOST_TEST(contents(folder.file("small")) == bytes(padded) + std::string("\0\0\x80\x3f\7", 5));
}

BOOST_AUTO_TEST_CASE(python_opens_it_and_back, *needs_python("numpy safetensors")) {
  const Folder folder;
  const std::string ours = folder.file("ours"), theirs = folder.file("theirs");
  rw::nn::write_safetensors(ours, sample());
  const std::string output = python("numpy safetensors", R"(
import numpy
from safetensors.numpy import load_file, save_file
for name, x in sorted(load_file(")" + ours + R"(").items()):
    print(name, x.dtype, list(x.shape), x.tolist())
save_file({"x": numpy.array([[1.5], [-2.5]], "float32"), "n": numpy.array(7)}, ")" +
                                                             theirs + R"(", {"by": "python"})
)");
  BOOST_TEST(output ==
             "a.half float32 [2, 3] [[0.5, -1.0, 2.0], [1.0000000150474662e+30, -0.0, 3.0]]\n"
             "double float64 [] 0.3333333333333333\n"
             "ids int64 [2] [-1, 9223372036854775807]\n"
             "none float32 [0, 4] []\n"
             "text uint8 [8] [98, 121, 116, 101, 115, 10, 0, 120]\n");
  const Safetensors file = rw::nn::read_safetensors(theirs);
  BOOST_TEST(file.metadata.at("by") == "python");
  BOOST_TEST(bool(file.get<float>("x") == rw::tensor<float>({2, 1}, {1.5, -2.5})));
  BOOST_TEST(bool(file.get<std::int64_t>("n") == rw::scalar<std::int64_t>(7)));
}

BOOST_AUTO_TEST_CASE(a_tensor_that_is_not_there) {
  const Safetensors file = sample();
  BOOST_CHECK_EXCEPTION(file.get<float>("x"), std::runtime_error,
                        mentions(R"(get: expected a tensor "x" of dtype F32; got none of that name)"));
  BOOST_CHECK_EXCEPTION(file.get<double>("ids"), std::runtime_error,
                        mentions(R"(expected a tensor "ids" of dtype F64; got I64)"));
}

BOOST_AUTO_TEST_CASE(foreign_and_truncated_files) {
  refused("", "a header; got 0 bytes in all");
  refused("1234567", "a header; got 7 bytes in all");
  refused(bytes("{}", 0, 3), "a header within the file and of at most 100000000 bytes; got 3 bytes in a file of 10");
  refused(bytes("{}", 0, ~std::uint64_t{0}), "a header within the file");
  refused("source\ttarget\nmore text\n", "a header within the file");
  refused(bytes("{"), "a JSON header; got an error at its byte");
  refused(bytes("\xff\xfe"), "a JSON object as header");
  refused(bytes(" {}"), "a JSON object as header");
  refused(bytes("\xEF\xBB\xBF{}"), "a JSON object as header");
  refused(bytes("{}x"), "a JSON header");
  refused(bytes(std::string("{}\0", 3)), "a JSON header");
  refused(bytes("{\"\xff\":1}"), "a JSON header");
  refused(bytes(R"({"x":1e999})"), "a JSON header; got a number out of range");
  refused(bytes("[]"), R"(a JSON object as header; got one that begins "[")");
  refused(bytes("7"), R"(a JSON object as header; got one that begins "7")");
  // Every prefix of a good file.
  const Folder folder;
  rw::nn::write_safetensors(folder.file("a"), sample());
  const std::string whole = contents(folder.file("a"));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    BOOST_REQUIRE_EXCEPTION(parse(whole.substr(0, n)), std::runtime_error, mentions("read_safetensors: m: "));
  }
  refused(whole + "x", "data up to byte");
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_opened) {
  const Folder folder;
  BOOST_CHECK_EXCEPTION(rw::nn::read_safetensors(folder.file("none")), std::runtime_error,
                        mentions("none: expected a file; got No such file or directory"));
  BOOST_CHECK_EXCEPTION(rw::nn::read_safetensors(folder.path), std::runtime_error, mentions("got a folder or device"));
  BOOST_CHECK_EXCEPTION(rw::nn::read_safetensors("/dev/zero"), std::runtime_error, mentions("got a folder or device"));
}

BOOST_AUTO_TEST_CASE(headers_as_long_as_allowed_and_longer) {
  const Folder folder;
  const std::string path = folder.file("a");
  constexpr std::uint64_t most = 100'000'000;
  for (const std::uint64_t length : {most, most + 1}) {
    std::ofstream(path, std::ios::binary) << bytes("", 0, length);
    fs::resize_file(path, 8 + length);  // zeros, which take no room on the disk
    const std::string text = length > most
                                 ? "a header within the file and of at most 100000000 bytes; got 100000001 bytes in a "
                                   "file of 100000009"
                                 : R"(a JSON object as header; got one that begins "\x00")";
    BOOST_CHECK_EXCEPTION(rw::nn::read_safetensors(path), std::runtime_error, mentions("expected " + text));
  }
}

BOOST_AUTO_TEST_CASE(deep_and_double_json) {
  refused(bytes(R"({"x":{"shape":)" + std::string(1000000, '[')), "a flat JSON header; got an object or array 4 deep");
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += R"({"a":)";
  refused(bytes(deep), "a flat JSON header; got an object or array 3 deep");
  refused(bytes(R"({"x":{"shape":[[1]]}})"), "a flat JSON header");
  refused(bytes(R"({"x":{"shape":{}}})"), "a flat JSON header");
  std::string axes = "1";
  for (int i = 0; i < 8; ++i) axes += ",1";
  refused(bytes(R"({"x":{"dtype":"U8","shape":[)" + axes + R"(],"data_offsets":[0,1]}})", 1),
          "arrays of at most 8 numbers; got more");
  BOOST_TEST(parse(bytes(R"({"x":{"dtype":"U8","shape":[)" + axes.substr(2) + R"(],"data_offsets":[0,1]}})", 1))
                 .get<std::uint8_t>("x")
                 .dimension() == 8u);
  const std::string x = R"("x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  refused(bytes("{" + x + "," + x + "}", 1), R"(each name once; got "x" twice)");
  refused(bytes(R"({"x":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,1]}})", 1),
          R"(each name once; got "dtype" twice)");
  const std::string same = R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                           R"("y":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})";
  BOOST_TEST(parse(bytes(same, 2)).tensors.size() == 2u);  // names repeat from tensor to tensor
  std::string many = R"("__metadata__":{})";
  for (int i = 0; i < 50'000; ++i) {
    many += ",\"" + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  BOOST_TEST(parse(bytes("{" + many + "}")).tensors.size() == 50'000u);
}

BOOST_AUTO_TEST_CASE(entries_that_are_none) {
  const std::string text = "a dtype, shape and data_offsets for each tensor; got others for \"x\"";
  for (const std::string entry : {
           "1",
           "[1]",
           "{}",
           R"({"dtype":"U8","shape":[1]})",
           R"({"dtype":8,"shape":[1],"data_offsets":[0,1]})",
           R"({"dtype":"U8","shape":1,"data_offsets":[0,1]})",
           R"({"dtype":"U8","shape":[-1],"data_offsets":[0,1]})",
           R"({"dtype":"U8","shape":[1.0],"data_offsets":[0,1]})",
           R"({"dtype":"U8","shape":[1],"data_offsets":[0]})",
           R"({"dtype":"U8","shape":[1],"data_offsets":[0,1,1]})",
           R"({"dtype":"U8","shape":[1],"data_offsets":[0,"1"]})",
           R"({"dtype":"U8","shape":[99999999999999999999999],"data_offsets":[0,1]})",
           R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1})",
       }) {
    refused(bytes("{\"x\":" + entry + "}", 1), text);
  }
  refused(bytes(R"({"x":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1),
          R"(dtype F32, F64, I64 or U8; got "F8_E4M3" for "x")");
  refused(bytes(R"({"__metadata__":{"a":1}})"), "metadata that maps names to text");
  refused(bytes(R"({"__metadata__":"a"})"), "metadata that maps names to text");
  refused(bytes("{\"" + std::string(1000, 'n') + "\\n\":1}"),
          "a dtype, shape and data_offsets for each tensor; got "
          "others for \"" +
              std::string(80, 'n') + "\"...");
  refused(bytes(R"({"two\nlines":1})"),
          R"(a dtype, shape and data_offsets for each tensor; got others for "two\x0alines")");
}

BOOST_AUTO_TEST_CASE(names_with_paths) {
  const auto named = [](const std::string& name) {
    return bytes("{\"" + name + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1);
  };
  for (const std::string name : {"..", "../x", "a/../x", "a/..", "..\\\\x", "a\\\\..\\\\x", "a/..\\\\x", "/", "/a",
                                 "//a", "\\\\a", "\\\\\\\\a\\\\b", "C:", "c:x", "C:/x", "C:\\\\x"}) {
    refused(named(name), "names that stay within a folder; got \"");
  }
  refused(named("x\\u0000y"), R"(names that stay within a folder; got "x\x00y")");
  for (const std::string name :
       {"a/b", "a/", "a//b", "a\\\\b", "...", "a..b", "..a/b..", "a/b:0", "kernel:0", ":0", "a", ""}) {
    BOOST_TEST(parse(named(name)).tensors.size() == 1u, name);
  }
}

BOOST_AUTO_TEST_CASE(offsets_and_sizes_that_lie) {
  const auto entry = [](const char* name, const char* shape, const char* offsets) {
    return std::string("\"") + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  const auto file = [](const std::string& entries, std::size_t data) { return bytes("{" + entries + "}", data); };
  const std::string gap = "data_offsets without gap or overlap, next from ";
  refused(file(entry("x", "[2]", "[4,12]"), 12), gap + "0; got \"x\" at [4, 12)");               // hole
  refused(file(entry("x", "[1]", "[0,4]") + "," + entry("y", "[1]", "[8,12]"), 12), gap + "4");  // hole
  refused(file(entry("x", "[2]", "[0,8]") + "," + entry("y", "[1]", "[4,8]"), 8), gap + "8");    // overlap
  refused(file(entry("x", "[1]", "[0,4]") + "," + entry("y", "[1]", "[0,4]"), 4), gap + "4");    // twice
  refused(file(entry("x", "[0]", "[0,0]") + "," + entry("y", "[1]", "[4,0]"), 4),
          gap + "0; got \"y\" at [4, 0)");                                                                   // backward
  refused(file(entry("x", "[2]", "[0,8]"), 4), "data_offsets within 4 bytes of data; got \"x\" at [0, 8)");  // outside
  refused(file(entry("x", "[2]", "[0,18446744073709551615]"), 4), "data_offsets within 4 bytes of data");
  refused(file(entry("x", "[3]", "[0,8]"), 8), "data_offsets that fit the shape; got \"x\" at [0, 8) [3]");
  refused(file(entry("x", "[]", "[0,0]"), 0), "data_offsets that fit the shape");
  refused(file(entry("x", "[4611686018427387905]", "[0,4]"), 4), "data_offsets that fit the shape");  // ·4 = 4 mod 2⁶⁴
  refused(file(entry("x", "[4294967296,4294967296]", "[0,0]"), 0), "data_offsets that fit the shape");
  refused(file(entry("x", "[0,4294967296,4294967296]", "[0,0]"), 0), "data_offsets that fit the shape");
  refused(file(entry("x", "[1]", "[0,4]"), 5), "data up to byte 4; got 5 bytes");
}

BOOST_AUTO_TEST_CASE(a_failed_write_leaves_the_old_file) {
  const Folder folder;
  const std::string path = folder.file("model");
  rw::nn::write_safetensors(path, sample());
  const std::string before = contents(path);

  Safetensors large = sample();
  large.tensors["large"] = rw::zeros<double>({100000});
  std::string error;
  {
    const FullDisk full(10000);
    error = message<std::runtime_error>([&] { rw::nn::write_safetensors(path, large); });
  }
  BOOST_TEST(error == "write_safetensors: " + path + ": expected a file to write; got File too large");
  BOOST_TEST(contents(path) == before);
  BOOST_TEST(folder.files() == 1u);

  const auto refuses = [&](const std::string& to, const Safetensors& file, const std::string& text) {
    BOOST_CHECK_EXCEPTION(rw::nn::write_safetensors(to, file), std::runtime_error, mentions(text));
  };
  refuses(folder.file("no/model"), sample(), "got No such file or directory");
  refuses(folder.path, sample(), "got Is a directory");
  refuses("/dev/null", sample(), "/dev/null: expected a file to write; got Invalid argument");
  Safetensors latin;
  latin.metadata["name"] =
      "fran\xe7"
      "ais";
  refuses(path, latin, "expected names and metadata in UTF-8");
  Safetensors reserved;
  reserved.tensors["__metadata__"] = rw::scalar<float>(1);
  refuses(path, reserved, "expected names of tensors");
  for (const std::string name : {"../x", "/x", "\\x", "C:x"}) {
    Safetensors outside;
    outside.tensors[name] = rw::scalar<float>(1);
    refuses(path, outside, "expected names that stay within a folder");
  }
  BOOST_TEST(contents(path) == before);
  BOOST_TEST(folder.files() == 1u);
}

BOOST_AUTO_TEST_CASE(a_link_is_followed) {
  const Folder folder;
  rw::nn::write_safetensors(folder.file("real"), {});
  fs::create_symlink("real", folder.path / "link");
  rw::nn::write_safetensors(folder.file("link"), sample());
  BOOST_TEST(fs::is_symlink(folder.path / "link"));
  check_same(sample(), rw::nn::read_safetensors(folder.file("real")));
}

BOOST_AUTO_TEST_SUITE_END()
