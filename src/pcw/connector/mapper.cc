// The hot path of the mapping engine: one validated simdjson document a record, one look-up a
// pointer.
#include <charconv>

#include <fmt/format.h>
#include <simdjson.h>

#include "pcw/base/time.h"
#include "pcw/connector/decimal.h"
#include "pcw/connector/drift_observer.h"
#include "pcw/connector/mapping.h"
#include "pcw/connector/raw_json.h"
#include "pcw/connector/record_parser.h"
#include "pcw/connector/value_path.h"

namespace pcw::connector {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

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

// A value found in an answer, with what is needed to read its text as it was sent.
struct Found {
  element value;
  std::string_view answer;  // the bytes
  element document;         // the same, parsed
  const ValuePath* path;

  // Its own text: a number that was parsed has passed through binary, unless it is an integer.
  std::optional<std::string> AsSent() const {
    return RawJsonAt(answer, path->PlainPointer(document));
  }
};

std::optional<Value> AsDecimal(const Found& found) {
  std::optional<std::string> text;
  if (found.value.is_string()) {
    const std::string_view sent = found.value.get_string().value_unsafe();
    if (sent.empty()) return Value();  // AWS's pattern of an amount allows it
    text = PlainDecimal(sent);
  } else if (found.value.is_int64()) {
    text = std::to_string(found.value.get_int64().value_unsafe());
  } else if (found.value.is_uint64()) {
    text = std::to_string(found.value.get_uint64().value_unsafe());
  } else if (found.value.is_number()) {
    text = found.AsSent();
    if (text) text = PlainDecimal(*text);
  }
  return text ? std::optional<Value>(std::move(*text)) : std::nullopt;
}

std::optional<Value> AsInteger(const element& value) {
  std::int64_t integer = 0;
  if (value.get_int64().get(integer) == simdjson::SUCCESS) return Value(integer);
  std::string_view text;  // AWS writes some numbers as texts
  if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, integer);
  return problem == std::errc() && stop == end ? std::optional<Value>(integer) : std::nullopt;
}

// Numbers that are not integers are in it, at whatever depth.
bool HoldsFractions(const element& value) {
  // By value: what value_unsafe refers to ends with the expression.
  if (value.is_array()) {
    const simdjson::dom::array items = value.get_array().value_unsafe();
    for (const element item : items)
      if (HoldsFractions(item)) return true;
  } else if (value.is_object()) {
    const simdjson::dom::object object = value.get_object().value_unsafe();
    for (const auto field : object)
      if (HoldsFractions(field.value)) return true;
  }
  return value.is_double();
}

std::optional<Value> AsJson(const Found& found) {
  if (!HoldsFractions(found.value)) return Value(JsonTextOf(found.value));
  std::optional<std::string> text = found.AsSent();
  return text ? std::optional<Value>(std::move(*text)) : std::nullopt;
}

// A number beyond 64 bits or a double, as it was sent.
std::optional<Value> ConvertNumber(std::string_view number, ColumnType type) {
  if (type == ColumnType::kJson) return Value(std::string(number));
  if (type != ColumnType::kDecimal) return std::nullopt;
  std::optional<std::string> text = PlainDecimal(number);
  return text ? std::optional<Value>(std::move(*text)) : std::nullopt;
}

