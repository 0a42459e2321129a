// Result<T>: a value or an Error, shaped like std::expected so that moving to it later is a rename.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "pcw/base/assert.h"
#include "pcw/base/error.h"

namespace pcw {

/// The value of a Status that succeeded.
struct Ok {};

/// A value of T, or the Error that explains its absence.
///
/// Exceptions never cross a directory boundary; this is what crosses instead. Reading the value of
/// a failed result aborts (a bug).
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return Checked(); }
  const T& value() const& { return const_cast<Result*>(this)->Checked(); }
  T&& value() && { return std::move(Checked()); }
  T& operator*() & { return Checked(); }
  const T& operator*() const& { return value(); }
  /// By value, unlike std::expected: `for (auto& x : *List())` then keeps the list alive.
  T operator*() && { return std::move(Checked()); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &value(); }

  Error& error() & {
    PCW_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& { return const_cast<Result*>(this)->error(); }
  Error&& error() && { return std::move(error()); }

  template <typename U>
  T value_or(U&& fallback) && {
    return has_value() ? std::move(Checked()) : static_cast<T>(std::forward<U>(fallback));
  }

  /// Calls `f(value)`, which returns a Result itself; an error passes through.
  template <typename F>
  auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
    if (!has_value()) return std::move(*this).error();
    return std::forward<F>(f)(std::move(Checked()));
  }

  /// Calls `f(value)`, which returns a plain value; an error passes through.
  template <typename F>
  auto transform(F&& f) && -> Result<std::invoke_result_t<F, T&&>> {
    if (!has_value()) return std::move(*this).error();
    return std::forward<F>(f)(std::move(Checked()));
  }

 private:
  T& Checked() {
    PCW_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }

  std::variant<T, Error> state_;
};

using Status = Result<Ok>;

}  // namespace pcw

#define PCW_CONCAT_INNER(a, b) a##b
#define PCW_CONCAT(a, b) PCW_CONCAT_INNER(a, b)

// PCW_TRY(auto value, Expression()): declares `value` or returns the error of the expression
// unchanged.
#define PCW_TRY(decl, ...)                                       \
  auto PCW_CONCAT(pcw_result_, __LINE__) = (__VA_ARGS__);        \
  if (!PCW_CONCAT(pcw_result_, __LINE__))                        \
    return std::move(PCW_CONCAT(pcw_result_, __LINE__)).error(); \
  decl = std::move(*PCW_CONCAT(pcw_result_, __LINE__))

// PCW_TRY_OK(Expression()): returns the error of the expression unchanged, drops its value.
#define PCW_TRY_OK(...)                                    \
  do {                                                     \
    auto pcw_status = (__VA_ARGS__);                       \
    if (!pcw_status) return std::move(pcw_status).error(); \
  } while (false)
