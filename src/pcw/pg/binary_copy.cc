#include "pcw/pg/binary_copy.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pcw/base/uuid.h"

namespace pcw::pg {
namespace {

// PostgreSQL counts from 2000-01-01; Unix from 1970-01-01.
constexpr std::chrono::microseconds kEpochOffset =
    std::chrono::sys_days(std::chrono::year(2000) / 1 / 1).time_since_epoch();

template <typename T>
void PutBigEndian(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> static_cast<unsigned>(shift) &
                             0xffU);
  }
}

void PutField(std::string& out, std::string_view bytes) {
  PutBigEndian(out, static_cast<std::int32_t>(bytes.size()));
  out += bytes;
}

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);

}  // namespace

BinaryCopy::BinaryCopy(std::size_t expected_bytes, std::string spare) : data_(std::move(spare)) {
  data_.clear();
  data_.reserve(expected_bytes);
  data_ += kSignature;
  PutBigEndian(data_, std::int32_t{0});  // flags
  PutBigEndian(data_, std::int32_t{0});  // header extension
}

void BinaryCopy::BeginRow(std::int16_t columns) {
  PutBigEndian(data_, columns);
  ++rows_;
}

void BinaryCopy::AddNull() { PutBigEndian(data_, std::int32_t{-1}); }
void BinaryCopy::AddText(std::string_view text) { PutField(data_, text); }
void BinaryCopy::AddBytea(std::string_view bytes) { PutField(data_, bytes); }

void BinaryCopy::AddJsonb(std::string_view json) {
  PutBigEndian(data_, static_cast<std::int32_t>(json.size() + 1));
  data_ += '\x01';
  data_ += json;
}

void BinaryCopy::AddInt2(std::int16_t value) {
  PutBigEndian(data_, std::int32_t{2});
  PutBigEndian(data_, value);
}

void BinaryCopy::AddInt4(std::int32_t value) {
  PutBigEndian(data_, std::int32_t{4});
  PutBigEndian(data_, value);
}

void BinaryCopy::AddInt8(std::int64_t value) {
  PutBigEndian(data_, std::int32_t{8});
  PutBigEndian(data_, value);
}

void BinaryCopy::AddBool(bool value) {
  PutBigEndian(data_, std::int32_t{1});
  data_ += value ? '\x01' : '\0';
}

void BinaryCopy::AddTimestamptz(WallTime time) {
  AddInt8((time.time_since_epoch() - kEpochOffset).count());
}

void BinaryCopy::AddDate(std::int32_t year, unsigned month, unsigned day) {
  const std::chrono::sys_days date =
      std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  const std::chrono::sys_days epoch = std::chrono::year(2000) / 1 / 1;
  AddInt4(static_cast<std::int32_t>((date - epoch).count()));
}

Status BinaryCopy::AddUuid(std::string_view text) {
  const std::optional<PackedUuid> packed = PackUuid(text);
  if (!packed) return Error(ErrorCode::kInternal, "not a UUID");
  PutField(data_, {reinterpret_cast<const char*>(packed->data()), packed->size()});
  return Ok{};
}

// NUMERIC on the wire: groups of four decimal digits, aligned at the decimal point, and the number
// of fraction digits to show.
Status BinaryCopy::AddNumeric(std::string_view decimal) {
  const Error bad(ErrorCode::kSchemaMismatch, "not a plain decimal number");
  std::string_view rest = decimal;
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  const auto point = rest.find('.');
  std::string whole(rest.substr(0, point));
  std::string fraction(point == std::string_view::npos ? std::string_view()
                                                       : rest.substr(point + 1));
  const auto is_digits = [](std::string_view text) {
    return text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (whole.empty() || !is_digits(whole) || !is_digits(fraction) ||
      (point != std::string_view::npos && fraction.empty()))
    return bad;
  if (whole.size() > 100'000 || fraction.size() > 16'000) return bad;

  const auto scale = static_cast<std::int16_t>(fraction.size());
  whole.insert(0, (4 - whole.size() % 4) % 4, '0');
  fraction.append((4 - fraction.size() % 4) % 4, '0');
  const std::string digits = whole + fraction;
  auto weight = static_cast<std::int32_t>(whole.size() / 4) - 1;
  std::vector<std::int16_t> groups;
  for (std::size_t i = 0; i < digits.size(); i += 4) {
    groups.push_back(static_cast<std::int16_t>((digits[i] - '0') * 1000 +
                                               (digits[i + 1] - '0') * 100 +
                                               (digits[i + 2] - '0') * 10 + (digits[i + 3] - '0')));
  }
  std::size_t first = 0;
  while (first < groups.size() && groups[first] == 0) {
    ++first;
    --weight;
  }
  std::size_t last = groups.size();
  while (last > first && groups[last - 1] == 0) --last;
  const bool is_zero = first == last;

  PutBigEndian(data_, static_cast<std::int32_t>(8 + 2 * (last - first)));
  PutBigEndian(data_, static_cast<std::int16_t>(last - first));
  PutBigEndian(data_, static_cast<std::int16_t>(is_zero ? 0 : weight));
  PutBigEndian(data_, static_cast<std::uint16_t>(is_negative && !is_zero ? 0x4000U : 0U));
  PutBigEndian(data_, scale);
  for (std::size_t i = first; i < last; ++i) PutBigEndian(data_, groups[i]);
  return Ok{};
}

std::string BinaryCopy::Finish() {
  PutBigEndian(data_, std::int16_t{-1});
  std::string done = std::move(data_);
  *this = BinaryCopy();
  return done;
}

}  // namespace pcw::pg
