#include "pcw/sim/partner_central/permutation.h"

#include "pcw/base/assert.h"
#include "pcw/sim/draw.h"

namespace pcw::sim {

Permutation::Permutation(std::uint64_t size, std::uint64_t seed)
    : size_(size), seed_(Mix(seed)), half_bits_(1) {
  while ((1ULL << (2 * half_bits_)) < size_) ++half_bits_;
  mask_ = (1ULL << half_bits_) - 1;
}

std::uint64_t Permutation::Round(int round, std::uint64_t half) const {
  return Mix(half ^ (seed_ + static_cast<std::uint64_t>(round))) & mask_;
}

std::uint64_t Permutation::Encrypt(std::uint64_t value) const {
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask_;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t next = left ^ Round(round, right);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

std::uint64_t Permutation::Decrypt(std::uint64_t value) const {
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask_;
  for (int round = kRounds - 1; round >= 0; --round) {
    const std::uint64_t previous = right ^ Round(round, left);
    right = left;
    left = previous;
  }
  return (left << half_bits_) | right;
}

std::uint64_t Permutation::Forward(std::uint64_t index) const {
  PCW_ASSERT(index < size_);
  do {
    index = Encrypt(index);
  } while (index >= size_);
  return index;
}

std::uint64_t Permutation::Backward(std::uint64_t image) const {
  PCW_ASSERT(image < size_);
  do {
    image = Decrypt(image);
  } while (image >= size_);
  return image;
}

}  // namespace pcw::sim
