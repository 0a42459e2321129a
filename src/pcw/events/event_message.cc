#include "pcw/events/event_message.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/assert.h"
#include "pcw/base/time.h"

namespace pcw::events {
namespace {

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestId = 128;

Error Unfit(std::string_view pointer, std::string_view what) {
  return Error(
             ErrorCode::kSchemaMismatch,
             fmt::format("the message is not an event that can be followed: {} {}", pointer, what))
      .With("pointer", std::string(pointer));
}

bool IsPlain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

Result<std::string> TextAt(const Json& json, const char* member, std::string_view pointer) {
  const auto found = json.find(member);
  if (found == json.end() || !found->is_string()) return Unfit(pointer, "is missing or no text");
  std::string text = found->get<std::string>();
  if (text.empty() || text.size() > kLongestName || !IsPlain(text))
    return Unfit(pointer, "is empty, too long, or holds control characters");
  return text;
}

// Ids go into requests and keys: letters, digits, "-" and "_", as AWS makes them.
bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

Result<std::string> IdAt(const Json& json, const char* member, std::string_view pointer) {
  PCW_TRY(std::string id, TextAt(json, member, pointer));
  if (!IsId(id)) return Unfit(pointer, "is not an id");
  return id;
}

Result<const Json*> ObjectAt(const Json& json, const char* member, std::string_view pointer) {
  const auto found = json.find(member);
  if (found == json.end() || !found->is_object()) return Unfit(pointer, "is missing or no object");
  return &*found;
}

// "Receiver" here, "RECEIVER" in the API (docs/aws-facts.md 14).
bool IsNoCase(const Json& json, const char* member, std::string_view wanted) {
  const auto found = json.find(member);
  if (found == json.end() || !found->is_string()) return false;
  const auto& text = found->get_ref<const std::string&>();
  return std::equal(
      text.begin(), text.end(), wanted.begin(), wanted.end(),
      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

NamedRecord RecordOf(const connector::EntityDef& entity, std::string_view operation,
                     std::string record_key, std::string detail_key) {
  const connector::SourceDef* source = entity.SourceOf(operation);
  PCW_ASSERT(source != nullptr && source->detail != nullptr);
  return {.entity = &entity,
          .source = source,
          .record_key = std::move(record_key),
          .detail_key = std::move(detail_key)};
}

using Records = std::vector<NamedRecord>;

Result<Records> OfOpportunity(const Json& detail) {
  PCW_TRY(const Json* opportunity, ObjectAt(detail, "opportunity", "/detail/opportunity"));
  PCW_TRY(const std::string id, IdAt(*opportunity, "identifier", "/detail/opportunity/identifier"));
  // What AWS's side changes shows in its own summary (docs/aws-facts.md 8), and raises the same
  // event.
  return Records{RecordOf(connector::Opportunities(), "GetOpportunity", id, id),
                 RecordOf(connector::AwsSummaries(), "GetAwsOpportunitySummary", id, id)};
}

Result<Records> OfInvitation(const Json& detail, bool is_accepted) {
  PCW_TRY(const Json* invitation,
          ObjectAt(detail, "engagementInvitation", "/detail/engagementInvitation"));
  PCW_TRY(const std::string id, IdAt(*invitation, "id", "/detail/engagementInvitation/id"));
  // Invitations to opportunities have events of their opportunity beside them; leads that this
  // account offers to others are not its leads.
  if (!IsNoCase(*invitation, "payloadType", "LeadInvitation") ||
      !IsNoCase(*invitation, "participantType", "Receiver"))
    return Records{};
  std::string engagement;
  if (invitation->contains("engagementId")) {
    PCW_TRY(engagement,
            IdAt(*invitation, "engagementId", "/detail/engagementInvitation/engagementId"));
  }
  if (is_accepted && !engagement.empty())
    return Records{RecordOf(connector::Leads(), "GetEngagement", engagement, engagement)};
  return Records{RecordOf(connector::Leads(), "GetEngagementInvitation",
                          engagement.empty() ? id : engagement, id)};
}

Result<Records> OfEngagement(const Json& detail) {
  PCW_TRY(const Json* engagement, ObjectAt(detail, "engagement", "/detail/engagement"));
  PCW_TRY(const std::string id,
          IdAt(*engagement, "engagementId", "/detail/engagement/engagementId"));
  const auto types = engagement->find("ContextTypes");
  const bool is_lead = types != engagement->end() && types->is_array() &&
                       std::find(types->begin(), types->end(), Json("Lead")) != types->end();
  if (!is_lead) return Records{};
  return Records{RecordOf(connector::Leads(), "GetEngagement", id, id)};
}

/// What a known kind of event names.
struct EventKind {
  std::string_view detail_type;
  Result<Records> (*records)(const Json& detail);
};

constexpr std::array<EventKind, 10> kKinds{{
    {"Opportunity Created", OfOpportunity},
    {"Opportunity Updated", OfOpportunity},
    {"Engagement Created", OfEngagement},
    {"Engagement Updated", OfEngagement},
    {"Engagement Invitation Created", [](const Json& d) { return OfInvitation(d, false); }},
    {"Engagement Invitation Accepted", [](const Json& d) { return OfInvitation(d, true); }},
    {"Engagement Invitation Rejected", [](const Json& d) { return OfInvitation(d, false); }},
    {"Engagement Invitation Expired", [](const Json& d) { return OfInvitation(d, false); }},
    // Both come with an event of the record itself. An engagement named here need not be a lead,
    // and the opportunity of a snapshot need not be this account's.
    {"Engagement Member Added", [](const Json&) { return Result<Records>(Records{}); }},
    {"Engagement Resource Snapshot Created",
     [](const Json&) { return Result<Records>(Records{}); }},
}};

}  // namespace

std::string_view NameOf(Disposition disposition) {
  switch (disposition) {
    case Disposition::kFetch:
      return "fetch";
    case Disposition::kNothing:
      return "nothing";
    case Disposition::kOtherCatalog:
      return "other_catalog";
    case Disposition::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Result<PartnerEvent> ReadEvent(std::string_view body) {
  const Result<Json> parsed = ParseJson(body);
  if (!parsed) {
    return Error(ErrorCode::kSchemaMismatch,
                 "the message is not an event that can be followed: " + parsed.error().message());
  }
  const Json& json = *parsed;
  if (!json.is_object()) return Unfit("/", "is not an object");
  PartnerEvent event;
  PCW_TRY(event.id, TextAt(json, "id", "/id"));
  PCW_TRY(event.source, TextAt(json, "source", "/source"));
  PCW_TRY(event.detail_type, TextAt(json, "detail-type", "/detail-type"));
  PCW_TRY(const std::string time, TextAt(json, "time", "/time"));
  const Result<WallTime> at = ParseRfc3339(time);
  if (!at) return Unfit("/time", "is not a time");
  event.time = *at;
  PCW_TRY(const Json* detail, ObjectAt(json, "detail", "/detail"));
  event.detail_json = DumpJson(*detail);
  if (event.source == kSellingSource) {
    PCW_TRY(event.catalog, TextAt(*detail, "catalog", "/detail/catalog"));
  }
  return event;
}

Result<Meaning> Interpret(const PartnerEvent& event, std::string_view catalog,
                          std::span<const connector::EntityDef* const> entities) {
  if (event.source != kSellingSource)
    return Meaning{.disposition = Disposition::kUnknown, .records = {}};
  if (event.catalog != catalog)
    return Meaning{.disposition = Disposition::kOtherCatalog, .records = {}};
  const auto* kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const EventKind& known) {
    return known.detail_type == event.detail_type;
  });
  if (kind == kKinds.end()) return Meaning{.disposition = Disposition::kUnknown, .records = {}};
  PCW_TRY(const Json detail, ParseJson(event.detail_json));
  PCW_TRY(Records records, kind->records(detail));
  std::erase_if(records, [&](const NamedRecord& record) {
    return std::find(entities.begin(), entities.end(), record.entity) == entities.end();
  });
  return Meaning{.disposition = records.empty() ? Disposition::kNothing : Disposition::kFetch,
                 .records = std::move(records)};
}

}  // namespace pcw::events
