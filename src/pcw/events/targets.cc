#include "pcw/events/targets.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "pcw/aws/eventbridge.h"
#include "pcw/base/digest.h"
#include "pcw/base/time.h"

namespace pcw::events {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kWebhookTotal{10'000};
constexpr seconds kWebhookLease{15};
constexpr seconds kBusLease{120};  // three attempts of a call, and the pauses between them
constexpr milliseconds kLongestRest = hours(1);
constexpr std::size_t kMostAnswerBytes = 64U << 10U;  // of an answer that nobody reads

// Seconds, or a date; nothing for neither.
std::optional<milliseconds> RetryAfter(const net::HttpResponse& response, Clock& clock) {
  const auto header = response.Header("Retry-After");
  if (!header) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, problem] =
      std::from_chars(header->data(), header->data() + header->size(), number);
  if (problem == std::errc{} && end == header->data() + header->size() && number >= 0)
    return std::min<milliseconds>(seconds(std::min<std::int64_t>(number, 3'600)), kLongestRest);
  const Result<WallTime> date = ParseHttpDate(*header);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::duration_cast<milliseconds>(*date - clock.Now()), milliseconds(0),
                    kLongestRest);
}

// Answers that would be the same for every event; others may be about this one.
bool IsTrouble(int status) {
  static constexpr std::array kOfTheTarget{401, 403, 404, 405, 410, 415, 429};
  return status >= 500 || status < 200 || (status >= 300 && status < 400) ||
         std::find(kOfTheTarget.begin(), kOfTheTarget.end(), status) != kOfTheTarget.end();
}

}  // namespace

std::string WebhookSignature(const Secret& secret, WallTime now, std::string_view body) {
  const auto at = std::chrono::duration_cast<seconds>(now.time_since_epoch()).count();
  return fmt::format("t={},v1={}", at,
                     Hex(HmacSha256(secret.Reveal(), fmt::format("{}.{}", at, body))));
}

seconds WebhookTarget::lease() const { return kWebhookLease; }

SendReport WebhookTarget::Send(std::span<const OutgoingEvent> events, std::stop_token stop) {
  SendReport report;
  for (const OutgoingEvent& event : events) {
    net::HttpRequest request;
    request.url = options_.url;
    request.headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"}};
    if (!options_.secret.empty()) {
      request.headers.emplace_back("X-Pcw-Signature",
                                   WebhookSignature(options_.secret, clock_.Now(), event.body));
    }
    request.body = event.body;
    net::HttpLimits limits;
    limits.first_byte = limits.total = kWebhookTotal;
    limits.max_body_bytes = kMostAnswerBytes;
    const Result<net::HttpResponse> answer = http_.Send(request, limits, stop);
    if (!answer) {
      report.is_target_trouble = answer.error().code() != ErrorCode::kCancelled;
      report.outcomes.push_back({Delivery::kTryAgain, answer.error().message()});
      continue;
    }
    if (answer->status >= 200 && answer->status < 300) {
      report.outcomes.push_back({Delivery::kDelivered, ""});
      continue;
    }
    report.outcomes.push_back(
        {Delivery::kTryAgain, fmt::format("the webhook answered {}", answer->status)});
    if (answer->status == 410) {
      report.rest = kLongestRest;
    } else if (answer->status == 429 || answer->status == 503) {
      report.rest = RetryAfter(*answer, clock_);
    }
    report.is_target_trouble = IsTrouble(answer->status);
  }
  return report;
}

std::size_t BusTarget::most_events() const { return aws::eventbridge::kMostEntries; }

seconds BusTarget::lease() const { return kBusLease; }

SendReport BusTarget::Send(std::span<const OutgoingEvent> events, std::stop_token stop) {
  SendReport report;
  report.outcomes.resize(events.size());
  std::vector<aws::eventbridge::Entry> entries;
  std::vector<std::size_t> places;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    aws::eventbridge::Entry entry{.source = std::string(kBusSource),
                                  .detail_type = events[i].type,
                                  .detail = events[i].body,
                                  .time = events[i].time};
    const std::size_t size = aws::eventbridge::SizeOf(entry);
    if (size > aws::eventbridge::kMostBytes) {
      report.outcomes[i] = {Delivery::kRefused,
                            fmt::format("the event has {} bytes, more than a bus takes", size)};
      continue;
    }
    if (bytes + size > aws::eventbridge::kMostBytes) {
      report.outcomes[i] = {Delivery::kTryAgain, "it did not fit beside the others"};
      continue;
    }
    bytes += size;
    entries.push_back(std::move(entry));
    places.push_back(i);
  }
  if (entries.empty()) return report;
  const auto put = aws::eventbridge::PutEvents(caller_, bus_, entries, stop);
  for (std::size_t i = 0; i < places.size(); ++i) {
    DeliveryOutcome& outcome = report.outcomes[places[i]];
    if (!put) {
      outcome = {Delivery::kTryAgain, put.error().message()};
      continue;
    }
    const aws::eventbridge::EntryOutcome& entry = (*put)[i];
    if (entry.error_code.empty()) {
      outcome = {Delivery::kDelivered, ""};
    } else {
      outcome = {entry.may_pass() ? Delivery::kTryAgain : Delivery::kRefused,
                 fmt::format("{}: {}", entry.error_code, entry.error_message)};
    }
  }
  report.is_target_trouble = !put && put.error().code() != ErrorCode::kCancelled;
  return report;
}

}  // namespace pcw::events
