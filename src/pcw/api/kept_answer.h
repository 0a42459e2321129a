// Answers that take long, asked for in the background and kept with their age.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::api {

struct KeptFor {
  std::chrono::milliseconds fresh;            ///< so long an answer is given without asking again
  std::chrono::milliseconds patience{1'500};  ///< so long a question is waited for, from its start
  std::chrono::milliseconds after_failure{5'000};  ///< between a failed question and the next
};

template <typename T>
struct Kept {
  T value;
  std::chrono::seconds age{0};
};

/// The latest answer of somebody who may be slow or silent, above all AWS.
///
/// A request must not wait for AWS: the question is put on a thread of its own, one at a time, and
/// is waited for until `patience` after it was put, however many wait and however late they came.
/// Then the answer of before is given with its age. Thread-safe. The end waits until a question
/// that is under way has noticed its stop request.
template <typename T>
class KeptAnswer {
 public:
  using Ask = std::function<Result<T>(std::stop_token)>;

  KeptAnswer(Ask ask, KeptFor kept_for, const Clock& clock)
      : ask_(std::move(ask)), kept_for_(kept_for), clock_(clock) {}

  /// The answer, fresh if it can be had in time. kTimeout if nothing is kept and the question is
  /// still open; the question's own error if it failed, unless that only says that somebody is out
  /// of reach (kUnavailable, kTimeout, kThrottled) and an older answer is kept.
  Result<Kept<T>> Get() {
    std::unique_lock lock(mutex_);
    if (held_ && clock_.Steady() - held_->at < kept_for_.fresh) return Aged();
    const bool is_to_ask = !is_asking_ && clock_.Steady() >= not_before_;
    if (is_to_ask) PCW_TRY_OK(Begin());
    if (is_asking_) {
      answered_.wait_until(lock, began_ + kept_for_.patience, [this] { return !is_asking_; });
    }
    const bool is_out_of_reach =
        is_asking_ || (failure_ && (failure_->code() == ErrorCode::kUnavailable ||
                                    failure_->code() == ErrorCode::kTimeout ||
                                    failure_->code() == ErrorCode::kThrottled));
    if (held_ && (!failure_ || is_out_of_reach)) return Aged();
    if (failure_ && !is_asking_) return *failure_;
    return Error(ErrorCode::kTimeout, "no answer yet; ask again in a moment");
  }

  /// Keeps what was learnt by another way.
  void Put(T value) {
    const std::lock_guard lock(mutex_);
    held_ = Held{std::move(value), clock_.Steady()};
    failure_.reset();
  }

 private:
  struct Held {
    T value;
    SteadyTime at;
  };

  Kept<T> Aged() const {
    return {held_->value,
            std::chrono::duration_cast<std::chrono::seconds>(clock_.Steady() - held_->at)};
  }

  // A thread a question: what asks once in minutes needs none in between.
  Status Begin() {
    if (thread_.joinable()) thread_.join();  // it has answered: is_asking_ is false
    try {
      thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
    } catch (const std::exception& problem) {
      return Error(ErrorCode::kUnavailable, "no thread can be started now")
          .With("reason", problem.what());
    }
    is_asking_ = true;
    began_ = std::chrono::steady_clock::now();
    return Ok{};
  }

  void Run(std::stop_token stop) {
    Result<T> answer = Error(ErrorCode::kInternal, "not asked");
    try {
      answer = ask_(std::move(stop));
    } catch (const std::exception& problem) {
      answer = Error(ErrorCode::kInternal, problem.what());
    }
    const std::lock_guard lock(mutex_);
    is_asking_ = false;
    if (answer) {
      held_ = Held{std::move(*answer), clock_.Steady()};
      failure_.reset();
    } else {
      failure_ = std::move(answer).error();
      not_before_ = clock_.Steady() + kept_for_.after_failure;
    }
    answered_.notify_all();
  }

  const Ask ask_;
  const KeptFor kept_for_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<Held> held_;
  std::optional<Error> failure_;  ///< of the latest question
  bool is_asking_ = false;
  SteadyTime not_before_{};
  std::chrono::steady_clock::time_point began_{};  ///< the wait is real, whatever clock a test owns
  std::jthread thread_;                            // last: it uses everything above
};

}  // namespace pcw::api
