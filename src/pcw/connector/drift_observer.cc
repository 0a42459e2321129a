#include "pcw/connector/drift_observer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "pcw/base/json_pointer.h"
#include "pcw/base/storable_text.h"
#include "pcw/connector/record_parser.h"

namespace pcw::connector {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using Type = ShapeNode::Type;

constexpr std::size_t kMostValueBytes = 80;
constexpr std::size_t kMostPointerBytes = 300;
constexpr std::size_t kMostKeptOfPlace = 10;
constexpr std::size_t kMostKept = 200;

std::string_view NameOf(Type type) {
  switch (type) {
    case Type::kStructure:
    case Type::kMap:
      return "object";
    case Type::kList:
      return "array";
    case Type::kString:
      return "string";
    case Type::kNumber:
      return "number";
    case Type::kBoolean:
      return "boolean";
  }
  return "string";
}

// At most that many bytes and "...", whole characters, storable: the key of a finding.
std::string Capped(std::string_view text, std::size_t most) {
  const std::string shown = StorableText(CutAtCharacter(text, most + 1));
  if (text.size() <= most && shown.size() <= most) return shown;
  return std::string(CutAtCharacter(shown, most)) + "...";
}

std::string Below(const std::string& pointer, std::string_view name) {
  return Capped(pointer + "/" + PointerSegment(CutAtCharacter(name, kMostPointerBytes)),
                kMostPointerBytes);
}

// Where departures of one kind are alike: a structure for members it does not have, an enum for its
// values. Those of other kinds are as few as the places are.
std::optional<DriftKey> PlaceOf(const DriftKey& key) {
  if (key.kind != DriftKind::kUnknownMember && key.kind != DriftKind::kNewEnum) return std::nullopt;
  DriftKey place{.kind = key.kind,
                 .operation = key.operation,
                 .pointer = key.pointer,
                 .column = "",
                 .found = ""};
  if (key.kind == DriftKind::kUnknownMember)
    place.pointer = key.pointer.substr(0, std::min(key.pointer.rfind('/'), key.pointer.size()));
  return place;
}

bool Covers(const std::vector<std::string>& above, const std::vector<std::string>& path) {
  return above.size() <= path.size() && std::equal(above.begin(), above.end(), path.begin());
}

// By value: what value_unsafe refers to ends with the expression.
simdjson::dom::object ObjectOf(const element& value) { return value.get_object().value_unsafe(); }
simdjson::dom::array ArrayOf(const element& value) { return value.get_array().value_unsafe(); }

bool HasType(element_type found, Type expected) {
  switch (expected) {
    case Type::kStructure:
    case Type::kMap:
      return found == element_type::OBJECT;
    case Type::kList:
      return found == element_type::ARRAY;
    case Type::kString:
      return found == element_type::STRING;
    case Type::kBoolean:
      return found == element_type::BOOL;
    case Type::kNumber:
      return found == element_type::INT64 || found == element_type::UINT64 ||
             found == element_type::DOUBLE;
  }
  return false;
}

}  // namespace

