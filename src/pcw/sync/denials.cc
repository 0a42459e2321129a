#include "pcw/sync/denials.h"

#include <utility>

namespace pcw::sync {

void Denials::NoteSuccess(std::string_view operation) {
  const auto found = operations_.find(operation);
  if (found != operations_.end()) {
    found->second.works = true;
  } else {
    operations_.emplace(std::string(operation), Tally{.works = true, .waiting = {}});
  }
}

bool Denials::Works(std::string_view operation) const {
  const auto found = operations_.find(operation);
  return found != operations_.end() && found->second.works;
}

bool Denials::Add(DeniedDetail denied) {
  Tally& tally = operations_[std::string(OperationOf(denied.task, denied.error))];
  tally.waiting.push_back(std::move(denied));
  return tally.waiting.size() >= kMostWithoutSuccess;
}

std::vector<std::string> Denials::Undecided() const {
  std::vector<std::string> undecided;
  for (const auto& [operation, tally] : operations_) {
    if (!tally.waiting.empty()) undecided.push_back(operation);
  }
  return undecided;
}

std::vector<DeniedDetail> Denials::Take(std::string_view operation) {
  const auto found = operations_.find(operation);
  if (found == operations_.end()) return {};
  return std::exchange(found->second.waiting, {});
}

const std::vector<DeniedDetail>& Denials::waiting(std::string_view operation) const {
  static const std::vector<DeniedDetail> kNone;
  const auto found = operations_.find(operation);
  return found == operations_.end() ? kNone : found->second.waiting;
}

std::string_view OperationOf(const DetailTask& task, const Error& error) {
  const connector::SourceDef& source = *task.source;
  const auto named = error.Find("operation");
  const bool is_companion =
      source.companion != nullptr && named && *named == source.companion->name;
  return is_companion ? source.companion->name : source.detail->name;
}

}  // namespace pcw::sync
