#include "pcw/dlq/record_key.h"

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/storable_text.h"

namespace pcw::dlq {

std::string RecordKeyOf(std::string_view id) {
  constexpr std::size_t kLongestKey = 2'000;  // an entry of an index holds 2,704 bytes
  constexpr std::size_t kShown = 200;
  constexpr std::size_t kDigits = 16;
  if (id.size() <= kLongestKey && IsUtf8WithoutNul(id)) return std::string(id);
  return fmt::format("{}#{}", StorableText(id, kShown), Sha256Hex(id).substr(0, kDigits));
}

}  // namespace pcw::dlq
