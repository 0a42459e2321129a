#include "pcw/sim/partner_central/dataset.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "pcw/sim/draw.h"

namespace pcw::sim {
namespace {

using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kIdStride = 37;  // ids have gaps, as real ones have
constexpr std::uint64_t kTieBlock = 1'000;
constexpr std::uint64_t kMaxTieShare = 10;  // a tie never spans more than a tenth of the records
constexpr microseconds kModifiedSpan = days(730);
constexpr microseconds kCreatedSpan = days(365);

Granularity PrecisionOf(Granularity configured, std::uint64_t draw) {
  if (configured != Granularity::kMixed) return configured;
  const std::uint64_t percent = draw % 100;
  if (percent < 25) return Granularity::kSeconds;
  return percent < 40 ? Granularity::kMicros : Granularity::kMillis;
}

}  // namespace

WallTime CutTo(WallTime time, Granularity granularity) {
  switch (granularity) {
    case Granularity::kSeconds:
      return std::chrono::floor<seconds>(time);
    case Granularity::kMixed:
    case Granularity::kMillis:
      return std::chrono::floor<milliseconds>(time);
    case Granularity::kMicros:
      return time;
  }
  return time;
}

Dataset::Dataset(DatasetOptions options)
    : options_(options),
      ranks_(std::max<std::uint64_t>(options.count, 1), Mix(options.seed, 0x72616e6b)) {
  options_.ties = std::min(options_.ties, options_.count / kMaxTieShare);
}

std::string Dataset::IdOf(std::uint64_t index) const {
  const std::uint64_t gap = Mix(options_.seed ^ 0x6964, index) % kIdStride;
  return "O" + std::to_string(options_.first_id + index * kIdStride + gap);
}

std::optional<std::uint64_t> Dataset::IndexOf(std::string_view id) const {
  if (id.size() < 2 || id.front() != 'O') return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(id.data() + 1, id.data() + id.size(), number);
  if (problem != std::errc{} || end != id.data() + id.size() || number < options_.first_id) {
    return std::nullopt;
  }
  const std::uint64_t index = (number - options_.first_id) / kIdStride;
  if (IdOf(index) != id) return std::nullopt;
  return index;
}

WallTime Dataset::Spread(std::uint64_t position, std::uint64_t salt, microseconds before_epoch,
                         microseconds span, std::uint64_t ties) const {
  const auto count = static_cast<std::int64_t>(std::max<std::uint64_t>(options_.count, 1));
  const microseconds step = span / count;
  // Bulk edits: the first few of each block carry the block's own time.
  const std::uint64_t block = std::max(kTieBlock, ties);
  const bool tied = position % block < ties;
  const std::uint64_t place = tied ? position - position % block : position;
  const std::uint64_t draw = Mix(options_.seed ^ salt, place);
  // One second of each step stays free, so that cutting a time down never passes its predecessor.
  const std::int64_t room = (step - seconds(1)).count();
  const microseconds jitter{room > 0 && !tied ? static_cast<std::int64_t>(draw >> 8U) % room : 0};
  const WallTime exact =
      options_.epoch - before_epoch - span + step * static_cast<std::int64_t>(place) + jitter;
  return CutTo(exact, PrecisionOf(options_.granularity, draw));
}

WallTime Dataset::ModifiedAtRank(std::uint64_t rank) const {
  return Spread(rank, 0x6d6f64, microseconds(0), kModifiedSpan, options_.ties);
}

WallTime Dataset::CreatedOf(std::uint64_t index) const {
  return Spread(index, 0x637265, kModifiedSpan + seconds(1), kCreatedSpan, 0);
}

}  // namespace pcw::sim
