#include "pcw/diagnose/report.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

bool IsWanted(const Finding& finding, std::span<const Section> sections) {
  if (sections.empty()) return true;
  const Section section = finding.def->section;
  if (std::find(sections.begin(), sections.end(), section) != sections.end()) return true;
  // Nothing works without a configuration, and nobody is asked who cannot be reached.
  return finding.def->level == Level::kError &&
         (section == Section::kSetup || section == Section::kConnectivity);
}

std::string VerdictOf(const Report& report, const EscalationMatrix& matrix) {
  if (report.worst == Level::kInfo) return "healthy: nothing to do";
  const auto count = [&](Level level) {
    return std::count_if(report.findings.begin(), report.findings.end(),
                         [&](const Finding& finding) { return finding.def->level == level; });
  };
  const auto errors = count(Level::kError), warnings = count(Level::kWarn);
  const Finding& first = report.findings.front();
  return fmt::format("{} ({} error{}, {} warning{}); first: {} {} ({}); call: {}",
                     report.worst == Level::kError ? "not healthy" : "needs a look", errors,
                     errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", first.def->code,
                     first.def->title, first.resource,
                     OwnerOf(matrix, first.def->issue).first_responder);
}

std::string Printable(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

}  // namespace

Report MakeReport(const Facts& facts, std::span<const Section> sections,
                  const EscalationMatrix& matrix) {
  Report report;
  for (Finding& finding : Judge(facts)) {
    if (!IsWanted(finding, sections)) continue;
    report.worst = std::max(report.worst, finding.def->level);
    report.findings.push_back(std::move(finding));
  }
  report.verdict = VerdictOf(report, matrix);
  return report;
}

std::string FormatReport(const Report& report, const EscalationMatrix& matrix) {
  std::string text;
  for (const Finding& finding : report.findings) {
    text += fmt::format("{} [{}] ({}) {}\n", NameOf(finding.def->level), finding.def->code,
                        Printable(finding.resource), Printable(finding.message));
    if (finding.def->level != Level::kInfo)
      text += fmt::format("  cause: {}\n", finding.def->cause);
    for (const auto& [name, value] : finding.evidence) {
      if (!value.empty()) text += fmt::format("  {}: {}\n", name, Printable(value));
    }
    for (const std::string& step : finding.next_steps) text += fmt::format("  next: {}\n", step);
    if (finding.def->level != Level::kInfo) {
      const Escalation& owner = OwnerOf(matrix, finding.def->issue);
      text += fmt::format("  owner: {}; then {} ({})\n", owner.first_responder, owner.escalation,
                          owner.issue);
    }
  }
  return text + fmt::format("verdict: {}\n", Printable(report.verdict));
}

OrderedJson ReportToJson(const Report& report, const EscalationMatrix& matrix) {
  OrderedJson json;
  json["verdict"] = {{"level", NameOf(report.worst)}, {"text", report.verdict}};
  json["findings"] = OrderedJson::array();
  for (const Finding& finding : report.findings) {
    const SectionDef& section = DefOf(finding.def->section);
    const Escalation& owner = OwnerOf(matrix, finding.def->issue);
    OrderedJson evidence = OrderedJson::object();
    for (const auto& [name, value] : finding.evidence) evidence[name] = value;
    json["findings"].push_back({{"code", finding.def->code},
                                {"level", NameOf(finding.def->level)},
                                {"section", section.name},
                                {"runbook", section.number},
                                {"title", finding.def->title},
                                {"resource", finding.resource},
                                {"message", finding.message},
                                {"cause", finding.def->cause},
                                {"evidence", std::move(evidence)},
                                {"next_steps", finding.next_steps},
                                {"owner",
                                 {{"issue", owner.issue},
                                  {"first_responder", owner.first_responder},
                                  {"escalation", owner.escalation}}},
                                {"doc", fmt::format("docs/errors.md#{}", finding.def->code)}});
  }
  return json;
}

}  // namespace pcw::diagnose
