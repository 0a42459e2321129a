// Foreign text made harmless: what PostgreSQL, a queue, a log line and a terminal all take.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pcw {

/// What AWS, a header, a message or a file said is bytes until it went through one of these (T23).
/// Without them one error message that is cut inside a character, or one NUL in the name of a
/// field, makes a row that PostgreSQL refuses (22021, 22P05), and the failure that was to be told
/// of takes good records with it. All are pure and thread-safe, and none fails.

inline constexpr std::size_t kUnlimited = std::string_view::npos;

/// How much is kept of what an error says, in a row or in a message.
inline constexpr std::size_t kMostErrorBytes = 8'000;

/// The longest beginning of `text` that has at most `most_bytes` bytes and ends between two
/// characters. Bytes that are not UTF-8 count as characters of one byte.
std::string_view CutAtCharacter(std::string_view text, std::size_t most_bytes);

/// What becomes of tab, line feed and carriage return: everything stores them, but a log line or a
/// table of a terminal is broken by them.
enum class LineBreaks { kEscape, kKeep };

/// `text` as UTF-8 that PostgreSQL's text and jsonb, SQS and XML 1.0 take, in at most `most_bytes`
/// bytes, "..." at its end if it had to be cut. Escaped visibly: bytes that are not UTF-8 (overlong
/// forms and surrogates among them) and control characters of one or two bytes as \xNN, the 66
/// noncharacters (U+FFFE, U+FFFF, U+FDD0 ...) as \u{FFFE}. No escape is cut in two. What needs no
/// escape is unchanged, so that doing it twice is doing it once; the way back is not unique.
std::string StorableText(std::string_view text, std::size_t most_bytes = kUnlimited,
                         LineBreaks line_breaks = LineBreaks::kEscape);

/// True if StorableText would leave `text` as it is. For ids, which are refused instead of changed.
bool IsStorableText(std::string_view text);

/// True if PostgreSQL's text holds `text` as it is: UTF-8 without NUL. The least that a key needs.
bool IsUtf8WithoutNul(std::string_view text);

/// StorableText in ASCII alone: every byte outside 0x20..0x7e becomes \xNN. For what a header says:
/// RFC 9110 gives its bytes no encoding.
std::string AsciiText(std::string_view text, std::size_t most_bytes = kUnlimited);

/// A JSON text whose strings jsonb takes and every parser reads: inside strings the escape of
/// U+0000 and those of lone surrogates become the visible texts \u0000 and \ud83d, bytes that are
/// not UTF-8 become \xNN, raw control characters their escapes. A leading BOM is left out. All else
/// is unchanged byte for byte, text that is not JSON too: whether it is one is for the parser to
/// say. For error bodies before they are parsed, and for jsonb that holds foreign text.
std::string StorableJson(std::string_view json);

}  // namespace pcw
