#include "pcw/sim/spoil.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/sim/json_text.h"

namespace pcw::sim {
namespace {

using namespace std::literals;

using net::server::AfterSend;
using net::server::KeepAlive;
using net::server::RawReply;
using net::server::Response;

constexpr std::size_t kBombDepth = 100'000;

constexpr std::string_view kHtml =
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "
    "Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

/// The member `name` with a string value at the top of `body`: where it stands, value included.
struct Location {
  std::size_t begin;
  std::size_t size;
};

Location FindTextMember(const std::string& body, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":\"";
  const std::size_t begin = body.find(key);
  if (begin == std::string::npos) return {body.size(), 0};
  const std::size_t end = body.find('"', begin + key.size());
  return {begin, end + 1 - begin};
}

void ReplaceTextMember(std::string& body, std::string_view name, std::string_view json) {
  const Location location = FindTextMember(body, name);
  if (location.size == 0) return;
  body.replace(location.begin, location.size, "\"" + std::string(name) + "\":" + std::string(json));
}

void DropTextMember(std::string& body, std::string_view name) {
  Location location = FindTextMember(body, name);
  if (location.size == 0) return;
  if (body[location.begin + location.size] == ',') {
    ++location.size;
  } else if (location.begin > 0 && body[location.begin - 1] == ',') {
    --location.begin;
    ++location.size;
  }
  body.erase(location.begin, location.size);
}

void AppendMember(std::string& body, std::string_view member) {
  if (body.empty() || body.back() != '}') return;
  body.pop_back();
  body += ',';
  body += member;
  body += '}';
}

// Where records of the several entities have what a fault spoils, the telling name first.
constexpr std::array kModified{"LastModifiedDate"sv, "ModifiedAt"sv, "InvitationDate"sv,
                               "CreatedDate"sv,      "CreatedAt"sv,  "TargetCloseDate"sv};
constexpr std::array kIds{"Id"sv, "RelatedOpportunityId"sv};
constexpr std::array kTexts{"OpportunityType"sv, "Title"sv,  "EngagementTitle"sv, "Name"sv,
                            "LegalName"sv,       "Origin"sv, "ProfileId"sv};
constexpr std::array kEnums{"Stage"sv, "Status"sv, "PrimarySolutionType"sv, "Visibility"sv,
                            "Type"sv};

/// The first of the names that the record has; the first of all if it has none.
std::string_view NameIn(const std::string& body, std::span<const std::string_view> names) {
  const auto found = std::find_if(names.begin(), names.end(), [&](std::string_view name) {
    return FindTextMember(body, name).size > 0;
  });
  return found == names.end() ? names.front() : *found;
}

// The time of change in whole seconds: "...30.123Z" becomes "...30Z".
void DropFraction(std::string& body) {
  const Location location = FindTextMember(body, NameIn(body, kModified));
  const std::size_t dot = body.find('.', location.begin);
  if (location.size == 0 || dot >= location.begin + location.size) return;
  body.erase(dot, body.find('Z', dot) - dot);
}

// What the monthly amount at AWS becomes; the first four are a number all the same, or none.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kAmounts{
    {{"amount_number", "100.5"},
     {"amount_beyond_64_bits", "9223372036854775808"},
     {"amount_exponent", "\"1E+6\""},
     {"amount_empty", "\"\""},
     {"amount_words", "\"three million\""}}};

void ReplaceAmount(std::string& body, std::string_view json) {
  const auto company = body.find(R"("TargetCompany":"AWS")");
  if (company == std::string::npos) return;
  const auto element = body.rfind('{', company);
  const auto amount = body.find(R"("Amount":")", element);
  if (amount > company) return;
  const auto value = amount + std::string_view(R"("Amount":)").size();
  body.replace(value, body.find('"', value + 1) + 1 - value, json);
}

void BadRecord(std::string& body, const FaultRule& rule) {
  const std::string& how = rule.Word("variant");
  for (const auto& [variant, json] : kAmounts) {
    if (how == variant) ReplaceAmount(body, json);
  }
  if (how == "missing_modified") DropTextMember(body, NameIn(body, kModified));
  if (how == "missing_id") DropTextMember(body, NameIn(body, kIds));
  if (how == "wrong_type") ReplaceTextMember(body, NameIn(body, kModified), "1763900000");
  if (how == "bad_date") {
    ReplaceTextMember(body, NameIn(body, kModified), "\"2026-02-30T25:61:00Z\"");
  }
  if (how == "future_date") {
    ReplaceTextMember(body, NameIn(body, kModified), "\"2099-01-01T00:00:00.000Z\"");
  }
  if (how == "whole_seconds") DropFraction(body);
  if (how == "other_id") ReplaceTextMember(body, NameIn(body, kIds), "\"O1\"");
  if (how == "nul_in_string") ReplaceTextMember(body, NameIn(body, kTexts), "\"Net\\u0000New\"");
  if (how == "lone_surrogate") ReplaceTextMember(body, NameIn(body, kTexts), "\"\\ud83d alone\"");
  if (how == "invalid_utf8") ReplaceTextMember(body, NameIn(body, kTexts), "\"\xff\xfe\xc3\"");
  if (how == "big_integer") AppendMember(body, "\"Odd\":18446744073709551616");
  if (how == "long_integer") AppendMember(body, "\"Odd\":" + std::string(200, '7'));
  if (how == "big_exponent") AppendMember(body, "\"Odd\":1e400");
  if (how == "byte_order_mark") body.insert(0, "\xEF\xBB\xBF");
  if (how == "deep")
    AppendMember(body, "\"Odd\":" + std::string(kBombDepth, '[') + std::string(kBombDepth, ']'));
  if (how == "not_json") AppendMember(body, "\"Odd\":nonsense");
  if (how == "number_id") ReplaceTextMember(body, NameIn(body, kIds), "12345");
  if (how == "nul_in_id") ReplaceTextMember(body, NameIn(body, kIds), "\"O\\u00001\"");
  if (how == "long_id")
    ReplaceTextMember(body, NameIn(body, kIds), "\"" + std::string(9'000, 'i') + "\"");
  if (how == "invalid_utf8_id") ReplaceTextMember(body, NameIn(body, kIds), "\"O\xff\xfe\"");
  if (how == "duplicate_text")
    AppendMember(body, "\"" + std::string(NameIn(body, kTexts)) + "\":\"the second\"");
  if (how == "huge_field") {
    AppendMember(body, "\"HugeField\":\"" +
                           std::string(static_cast<std::size_t>(rule.Number("bytes")), 'h') + "\"");
  }
}

// Names that no other record has, as a source makes that puts keys of its own into an object.
void AppendRandomMembers(std::string& body, std::int64_t count) {
  const std::size_t of_record = std::hash<std::string>{}(body);
  std::string members;
  for (std::int64_t i = 0; i < count; ++i)
    members += fmt::format("{}\"k{:x}_{}\":{}", i == 0 ? "" : ",", of_record, i, i);
  AppendMember(body, members);
}

// Text as AWS echoes it from whoever typed it: longer than what is kept of it and cut inside a
// character there, U+0000 and half of a surrogate pair as escapes, a noncharacter.
std::string ForeignError(int status) {
  std::string euros;  // of three bytes each: a cut at any length falls inside one
  for (int i = 0; i < 400; ++i) euros += "\u20ac";
  return fmt::format(
      R"({{"__type":"{}","Message":"half \ud83d, nothing \u0000, none \uffff {}",)"
      R"("ErrorList":[{{"FieldName":"Project.Title\u0000\ud83d","Message":"nul \u0000","Code":"INVALID_VALUE"}}]}})",
      status >= 500 ? "InternalServerException" : "ValidationException", euros);
}

}  // namespace

void BecomeHtml(Response& response) {
  for (auto& [name, value] : response.headers) {
    if (name == "Content-Type") value = "text/html";
  }
  response.body = std::string(kHtml);
}

std::string TokenJson(std::string_view token, const FaultDecision& faults) {
  if (const FaultRule* rule = faults.Find(FaultKind::kOddToken)) {
    const std::string& how = rule->Word("variant");
    if (how == "number") return "12345";
    return how == "object" ? R"({"Token":"x"})" : R"("\ud83d")";
  }
  std::string json;
  JsonText(json).String(token);
  return json;
}

void SpoilRecord(std::string& body, const FaultDecision& faults, std::size_t item) {
  for (const FaultRule& rule : faults.fired()) {
    const bool is_meant = rule.kind == FaultKind::kBadRecord &&
                          (item == 0 || rule.Number("item") == 0 ||
                           rule.Number("item") == static_cast<std::int64_t>(item));
    if (is_meant) BadRecord(body, rule);
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kUnknownMember)) {
    if (rule->Number("random") == 0)
      AppendMember(body, R"("FutureMember":{"Level":3,"Notes":["a",null,1.50],"Empty":{}})");
    else
      AppendRandomMembers(body, rule->Number("random"));
  }
  if (faults.Find(FaultKind::kUnknownEnum) != nullptr) {
    ReplaceTextMember(body, NameIn(body, kEnums), "\"Nurturing (new)\"");
  }
}

void SpoilDate(Response& response, WallTime now, const FaultDecision& faults) {
  const FaultRule* rule = faults.Find(FaultKind::kSkew);
  if (rule == nullptr || rule->Word("of") == "service") return;
  std::erase_if(response.headers, [](const auto& header) { return header.first == "Date"; });
  if (rule->Word("of") == "no_date") return;
  response.headers.emplace_back(
      "Date", FormatHttpDate(now + std::chrono::minutes(rule->Number("minutes"))));
}

void SpoilResponse(Response& response, const OperationFacts& facts, const FaultDecision& faults) {
  const auto be_html = [&] { BecomeHtml(response); };
  if (const FaultRule* rule = faults.Find(FaultKind::kError)) {
    response.status = static_cast<int>(rule->Number("status"));
    const std::string& body = rule->Word("body");
    if (body == "html") be_html();
    if (body == "empty") response.body.clear();
    if (body == "foreign") response.body = ForeignError(response.status);
    if (body == "json") {
      const bool unavailable = response.status == 503;
      response.body =
          ServiceError(facts.service,
                       unavailable ? "ServiceUnavailableException" : "InternalServerException",
                       "An internal error occurred.")
              .body;
    }
    return;
  }
  const FaultRule* rule = faults.Find(FaultKind::kMalformed);
  if (rule == nullptr || response.status != 200) return;
  const std::string& body = rule->Word("body");
  if (body == "html") be_html();
  if (body == "empty") response.body.clear();
  if (body == "invalid_json") response.body = R"({"OpportunitySummaries":[{"Id":O1000000000,}])";
  if (body == "missing_member") {
    response.body = facts.operation == Operation::kListOpportunities ? R"({"NextTokens":null})"
                                                                     : R"({"Catalog":"AWS"})";
  }
  if (body == "depth_bomb") {
    response.body = R"({"OpportunitySummaries":)" + std::string(kBombDepth, '[') +
                    std::string(kBombDepth, ']') + "}";
  }
}

net::server::Reply SpoilTransport(Response response, const FaultDecision& faults,
                                  std::chrono::milliseconds latency,
                                  net::server::WithBody with_body) {
  std::chrono::microseconds hold = latency;
  if (const FaultRule* rule = faults.Find(FaultKind::kDelay)) {
    hold += std::chrono::milliseconds(rule->Number("ms"));
  }
  const FaultRule* truncate = faults.Find(FaultKind::kTruncate);
  const auto keep = [&] {
    return response.body.size() * static_cast<std::size_t>(truncate->Number("keep_percent")) / 100;
  };
  if (truncate != nullptr && truncate->Word("length") == "matched") response.body.resize(keep());
  const bool plain = hold.count() == 0 && faults.empty();
  if (plain) return response;

  const std::string_view date =
      net::server::FindHeader(response.headers, "Date").value_or(std::string_view());
  RawReply reply;
  reply.hold = hold;
  reply.bytes = RenderResponse(response, KeepAlive::kYes, date, with_body);
  const auto first = [&](const FaultRule& rule) {
    reply.bytes.resize(
        std::min(reply.bytes.size(), static_cast<std::size_t>(rule.Number("after_bytes"))));
  };
  if (truncate != nullptr && truncate->Word("length") == "cut") {
    if (with_body == net::server::WithBody::kYes) {
      reply.bytes.resize(reply.bytes.size() - response.body.size() + keep());
    }
    reply.after = AfterSend::kClose;
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kSlow)) {
    reply.bytes_per_second = static_cast<std::size_t>(rule->Number("bytes_per_second"));
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kReset)) {
    first(*rule);
    reply.after = AfterSend::kReset;
  }
  if (faults.Find(FaultKind::kLostAnswer) != nullptr) {
    reply.bytes.clear();
    reply.after = AfterSend::kReset;
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kStall)) {
    first(*rule);
    reply.after = AfterSend::kStall;
  }
  return reply;
}

}  // namespace pcw::sim
