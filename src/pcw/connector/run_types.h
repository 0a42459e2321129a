// What a run does and how it ends: the words that every module above shares.
#pragma once

#include <string_view>

#include "pcw/base/result.h"

namespace pcw::connector {

/// kFetch gets records by name, because an event told of them: it lists nothing, counts no absence
/// and moves no watermark (ADR 13).
enum class RunMode { kFull, kIncremental, kReingest, kReplay, kFetch };
std::string_view NameOf(RunMode mode);
/// A mode that a person or a schedule asks for: full or incremental.
Result<RunMode> ParseRunMode(std::string_view text);

/// Terminal states of a run (I8).
enum class RunStatus { kSucceeded, kPartial, kFailed, kCancelled };
std::string_view NameOf(RunStatus status);

}  // namespace pcw::connector
