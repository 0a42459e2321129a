// Secret: text that cannot be printed by accident.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace pcw {

/// Holds a secret (keys, tokens, passwords) so that reading it is an explicit, greppable act.
///
/// Formatting, streaming and comparing do not exist on purpose; memory is cleared on destruction.
/// Not thread-safe to mutate.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(std::exchange(other.value_, {})) {}
  Secret& operator=(Secret other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Secret();

  /// The secret itself; for the signer and the login only.
  std::string_view Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

}  // namespace pcw
