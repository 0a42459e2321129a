#include "pcw/cli/output.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/base/terminal_text.h"
#include "pcw/config/interrupt.h"
#include "pcw/config/suggest.h"

namespace pcw::cli {

namespace {

std::string CellText(const OrderedJson& row, std::string_view member) {
  const auto found = row.find(std::string(member));
  if (found == row.end() || found->is_null()) return "-";
  if (found->is_string()) return ForTerminal(found->get<std::string>());
  return DumpJson(*found);
}

// Columns on a terminal are counted in code points; good enough for ids, states and company names.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

void Write(std::string_view text) {
  // A closed or full standard output is noticed by main, which checks it once at the end.
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

void PutPiece(std::string_view text) {
  Write(text);
  if (std::ferror(stdout) != 0 && config::IsReaderGone(STDOUT_FILENO))
    config::StopForLackOfReader();
}

std::string ForTerminal(std::string_view text) { return TerminalText(text); }

std::string FormatTable(const std::vector<OutputColumn>& columns,
                        const std::vector<OrderedJson>& rows) {
  std::vector<std::size_t> widths;
  return FormatTablePiece(columns, rows, widths);
}

std::string FormatTablePiece(const std::vector<OutputColumn>& columns,
                             const std::vector<OrderedJson>& rows,
                             std::vector<std::size_t>& widths) {
  std::vector<std::vector<std::string>> cells;
  const bool is_first = widths.empty();
  if (is_first) {
    for (const OutputColumn& column : columns) widths.push_back(Width(column.heading));
  }
  for (const OrderedJson& row : rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line.push_back(CellText(row, columns[i].member));
      if (is_first) widths[i] = std::max(widths[i], Width(line.back()));
    }
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string cell(cell_of(i));
      const std::size_t width = Width(cell);
      const std::string padding(widths[i] > width ? widths[i] - width : 0, ' ');
      line += columns[i].is_number ? padding + cell : cell + padding;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  if (is_first) add_line([&](std::size_t i) { return columns[i].heading; });
  for (const auto& line : cells) add_line([&](std::size_t i) { return std::string_view(line[i]); });
  return text;
}

void RowPrinter::Add(OrderedJson row) {
  constexpr std::size_t kMeasured = 1'000;
  if (format_ == wiring::OutputFormat::kNdjson) return PutPiece(DumpJson(row) + "\n");
  if (format_ == wiring::OutputFormat::kJson) {
    // As DumpJsonPretty prints an array, one element at a time.
    std::string text = DumpJsonPretty(OrderedJson::array({std::move(row)}));
    text.erase(text.rfind("\n]"));
    PutPiece(has_printed_ ? "," + text.substr(1) : text);
    has_printed_ = true;
    return;
  }
  rows_.push_back(std::move(row));
  if (rows_.size() >= kMeasured) Flush();
}

void RowPrinter::Flush() {
  PutPiece(FormatTablePiece(columns_, rows_, widths_));
  rows_.clear();
  has_printed_ = true;
}

void RowPrinter::End() {
  if (format_ == wiring::OutputFormat::kJson) Write(has_printed_ ? "\n]\n" : "[]\n");
  if (format_ != wiring::OutputFormat::kTable) return;
  if (!rows_.empty()) Flush();
  if (!has_printed_) Write(config::Suggested(empty_note_) + "\n");
}

void PrintRows(wiring::OutputFormat format, const std::vector<OutputColumn>& columns,
               const std::vector<OrderedJson>& rows, std::string_view empty_note) {
  if (format == wiring::OutputFormat::kTable) {
    Write(rows.empty() ? config::Suggested(empty_note) + "\n" : FormatTable(columns, rows));
    return;
  }
  if (format == wiring::OutputFormat::kNdjson) {
    for (const OrderedJson& row : rows) Write(DumpJson(row) + "\n");
    return;
  }
  Write(DumpJsonPretty(OrderedJson(rows)));
}

void PrintObject(wiring::OutputFormat format, const OrderedJson& object) {
  if (format == wiring::OutputFormat::kJson) return Write(DumpJsonPretty(object));
  if (format == wiring::OutputFormat::kNdjson) return Write(DumpJson(object) + "\n");
  std::size_t width = 0;
  for (const auto& [key, value] : object.items()) width = std::max(width, key.size());
  for (const auto& [key, value] : object.items()) {
    Write(fmt::format("{:<{}}  {}\n", key, width, CellText(object, key)));
  }
}

}  // namespace pcw::cli
