// The hot path of the mapping engine: one validated simdjson document a record, one look-up a
// pointer.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <simdjson.h>

#include "pcw/base/time.h"
#include "pcw/connector/drift_observer.h"
#include "pcw/connector/mapping.h"
#include "pcw/connector/record_parser.h"

namespace pcw::connector {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kLongestNumber = 1000;

std::string_view TypeName(element_type type) {
  switch (type) {
    case element_type::ARRAY:
      return "array";
    case element_type::OBJECT:
      return "object";
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      return "number";
    case element_type::STRING:
      return "string";
    case element_type::BOOL:
      return "boolean";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "unknown";
}

bool IsPlainDecimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "0" : text.substr(point + 1);
  const auto is_digits = [](std::string_view digits) {
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return text.size() <= kLongestNumber && is_digits(whole) && is_digits(fraction);
}

std::optional<Date> ParseDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  // A date is a timestamp's first ten characters, so the calendar is checked in one place.
  if (!ParseRfc3339(std::string(text) + "T00:00:00Z")) return std::nullopt;
  const auto number = [&](std::size_t pos, std::size_t length) {
    int value = 0;
    std::from_chars(text.data() + pos, text.data() + pos + length, value);
    return value;
  };
  return Date{number(0, 4), static_cast<unsigned>(number(5, 2)),
              static_cast<unsigned>(number(8, 2))};
}

// A number beyond 64 bits or a double, as it was sent.
std::optional<Value> ConvertNumber(std::string_view number, ColumnType type) {
  const bool is_taken =
      type == ColumnType::kJson || (type == ColumnType::kDecimal && IsPlainDecimal(number));
  return is_taken ? std::optional<Value>(std::string(number)) : std::nullopt;
}

// The value as its column wants it; nullopt if it does not fit.
std::optional<Value> Convert(element value, ColumnType type) {
  if (const auto number = ExactNumber(value)) return ConvertNumber(*number, type);
  std::string_view text;
  const bool is_text = value.get_string().get(text) == simdjson::SUCCESS;
  switch (type) {
    case ColumnType::kText:
      if (is_text) return Value(std::string(text));
      return std::nullopt;
    case ColumnType::kJson:
      return Value(JsonTextOf(value));
    case ColumnType::kDecimal:
      if (is_text && IsPlainDecimal(text)) return Value(std::string(text));
      // A JSON number has passed through binary unless it is an integer; only integers are exact.
      if (std::int64_t integer = 0;
          value.is_int64() && value.get_int64().get(integer) == simdjson::SUCCESS)
        return Value(std::to_string(integer));
      return std::nullopt;
    case ColumnType::kInteger:
      if (std::int64_t integer = 0; value.get_int64().get(integer) == simdjson::SUCCESS)
        return Value(integer);
      return std::nullopt;
    case ColumnType::kBoolean:
      if (bool flag = false; value.get_bool().get(flag) == simdjson::SUCCESS) return Value(flag);
      return std::nullopt;
    case ColumnType::kTimestamp:
      if (is_text) {
        if (Result<WallTime> time = ParseRfc3339(text)) return Value(*time);
      }
      return std::nullopt;
    case ColumnType::kDate:
      if (is_text) {
        if (const auto date = ParseDate(text)) return Value(*date);
      }
      return std::nullopt;
  }
  return std::nullopt;
}

// The element of `list` whose member has the text that "[Member=text]" asks for.
simdjson::simdjson_result<element> Select(element list, std::string_view segment) {
  const auto equals = segment.find('=');
  const std::string_view member = segment.substr(1, equals - 1);
  const std::string_view wanted = segment.substr(equals + 1, segment.size() - equals - 2);
  simdjson::dom::array items;
  if (list.get_array().get(items) != simdjson::SUCCESS) return simdjson::NO_SUCH_FIELD;
  for (const element item : items) {
    std::string_view text;
    if (item[member].get_string().get(text) == simdjson::SUCCESS && text == wanted)
      return simdjson::simdjson_result<element>(element(item));
  }
  return simdjson::NO_SUCH_FIELD;
}

simdjson::simdjson_result<element> Find(element document, std::string_view pointer) {
  for (auto at = pointer.find("/["); at != std::string_view::npos; at = pointer.find("/[")) {
    const auto end = std::min(pointer.find('/', at + 1), pointer.size());
    if (at > 0) {
      if (const auto problem = document.at_pointer(pointer.substr(0, at)).get(document);
          problem != simdjson::SUCCESS)
        return problem;
    }
    if (const auto problem = Select(document, pointer.substr(at + 1, end - at - 1)).get(document);
        problem != simdjson::SUCCESS)
      return problem;
    pointer.remove_prefix(end);
  }
  if (pointer.empty()) return document;
  return document.at_pointer(pointer);
}

Error Mismatch(const ColumnMapping& column, std::string_view found) {
  return Error(ErrorCode::kSchemaMismatch,
               fmt::format("{} cannot be filled: {} is {}", column.column, column.pointers.front(),
                           found))
      .With("column", column.column)
      .With("pointer", column.pointers.front())
      .With("found", std::string(found));
}

}  // namespace

