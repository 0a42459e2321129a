#include "pcw/aws/queue_host.h"

#include <algorithm>
#include <vector>

namespace pcw::aws {
namespace {

std::vector<std::string_view> Labels(std::string_view host) {
  std::vector<std::string_view> labels;
  for (;;) {
    const std::size_t dot = std::min(host.find('.'), host.size());
    labels.push_back(host.substr(0, dot));
    if (dot == host.size()) return labels;
    host.remove_prefix(dot + 1);
  }
}

// "eu-west-1", "us-gov-west-1", "us-iso-east-1".
bool IsRegion(std::string_view label) {
  const std::size_t last = label.rfind('-');
  return last != std::string_view::npos && label.find('-') != last && last + 1 < label.size() &&
         label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
             std::string_view::npos &&
         label.find_first_not_of("0123456789", last + 1) == std::string_view::npos;
}

bool IsService(std::string_view label) { return label == "sqs" || label == "sqs-fips"; }

// Takes `domain` from the end of the labels, if they end so.
bool TakeDomain(std::vector<std::string_view>& labels,
                const std::vector<std::string_view>& domain) {
  if (labels.size() <= domain.size() ||
      !std::equal(domain.rbegin(), domain.rend(), labels.rbegin()))
    return false;
  labels.resize(labels.size() - domain.size());
  return true;
}

}  // namespace

std::optional<std::string> RegionOfQueueHost(std::string_view host) {
  std::string lowered(host);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::vector<std::string_view> labels = Labels(lowered);
  if (TakeDomain(labels, {"api", "aws"})) {
    const bool is_queue = labels.size() == 2 && IsService(labels[0]) && IsRegion(labels[1]);
    return is_queue ? std::optional(std::string(labels[1])) : std::nullopt;
  }
  const bool is_china = TakeDomain(labels, {"amazonaws", "com", "cn"});
  if (!is_china && !TakeDomain(labels, {"amazonaws", "com"})) return std::nullopt;
  if (labels.size() == 1 && labels[0] == "queue") return is_china ? "cn-north-1" : "us-east-1";
  if (labels.size() == 2 && IsService(labels[0]) && IsRegion(labels[1]))
    return std::string(labels[1]);
  if (labels.size() == 2 && labels[1] == "queue" && IsRegion(labels[0]))
    return std::string(labels[0]);
  if (labels.size() == 4 && labels[3] == "vpce" && IsRegion(labels[2]) && IsService(labels[1]) &&
      labels[0].starts_with("vpce-"))
    return std::string(labels[2]);
  return std::nullopt;
}

}  // namespace pcw::aws
