// Log lines: one event, a level and ordered fields; JSON for services, text for people. To standard
// error, unless a service sends them to its standard output.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/base/error.h"

namespace pcw {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

using LogFields = std::vector<std::pair<std::string_view, std::string>>;

/// `text` on one line and harmless to a terminal: control characters, the two-byte C1 ones too,
/// become
/// \\xNN.
std::string Printable(std::string_view text);

/// Sets the level and form of all later lines. Called by the composition root, again when the
/// configuration changes; the default is kInfo as text. Thread-safe.
void ConfigureLog(LogLevel level, LogFormat format);

/// Where lines go from now on: a file descriptor; the default is standard error. Called by the
/// composition root of a service before its threads start.
void SendLogTo(int descriptor);

/// Writes a line as it is to where log lines go, for lines whose form is somebody else's
/// (CloudWatch's embedded metrics). Thread-safe.
void LogVerbatim(std::string_view line);

/// Fields that every line of this thread carries while the scope lives, before its own: run,
/// tenant, entity. Scopes nest. A thread that works for another one takes over its fields:
/// `LogScope scope(fields)`, with `fields` from CurrentLogFields() there.
class LogScope {
 public:
  explicit LogScope(LogFields fields);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  std::size_t added_;
};

/// The fields of this thread's scopes, outermost first.
LogFields CurrentLogFields();

/// True if a line of `level` would be written; for callers whose fields are costly to make.
/// Thread-safe.
bool LogEnabled(LogLevel level);

/// Writes a line whatever the level is set to, for what was asked for by another switch.
void LogAlways(LogLevel level, std::string_view message, const LogFields& fields = {});

/// Writes one line. `message` is fixed text, what varies belongs in fields. Never put a secret or a
/// payload here. Never blocks on anything but the write, never fails: a log that cannot be written
/// must not stop the work. Thread-safe.
void Log(LogLevel level, std::string_view message, const LogFields& fields = {});

/// Logs an error with its code, context and location: once, at the top that handles it.
void LogError(std::string_view message, const Error& error);

/// The line as it would be written, without its line end (the testable part). `ts` is RFC 3339.
std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view ts,
                          std::string_view message, const LogFields& fields);

}  // namespace pcw
