#include "pcw/base/error.h"

#include <algorithm>

namespace pcw {
namespace {

constexpr std::array<std::string_view, 9> kReasons{"quota_spent",         "drained",
                                                   "older_mapping",       "schema_frozen",
                                                   "schema_quarantined",  "unreadable_page_token",
                                                   "too_many_mismatches", "too_many_fetch_failures",
                                                   "endless_empty_pages"};

constexpr std::array<std::string_view, 10> kNetSteps{
    "dns",     "connect",   "tls",       "send",      "receive",
    "timeout", "truncated", "too_large", "malformed", "refused"};

static_assert(kReasons.size() == static_cast<std::size_t>(Reason::kEndlessEmptyPages) + 1);
static_assert(kNetSteps.size() == static_cast<std::size_t>(NetStep::kRefused) + 1);

}  // namespace

std::optional<ErrorCode> ErrorCodeNamed(std::string_view name) {
  for (const Reaction& reaction : kReactions) {
    if (reaction.name == name) return reaction.code;
  }
  return std::nullopt;
}

std::string_view NameOf(Reason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

std::optional<Reason> ReasonNamed(std::string_view name) {
  const auto* const found = std::find(kReasons.begin(), kReasons.end(), name);
  if (found == kReasons.end()) return std::nullopt;
  return static_cast<Reason>(found - kReasons.begin());
}

std::string_view NameOf(NetStep step) { return kNetSteps[static_cast<std::size_t>(step)]; }

Error& Error::Because(Reason reason) & {
  if (reason_) return *this;
  reason_ = reason;
  return With("reason", std::string(NameOf(reason)));
}

Error& Error::At(NetStep step) & {
  if (net_step_) return *this;
  net_step_ = step;
  return With("net", std::string(NameOf(step)));
}

Error& Error::From(Origin origin) & {
  if (origin_ == Origin::kHere) origin_ = origin;
  return *this;
}

Error& Error::As(ErrorMark mark) & {
  marks_ |= static_cast<std::uint8_t>(mark);
  switch (mark) {
    case ErrorMark::kUsage:
      return With("usage", "true");
    case ErrorMark::kPermanent:
      return With("permanent", "true");
    case ErrorMark::kStoppedRun:
      return With("run", "stopped");
    case ErrorMark::kUnreachable:  // `unreachable` names what did not answer
    case ErrorMark::kOfOneObject:  // the message says what cannot be read
      break;
  }
  return *this;
}

Error& Error::With(std::string key, std::string value) & {
  if (!Find(key)) context_.emplace_back(std::move(key), std::move(value));
  return *this;
}

Error Error::With(std::string key, std::string value) && {
  With(std::move(key), std::move(value));
  return std::move(*this);
}

Error Error::Retold(ErrorCode code, std::string message) const {
  Error other = *this;
  other.code_ = code;
  other.message_ = std::move(message);
  return other;
}

std::optional<std::string_view> Error::Find(std::string_view key) const {
  const auto it = std::find_if(context_.begin(), context_.end(),
                               [key](const auto& pair) { return pair.first == key; });
  if (it == context_.end()) return std::nullopt;
  return it->second;
}

std::string Error::ToString() const {
  std::string text = message_;
  if (context_.empty()) return text;
  text += " (";
  bool first = true;
  for (const auto& [key, value] : context_) {
    if (!first) text += ", ";
    first = false;
    text += key;
    text += '=';
    text += value;
  }
  text += ')';
  return text;
}

}  // namespace pcw
