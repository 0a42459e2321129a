#include "pcw/sim/partner_central/list_page.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "pcw/sim/json_text.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {

Answer AnswerPage(const CheckedCall& call, TokenMint& mint, const Listing& listing) {
  const std::uint64_t fingerprint = FingerprintOf(call.request);
  std::size_t begin = 0;
  const Json* token = MemberOf(call.request, "NextToken");
  if (token != nullptr) {
    const auto start = mint.Read(token->get_ref<const std::string&>(), fingerprint, call.now);
    if (!start) {
      return ValidationError(listing.service,
                             {{"NextToken", start.error().message(), "INVALID_VALUE"}});
    }
    begin = std::min<std::size_t>(start->served, listing.count);
  }
  std::size_t size = listing.page_size;
  if (const Json* max = MemberOf(call.request, "MaxResults")) size = max->get<std::size_t>();
  const bool is_empty = call.faults.Find(FaultKind::kEmptyPageWithToken) != nullptr;
  const std::size_t end = is_empty ? begin : std::min(listing.count, begin + size);

  Answer answer;
  JsonText json(answer.body);
  json.Open('{').Key(listing.member).Open('[');
  const auto write = [&](std::size_t place) {
    std::string element = listing.element(place);
    SpoilRecord(element, call.faults, place - begin + 1);
    json.Raw(element);
  };
  for (std::size_t i = begin; i < end; ++i) write(i);
  if (call.faults.Find(FaultKind::kDuplicateInPage) != nullptr && begin < end) write(begin);
  json.Close(']');
  if (token != nullptr && call.faults.Find(FaultKind::kRepeatedToken) != nullptr) {
    json.Member("NextToken", token->get_ref<const std::string&>());
  } else if (is_empty || end < listing.count) {
    json.Key("NextToken")
        .Raw(TokenJson(mint.Make(std::nullopt, end, fingerprint, call.now), call.faults));
  }
  json.Close('}');
  return answer;
}

}  // namespace pcw::sim
