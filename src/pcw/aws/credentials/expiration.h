// When credentials end, in the forms that their sources write it.
#pragma once

#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::aws {

/// RFC 3339, and what credential programs print beside it: an offset without colon (+0000), no
/// seconds, and the ten digits of seconds since 1970. kInvalidRequest for anything else; the text
/// is not repeated.
Result<WallTime> ParseExpiration(std::string_view text);

}  // namespace pcw::aws
