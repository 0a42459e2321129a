// What reading verbs print: the same rows as a table for people, as JSON, or as one JSON object a
// line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/wiring/invocation.h"

namespace pcw::cli {

/// One column of a table: the member of each row object it shows.
struct OutputColumn {
  std::string_view member;
  std::string_view heading;
  bool is_number = false;  ///< right-aligned
};

/// Writes rows (objects) to standard output. Tables show `columns` only; JSON forms carry every
/// member. `empty_note` is what a table says when there are no rows. Control characters from data
/// never reach a terminal.
void PrintRows(wiring::OutputFormat format, const std::vector<OutputColumn>& columns,
               const std::vector<OrderedJson>& rows, std::string_view empty_note);

/// The same as PrintRows, row by row: what is printed is not held. The widths of a table are those
/// of its first thousand rows.
class RowPrinter {
 public:
  RowPrinter(wiring::OutputFormat format, std::vector<OutputColumn> columns, std::string empty_note)
      : format_(format), columns_(std::move(columns)), empty_note_(std::move(empty_note)) {}
  void Add(OrderedJson row);
  /// After the last row.
  void End();

 private:
  void Flush();

  wiring::OutputFormat format_;
  std::vector<OutputColumn> columns_;
  std::string empty_note_;
  std::vector<OrderedJson> rows_;
  std::vector<std::size_t> widths_;
  bool has_printed_ = false;
};

/// Writes one object: "member: value" lines, or JSON.
void PrintObject(wiring::OutputFormat format, const OrderedJson& object);

/// The table as text (the testable part of PrintRows).
std::string FormatTable(const std::vector<OutputColumn>& columns,
                        const std::vector<OrderedJson>& rows);
/// A piece of a table. Empty `widths` are filled in, and the headings come first; else the rows are
/// lines of the table that these widths began.
std::string FormatTablePiece(const std::vector<OutputColumn>& columns,
                             const std::vector<OrderedJson>& rows,
                             std::vector<std::size_t>& widths);

/// Writes a piece of an output that goes on for long. When nobody reads it any more (`| head`) the
/// process is asked to stop (HasLostReader).
void PutPiece(std::string_view text);

/// Foreign text for terminals, on one line (TerminalText).
std::string ForTerminal(std::string_view text);

}  // namespace pcw::cli
