// Base64 read back; it is written by Base64 in digest.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pcw {

/// The bytes that `text` stands for: the standard alphabet, with padding, nothing else in it.
/// nullopt if it is anything else.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace pcw
