// One page of a list that is held in memory, with its token and the faults of paging.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "pcw/sim/answer.h"
#include "pcw/sim/partner_central/page_token.h"
#include "pcw/sim/partner_central/request_reader.h"

namespace pcw::sim {

inline constexpr std::size_t kDefaultPageSize = 20;

/// What a list operation has to page through: filtered and in order.
struct Listing {
  ServiceId service;
  std::string_view member;  ///< the answer's list
  std::size_t page_size;    ///< unless the request has MaxResults
  std::size_t count;
  std::function<std::string(std::size_t)> element;  ///< the exact bytes of one
};

/// Answers the page that the request's NextToken asks for. Tokens of `mint` count records; one of
/// another request, spoilt or expired is a ValidationException. Thread-safe if `element` is.
Answer AnswerPage(const CheckedCall& call, TokenMint& mint, const Listing& listing);

}  // namespace pcw::sim