// The value as its column wants it; nullopt if it does not fit.
std::optional<Value> Convert(const Found& found, ColumnType type) {
  if (const auto number = ExactNumber(found.value)) return ConvertNumber(*number, type);
  const element& value = found.value;
  std::string_view text;
  const bool is_text = value.get_string().get(text) == simdjson::SUCCESS;
  switch (type) {
    case ColumnType::kText:
      if (is_text) return Value(std::string(text));
      return std::nullopt;
    case ColumnType::kJson:
      return AsJson(found);
    case ColumnType::kDecimal:
      return AsDecimal(found);
    case ColumnType::kInteger:
      return AsInteger(value);
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

Error Mismatch(const ColumnMapping& column, std::string_view found) {
  return Error(ErrorCode::kSchemaMismatch,
               fmt::format("{} cannot be filled: {} is {}", column.column, column.pointers.front(),
                           found))
      .With("column", column.column)
      .With("pointer", column.pointers.front())
      .With("found", std::string(found));
}

// The objects that the paths of a mapping lead through, looked up once a document each: most
// columns have theirs with others.
class FoundParents {
 public:
  // The number that Of takes.
  std::size_t Add(std::string_view pointer) {
    for (std::size_t i = 0; i < parents_.size(); ++i)
      if (parents_[i].pointer == pointer) return i;
    parents_.push_back({.pointer = std::string(pointer)});
    return parents_.size() - 1;
  }

  void Begin(const element& document) {
    document_ = document;
    for (Parent& parent : parents_) parent.is_known = false;
  }

  // nullptr if the document has nothing there.
  const element* Of(std::size_t number) {
    Parent& parent = parents_[number];
    if (!parent.is_known) {
      parent.is_known = true;
      parent.is_there = parent.pointer.empty() ||
                        document_.at_pointer(parent.pointer).get(parent.value) == simdjson::SUCCESS;
      if (parent.pointer.empty()) parent.value = document_;
    }
    return parent.is_there ? &parent.value : nullptr;
  }

 private:
  struct Parent {
    std::string pointer;
    element value{};
    bool is_known = false, is_there = false;
  };
  std::vector<Parent> parents_;
  element document_;
};

}  // namespace

struct Mapper::State {
  // The places of one column, parsed. Where a pointer begins with "@", its path is empty.
  struct Source {
    std::vector<std::optional<ValuePath>> paths;
    std::vector<std::size_t> parents;  ///< of each path
    std::optional<ValuePath> when;
    std::vector<std::size_t> units;  ///< columns that are units of this one
  };
  // One answer: its bytes, and the same parsed.
  struct Answer {
    std::string_view bytes;
    element document;
    FoundParents* parents = nullptr;
  };

  const Mapping& mapping;
  std::vector<Source> sources;
  FoundParents parents, companion_parents;
  RecordParser parser;
  RecordParser companion_parser;

  explicit State(const Mapping& m) : mapping(m) {
    for (const ColumnMapping& column : m.columns) {
      Source& source = sources.emplace_back();
      for (const std::string& pointer : column.pointers) {
        const auto& path = source.paths.emplace_back(ValuePath::Parse(pointer));
        source.parents.push_back(path ? parents.Add(path->parent()) : 0);
      }
      if (!column.when_pointer.empty()) source.when = ValuePath::Parse(column.when_pointer);
      for (std::size_t i = 0; i < m.columns.size(); ++i) {
        if (m.columns[i].unit_of == column.column) source.units.push_back(i);
      }
    }
    companion_parents = parents;
  }

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

  bool MeetsCondition(std::size_t at, const element& document) const {
    const std::optional<ValuePath>& when = sources[at].when;
    if (!when) return true;
    element value;
    std::string_view text;
    return when->Find(document, value) && value.get_string().get(text) == simdjson::SUCCESS &&
           text == mapping.columns[at].when_equals;
  }

  // Fills one column. The error of a required column that cannot be filled.
  Status Fill(std::size_t at, const RecordView& record, const std::optional<Answer>& answer,
              Row& row) const {
    const ColumnMapping& column = mapping.columns[at];
    Value& slot = row.values[at];
    element value;
    const ValuePath* place = nullptr;
    for (std::size_t i = 0; i < column.pointers.size() && place == nullptr; ++i) {
      const std::optional<ValuePath>& path = sources[at].paths[i];
      if (!path) {
        slot = FromBeside(record, column, column.pointers[i]);
        if (!std::holds_alternative<std::monostate>(slot)) return Ok{};
      } else if (answer) {
        const element* parent = answer->parents->Of(sources[at].parents[i]);
        if (parent != nullptr && path->FindBelow(*parent, value) && !value.is_null())
          place = &*path;
      }
    }
    std::optional<Value> converted = Value();
    if (place != nullptr) {
      converted = Convert(
          {.value = value, .answer = answer->bytes, .document = answer->document, .path = place},
          column.type);
    }
    if (!converted) {
      const std::string_view found = TypeName(TypeOf(value));
      if (column.is_required) return Mismatch(column, fmt::format("a {} that does not fit", found));
      row.misfits.push_back({column.column, column.pointers.front(), std::string(found)});
      row.left_alone.push_back(at);
      row.left_alone.insert(row.left_alone.end(), sources[at].units.begin(),
                            sources[at].units.end());
      return Ok{};
    }
    slot = std::move(*converted);
    if (std::holds_alternative<std::monostate>(slot)) {
      if (!column.fallback.empty()) slot = column.fallback;
      if (column.is_required && column.fallback.empty()) return Mismatch(column, "absent");
      return Ok{};
    }
    for (const auto& [from, to] : column.values) {
      if (std::get<std::string>(slot) != from) continue;
      slot = to;
      break;
    }
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
  const std::optional<State::Answer> own =
      State::Answer{record.payload, document, &state_->parents};
  state_->parents.Begin(document);
  std::optional<State::Answer> other;
  if (companion) {
    other = State::Answer{record.companion, *companion, &state_->companion_parents};
    state_->companion_parents.Begin(*companion);
  }
  Row row;
  row.values.resize(state_->mapping.columns.size());
  for (std::size_t at = 0; at < row.values.size(); ++at) {
    const ColumnMapping& column = state_->mapping.columns[at];
    if (!state_->MeetsCondition(at, document)) continue;
    const bool is_others = !column.of.empty();
    const bool has_others = is_others && column.of == record.companion_operation;
    PCW_TRY_OK(state_->Fill(at, record, !is_others ? own : has_others ? other : std::nullopt, row));
  }
  return row;
}

}  // namespace pcw::connector
