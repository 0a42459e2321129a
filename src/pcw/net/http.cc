#include "pcw/net/http.h"

#include <algorithm>

namespace pcw::net {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    const bool is_same = std::equal(key.begin(), key.end(), name.begin(), name.end(),
                                    [](char a, char b) { return Lower(a) == Lower(b); });
    if (is_same) return value;
  }
  return std::nullopt;
}

}  // namespace pcw::net
