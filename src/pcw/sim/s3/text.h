// How S3 spells things: percent-encoding in its three forms, base64, XML text, times.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"

namespace pcw::sim {

enum class Plus : std::uint8_t { kPlus, kBlank };

/// The bytes behind `%XX`; nothing if an escape is broken. `plus`: what a bare '+' stands for.
std::optional<std::string> PercentDecode(std::string_view text, Plus plus);

enum class Slash : std::uint8_t { kKeep, kEncode };

/// As a signature wants it: everything but A-Z a-z 0-9 - . _ ~ is `%XX`.
std::string PercentEncode(std::string_view text, Slash slash);

/// As `encoding-type=url` answers: like a web form, a blank is '+', slashes stay.
std::string ListingEncode(std::string_view text);

std::string Base64(std::string_view bytes);
/// Nothing unless `text` is padded base64 of the usual alphabet.
std::optional<std::string> FromBase64(std::string_view text);

/// `text` as XML content, control characters as references (which not every parser takes: such keys
/// are what encoding-type=url is for).
std::string XmlText(std::string_view text);

/// True for well-formed UTF-8 without surrogates and overlong forms.
bool IsUtf8(std::string_view text);

/// "2026-11-20T08:15:30.123Z"
std::string S3Time(WallTime time);

/// A number of decimal digits only; nothing beyond 64 bits.
std::optional<std::uint64_t> ParseDigits(std::string_view text);

}  // namespace pcw::sim
