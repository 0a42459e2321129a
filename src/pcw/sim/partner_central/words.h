// The vocabulary of the seeded records: invented names in many scripts, and AWS's enumerations.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace pcw::sim::words {

using Words = std::span<const std::string_view>;

/// A way to name a company: stem and ending of one script.
struct NameParts {
  Words stems;
  Words endings;
  std::string_view country;
};

/// Scripts by weight: repeated entries are drawn more often.
std::span<const NameParts> CompanyScripts();

/// AWS's values, in the order of the model.
Words Stages();
Words ReviewStatuses();
Words ClosedLostReasons();
Words Industries();
Words DeliveryModels();
Words PrimaryNeeds();
Words SalesActivities();
Words Competitors();
Words Channels();
Words RevenueModels();
Words OpportunityTypes();

/// Currencies, the common ones repeated.
Words Currencies();
Words UseCases();
Words AwsProducts();
Words FirstNames();
Words LastNames();
Words Titles();
Words Cities();
Words States();
/// Sentences for problems, comments and next steps; some with quotes, tabs, line breaks, emoji.
Words Sentences();
Words Steps();

}  // namespace pcw::sim::words
