// What an event of Partner Central says: the EventBridge envelope, and which record of ours it is
// about (docs/aws-facts.md 14). No I/O.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"

namespace pcw::events {

/// The source of every event that Partner Central Selling sends.
inline constexpr std::string_view kSellingSource = "aws.partnercentral-selling";

/// An envelope whose form is right. Its texts are short and free of control characters.
struct PartnerEvent {
  std::string id, source, detail_type;
  WallTime time{};
  std::string catalog;  ///< of the detail; empty for sources that have none
  std::string detail_json;
};

/// A record that an event names, and the call that tells most of it.
struct NamedRecord {
  const connector::EntityDef* entity = nullptr;
  const connector::SourceDef* source = nullptr;
  std::string record_key;
  std::string detail_key;
};

enum class Disposition {
  kFetch,         ///< a record of ours may have changed
  kNothing,       ///< a known event that changes no record of ours
  kOtherCatalog,  ///< of the catalog that this tenant does not follow
  kUnknown        ///< of a kind that this version does not know
};
std::string_view NameOf(Disposition disposition);

struct Meaning {
  Disposition disposition = Disposition::kUnknown;
  std::vector<NamedRecord> records;  ///< of kFetch; the first is the one the event is about
};

/// Reads an SQS message's body. kSchemaMismatch, with context `pointer`, for what is not an
/// EventBridge event.
Result<PartnerEvent> ReadEvent(std::string_view body);

/// What the event means to a tenant that follows `catalog` and syncs `entities`. Events carry ids
/// only, and a member more or less is none of our business; kSchemaMismatch if an id that its kind
/// must name is missing or is none.
Result<Meaning> Interpret(const PartnerEvent& event, std::string_view catalog,
                          std::span<const connector::EntityDef* const> entities);

}  // namespace pcw::events
