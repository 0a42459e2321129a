// One catalog's partners, and the operations of partnercentral-account over them.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/sim/answer.h"
#include "pcw/sim/partner_central/opportunity.h"
#include "pcw/sim/partner_central/page_token.h"
#include "pcw/sim/partner_central/request_reader.h"
#include "pcw/sim/partner_central/roster.h"

namespace pcw::sim {

/// A partner as the oracle tells it.
struct PartnerTruth {
  std::string id;
  std::string body;  ///< of GetPartner
  std::string_view visibility;
  std::string visibility_body;  ///< of GetProfileVisibility
};

/// Each partner is a pure function of the seed, its number and its revision; a new revision changes
/// profile and visibility, and nothing that ListPartners shows. Executes requests whose form was
/// checked already. Thread-safe.
class Partners {
 public:
  Partners(std::uint64_t seed, Catalog catalog, std::uint64_t count, TokenMint& mint);

  /// Pages of 50, as AWS's model bounds them; clients cannot choose.
  Answer List(const CheckedCall& call) const;
  Answer Get(const CheckedCall& call) const;
  Answer GetVisibility(const CheckedCall& call) const;

  /// Returns the ids of what changed.
  std::vector<std::string> Apply(const ChangeOrder& order);
  /// Calls `visit` for each partner as it was when the call began.
  void ForEach(const std::function<void(const PartnerTruth&)>& visit) const;

 private:
  std::string IdOf(std::uint64_t number) const;
  std::string ElementOf(std::uint64_t number) const;
  std::string BodyOf(const Numbered& record) const;
  std::string VisibilityBodyOf(const Numbered& record) const;
  std::string_view VisibilityOf(const Numbered& record) const;
  std::string ProfileIdOf(std::uint64_t number) const;
  std::string LegalNameOf(std::uint64_t number) const;
  std::vector<Numbered> Live() const;
  template <typename Write>
  Answer Found(const CheckedCall& call, const Write& write) const;

  const std::uint64_t seed_;
  const Catalog catalog_;
  TokenMint& mint_;
  mutable std::mutex mutex_;
  Roster roster_;
};

}  // namespace pcw::sim
