// Ids and ARNs of the entities beside opportunities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pcw/sim/partner_central/opportunity.h"

namespace pcw::sim {

/// `count` digits and small letters drawn from `salt`.
std::string RandomLetters(std::uint64_t salt, std::size_t count);

/// "arn:aws:partnercentral:us-east-1:ACCOUNT:catalog/CATALOG/KIND/ID"; AWS's own resources
/// (engagements, invitations) have no account.
std::string ArnOf(std::string_view account, Catalog catalog, std::string_view kind,
                  std::string_view id);

/// Whether a request's Identifier means this resource: by id or by ARN.
bool IsMeant(std::string_view identifier, std::string_view id, std::string_view arn);

}  // namespace pcw::sim
