// A lease row that a test answers for.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "pcw/jobs/lease_holder.h"

namespace pcw::jobs {

/// Plays back the answers to tries and renewals, the last for ever, and writes down what was asked.
class FakeLeaseStore final : public LeaseStore {
 public:
  Status Open(std::stop_token) override {
    if (is_up) return Ok{};
    ++opens;
    if (opens <= refused_opens) return Error(ErrorCode::kUnavailable, "the server is away");
    is_up = true;
    return Ok{};
  }
  bool is_usable() const override { return is_up; }
  Result<bool> TryHint(std::stop_token) override {
    ++hints;
    return gets_hint;
  }
  Result<std::optional<std::int64_t>> TryTake(bool is_hinted, std::stop_token) override {
    tried_with_hint.push_back(is_hinted);
    return Next(takes);
  }
  Result<bool> Renew(std::int64_t fence, bool is_hinted, std::stop_token) override {
    renewed.push_back(fence);
    renewed_with_hint.push_back(is_hinted);
    Result<bool> answer = Next(renewals);
    if (!answer) is_up = false;
    return answer;
  }
  Status Release(std::int64_t fence) override {
    released.push_back(fence);
    return Ok{};
  }
  Error Held(std::stop_token) override {
    return Error(ErrorCode::kConflict, "another process is syncing").With("holder", "host-b:7");
  }

  bool is_up = false;
  int opens = 0, refused_opens = 0, hints = 0;
  bool gets_hint = true;
  std::deque<Result<std::optional<std::int64_t>>> takes;
  std::deque<Result<bool>> renewals;
  std::vector<bool> tried_with_hint, renewed_with_hint;
  std::vector<std::int64_t> renewed, released;

 private:
  template <typename T>
  static T Next(std::deque<T>& answers) {
    T answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    return answer;
  }
};

}  // namespace pcw::jobs
