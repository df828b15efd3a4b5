#include "nn/npz.hpp"

#include <zip.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "nn/safetensors.hpp"
#include "tests/errors.hpp"
#include "tests/folder.hpp"
#include "tests/python.hpp"

namespace {

using rw::Shape;
using rw::nn::NamedTensors;

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

NamedTensors sample() {
  NamedTensors tensors;
  tensors["layer/half"] = rw::tensor<float>({2, 3}, {0.5, -1, 2, 1e30, -0.0, 3});
  tensors["double"] = rw::scalar<double>(1.0 / 3);
  tensors["ids"] = rw::tensor<std::int64_t>({2}, {-1, std::numeric_limits<std::int64_t>::max()});
  tensors["none"] = rw::empty<float>({0, 4});
  tensors["été"] = rw::tensor<std::uint8_t>({2, 1, 1}, {7, 255});
  return tensors;
}

void check_same(const NamedTensors& a, const NamedTensors& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (const auto& [name, tensor] : a) BOOST_TEST(bool(b.contains(name) && tensor == b.at(name)), name);
}

/// A .npy file from the text of its header.
std::string npy(const std::string& header, const std::string& data, char version = 1) {
  const auto length = static_cast<std::uint32_t>(header.size());
  const std::string size(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4);
  return std::string("\x93NUMPY") + version + '\0' + size + header + data;
}
std::string npy(const char* descr, const char* order, const char* shape, const std::string& data) {
  return npy(std::string("{'descr': '") + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n",
             data);
}

using Files = std::vector<std::pair<std::string, std::string>>;

/// A zip archive, made without the library.
std::string archive(const Files& files, zip_int32_t method = ZIP_CM_STORE) {
  const Folder folder;
  zip_t* out = zip_open(folder.file("a").c_str(), ZIP_CREATE, nullptr);
  for (const auto& [name, data] : files) {
    const zip_int64_t at =
        zip_file_add(out, name.c_str(), zip_source_buffer(out, data.data(), data.size(), 0), ZIP_FL_ENC_UTF_8);
    zip_set_file_compression(out, static_cast<zip_uint64_t>(at), method, 0);
  }
  BOOST_REQUIRE(zip_close(out) == 0);
  return contents(folder.file("a"));
}
std::string archive(const std::string& file) { return archive(Files{{"x.npy", file}}); }

NamedTensors parse(const std::string& bytes, rw::nn::NpzLimits limits = {}) {
  return rw::nn::read_npz(std::as_bytes(std::span(bytes)), "m", limits);
}

void refused(const std::string& file, const std::string& text) {
  BOOST_CHECK_EXCEPTION(parse(file), std::runtime_error, mentions("read_npz: m: expected " + text));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(npz)

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const Folder folder;
  const std::string path = folder.file("a.npz");
  for (const bool compressed : {false, true}) {
    rw::nn::write_npz(path, sample(), {.compressed = compressed});
    check_same(sample(), rw::nn::read_npz(path));
    const std::string bytes = contents(path);
    rw::nn::write_npz(path, rw::nn::read_npz(path), {.compressed = compressed});
    BOOST_TEST((contents(path) == bytes));
    check_same(sample(), parse(bytes));
  }
  rw::nn::write_npz(path, {});
  BOOST_TEST(rw::nn::read_npz(path).empty());
  BOOST_TEST(folder.files() == 1u);
}

BOOST_AUTO_TEST_CASE(stored_bytes_are_those_of_the_format) {
  const Folder folder;
  const auto written = [&](const rw::nn::AnyTensor& tensor) {
    rw::nn::write_npz(folder.file("a"), {{"x", tensor}});
    const std::string bytes = contents(folder.file("a"));
    const std::size_t begin = bytes.find("\x93NUMPY");
    BOOST_REQUIRE(begin != bytes.npos);
    BOOST_TEST(bytes.find("x.npy") < begin);
    return bytes.substr(begin, bytes.find("PK", begin) - begin);
  };
  const auto header = [](const std::string& text) {  // padded to 128 bytes in all
    return npy(text + std::string(128 - 10 - 1 - text.size(), ' ') + "\n", "");
  };
  BOOST_TEST(
      (written(rw::tensor<float>({2}, {1, -2})) ==
       header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }") + std::string("\0\0\x80\x3f\0\0\0\xc0", 8)));
  BOOST_TEST(
      (written(rw::empty<double>({0, 3})) == header("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }")));
  BOOST_TEST(
      (written(rw::scalar<std::int64_t>(-2)) == header("{'descr': '<i8', 'fortran_order': False, 'shape': (), }") +
                                                    std::string("\xfe\xff\xff\xff\xff\xff\xff\xff", 8)));
  BOOST_TEST((written(rw::tensor<std::uint8_t>({1, 1}, {9})) ==
              header("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1), }") + "\t"));
}

BOOST_AUTO_TEST_CASE(numpy_opens_it_and_back, *needs_python("numpy")) {
  const Folder folder;
  for (const bool compressed : {false, true}) {
    rw::nn::write_npz(folder.file("ours"), sample(), {.compressed = compressed});
    const std::string program = R"(
import numpy
with numpy.load("OURS") as file:
    for name in sorted(file):
        print(ascii(name), file[name].dtype, list(file[name].shape), file[name].tolist())
x = numpy.arange(24.0).reshape(2, 3, 4)
numpy.savez("PLAIN", a=x, b=x.astype("float32"), c=x.astype("int64"), d=x.astype("uint8"),
            big=x.astype(">f8"), bigger=x.astype(">i8"), turned=numpy.asfortranarray(x), both=x.astype(">f4").T,
            part=x[:, ::2, 1:3], number=numpy.int64(7), none=x[:0])
numpy.savez_compressed("SMALL.npz", a=x, turned=x.T)
)";
    const std::string output = python(
        "numpy", replaced(replaced(replaced(program, "OURS", folder.file("ours")), "PLAIN", folder.file("plain.npz")),
                          "SMALL", folder.file("small")));
    BOOST_TEST(output ==
               "'double' float64 [] 0.3333333333333333\n"
               "'ids' int64 [2] [-1, 9223372036854775807]\n"
               "'layer/half' float32 [2, 3] [[0.5, -1.0, 2.0], [1.0000000150474662e+30, -0.0, 3.0]]\n"
               "'none' float32 [0, 4] []\n"
               "'\\xe9t\\xe9' uint8 [2, 1, 1] [[[7]], [[255]]]\n");
  }

  const NamedTensors plain = rw::nn::read_npz(folder.file("plain.npz")),
                     small = rw::nn::read_npz(folder.file("small.npz"));
  BOOST_TEST(plain.size() == 11u);
  const auto counting = [](auto zero) {
    auto x = rw::empty<decltype(zero)>({2, 3, 4});
    for (int i = 0; i < 24; ++i) x.data()[i] = static_cast<decltype(zero)>(i);
    return rw::nn::AnyTensor(x);
  };
  for (const char* name : {"a", "big", "turned"}) BOOST_TEST(bool(plain.at(name) == counting(0.0)), name);
  BOOST_TEST(bool(plain.at("b") == counting(0.0f)));
  BOOST_TEST(bool(plain.at("c") == counting(std::int64_t{})));
  BOOST_TEST(bool(plain.at("bigger") == counting(std::int64_t{})));
  BOOST_TEST(bool(plain.at("d") == counting(std::uint8_t{})));
  BOOST_TEST(bool(small.at("a") == counting(0.0)));
  auto turned = rw::empty<double>({4, 3, 2});
  for (std::size_t i = 0; i < 24; ++i) turned(i % 4, i / 4 % 3, i / 12) = static_cast<double>(i);
  BOOST_TEST(bool(small.at("turned") == rw::nn::AnyTensor(turned)));
  BOOST_TEST(bool(plain.at("both") == rw::nn::AnyTensor(rw::Tensor<float>(turned))));
  BOOST_TEST(bool(plain.at("part") == rw::nn::AnyTensor(rw::tensor<double>({2, 2, 2}, {1, 2, 9, 10, 13, 14, 21, 22}))));
  BOOST_TEST(bool(plain.at("number") == rw::nn::AnyTensor(rw::scalar<std::int64_t>(7))));
  BOOST_TEST(bool(plain.at("none") == rw::nn::AnyTensor(rw::empty<double>({0, 3, 4}))));
}

BOOST_AUTO_TEST_CASE(other_byte_order_and_column_major) {
  const std::string two_by_three("\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6", 24);
  const auto at = [](const std::string& file) { return parse(archive(file)).at("x"); };
  const auto floats = std::get<rw::Tensor<float>>(at(npy(">f4", "True", "(2, 3)", two_by_three)));
  BOOST_TEST(bool(floats.shape() == Shape{2, 3}));
  const float unit = std::numeric_limits<float>::denorm_min();
  const float expected[] = {1 * unit, 3 * unit, 5 * unit, 2 * unit, 4 * unit, 6 * unit};
  BOOST_TEST(std::equal(floats.begin(), floats.end(), std::begin(expected), std::end(expected)));
  BOOST_TEST(bool(at(npy("|u1", "True", "(2, 2)", "abcd")) ==
                  rw::nn::AnyTensor(rw::tensor<std::uint8_t>({2, 2}, {'a', 'c', 'b', 'd'}))));
  BOOST_TEST(bool(at(npy(">i8", "False", "()", std::string("\0\0\0\0\0\0\1\2", 8))) ==
                  rw::nn::AnyTensor(rw::scalar<std::int64_t>(258))));
  for (const char version : {1, 2, 3}) {  // keys in any order, either quote
    BOOST_TEST(bool(at(npy(R"({"shape":(2 , 1),'fortran_order':False,"descr":'|u1'})", "ab", version)) ==
                    rw::nn::AnyTensor(rw::tensor<std::uint8_t>({2, 1}, {'a', 'b'}))));
  }
}

BOOST_AUTO_TEST_CASE(a_tensor_that_is_not_there) {
  BOOST_TEST(rw::nn::get<double>(sample(), "double")() == 1.0 / 3);
  BOOST_CHECK_EXCEPTION(rw::nn::get<float>(sample(), "x"), std::runtime_error,
                        says(R"(get: expected a tensor "x" of dtype F32; got none of that name)"));
  BOOST_CHECK_EXCEPTION(rw::nn::get<double>(sample(), "ids"), std::runtime_error,
                        says(R"(get: expected a tensor "ids" of dtype F64; got I64)"));
}

BOOST_AUTO_TEST_CASE(files_that_are_none) {
  refused("", "a zip archive; got no bytes");
  refused("PK", "a zip archive; got Not a zip archive");
  const Folder folder;
  BOOST_CHECK_EXCEPTION(rw::nn::read_npz(folder.file("none")), std::runtime_error,
                        mentions("none: expected a file; got No such file or directory"));
  BOOST_CHECK_EXCEPTION(rw::nn::read_npz(folder.path), std::runtime_error, mentions("got a folder or device"));
  BOOST_CHECK_EXCEPTION(rw::nn::read_npz("/dev/zero"), std::runtime_error, mentions("got a folder or device"));

  for (const bool compressed : {false, true}) {
    rw::nn::write_npz(folder.file("a"), sample(), {.compressed = compressed});
    const std::string whole = contents(folder.file("a"));
    for (std::size_t n = 0; n < whole.size(); ++n) {
      BOOST_REQUIRE_EXCEPTION(parse(whole.substr(0, n)), std::runtime_error, mentions("read_npz: m: "));
    }
    // A flipped bit is told, or lies where nobody looks: dates, names, versions.
    std::size_t told = 0;
    for (std::size_t n = 0; n < whole.size(); ++n) {
      std::string other = whole;
      other[n] = static_cast<char>(other[n] ^ 1);
      told += !message<std::runtime_error>([&] { parse(other); }).empty();
    }
    BOOST_TEST(told > whole.size() / 2);
  }
  std::string data = archive(npy("|u1", "False", "(3,)", "abc"));
  data[data.find("abc")] = 'A';
  refused(data, "an array that can be read; got CRC error in \"x.npy\"");
}

BOOST_AUTO_TEST_CASE(entries_that_are_none) {
  const std::string x = npy("|u1", "False", "(1,)", "x");
  const std::string names = "arrays with names that end in .npy and stay within a folder; got ";
  refused(archive(Files{{"x", x}}), names + "\"x\"");
  refused(archive(Files{{"npy", x}}), names + "\"npy\"");
  for (const std::string name : {"../x", "..", "a/../../x", "..\\x", "a\\..\\x", "/x", "//x", "\\x", "C:x", "C:\\x"}) {
    refused(archive(Files{{name + ".npy", x}}), names);
  }
  BOOST_TEST(parse(archive(Files{{"a..b/..c/x.npy", x}})).contains("a..b/..c/x"));
  refused(replaced(archive(Files{{"x.npy", x}, {"y.npy", x}}), "y.npy", "x.npy"), "a zip archive; got");

  refused(archive(""), "a whole npy file; got one cut short in \"x.npy\"");
  refused(archive("\x93NUMPY\1"), "a whole npy file");
  refused(archive("PICKLE\1\2\3\4\5\6"), "an npy file of version 1 to 3; got another");
  refused(archive(npy("{}", "", 4)), "an npy file of version 1 to 3");
  refused(archive(npy("{}", "", 0)), "an npy file of version 1 to 3");
  refused(archive(npy(std::string(10'001, ' '), "")), "a header of at most 10000 bytes; got 10001");
  refused(archive(std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12)), "a header of at most 10000 bytes; got 4294967295");
  refused(archive(x.substr(0, 20)), "a whole npy file");
  for (const std::string header : {"",
                                   "{",
                                   "{}",
                                   "[]",
                                   "{'descr': '|u1'}",
                                   "{'descr': '|u1', 'fortran_order': False}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (1)",
                                   "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (1.0,)}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': [1]}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (,)}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (1 1)}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (18446744073709551617,)}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'more': 1}",
                                   "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} + 1",
                                   "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
                                   "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
                                   "{'descr': '|u1, 'fortran_order': False, 'shape': (1,)}"}) {
    refused(archive(npy(header, "x")), "a header of descr, fortran_order and shape of at most 8 axes; got ");
  }
  for (const std::string descr : {"|O", "<f2", "<i4", "|b1", "<c16", "<U3", "|f4", "=f8", "f8", "", "<"}) {
    refused(archive(npy(descr.c_str(), "False", "(1,)", "x")),
            "dtype float32, float64, int64 or uint8; got \"" + descr);
  }
}

BOOST_AUTO_TEST_CASE(sizes_that_lie) {
  const std::string bytes = "as many bytes as the shape ";
  refused(archive(npy("<f8", "False", "(2,)", "12345678")), bytes + "[2] takes; got 8 in \"x.npy\"");
  refused(archive(npy("<f8", "False", "(1,)", "123456789")), bytes + "[1] takes; got 9");
  refused(archive(npy("<f8", "False", "()", "")), bytes + "[] takes; got 0");
  refused(archive(npy("<f4", "False", "(4611686018427387905,)", "1234")), bytes);  // · 4 = 4 mod 2⁶⁴
  refused(archive(npy("<f4", "True", "(4294967296, 4294967296)", "")), bytes);
  refused(archive(npy("<f4", "False", "(0, 4294967296, 4294967296)", "")), bytes);
  refused(replaced(archive(npy("|u1", "False", "(3,)", "abc")), "(3,)", "(9,)"), bytes + "[9] takes; got 3");
}

BOOST_AUTO_TEST_CASE(bombs) {
  const std::size_t size = std::size_t{80} << 20;
  const std::string file =
      archive(Files{{"x.npy", npy("|u1", "False", "(83886080,)", std::string(size, '\0'))}}, ZIP_CM_DEFLATE);
  BOOST_REQUIRE(file.size() < 100'000u);
  refused(file, "at most " + std::to_string((64u << 20) + 100 * file.size()) +
                    " bytes of arrays (NpzLimits::expansion); got more");
  BOOST_TEST(rw::nn::get<std::uint8_t>(parse(file, {.expansion = 1000}), "x").size() == size);
  BOOST_TEST(parse(file, {.expansion = ~std::size_t{0}}).size() == 1u);  // no overflow
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written) {
  const Folder folder;
  const std::string path = folder.file("a");
  rw::nn::write_npz(path, sample());
  const std::string before = contents(path);
  const auto refuses = [&](const std::string& to, const std::string& name, const std::string& text) {
    BOOST_CHECK_EXCEPTION(rw::nn::write_npz(to, {{name, rw::scalar<float>(1)}}), std::runtime_error,
                          mentions("write_npz: " + to + ": expected " + text));
  };
  refuses(folder.file("no/a"), "x", "a file to write; got No such file or directory");
  refuses(folder.path, "x", "a file to write; got Is a directory");
  refuses(path, "../x", "names that stay within a folder; got \"../x\"");
  for (const std::string name : {"/x", "\\x", "C:x"}) refuses(path, name, "names that stay within a folder; got \"");
  refuses(path, std::string("x\0y", 3), R"(names that stay within a folder; got "x\x00y")");
  refuses(path,
          "fran\xe7"
          "ais",
          R"(names in UTF-8; got "fran\xe7)");
  BOOST_TEST((contents(path) == before));
  BOOST_TEST(folder.files() == 1u);
}

BOOST_AUTO_TEST_CASE(a_model_goes_there_and_back) {
  const Folder folder;
  rw::Parameter<float> weight("weight", rw::tensor<float>({2}, {1, 2})), other("weight", rw::zeros<float>({2}));
  rw::nn::write_npz(folder.file("a"), rw::nn::pack(rw::nn::Parameters<float>{weight}).tensors);
  rw::nn::unpack({.metadata = {}, .tensors = rw::nn::read_npz(folder.file("a"))}, rw::nn::Parameters<float>{other},
                 "a");
  BOOST_TEST(bool(other.value() == weight.value()));
}

BOOST_AUTO_TEST_SUITE_END()
