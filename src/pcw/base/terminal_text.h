// Foreign text for terminals: nothing in it moves the cursor, colours, hides or turns around what
// is beside it.
#pragma once

#include <string>
#include <string_view>

namespace pcw {

/// `text` on one line, as a person can tell it from any other: tabs and line breaks are spaces;
/// other control characters (those of C1 too), and bytes that are not UTF-8, are \xNN; characters
/// that show nothing or turn the direction of text (U+202E and its like, zero-width ones but the
/// two joiners, which scripts need, line and paragraph separators, tags) are \u{202E}. All else is
/// unchanged. Pure; thread-safe.
std::string TerminalText(std::string_view text);

}  // namespace pcw