struct Mapper::State {
  const Mapping& mapping;
  RecordParser parser;
  RecordParser companion_parser;
  explicit State(const Mapping& m) : mapping(m) {}

  // What bronze knows beside the bytes.
  static std::string_view Beside(const RecordView& record, std::string_view pointer) {
    if (pointer == "@id") return record.id;
    return pointer == "@version" ? record.version : record.served_at;
  }

  static Value FromBeside(const RecordView& record, const ColumnMapping& column,
                          std::string_view pointer) {
    const std::string_view text = Beside(record, pointer);
    if (column.type == ColumnType::kTimestamp) {
      const Result<WallTime> time = ParseRfc3339(text);
      return time ? Value(*time) : Value();
    }
    return text.empty() ? Value() : Value(std::string(text));
  }

  // Fills one column; a misfit becomes NULL. The error of a required column that cannot be filled.
  Status Fill(const ColumnMapping& column, const RecordView& record,
              const std::optional<element>& document, Value& slot, Row& row) const {
    element value;
    bool is_present = false;
    for (const std::string& pointer : column.pointers) {
      if (pointer.front() == '@') {
        slot = FromBeside(record, column, pointer);
        if (!std::holds_alternative<std::monostate>(slot)) return Ok{};
        continue;
      }
      is_present =
          document && Find(*document, pointer).get(value) == simdjson::SUCCESS && !value.is_null();
      if (is_present) break;
    }
    if (!is_present) {
      if (!column.fallback.empty()) slot = column.fallback;
      if (column.is_required && column.fallback.empty()) return Mismatch(column, "absent");
      return Ok{};
    }
    if (std::optional<Value> converted = Convert(value, column.type)) {
      slot = std::move(*converted);
      for (const auto& [from, to] : column.values) {
        if (std::get<std::string>(slot) != from) continue;
        slot = to;
        break;
      }
      return Ok{};
    }
    const std::string_view found = TypeName(TypeOf(value));
    if (column.is_required) return Mismatch(column, fmt::format("a {} that does not fit", found));
    row.misfits.push_back({column.column, column.pointers.front(), std::string(found)});
    return Ok{};
  }
};

Mapper::Mapper(const Mapping& mapping) : state_(std::make_unique<State>(mapping)) {}
Mapper::~Mapper() = default;

Result<Row> Mapper::MapRecord(const RecordView& record, DriftObserver* observer) {
  PCW_TRY(const element document, state_->parser.Parse(record.payload));
  std::optional<element> companion;
  if (!record.companion.empty()) {
    PCW_TRY(companion, state_->companion_parser.Parse(record.companion));
  }
  if (observer != nullptr) {
    Status other = companion ? observer->Observe(*companion, record.companion_operation) : Ok{};
    PCW_TRY_OK(observer->Observe(document, record.operation));
    PCW_TRY_OK(std::move(other));
  }
  Row row;
  row.values.reserve(state_->mapping.columns.size());
  for (const ColumnMapping& column : state_->mapping.columns) {
    Value& slot = row.values.emplace_back();
    if (!column.when_pointer.empty()) {
      std::string_view condition;
      const bool is_met =
          Find(document, column.when_pointer).get_string().get(condition) == simdjson::SUCCESS &&
          condition == column.when_equals;
      if (!is_met) continue;
    }
    const bool is_other = !column.of.empty();
    const bool has_other = is_other && column.of == record.companion_operation;
    PCW_TRY_OK(state_->Fill(
        column, record,
        is_other ? (has_other ? companion : std::nullopt) : std::optional<element>(document), slot,
        row));
  }
  return row;
}

}  // namespace pcw::connector
