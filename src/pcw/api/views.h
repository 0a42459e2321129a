// What is shown of stored things: one list of fields each, for REST, OpenAPI and the command line.
// Fields may be added, never changed.
#pragma once

#include <span>
#include <string_view>

#include "pcw/base/json.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/runs/run_store.h"
#include "pcw/tables/drift_store.h"

namespace pcw::api {

enum class FieldType { kText, kTextOrNull, kWhole, kWholeOrNull, kBool, kObjectOrNull };

/// One member of the JSON of a T.
template <typename T>
struct Field {
  std::string_view name;
  FieldType type;
  OrderedJson (*value)(const T&);
};

std::span<const Field<runs::StoredRun>> RunFields();
std::span<const Field<dlq::DeadLetter>> DeadLetterFields();
std::span<const Field<dlq::DeadLetterGroup>> DeadLetterGroupFields();
std::span<const Field<tables::StoredFinding>> DriftFields();

OrderedJson RunJson(const runs::StoredRun& run);
OrderedJson DeadLetterJson(const dlq::DeadLetter& letter);
OrderedJson DeadLetterGroupJson(const dlq::DeadLetterGroup& group);
OrderedJson DriftJson(const tables::StoredFinding& finding);

}  // namespace pcw::api
