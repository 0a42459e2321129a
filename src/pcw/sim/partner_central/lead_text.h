// The content of engagements and invitations: a pure function of the seed and what is said here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/sim/partner_central/opportunity.h"

namespace pcw::sim {

/// What an engagement, or the invitation to it, is about.
enum class Subject : std::uint8_t { kLead, kProject };

struct Engagement {
  std::uint64_t number = 0;
  Subject subject = Subject::kLead;
  bool is_visible = false;     ///< to this account; an invited one is not
  std::uint32_t revision = 0;  ///< each modification adds one
  WallTime created{};
  WallTime modified{};
};

enum class InvitationStatus : std::uint8_t { kPending, kAccepted, kRejected, kExpired };

/// As AWS writes it.
std::string_view NameOf(InvitationStatus status);

struct Invitation {
  std::uint64_t number = 0;  ///< the engagement's
  Subject subject = Subject::kLead;
  bool is_received = true;       ///< false: this account sent it
  bool names_engagement = true;  ///< false: EngagementId is absent
  InvitationStatus status = InvitationStatus::kPending;
  WallTime invited{};
  WallTime expires{};
  std::string rejection_reason{};  ///< empty = none given
};

/// Writes answers about one catalog. Immutable, thread-safe.
class LeadWriter {
 public:
  LeadWriter(std::uint64_t seed, Catalog catalog);

  std::string EngagementId(std::uint64_t number) const;
  std::string EngagementArn(std::uint64_t number) const;
  std::string InvitationId(const Invitation& invitation) const;
  std::string InvitationArn(const Invitation& invitation) const;
  /// Account or "aws".
  std::string_view CreatorOf(const Engagement& engagement) const;
  std::string_view SenderOf(const Invitation& invitation) const;

  /// An element of EngagementSummaryList; the body of GetEngagement.
  std::string Summary(const Engagement& engagement) const;
  std::string Body(const Engagement& engagement) const;
  /// An element of EngagementInvitationSummaries; the body of GetEngagementInvitation.
  std::string Summary(const Invitation& invitation) const;
  std::string Body(const Invitation& invitation) const;

 private:
  const std::uint64_t seed_;
  const Catalog catalog_;
};

/// Whether a lead's engagement began as a customer's project.
bool HasProjectFirst(const Engagement& engagement);

}  // namespace pcw::sim
