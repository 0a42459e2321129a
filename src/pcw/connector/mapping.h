// The mapping engine: one raw record and one versioned mapping document give one typed row. Pure;
// no I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::connector {

enum class ColumnType : std::uint8_t {
  kText,
  kInteger,
  kDecimal,
  kBoolean,
  kTimestamp,
  kDate,
  kJson
};
/// What a column may hold about people; decides masking (docs/mapping.md). `kBusiness` is company
/// data, `kPersonal` identifies a person.
enum class Pii : std::uint8_t { kNone, kBusiness, kPersonal };

/// Where a value stands. A JSON pointer into the record whose segments may choose an element of an
/// array by its members (value_path.h); or, beginning with "@", what bronze knows of the record
/// beside its bytes: @id, @version (as listed), @served_at (AWS's Date).
struct ColumnMapping {
  std::string column;
  std::vector<std::string> pointers;  ///< the first that is present and not null counts
  std::string of;  ///< operation whose answer is read, if it is not the record's own: a companion
  ColumnType type = ColumnType::kText;
  bool is_required = false;  ///< absent or ill-typed: the record is a dead letter; else absent is
                             ///< NULL, and an ill-typed value a misfit
  Pii pii = Pii::kNone;
  std::string when_pointer;  ///< empty = always
  std::string when_equals;   ///< the column is filled only if the text at when_pointer equals this
  /// Texts of AWS and what the column holds for them; a text that is not listed is kept as it is.
  std::vector<std::pair<std::string, std::string>> values;
  std::string fallback;  ///< text for a value that is absent (`default`); empty = NULL
  /// The column that this one is the unit of (an amount's currency): where that one keeps what it
  /// had, so does this one, or the row would say another amount than AWS ever did. Empty = none.
  std::string unit_of;
};

/// Members of a record that no column takes and that say something of people or companies.
struct PiiMember {
  std::string pointer;  ///< "*" stands for every element of an array; covers what is below it
  Pii pii = Pii::kNone;
};

/// What happens to a record that departs from AWS's model at a field.
enum class DriftMode : std::uint8_t {
  kEvolve,      ///< it is taken, and the departure noted
  kQuarantine,  ///< it is a dead letter until the finding is accepted
  kFreeze       ///< the run stops before it, until the finding is accepted
};

/// mappings/<entity>.yaml, checked. Immutable.
struct Mapping {
  std::string entity;
  int version = 0;
  std::vector<ColumnMapping> columns;
  std::vector<PiiMember> pii;
  DriftMode drift_default = DriftMode::kEvolve;
  /// By pointer, "*" for elements; covers what is below it; the longest decides.
  std::vector<std::pair<std::string, DriftMode>> drift_fields;
};

/// Parses a mapping document (256 KiB at most; no anchors, aliases, tags, duplicate or unknown
/// keys). kConfig with file:line:column and all problems in one message. `file` is for messages.
Result<Mapping> ParseMapping(std::string_view yaml, std::string_view file);

/// The text of the mapping compiled into the binary for `entity`. kInternal if there is none.
Result<std::string_view> BuiltinMappingText(std::string_view entity);

/// The mapping compiled into the binary for `entity`. kInternal if there is none (a build fault,
/// tested).
Result<Mapping> BuiltinMapping(std::string_view entity);

struct Date {
  int year;
  unsigned month;
  unsigned day;
};
/// monostate = NULL. Text serves kText, kDecimal (exact decimal text) and kJson (raw JSON text).
using Value = std::variant<std::monostate, std::string, std::int64_t, bool, WallTime, Date>;

/// A value that did not fit its column although the column may be NULL: reported, never lost
/// (bronze has it). The row keeps what the column had.
struct Misfit {
  std::string column;
  std::string pointer;
  std::string found;  ///< JSON type found: "number", "object"; never the value
};

/// Typed columns in the order of Mapping::columns.
struct Row {
  std::vector<Value> values;
  std::vector<Misfit> misfits;
  /// Columns (by their place) that the record says nothing usable of: those of the misfits, and
  /// their units. NULL in a new row; a row that is there keeps what it has in them.
  std::vector<std::size_t> left_alone;
};

/// A record as the mapper takes it. Views.
struct RecordView {
  std::string_view payload;
  std::string_view companion{};            ///< the second answer; empty = none
  std::string_view companion_operation{};  ///< "GetProfileVisibility"
  std::string_view id{};                   ///< @id
  std::string_view version{};              ///< @version
  std::string_view served_at{};            ///< @served_at, RFC 3339
  std::string_view operation{};            ///< whose answer it is; for an observer
};

class DriftObserver;

/// Maps one record. kSchemaMismatch with context `pointer`, `column`, `expected`, `found` when a
/// required column cannot be filled or the record is not a JSON object. Unknown members and enum
/// values are data, not errors (I10), unless an observer looks on for which the mapping has another
/// mode than evolve: then as DriftObserver::Observe. Thread-safe through separate Mapper objects.
class Mapper {
 public:
  explicit Mapper(const Mapping& mapping);
  ~Mapper();
  Result<Row> MapRecord(const RecordView& record, DriftObserver* observer = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pcw::connector
