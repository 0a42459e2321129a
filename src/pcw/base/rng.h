// Randomness as a port, so that jitter and ids are owned by tests.
#pragma once

#include <cstdint>

namespace pcw {

/// Source of random bits. Thread-safe.
class Rng {
 public:
  virtual ~Rng() = default;
  /// 64 uniformly distributed bits.
  virtual std::uint64_t Next() = 0;
  /// Uniform in [0, 1).
  double NextUnit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
};

/// The kernel's random bits through OpenSSL.
class SystemRng final : public Rng {
 public:
  std::uint64_t Next() override;
};

}  // namespace pcw
