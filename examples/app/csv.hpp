#pragma once

#include <fstream>
#include <string>
#include <vector>

namespace app {

/// A file of comma-separated values (RFC 4180) row by row, in the memory of one row:
///     CsvReader csv("prices.csv");
///     const std::size_t price = csv.column("price");
///     while (csv.next()) sum += csv.number(price);
/// Fields may be quoted, with commas, line ends and doubled quotes within; lines end in LF or CRLF; a UTF-8 mark and
/// empty lines at the end are passed over. The first row is a header where none of its fields is a number.
/// All errors are std::runtime_error of one line with the file, the line and, of a field, the column.
class CsvReader {
 public:
  /// Throws where the file cannot be read or has no row.
  explicit CsvReader(const std::string& path);

  /// The names of the columns; 1, 2, ... where there is no header.
  const std::vector<std::string>& names() const { return names_; }

  /// The index of a column given by its name or its number from 1 on; of the last one where `which` is empty. Throws
  /// where there is none, or two have that name.
  std::size_t column(const std::string& which) const;

  /// Goes to the next row, at first to the first below the header; false at the end. Throws where a row has not as many
  /// fields as the first, or a quote is not closed.
  bool next();

  /// The fields of the row.
  const std::string& text(std::size_t column) const { return fields_[column]; }

  /// Throws where the field is no finite number.
  double number(std::size_t column) const;

  /// Whether the field is empty, NA, NaN or null, in any case.
  bool missing(std::size_t column) const;

 private:
  bool read_row();
  bool read_line();
  [[noreturn]] void fail(std::size_t line, const std::string& expected, const std::string& got) const;

  std::string path_;
  std::ifstream file_;
  std::vector<std::string> names_, fields_;
  std::string text_;                // the line just read
  std::size_t line_ = 0, row_ = 0;  // numbers of lines: of that, and of the first of the row
  bool first_is_data_ = false;      // the first row is yet to be given
};

}  // namespace app
