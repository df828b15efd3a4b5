#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <stdexcept>

#include "examples/anomaly/detect.hpp"
#include "examples/app/csv.hpp"
#include "nn/safetensors.hpp"
#include "tests/errors.hpp"
#include "tests/folder.hpp"

namespace {

/// A file that is gone with this.
struct File {
  explicit File(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

  Folder folder;
  std::string path = folder.file("series.csv");
};

using Table = std::vector<std::vector<std::string>>;

/// Names and rows.
Table read_all(const std::string& text) {
  const File file(text);
  app::CsvReader csv(file.path);
  Table all{csv.names()};
  while (csv.next()) {
    all.emplace_back();
    for (std::size_t i = 0; i < csv.names().size(); ++i) all.back().push_back(csv.text(i));
  }
  return all;
}

/// What reading the second column as numbers fails with, without the name of the file.
std::string error_of(const std::string& text, const std::string& column = "2") {
  const File file(text);
  try {
    app::CsvReader csv(file.path);
    const std::size_t at = csv.column(column);
    while (csv.next()) csv.number(at);
  } catch (const std::runtime_error& error) {
    std::string what = error.what();
    const std::size_t name = what.find(file.path);
    return name == what.npos ? what : what.replace(name, file.path.size(), "FILE");
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(series_examples)

BOOST_AUTO_TEST_CASE(csv_of_every_form) {
  const Table wanted{{"a", "b c"}, {"1", "x,y"}, {"-2.5e3", ""}};
  BOOST_TEST((read_all("a,b c\n1,\"x,y\"\n-2.5e3,\n") == wanted));
  BOOST_TEST((read_all("\xEF\xBB\xBF\"a\",b c\r\n1,\"x,y\"\r\n-2.5e3,\"\"\r\n\r\n\r\n") == wanted));
  BOOST_TEST((read_all("1,2\n3,4") == Table{{"1", "2"}, {"1", "2"}, {"3", "4"}}));
  BOOST_TEST(
      (read_all("a,b\n\"say \"\"hi\"\"\",\"two\n\nlines\"\n") == Table{{"a", "b"}, {"say \"hi\"", "two\n\nlines"}}));
  BOOST_TEST((read_all("a,b\n,\n") == Table{{"a", "b"}, {"", ""}}));
  BOOST_TEST((read_all("\"\",2\n") == Table{{"1", "2"}, {"", "2"}}));
  BOOST_TEST((read_all("only\n7\n") == Table{{"only"}, {"7"}}));
}

BOOST_AUTO_TEST_CASE(csv_numbers) {
  const File file("a,b\n 1.5 ,+2\n-0,1e-3\nNA,\n null,nan\n");
  app::CsvReader csv(file.path);
  BOOST_TEST(csv.next());
  BOOST_TEST(csv.number(0) == 1.5);
  BOOST_TEST(csv.number(1) == 2);
  BOOST_TEST(!csv.missing(0));
  BOOST_TEST(csv.next());
  BOOST_TEST(csv.number(1) == 1e-3);
  for (int row = 0; row < 2; ++row) {
    BOOST_TEST(csv.next());
    BOOST_TEST(csv.missing(0));
    BOOST_TEST(csv.missing(1));
  }
  BOOST_TEST(!csv.next());
  BOOST_TEST(csv.column("") == 1);
  BOOST_TEST(csv.column("a") == 0);
  BOOST_TEST(csv.column("2") == 1);
}

BOOST_AUTO_TEST_CASE(csv_errors) {
  for (const char* bad : {"x", "", "nan", "inf", "1e999", "0x10", "1 2", "--3", "+-3", "1.5.2"}) {
    const std::string field = bad;
    BOOST_TEST(error_of("a,b\n1,2\n3," + field + "\n") ==
               "csv: expected a finite number in column \"b\" in line 3 of FILE; got \"" + field + "\"");
  }
  BOOST_TEST(error_of("a,b\n\"1\n1\",2\n3,x\n") ==
             "csv: expected a finite number in column \"b\" in line 4 of FILE; got \"x\"");
  BOOST_TEST(error_of("a,b\n1,2,3\n") == "csv: expected 2 fields in line 2 of FILE; got 3");
  BOOST_TEST(error_of("a,b\n1\n") == "csv: expected 2 fields in line 2 of FILE; got 1");
  BOOST_TEST(error_of("a,b\n1,2\n\n3,4\n") == "csv: expected a row in line 3 of FILE; got an empty line");
  BOOST_TEST(error_of("a,b\n1,2\n3,\"4\n5,6\n") ==
             "csv: expected a closing quote in line 3 of FILE; got the end of the file");
  BOOST_TEST(error_of("") == "csv: expected at least one row; got the empty file FILE");
  BOOST_TEST(error_of("\n\n") == "csv: expected at least one row; got the empty file FILE");
  BOOST_TEST(error_of("a,b\n1,2\n", "3") == "csv: expected a column of FILE, which are \"a\", \"b\"; got \"3\"");
  std::string names = "name 1";
  for (int i = 2; i < 100; ++i) names += ",name " + std::to_string(i);
  const std::string error = error_of(names + "\n", "age");
  BOOST_TEST(error.find("\"name 19\", ...; got \"age\"") != error.npos, error);
  BOOST_TEST(error_of("a,a\n1,2\n", "a") == "csv: expected one column a in line 1 of FILE; got several");
  BOOST_TEST(error_of("a,b\n1," + std::string(100, 'x') + "\n") ==
             "csv: expected a finite number in column \"b\" in line 2 of FILE; got \"" + std::string(40, 'x') +
                 "...\"");
  BOOST_CHECK_THROW(app::CsvReader("/none"), std::runtime_error);
  BOOST_CHECK_THROW(app::CsvReader("/"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(quantiles_and_parts) {
  BOOST_TEST(series::quantile({5, 1, 4, 2, 3}, 0.5) == 3);
  BOOST_TEST(series::quantile({5, 1, 4, 2, 3}, 0.9) == 5);
  BOOST_TEST(series::quantile({5, 1, 4, 2, 3}, 0.1) == 1);
  BOOST_TEST(series::quantile({7}, 0.5) == 7);
  BOOST_CHECK_THROW(series::quantile({}, 0.5), std::invalid_argument);
  BOOST_CHECK_THROW(series::quantile({NAN}, 0.5), std::invalid_argument);
  const series::Parts parts = series::cut(100, 0.7, 0.1, 10);
  BOOST_TEST(parts.train == 70u);
  BOOST_TEST(parts.valid == 80u);
  BOOST_CHECK_THROW(series::cut(100, 0.7, 0.1, 11), std::runtime_error);
  BOOST_CHECK_THROW(series::cut(100, 0.9, 0.5, 1), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(scales_know_the_rows_to_learn_from_alone) {
  const series::Scale scale = series::fit_scale({1, 3, 1, 3, 1000}, 4);
  BOOST_TEST(scale.mean == 2);
  BOOST_TEST(scale.deviation == 1);
  BOOST_TEST(scale.out(scale.in(7)) == 7);
  BOOST_TEST(series::fit_scale({4, 4, 4}, 3).deviation == 1);
  BOOST_TEST(series::moments(series::Values{4, 4, 4}).deviation == 0);
}

BOOST_AUTO_TEST_CASE(a_model_file_gets_no_more_memory_than_it_has_weights) {
  const Folder folder;
  const std::string path = folder.file("model");
  rw::Random random(1);
  series::Predictor predictor({.hidden = 3, .seasons = {7}}, random);
  series::save(path, predictor);
  BOOST_TEST(series::load(path).settings.hidden == 3U);

  rw::nn::Safetensors file = rw::nn::read_safetensors(path);
  constexpr std::size_t many = 32768;
  std::string& settings = file.metadata.at("settings");
  settings.replace(settings.find("\"hidden\":3"), 10, "\"hidden\":" + std::to_string(many));
  file.tensors["cell.weight_ih"] = rw::zeros<float>({5, 3 * many});
  file.tensors["readout.weight"] = rw::zeros<float>({5 + many, 2});
  rw::nn::write_safetensors(path, file);
  BOOST_CHECK_EXCEPTION(series::load(path), std::runtime_error,
                        says(path + ": expected weights of its settings; got other shapes"));
}

BOOST_AUTO_TEST_CASE(targets_follow_inputs) {
  const series::Values values{0, 1, 2, 3, 4};
  const auto xs = series::inputs<double>(values, {}, {4});
  const auto ys = series::targets<double>(values, {}, 2);
  BOOST_TEST((xs.shape() == rw::Shape{5, 1, 5}));
  BOOST_TEST((ys.shape() == rw::Shape{3, 1, 2}));
  for (std::size_t t = 0; t < 3; ++t) {
    BOOST_TEST(xs.data()[t * 5] == static_cast<double>(t));
    BOOST_TEST(ys.data()[t * 2] == static_cast<double>(t + 1));
    BOOST_TEST(ys.data()[t * 2 + 1] == static_cast<double>(t + 2));
  }
  BOOST_TEST(xs.data()[1] == 1);                       // row 1 of 4 is a quarter of a turn: sin
  BOOST_TEST(std::abs(xs.data()[3 * 5 + 1]) < 1e-12);  // row 4 begins a new one
  BOOST_TEST(std::abs(xs.data()[3 * 5 + 2] - 1) < 1e-12);
}

BOOST_AUTO_TEST_CASE(forecasts_do_not_see_what_comes) {
  rw::Random random(1);
  const series::Predictor predictor({.hidden = 5, .horizon = 3, .seasons = {7}}, random);
  series::Values values(30), changed;
  for (double& x : values) x = random.normal();
  changed = values;
  for (std::size_t t = 20; t < 30; ++t) changed[t] += 100;
  const auto a = predictor.forecast(values), b = predictor.forecast(changed);
  BOOST_TEST(a.mean.size() == 90u);
  for (std::size_t i = 0; i < 60; ++i) {
    BOOST_TEST(a.mean[i] == b.mean[i]);
    BOOST_TEST(a.deviation[i] == b.deviation[i]);
  }
  BOOST_TEST(a.mean[60] != b.mean[60]);
}

BOOST_AUTO_TEST_CASE(surprise_is_the_negative_logarithm_of_the_density) {
  const rw::Variable<float> outputs = rw::tensor<float>({1, 1, 4}, {1, 2, 0, 0.5});
  const float found = series::surprise(outputs, rw::tensor<float>({1, 1, 2}, {3, 2})).item();
  BOOST_TEST(std::abs(found - (0.5 * 4 + 0.5) / 2) < 1e-6);
}

BOOST_AUTO_TEST_CASE(stretches_and_scores) {
  const auto rows = [](const std::string& text) {
    anomaly::Rows all;
    for (const char c : text) all.push_back(c == '1');
    return all;
  };
  const auto count = [&](const std::string& text, std::size_t gap) {
    return anomaly::stretches(rows(text), 0, text.size(), gap).size();
  };
  BOOST_TEST(count("0000", 1) == 0u);
  BOOST_TEST(count("1101", 1) == 2u);
  BOOST_TEST(count("1101", 2) == 1u);
  BOOST_TEST(count("11001", 2) == 2u);
  BOOST_TEST(count("1111", 1) == 1u);

  const std::string labels = "0011100000110000", flags = "1000101000000010";
  const auto by_row = anomaly::by_row(rows(flags), rows(labels), 0, labels.size());
  BOOST_TEST(by_row.precision == 1.0 / 4);
  BOOST_TEST(by_row.recall == 1.0 / 5);
  const auto events = anomaly::stretches(rows(labels), 0, labels.size());
  const auto by_event = anomaly::by_event(anomaly::stretches(rows(flags), 0, flags.size()), events);
  BOOST_TEST(by_event.precision == 1.0 / 4);
  BOOST_TEST(by_event.recall == 1.0 / 2);
  BOOST_TEST(std::abs(by_event.f1 - 1.0 / 3) < 1e-15);
  BOOST_TEST(anomaly::by_event({}, events).f1 == 0);
  BOOST_TEST(anomaly::by_event(events, events).f1 == 1);
}

BOOST_AUTO_TEST_CASE(errors_of_rows) {
  const series::Values values{1, 3, 1, 3, 10};
  const auto errors = anomaly::rolling_errors(values, 4, 0.1);
  BOOST_TEST(errors[3] == 0);
  BOOST_TEST(errors[4] == 8);
  BOOST_TEST(anomaly::rolling_errors({2, 2, 2, 2, 3}, 4, 0.5)[4] == 2);  // not 1: the deviation is 0, so 0.5 is
  const auto normal = anomaly::normalised_errors({1, {2, 5, 1, 1, 0}, {1, 0.5, 1, 2, 1}}, values);
  BOOST_TEST((normal == series::Values{0, 1, 8, 2, 4.5}));
  BOOST_TEST((anomaly::smoothed({3, 4, 0}, 2) == series::Values{std::sqrt(4.5), std::sqrt(12.5), std::sqrt(8.0)}));
}

BOOST_AUTO_TEST_SUITE_END()
