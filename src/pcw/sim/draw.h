// Deterministic randomness: every drawn value is a pure function of a seed and a place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pcw::sim {

/// A well-mixed 64-bit function of `value` (the finaliser of SplitMix64, public domain).
constexpr std::uint64_t Mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

constexpr std::uint64_t Mix(std::uint64_t a, std::uint64_t b) { return Mix(Mix(a) ^ b); }

/// A 64-bit function of a text (FNV-1a, then mixed).
constexpr std::uint64_t MixText(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return Mix(hash);
}

/// A stream of draws from one starting point. Not thread-safe; cheap to make.
class Draw {
 public:
  explicit constexpr Draw(std::uint64_t start) : state_(start) {}

  constexpr std::uint64_t Next() { return Mix(state_++); }
  /// Uniform in [0, bound); `bound` > 0.
  constexpr std::uint64_t Below(std::uint64_t bound) { return Next() % bound; }
  /// True in `percent` of 100 draws.
  constexpr bool Chance(std::uint64_t percent) { return Below(100) < percent; }
  constexpr std::string_view Pick(std::span<const std::string_view> choices) {
    return choices[static_cast<std::size_t>(Below(choices.size()))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace pcw::sim
