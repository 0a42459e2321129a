// What a diagnosis says: findings with a code, evidence, the next step and who is called.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pcw::diagnose {

/// kInfo is worth knowing and no fault.
enum class Level : std::uint8_t { kInfo, kWarn, kError };
/// "INFO", "WARN", "ERROR".
std::string_view NameOf(Level level);

/// Sections of the runbook, and what comes before all of them.
enum class Section : std::uint8_t {
  kSetup,
  kAuth,
  kRateLimits,
  kSchema,
  kConnectivity,
  kRuns,
  kBronze,
  kDlq,
  kEvents
};

struct SectionDef {
  Section section;
  std::string_view name;    ///< "rate-limits", as on the command line
  std::string_view number;  ///< "1.2", as in the runbook
  std::string_view title;
};
/// All sections, in the order of a report.
std::span<const SectionDef> Sections();
/// The row of a section.
const SectionDef& DefOf(Section section);
/// By name or number; nullptr if there is none.
const SectionDef* FindSection(std::string_view name_or_number);

/// Rows of the escalation matrix (runbook 4).
enum class IssueType : std::uint8_t { kIam, kApi, kData, kPerformance };

/// One kind of finding. Codes are never reused.
struct FindingDef {
  std::string_view code;  ///< "PCW1203"
  Section section;
  Level level;
  IssueType issue;
  std::string_view title;  ///< "daily quota exhausted"
  std::string_view cause;  ///< why it happens: one or two sentences
  std::string_view fix;    ///< what fixes it, in general
};

struct Finding {
  const FindingDef* def = nullptr;
  std::string resource;  ///< what it is about: a host, a key, an operation
  std::string message;   ///< one sentence with the particulars
  std::vector<std::pair<std::string, std::string>> evidence;
  std::vector<std::string> next_steps;  ///< commands, or what to do where no command exists
};

}  // namespace pcw::diagnose
