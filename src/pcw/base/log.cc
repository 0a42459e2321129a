#include "pcw/base/log.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/terminal_text.h"
#include "pcw/base/time.h"

namespace pcw {
namespace {

std::atomic<LogLevel> log_level{LogLevel::kInfo};
std::atomic<int> log_descriptor{STDERR_FILENO};
std::atomic<LogFormat> log_format{LogFormat::kText};

constexpr std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarn:
      return "WARN";
    case LogLevel::kError:
      return "ERROR";
  }
  return "ERROR";
}

LogFields& ScopeFields() {
  thread_local LogFields fields;
  return fields;
}

}  // namespace

std::string Printable(std::string_view text) { return TerminalText(StorableText(text)); }

LogScope::LogScope(LogFields fields) : added_(fields.size()) {
  for (auto& field : fields) ScopeFields().push_back(std::move(field));
}

LogScope::~LogScope() {
  LogFields& all = ScopeFields();
  all.resize(all.size() - added_);
}

LogFields CurrentLogFields() { return ScopeFields(); }

void ConfigureLog(LogLevel level, LogFormat format) {
  log_level = level;
  log_format = format;
}

bool LogEnabled(LogLevel level) { return level >= log_level.load(std::memory_order_relaxed); }

std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view ts,
                          std::string_view message, const LogFields& fields) {
  if (format == LogFormat::kJson) {
    OrderedJson line;
    line["ts"] = ts;
    line["level"] = LevelName(level);
    line["msg"] = message;
    for (const auto& [key, value] : fields) line[std::string(key)] = value;
    return DumpJson(line);
  }
  std::string line = fmt::format("{} {:<5} {}", ts, LevelName(level), Printable(message));
  for (const auto& [key, value] : fields) line += fmt::format(" {}={}", key, Printable(value));
  return line;
}

void Log(LogLevel level, std::string_view message, const LogFields& fields) {
  if (LogEnabled(level)) LogAlways(level, message, fields);
}

void LogAlways(LogLevel level, std::string_view message, const LogFields& fields) {
  LogFields all = ScopeFields();
  all.insert(all.end(), fields.begin(), fields.end());
  const std::string line =
      FormatLogLine(log_format, level, FormatRfc3339(SystemClock().Now()), message, all) + "\n";
  // One write, so that lines of several threads and processes do not interleave.
  [[maybe_unused]] const auto written = ::write(log_descriptor, line.data(), line.size());
}

void SendLogTo(int descriptor) { log_descriptor = descriptor; }

void LogVerbatim(std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  [[maybe_unused]] const auto written = ::write(log_descriptor, whole.data(), whole.size());
}

void LogError(std::string_view message, const Error& error) {
  LogFields fields{{"code", std::string(NameOf(error.code()))}, {"error", error.message()}};
  for (const auto& [key, value] : error.context()) fields.emplace_back(key, value);
  fields.emplace_back("location",
                      fmt::format("{}:{}", error.place().file_name(), error.place().line()));
  Log(LogLevel::kError, message, fields);
}

}  // namespace pcw
