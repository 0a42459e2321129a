// A seeded permutation of [0, n) in constant memory, with its inverse.
#pragma once

#include <cstdint>

namespace pcw::sim {

/// Maps each index below `size` to a distinct one and back, so that a million records can be
/// ordered by a "random" key without holding the order. A balanced Feistel network over the next
/// even power of two; values outside the range are mapped again until they fall inside. Immutable,
/// thread-safe.
class Permutation {
 public:
  Permutation(std::uint64_t size, std::uint64_t seed);

  std::uint64_t Forward(std::uint64_t index) const;
  std::uint64_t Backward(std::uint64_t image) const;

 private:
  static constexpr int kRounds = 4;
  std::uint64_t Round(int round, std::uint64_t half) const;
  std::uint64_t Encrypt(std::uint64_t value) const;
  std::uint64_t Decrypt(std::uint64_t value) const;

  std::uint64_t size_;
  std::uint64_t seed_;
  unsigned half_bits_;
  std::uint64_t mask_;
};

}  // namespace pcw::sim
