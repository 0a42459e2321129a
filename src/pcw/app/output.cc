#include "pcw/app/output.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

namespace pcw::app {

OrderedJson TextOrNull(const std::string& text) {
  return text.empty() ? OrderedJson(nullptr) : OrderedJson(text);
}
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

std::string ForTerminal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out;
}

std::string FormatTable(const std::vector<OutputColumn>& columns,
                        const std::vector<OrderedJson>& rows) {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  for (const OutputColumn& column : columns) widths.push_back(Width(column.heading));
  for (const OrderedJson& row : rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line.push_back(CellText(row, columns[i].member));
      widths[i] = std::max(widths[i], Width(line.back()));
    }
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string cell(cell_of(i));
      const std::string padding(widths[i] - Width(cell), ' ');
      line += columns[i].is_number ? padding + cell : cell + padding;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](std::size_t i) { return columns[i].heading; });
  for (const auto& line : cells) add_line([&](std::size_t i) { return std::string_view(line[i]); });
  return text;
}

void PrintRows(OutputFormat format, const std::vector<OutputColumn>& columns,
               const std::vector<OrderedJson>& rows, std::string_view empty_note) {
  if (format == OutputFormat::kTable) {
    Write(rows.empty() ? fmt::format("{}\n", empty_note) : FormatTable(columns, rows));
    return;
  }
  if (format == OutputFormat::kNdjson) {
    for (const OrderedJson& row : rows) Write(DumpJson(row) + "\n");
    return;
  }
  Write(DumpJsonPretty(OrderedJson(rows)));
}

void PrintObject(OutputFormat format, const OrderedJson& object) {
  if (format == OutputFormat::kJson) return Write(DumpJsonPretty(object));
  if (format == OutputFormat::kNdjson) return Write(DumpJson(object) + "\n");
  std::size_t width = 0;
  for (const auto& [key, value] : object.items()) width = std::max(width, key.size());
  for (const auto& [key, value] : object.items()) {
    Write(fmt::format("{:<{}}  {}\n", key, width, CellText(object, key)));
  }
}

}  // namespace pcw::app
