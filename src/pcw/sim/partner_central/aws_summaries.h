// AWS's own view of each opportunity, and GetAwsOpportunitySummary over them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/sim/answer.h"
#include "pcw/sim/partner_central/collection.h"
#include "pcw/sim/partner_central/request_reader.h"
#include "pcw/sim/partner_central/roster.h"

namespace pcw::sim {

/// There is one for each live opportunity, with a revision of its own: AWS's side changes it
/// without a new LastModifiedDate. Thread-safe. Memory: only for changed ones.
class AwsSummaries {
 public:
  /// `opportunities` must outlive this.
  AwsSummaries(std::uint64_t seed, Catalog catalog, const Collection& opportunities);

  Answer Get(const CheckedCall& call) const;

  /// Gives the summaries of these opportunities, or so many drawn ones, a new revision; returns the
  /// ids. Only modifications: they come and go with their opportunities.
  std::vector<std::string> Modify(const ChangeOrder& order);
  /// Calls `visit` with the opportunity's id and the exact body. It may not call back.
  void ForEach(
      const std::function<void(const std::string& id, std::string_view body)>& visit) const;

 private:
  std::uint32_t RevisionOf(std::uint64_t index) const;
  std::string BodyOf(const RecordVersion& opportunity) const;

  const std::uint64_t seed_;
  const Catalog catalog_;
  const Collection& opportunities_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::uint32_t> revisions_;
  std::uint64_t drawn_ = 0;
};

}  // namespace pcw::sim