DriftObserver::DriftObserver(const EntityDef& entity, const Mapping& mapping,
                             std::set<DriftKey> accepted, const std::set<DriftKey>& open)
    : mapping_(mapping), accepted_(std::move(accepted)) {
  const auto keep = [this](const std::set<DriftKey>& keys) {
    for (const DriftKey& key : keys) {
      const std::optional<DriftKey> place = PlaceOf(key);
      if (place && kept_[*place].insert(key).second) ++kept_count_;
    }
  };
  keep(accepted_);
  keep(open);
  for (const ColumnMapping& column : mapping.columns) {
    if (column.pii == Pii::kNone) continue;
    for (const std::string& pointer : column.pointers) {
      if (auto segments = PointerSegments(pointer); !segments.empty()) pii_.push_back(segments);
    }
  }
  for (const PiiMember& member : mapping.pii) {
    auto segments = PointerSegments(member.pointer);
    if (!segments.empty()) pii_.push_back(std::move(segments));
  }
  for (const auto& [pointer, mode] : mapping.drift_fields)
    modes_.emplace_back(PointerSegments(pointer), mode);
  // The longest that covers a place decides.
  std::sort(modes_.begin(), modes_.end(),
            [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  // Facts that are missing are a build fault that a test finds; without them nothing is compared.
  if (Result<std::vector<ResponseShape>> shapes = ShapesOf(entity)) {
    for (ResponseShape& shape : *shapes) {
      const std::size_t nodes = shape.nodes().size();
      watched_.push_back(
          {.shape = std::move(shape), .records = 0, .present = std::vector<std::int64_t>(nodes)});
    }
  }
}

void DriftObserver::Begin(std::string_view record_id, int line) {
  ++serial_;
  record_id_ = record_id;
  line_ = line;
}

Status DriftObserver::Observe(const element& document, std::string_view operation) {
  const auto watched = std::find_if(
      watched_.begin(), watched_.end(),
      [&](const Watched& candidate) { return candidate.shape.operation() == operation; });
  if (watched == watched_.end()) return Ok{};
  ++watched->records;
  verdict_.reset();
  Walk(*watched, document, 0);
  if (verdict_) return std::move(*verdict_);
  return Ok{};
}

void DriftObserver::Walk(Watched& watched, const element& value, std::uint32_t at) {
  const ShapeNode& node = watched.shape.nodes()[at];
  const element_type found = TypeOf(value);       // a number beyond 64 bits is one too
  if (found == element_type::NULL_VALUE) return;  // as if it were absent
  ++watched.present[at];
  if (!HasType(found, node.type)) {
    Depart({.kind = DriftKind::kTypeChange,
            .operation = watched.shape.operation(),
            .pointer = node.pointer,
            .column = "",
            .found = std::string(TypeName(found))},
           std::string(NameOf(node.type)));
    return;
  }
  switch (node.type) {
    case Type::kStructure:
      for (const auto field : ObjectOf(value)) {
        const auto known =
            std::find_if(node.members.begin(), node.members.end(),
                         [&](const auto& member) { return member.first == field.key; });
        if (known != node.members.end()) {
          Walk(watched, field.value, known->second);
        } else {
          Depart({.kind = DriftKind::kUnknownMember,
                  .operation = watched.shape.operation(),
                  .pointer = Below(node.pointer, field.key),
                  .column = "",
                  .found = std::string(TypeName(TypeOf(field.value)))},
                 fmt::format("no such member in API {}", watched.shape.api_version()));
        }
      }
      return;
    case Type::kList:
      for (const element item : ArrayOf(value)) Walk(watched, item, node.members.front().second);
      return;
    case Type::kMap:
      for (const auto field : ObjectOf(value))
        Walk(watched, field.value, node.members.front().second);
      return;
    case Type::kString: {
      if (node.enum_values.empty()) return;
      const std::string_view text = value.get_string().value_unsafe();
      if (std::binary_search(node.enum_values.begin(), node.enum_values.end(), text)) return;
      const bool is_pii = node.is_sensitive || IsPii(node.pointer);
      Depart({.kind = DriftKind::kNewEnum,
              .operation = watched.shape.operation(),
              .pointer = node.pointer,
              .column = "",
              .found = is_pii ? "a value" : Capped(text, kMostValueBytes)},
             fmt::format("one of {} values of API {}", node.enum_values.size(),
                         watched.shape.api_version()));
      return;
    }
    case Type::kNumber:
    case Type::kBoolean:
      return;
  }
}

void DriftObserver::Depart(DriftKey key, std::string expected) {
  if (accepted_.contains(key)) return;
  const DriftMode mode = ModeOf(key.pointer);
  const bool is_worse = !verdict_ || !verdict_->Is(Reason::kSchemaFrozen);
  if (mode != DriftMode::kEvolve && is_worse) {
    const bool is_freeze = mode == DriftMode::kFreeze;
    verdict_ =
        Error(ErrorCode::kSchemaMismatch,
              fmt::format("{} departs from AWS's API ({}: found {}, expected {}), and the mapping "
                          "says {}; `pcw drift list` shows it, `pcw drift accept` lets it pass",
                          key.pointer, connector::NameOf(key.kind), key.found, expected,
                          is_freeze ? "freeze" : "quarantine"))
            .Because(is_freeze ? Reason::kSchemaFrozen : Reason::kSchemaQuarantined)
            .With("pointer", key.pointer)
            .With("found", key.found)
            .With("expected", expected)
            .With("record", record_id_);
  }
  if (!IsKeptApart(key)) {
    const bool is_member = key.kind == DriftKind::kUnknownMember;
    key.found = is_member ? "more names than are kept apart" : "more values than are kept apart";
    if (is_member) key.pointer = PlaceOf(key)->pointer + "/*";
    if (accepted_.contains(key)) return;
  }
  auto [place, is_new] = found_.try_emplace(std::move(key));
  Counted& counted = place->second;
  if (is_new) {
    counted.count.expected = std::move(expected);
    counted.count.sample_record = record_id_;
    counted.count.sample_line = line_;
  }
  if (counted.last_record == serial_) return;
  counted.last_record = serial_;
  ++counted.count.records;
}

bool DriftObserver::IsKeptApart(const DriftKey& key) {
  const std::optional<DriftKey> place = PlaceOf(key);
  if (!place) return true;
  std::set<DriftKey>& kept = kept_[*place];
  if (kept.contains(key)) return true;
  if (kept.size() >= kMostKeptOfPlace || kept_count_ >= kMostKept) return false;
  kept.insert(key);
  ++kept_count_;
  return true;
}

Status DriftObserver::ObserveRow(const Row& row, std::string_view operation, bool is_sparse) {
  verdict_.reset();
  if (!is_sparse) {
    Columns& columns = ColumnsOf(operation);
    ++columns.records;
    for (std::size_t i = 0; i < row.values.size(); ++i)
      columns.filled[i] += std::holds_alternative<std::monostate>(row.values[i]) ? 0 : 1;
  }
  for (const Misfit& misfit : row.misfits) {
    Depart({.kind = DriftKind::kMisfit,
            .operation = std::string(operation),
            .pointer = misfit.pointer,
            .column = misfit.column,
            .found = misfit.found},
           "a value that fits the column");
  }
  if (verdict_) return std::move(*verdict_);
  return Ok{};
}

DriftFindings DriftObserver::TakeFindings() {
  DriftFindings findings;
  for (auto& [key, counted] : found_) findings.emplace(key, std::move(counted.count));
  found_.clear();
  return findings;
}

RateTallies DriftObserver::Tallies() const {
  RateTallies tallies;
  for (const Watched& watched : watched_) {
    if (watched.records == 0) continue;
    const std::vector<ShapeNode>& nodes = watched.shape.nodes();
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      if (nodes[i].is_in_list) continue;
      tallies[{watched.shape.operation(), false, nodes[i].pointer}] = {
          .records = watched.records, .hits = std::min(watched.present[i], watched.records)};
    }
  }
  for (const Columns& columns : columns_) {
    for (std::size_t i = 0; i < columns.filled.size(); ++i) {
      tallies[{columns.operation, true, mapping_.columns[i].column}] = {.records = columns.records,
                                                                        .hits = columns.filled[i]};
    }
  }
  return tallies;
}

bool DriftObserver::IsPii(std::string_view pointer) const {
  const std::vector<std::string> path = PointerSegments(pointer);
  return std::any_of(pii_.begin(), pii_.end(),
                     [&](const auto& segments) { return Covers(segments, path); });
}

DriftMode DriftObserver::ModeOf(std::string_view pointer) const {
  if (modes_.empty()) return mapping_.drift_default;
  const std::vector<std::string> path = PointerSegments(pointer);
  for (const auto& [segments, mode] : modes_) {
    if (Covers(segments, path)) return mode;
  }
  return mapping_.drift_default;
}

DriftObserver::Columns& DriftObserver::ColumnsOf(std::string_view operation) {
  for (Columns& columns : columns_) {
    if (columns.operation == operation) return columns;
  }
  return columns_.emplace_back(
      Columns{.operation = std::string(operation),
              .records = 0,
              .filled = std::vector<std::int64_t>(mapping_.columns.size())});
}

}  // namespace pcw::connector
